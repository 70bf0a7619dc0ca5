//! Keys that sign.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bartizan_core::SecretBytes;
use bartizan_crypto::{PrivateKey, Provider};
use bartizan_tokens::{self as tokens, SigningKey, jws::ProtectedHeader, key_file};
use base64::{
    Engine as _, decoded_len_estimate,
    engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE},
};
use jsonwebtoken::{Algorithm, Header};
use zeroize::Zeroizing;

use crate::{
    Engine, convert,
    error::{Cause, Error, Result},
};

/// A key to encode tokens with: one algorithm, checked and prepared when it is made. Cheap to clone.
///
/// Its `Debug` shows the algorithm.
#[derive(Clone)]
pub struct EncodingKey(Arc<Prepared>);

struct Prepared {
    key: SigningKey,
    /// The header that this key was first used with: nearly always the only one.
    known: OnceLock<(Header, ProtectedHeader)>,
}

/// Never in a token: headers have the `kid` that the caller puts there.
const UNNAMED: &str = "unnamed";

impl EncodingKey {
    /// From a secret of at least 32 bytes for HS256, 48 for HS384 and 64 for HS512, at most 1,024.
    ///
    /// # Errors
    /// Kind `InvalidKeyFormat`; codes `secret_too_short`, `secret_is_key` for a key file, `key_use` for another algorithm.
    pub fn from_secret(engine: &Engine, algorithm: Algorithm, secret: &[u8]) -> Result<Self> {
        let (algorithm, secret) = (convert::algorithm(algorithm)?, SecretBytes::new(secret.to_vec()));
        Ok(Self::of(SigningKey::hmac(&*engine.provider, algorithm, UNNAMED, &secret)?))
    }

    /// From a secret in base64 of the standard alphabet, padded.
    ///
    /// # Errors
    /// Kind `InvalidKeyFormat`; code `base64`; else as [`EncodingKey::from_secret`].
    pub fn from_base64_secret(engine: &Engine, algorithm: Algorithm, secret: &str) -> Result<Self> {
        Self::from_secret(engine, algorithm, secret_of(&STANDARD, secret)?.expose())
    }

    /// From a secret in base64 of the URL-safe alphabet, padded.
    ///
    /// # Errors
    /// As [`EncodingKey::from_base64_secret`].
    pub fn from_urlsafe_base64_secret(engine: &Engine, algorithm: Algorithm, secret: &str) -> Result<Self> {
        Self::from_secret(engine, algorithm, secret_of(&URL_SAFE, secret)?.expose())
    }

    /// From an RSA key in PEM, PKCS#8 or PKCS#1. It does not say its algorithm, so the caller does; RS256, RS384 and RS512
    /// take an engine with [`Engine::danger_rsa_pkcs1`].
    ///
    /// # Errors
    /// Those of [`key_file::private_from_pem`]; code `key_rsa_pkcs1`, kind `UnsupportedAlgorithm`, for RS256 and its like
    /// where the engine does not take them.
    pub fn from_rsa_pem(engine: &Engine, algorithm: Algorithm, pem: &[u8]) -> Result<Self> {
        Self::from_file(engine, rsa(algorithm)?, pem, key_file::private_from_pem)
    }

    /// The same in DER.
    ///
    /// # Errors
    /// As [`EncodingKey::from_rsa_pem`].
    pub fn from_rsa_der(engine: &Engine, algorithm: Algorithm, der: &[u8]) -> Result<Self> {
        Self::from_file(engine, rsa(algorithm)?, der, key_file::private_from_der)
    }

    /// From an EC key in PEM, PKCS#8 or SEC 1: ES256 on P-256, ES384 on P-384.
    ///
    /// # Errors
    /// Those of [`key_file::private_from_pem`]; kind `InvalidKeyFormat`, code `key_use`, for another kind of key.
    pub fn from_ec_pem(engine: &Engine, pem: &[u8]) -> Result<Self> {
        Self::from_file(engine, curve_of(pem)?, pem, key_file::private_from_pem)
    }

    /// The same in DER.
    ///
    /// # Errors
    /// As [`EncodingKey::from_ec_pem`].
    pub fn from_ec_der(engine: &Engine, der: &[u8]) -> Result<Self> {
        Self::from_file(engine, curve_of(der)?, der, key_file::private_from_der)
    }

    /// From an Ed25519 key in PEM, PKCS#8.
    ///
    /// # Errors
    /// Those of [`key_file::private_from_pem`].
    pub fn from_ed_pem(engine: &Engine, pem: &[u8]) -> Result<Self> {
        Self::from_file(engine, tokens::Algorithm::EdDsa, pem, key_file::private_from_pem)
    }

    /// The same in DER.
    ///
    /// # Errors
    /// As [`EncodingKey::from_ed_pem`].
    pub fn from_ed_der(engine: &Engine, der: &[u8]) -> Result<Self> {
        Self::from_file(engine, tokens::Algorithm::EdDsa, der, key_file::private_from_der)
    }

    /// From a key of `bartizan-tokens`. Its `kid` stands in no token: headers have the one that the caller puts there.
    #[must_use]
    pub fn from_signing_key(key: SigningKey) -> Self {
        Self::of(key)
    }

    /// The algorithm; a key has exactly one.
    #[must_use]
    pub fn algorithm(&self) -> tokens::Algorithm {
        self.0.key.algorithm()
    }

    fn from_file(
        engine: &Engine,
        algorithm: tokens::Algorithm,
        file: &[u8],
        read: impl Fn(&dyn Provider, tokens::Algorithm, &[u8]) -> std::result::Result<PrivateKey, tokens::Error>,
    ) -> Result<Self> {
        let key = read(&*engine.provider, algorithm, file)?;
        engine.signing_key(algorithm, None, &key).map(Self::of)
    }

    fn of(key: SigningKey) -> Self {
        Self(Arc::new(Prepared { key, known: OnceLock::new() }))
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.0.key
    }

    /// Gives `sign` the header, checked and encoded, or remembered from the first token.
    pub(crate) fn with_header<T>(
        &self,
        header: &Header,
        sign: impl FnOnce(&ProtectedHeader) -> Result<T>,
    ) -> Result<T> {
        if let Some((known, protected)) = self.0.known.get()
            && known == header
        {
            return sign(protected);
        }
        let json = serde_json::to_string(header).map_err(|_| Cause::Unwritable)?;
        let protected = ProtectedHeader::new(&json).map_err(|error| Error::from(error).of_caller())?;
        let signed = sign(&protected)?;
        // Whoever else was first is as good.
        let _ = self.0.known.set((header.clone(), protected));
        Ok(signed)
    }
}

pub(crate) fn rsa(algorithm: Algorithm) -> Result<tokens::Algorithm> {
    let algorithm = convert::algorithm(algorithm)?;
    if algorithm.is_rsa() { Ok(algorithm) } else { Err(tokens::ErrorKind::KeyUse.into()) }
}

/// The algorithm of an EC key file: that of its curve.
pub(crate) fn curve_of(file: &[u8]) -> Result<tokens::Algorithm> {
    match key_file::algorithm_of(file)? {
        Some(algorithm @ (tokens::Algorithm::Es256 | tokens::Algorithm::Es384)) => Ok(algorithm),
        _ => Err(tokens::ErrorKind::KeyUse.into()),
    }
}

pub(crate) fn secret_of(alphabet: &GeneralPurpose, secret: &str) -> Result<SecretBytes> {
    // Wiped also when the text turns out to be none.
    let mut bytes = Zeroizing::new(vec![0; decoded_len_estimate(secret.len())]);
    let length = alphabet.decode_slice(secret, &mut bytes).map_err(|_| Cause::Base64)?;
    Ok(SecretBytes::new(bytes.get(..length).unwrap_or_default().to_vec()))
}

impl fmt::Debug for EncodingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodingKey").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}
