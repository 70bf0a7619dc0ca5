//! Keys, JWKs and algorithms of jsonwebtoken from and to those of `bartizan-tokens`, for programs that move step by step.
//!
//! ```
//! use bartizan_compat_jsonwebtoken::{Engine, convert, errors::Error, jwk::JwkSet};
//! use bartizan_tokens::KeySet;
//!
//! fn keys(engine: &Engine, set: &JwkSet) -> Result<KeySet, Error> {
//!     let (keys, skipped) = convert::key_set(engine, set)?;
//!     for key in skipped {
//!         eprintln!("key {} is left out: {}", key.index, key.reason);
//!     }
//!     Ok(keys)
//! }
//! ```

use bartizan_core::SecretBytes;
use bartizan_tokens::{self as tokens, ErrorKind, KeySet, SigningKey, SkippedKey, VerifyingKey, key_file};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    jwk::{Jwk, JwkSet, KeyAlgorithm},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Engine,
    encoding_key::secret_of,
    error::{Cause, Result},
    public,
};

/// Ours for theirs.
///
/// # Errors
/// Kind `UnsupportedAlgorithm` for one that jsonwebtoken learns later.
pub fn algorithm(theirs: Algorithm) -> Result<tokens::Algorithm> {
    Ok(match theirs {
        Algorithm::EdDSA => tokens::Algorithm::EdDsa,
        Algorithm::ES256 => tokens::Algorithm::Es256,
        Algorithm::ES384 => tokens::Algorithm::Es384,
        Algorithm::PS256 => tokens::Algorithm::Ps256,
        Algorithm::PS384 => tokens::Algorithm::Ps384,
        Algorithm::PS512 => tokens::Algorithm::Ps512,
        Algorithm::RS256 => tokens::Algorithm::Rs256,
        Algorithm::RS384 => tokens::Algorithm::Rs384,
        Algorithm::RS512 => tokens::Algorithm::Rs512,
        Algorithm::HS256 => tokens::Algorithm::Hs256,
        Algorithm::HS384 => tokens::Algorithm::Hs384,
        Algorithm::HS512 => tokens::Algorithm::Hs512,
        _ => return Err(ErrorKind::KeyUnsupported.into()),
    })
}

/// Theirs for ours.
///
/// # Errors
/// Kind `UnsupportedAlgorithm` for one that jsonwebtoken does not know.
pub fn foreign_algorithm(ours: tokens::Algorithm) -> Result<Algorithm> {
    Ok(match ours {
        tokens::Algorithm::EdDsa => Algorithm::EdDSA,
        tokens::Algorithm::Es256 => Algorithm::ES256,
        tokens::Algorithm::Es384 => Algorithm::ES384,
        tokens::Algorithm::Ps256 => Algorithm::PS256,
        tokens::Algorithm::Ps384 => Algorithm::PS384,
        tokens::Algorithm::Ps512 => Algorithm::PS512,
        tokens::Algorithm::Rs256 => Algorithm::RS256,
        tokens::Algorithm::Rs384 => Algorithm::RS384,
        tokens::Algorithm::Rs512 => Algorithm::RS512,
        tokens::Algorithm::Hs256 => Algorithm::HS256,
        tokens::Algorithm::Hs384 => Algorithm::HS384,
        tokens::Algorithm::Hs512 => Algorithm::HS512,
        _ => return Err(ErrorKind::KeyUnsupported.into()),
    })
}

/// A key from a public JWK, with the checks that `jsonwebtoken::DecodingKey::from_jwk` leaves out: `crv`, `alg`, `use`,
/// `key_ops`, encodings and sizes.
///
/// # Security
/// jsonwebtoken drops members that it does not know when it reads a JWK. A private member in the text is not seen here: where the
/// text is at hand, take [`VerifyingKey::from_jwk`].
///
/// # Errors
/// Those of [`VerifyingKey::from_jwk_with`]: code `key_secrecy` for an `oct` key.
pub fn verifying_key(engine: &Engine, jwk: &Jwk) -> Result<VerifyingKey> {
    Ok(VerifyingKey::from_jwk_with(&*engine.provider, json(jwk)?.as_bytes(), &engine.rules)?)
}

/// Keys from a public JWKS, and which of its keys were left out.
///
/// # Security
/// As [`verifying_key`]: where the text is at hand, take [`KeySet::from_jwks`].
///
/// # Errors
/// Those of [`KeySet::from_jwks_with`]: code `key_secrecy` when there is an `oct` key in it.
pub fn key_set(engine: &Engine, set: &JwkSet) -> Result<(KeySet, Vec<SkippedKey>)> {
    Ok(KeySet::from_jwks_with(&*engine.provider, json(set)?.as_bytes(), &engine.rules)?)
}

/// The public JWK of a key.
///
/// # Errors
/// Code `key_secrecy` for a symmetric key.
pub fn jwk(key: &VerifyingKey) -> Result<Jwk> {
    let mut jwk: Jwk = of_json(&key.to_public_jwk()?)?;
    // jsonwebtoken knows one of the two names of Ed25519.
    jwk.common.key_algorithm = Some(KeyAlgorithm::from(foreign_algorithm(key.algorithm())?));
    Ok(jwk)
}

/// The public JWKS of a set.
///
/// # Errors
/// Code `key_secrecy` for a set of symmetric keys.
pub fn jwk_set(keys: &KeySet) -> Result<JwkSet> {
    Ok(JwkSet { keys: keys.keys().map(jwk).collect::<Result<_>>()? })
}

/// Ours for their key that verifies. Theirs is of a family of algorithms, so the caller says which one.
///
/// # Errors
/// Code `key_use` for an algorithm of another family; those of [`DecodingKey`](crate::DecodingKey)'s constructors.
pub fn from_decoding_key(
    engine: &Engine,
    algorithm: Algorithm,
    kid: Option<&str>,
    key: &DecodingKey,
) -> Result<VerifyingKey> {
    let algorithm = of_family(algorithm, key.family())?;
    let bytes = match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes,
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            return public::rsa(engine, algorithm, kid, &public::encode(n), &public::encode(e));
        }
    };
    match key.family() {
        AlgorithmFamily::Hmac => {
            let secret = SecretBytes::new(bytes.clone());
            Ok(VerifyingKey::hmac(&*engine.provider, algorithm, kid, &secret)?)
        }
        AlgorithmFamily::Rsa => {
            engine.verifying_key(algorithm, kid, &key_file::public_from_der(algorithm, bytes)?)
        }
        AlgorithmFamily::Ec => {
            let (x, y) = public::coordinates(bytes).ok_or(ErrorKind::KeyFormat)?;
            let key = public::ec(engine, kid, &public::encode(x), &public::encode(y))?;
            if key.algorithm() == algorithm { Ok(key) } else { Err(ErrorKind::KeyUse.into()) }
        }
        AlgorithmFamily::Ed => public::ed(engine, kid, &public::encode(bytes)),
    }
}

/// Theirs for our key that verifies.
///
/// # Errors
/// Code `key_secrecy` for a symmetric key: it does not give its secret back.
pub fn decoding_key(key: &VerifyingKey) -> Result<DecodingKey> {
    DecodingKey::from_jwk(&jwk(key)?).map_err(|_| ErrorKind::KeyUnsupported.into())
}

/// Ours for their key that signs. Without `kid` it is named by its thumbprint; a secret has none and needs a `kid`.
///
/// # Errors
/// Code `key_unnamed` for a secret without `kid`, `key_use` for an algorithm of another family; those of
/// [`EncodingKey`](crate::EncodingKey)'s constructors.
pub fn from_encoding_key(
    engine: &Engine,
    algorithm: Algorithm,
    kid: Option<&str>,
    key: &EncodingKey,
) -> Result<SigningKey> {
    let algorithm = of_family(algorithm, key.family())?;
    if algorithm.is_symmetric() {
        let secret = SecretBytes::new(key.as_bytes().to_vec());
        return Ok(SigningKey::hmac(
            &*engine.provider,
            algorithm,
            kid.ok_or(ErrorKind::KeyUnnamed)?,
            &secret,
        )?);
    }
    let private = key_file::private_from_der(&*engine.provider, algorithm, key.as_bytes())?;
    engine.signing_key(algorithm, kid, &private)
}

/// Theirs for our key that signs, for code that still calls jsonwebtoken.
///
/// # Security
/// The secret leaves the key: theirs holds a copy of it and gives it to whoever asks (`EncodingKey::as_bytes`).
///
/// # Errors
/// None for keys that jsonwebtoken has an algorithm for.
pub fn encoding_key(engine: &Engine, key: &SigningKey) -> Result<EncodingKey> {
    let algorithm = key.algorithm();
    Ok(match foreign_algorithm(algorithm)?.family() {
        AlgorithmFamily::Hmac => {
            let jwk = key.to_private_jwk();
            let secret: SecretJwk<'_> = of_json(jwk.expose())?;
            EncodingKey::from_secret(secret_of(&URL_SAFE_NO_PAD, secret.k)?.expose())
        }
        AlgorithmFamily::Ec => EncodingKey::from_ec_der(key.to_der()?.expose()),
        AlgorithmFamily::Ed => EncodingKey::from_ed_der(key.to_der()?.expose()),
        AlgorithmFamily::Rsa => {
            // PKCS#1 is what jsonwebtoken wants, and what stands inside.
            let private = key_file::private_from_der(&*engine.provider, algorithm, key.to_der()?.expose())?;
            EncodingKey::from_rsa_der(private.secret().expose())
        }
    })
}

fn of_family(theirs: Algorithm, family: AlgorithmFamily) -> Result<tokens::Algorithm> {
    if theirs.family() == family { algorithm(theirs) } else { Err(ErrorKind::KeyUse.into()) }
}

/// The text may hold a secret that is refused in a moment.
fn json(key: &impl Serialize) -> Result<Zeroizing<String>> {
    Ok(Zeroizing::new(serde_json::to_string(key).map_err(|_| Cause::Unwritable)?))
}

/// Borrowed: base64url has no escapes in JSON.
#[derive(Deserialize)]
struct SecretJwk<'j> {
    k: &'j str,
}

fn of_json<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T> {
    Ok(serde_json::from_str(json).map_err(|_| ErrorKind::KeyFormat)?)
}
