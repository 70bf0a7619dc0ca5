//! Keys that verify.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bartizan_core::SecretBytes;
use bartizan_tokens::{self as tokens, KeySet, VerifyingKey, key_file};
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jsonwebtoken::{
    Algorithm, Header,
    jwk::{Jwk, JwkSet},
};

use crate::{
    Engine, convert,
    encoding_key::{curve_of, rsa, secret_of},
    error::Result,
    header, public,
};

/// A key to decode tokens with, or a set of them: one algorithm each, checked and prepared when it is made. Cheap to clone.
///
/// Its `Debug` shows ids and algorithms.
#[derive(Clone)]
pub struct DecodingKey(Arc<Prepared>);

struct Prepared {
    keys: KeySet,
    engine: Engine,
    /// The header of the first token that was accepted: of one issuer and key, nearly always the only one.
    known: OnceLock<(Box<str>, Header)>,
}

impl DecodingKey {
    /// From a secret of at least 32 bytes for HS256, 48 for HS384 and 64 for HS512, at most 1,024.
    ///
    /// # Errors
    /// As [`EncodingKey::from_secret`](crate::EncodingKey::from_secret).
    pub fn from_secret(engine: &Engine, algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        let (algorithm, secret) = (convert::algorithm(algorithm)?, SecretBytes::new(secret.to_vec()));
        Self::from_verifying_key(engine, VerifyingKey::hmac(&*engine.provider, algorithm, None, &secret)?)
    }

    /// From a secret in base64 of the standard alphabet, padded.
    ///
    /// # Errors
    /// As [`EncodingKey::from_base64_secret`](crate::EncodingKey::from_base64_secret).
    pub fn from_base64_secret(engine: &Engine, algorithm: Algorithm, secret: &str) -> Result<Self> {
        Self::from_secret(engine, algorithm, secret_of(&STANDARD, secret)?.expose())
    }

    /// From a secret in base64 of the URL-safe alphabet, padded.
    ///
    /// # Errors
    /// As [`EncodingKey::from_base64_secret`](crate::EncodingKey::from_base64_secret).
    pub fn from_urlsafe_base64_secret(engine: &Engine, algorithm: Algorithm, secret: &str) -> Result<Self> {
        Self::from_secret(engine, algorithm, secret_of(&URL_SAFE, secret)?.expose())
    }

    /// From a public RSA key in PEM, `PUBLIC KEY` or `RSA PUBLIC KEY`. It does not say its algorithm, so the caller does; RS256,
    /// RS384 and RS512 take an engine with [`Engine::danger_rsa_pkcs1`].
    ///
    /// # Errors
    /// Those of [`key_file::public_from_pem`]; code `key_rsa_pkcs1`, kind `UnsupportedAlgorithm`, for RS256 and its like
    /// where the engine does not take them.
    pub fn from_rsa_pem(engine: &Engine, algorithm: Algorithm, pem: &[u8]) -> Result<Self> {
        let algorithm = rsa(algorithm)?;
        let public = key_file::public_from_pem(algorithm, pem)?;
        Self::from_verifying_key(engine, engine.verifying_key(algorithm, None, &public)?)
    }

    /// The same in DER.
    ///
    /// # Errors
    /// As [`DecodingKey::from_rsa_pem`].
    pub fn from_rsa_der(engine: &Engine, algorithm: Algorithm, der: &[u8]) -> Result<Self> {
        let algorithm = rsa(algorithm)?;
        let public = key_file::public_from_der(algorithm, der)?;
        Self::from_verifying_key(engine, engine.verifying_key(algorithm, None, &public)?)
    }

    /// From modulus and exponent in base64url, as a JWK has them.
    ///
    /// # Errors
    /// As [`DecodingKey::from_rsa_pem`].
    pub fn from_rsa_components(engine: &Engine, algorithm: Algorithm, n: &str, e: &str) -> Result<Self> {
        Self::from_verifying_key(engine, public::rsa(engine, rsa(algorithm)?, None, n, e)?)
    }

    /// From modulus and exponent, big endian without leading zeros.
    ///
    /// # Errors
    /// As [`DecodingKey::from_rsa_pem`].
    pub fn from_rsa_raw_components(
        engine: &Engine,
        algorithm: Algorithm,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self> {
        let (n, e) = (public::encode(n), public::encode(e));
        Self::from_rsa_components(engine, algorithm, &n, &e)
    }

    /// From a public EC key in PEM: ES256 on P-256, ES384 on P-384.
    ///
    /// # Errors
    /// Those of [`key_file::public_from_pem`]; kind `InvalidKeyFormat`, code `key_use`, for another kind of key.
    pub fn from_ec_pem(engine: &Engine, pem: &[u8]) -> Result<Self> {
        let public = key_file::public_from_pem(curve_of(pem)?, pem)?;
        Self::from_verifying_key(engine, VerifyingKey::from_public(&*engine.provider, None, &public)?)
    }

    /// From a public EC key: an uncompressed point, which is what jsonwebtoken takes here, or a `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    /// As [`DecodingKey::from_ec_pem`].
    pub fn from_ec_der(engine: &Engine, der: &[u8]) -> Result<Self> {
        if let Some((x, y)) = public::coordinates(der) {
            return Self::from_ec_components(engine, &public::encode(x), &public::encode(y));
        }
        let public = key_file::public_from_der(curve_of(der)?, der)?;
        Self::from_verifying_key(engine, VerifyingKey::from_public(&*engine.provider, None, &public)?)
    }

    /// From the coordinates of an EC key in base64url, as a JWK has them. Their length says the curve.
    ///
    /// # Errors
    /// Kind `InvalidKeyFormat`.
    pub fn from_ec_components(engine: &Engine, x: &str, y: &str) -> Result<Self> {
        Self::from_verifying_key(engine, public::ec(engine, None, x, y)?)
    }

    /// From a public Ed25519 key in PEM.
    ///
    /// # Errors
    /// Those of [`key_file::public_from_pem`].
    pub fn from_ed_pem(engine: &Engine, pem: &[u8]) -> Result<Self> {
        Self::from_verifying_key(
            engine,
            VerifyingKey::from_pem(&*engine.provider, tokens::Algorithm::EdDsa, None, pem)?,
        )
    }

    /// From a public Ed25519 key: its 32 bytes, which is what jsonwebtoken takes here, or a `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    /// Those of [`key_file::public_from_der`].
    pub fn from_ed_der(engine: &Engine, der: &[u8]) -> Result<Self> {
        if der.len() == 32 {
            return Self::from_ed_components(engine, &public::encode(der));
        }
        Self::from_verifying_key(
            engine,
            VerifyingKey::from_der(&*engine.provider, tokens::Algorithm::EdDsa, None, der)?,
        )
    }

    /// From an Ed25519 key in base64url, as a JWK has it.
    ///
    /// # Errors
    /// Kind `InvalidKeyFormat`.
    pub fn from_ed_components(engine: &Engine, x: &str) -> Result<Self> {
        Self::from_verifying_key(engine, public::ed(engine, None, x)?)
    }

    /// From a public JWK. If it has a `kid`, a token that names another is refused. An RSA key has to say its `alg`, or the
    /// engine [`Engine::rsa_without_alg`].
    ///
    /// # Errors
    /// Those of [`VerifyingKey::from_jwk_with`]: code `key_secrecy` for an `oct` key, which is no public one. For those there is
    /// [`DecodingKey::from_secret`].
    pub fn from_jwk(engine: &Engine, jwk: &Jwk) -> Result<Self> {
        Self::from_verifying_key(engine, convert::verifying_key(engine, jwk)?)
    }

    /// From the keys of a public JWKS, of which a token's `kid` chooses one. Keys that are not ours to use are left out.
    ///
    /// # Errors
    /// Those of [`KeySet::from_jwks_with`].
    pub fn from_jwk_set(engine: &Engine, set: &JwkSet) -> Result<Self> {
        Ok(Self::from_key_set(engine, convert::key_set(engine, set)?.0))
    }

    /// From a key of `bartizan-tokens`.
    ///
    /// # Errors
    /// None so far.
    pub fn from_verifying_key(engine: &Engine, key: VerifyingKey) -> Result<Self> {
        Ok(Self::from_key_set(engine, KeySet::new([key])?))
    }

    /// From keys of `bartizan-tokens`, of which a token's `kid` chooses one.
    #[must_use]
    pub fn from_key_set(engine: &Engine, keys: KeySet) -> Self {
        Self(Arc::new(Prepared { keys, engine: engine.clone(), known: OnceLock::new() }))
    }

    pub(crate) fn keys(&self) -> &KeySet {
        &self.0.keys
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The header of a token that was accepted, decoded, or remembered from the first.
    pub(crate) fn header_of(&self, token: &str) -> Result<Header> {
        let encoded = header::encoded_in(token);
        if let Some((known, header)) = self.0.known.get()
            && **known == *encoded
        {
            return Ok(header.clone());
        }
        let header = header::decode(encoded)?;
        // Whoever else was first is as good.
        let _ = self.0.known.set((encoded.into(), header.clone()));
        Ok(header)
    }
}

impl fmt::Debug for DecodingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodingKey").field("keys", &self.0.keys).finish_non_exhaustive()
    }
}
