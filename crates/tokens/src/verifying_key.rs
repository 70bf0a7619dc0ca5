//! Keys that verify: one algorithm each, checked and prepared when they are made.

use std::{fmt, sync::Arc};

use bartizan_core::SecretBytes;
use bartizan_crypto::{MAX_SIGNATURE, Mac, Provider, PublicKey, SignatureVerifier};

use crate::{
    Algorithm, Error, ErrorKind, KeyRules,
    algorithm::Primitive,
    base64url,
    jwk::{self, Jwk, Purpose},
    key_file, names, not_a_secret,
};

/// A key that verifies. Cheap to clone.
///
/// Its `Debug` shows `kid` and algorithm.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Known>);

struct Known {
    algorithm: Algorithm,
    /// Under which of its names the algorithm is published.
    name: &'static str,
    kid: Option<Box<str>>,
    signature_len: usize,
    check: Check,
}

#[derive(Clone)]
enum Check {
    Signature { public: PublicKey, verifier: Arc<dyn SignatureVerifier> },
    Mac(Arc<dyn Mac>),
}

/// Longest secret of an HMAC key, in bytes.
const MAX_SECRET: usize = 1024;

impl VerifyingKey {
    /// From a public key.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a `kid` that is no printable name of 1 to 128 bytes, [`ErrorKind::KeyUnusable`] when it is
    /// no point of its curve, [`ErrorKind::KeyRsaPkcs1`] for a key of RS256, RS384 or RS512 (see
    /// [`VerifyingKey::danger_rsa_pkcs1`]), [`ErrorKind::KeyUnsupported`].
    pub fn from_public(
        provider: &dyn Provider,
        kid: Option<&str>,
        public: &PublicKey,
    ) -> Result<Self, Error> {
        Self::under_rules(provider, kid, public, &KeyRules::strict())
    }

    /// From the public key of an issuer that signs with RS256, RS384 or RS512.
    ///
    /// # Security
    /// See [`KeyRules::danger_rsa_pkcs1`]: for peers that know nothing newer.
    ///
    /// # Errors
    /// [`ErrorKind::KeyUse`] for a key of any other algorithm; else as [`VerifyingKey::from_public`].
    pub fn danger_rsa_pkcs1(
        provider: &dyn Provider,
        kid: Option<&str>,
        public: &PublicKey,
    ) -> Result<Self, Error> {
        if !Algorithm::of(public.algorithm()).is_some_and(Algorithm::is_rsa_pkcs1) {
            return Err(ErrorKind::KeyUse.into());
        }
        Self::under_rules(provider, kid, public, &KeyRules::strict().danger_rsa_pkcs1())
    }

    pub(crate) fn under_rules(
        provider: &dyn Provider,
        kid: Option<&str>,
        public: &PublicKey,
        rules: &KeyRules,
    ) -> Result<Self, Error> {
        let algorithm = Algorithm::of(public.algorithm()).ok_or(ErrorKind::KeyUnsupported)?;
        if !rules.allow(algorithm) {
            return Err(ErrorKind::KeyRsaPkcs1.into());
        }
        if kid.is_some_and(|kid| !jwk::is_kid(kid)) {
            return Err(ErrorKind::Config.into());
        }
        let verifier = provider.verifier(public).map_err(Error::preparing)?;
        Ok(Self(Arc::new(Known {
            algorithm,
            name: algorithm.name(),
            kid: kid.map(Into::into),
            signature_len: public.signature_len(),
            check: Check::Signature { public: public.clone(), verifier },
        })))
    }

    /// From a public JWK: EC P-256 or P-384, OKP Ed25519, or RSA with an `alg` of PS256, PS384 or PS512. At most 16 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for a private or symmetric key, even one whose public half is there: what is to be public
    /// has leaked its secret. Else as [`SigningKey::from_jwk`](crate::SigningKey::from_jwk).
    pub fn from_jwk(provider: &dyn Provider, json: &[u8]) -> Result<Self, Error> {
        Self::from_jwk_with(provider, json, &KeyRules::strict())
    }

    /// The same, beyond the strict default.
    ///
    /// # Errors
    /// As [`VerifyingKey::from_jwk`], and [`ErrorKind::Config`] for rules that contradict themselves.
    pub fn from_jwk_with(provider: &dyn Provider, json: &[u8], rules: &KeyRules) -> Result<Self, Error> {
        Self::from_parsed(provider, &Jwk::parse(json)?, rules.checked()?)
    }

    /// From an `oct` JWK with an `alg`: a shared secret, which signs as well as it verifies. At most 16 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for an asymmetric key. Else as [`SigningKey::from_jwk`](crate::SigningKey::from_jwk), but a `kid` is optional.
    pub fn from_secret_jwk(provider: &dyn Provider, json: &[u8]) -> Result<Self, Error> {
        Self::from_parsed_secret(provider, &Jwk::parse(json)?)
    }

    /// From a public key in PEM: `PUBLIC KEY` or `RSA PUBLIC KEY`. At most 16 KiB, see [`key_file`].
    ///
    /// A key of RS256, RS384 or RS512 takes [`key_file::public_from_pem`] and [`VerifyingKey::danger_rsa_pkcs1`], and one in
    /// a certificate [`key_file::danger_public_from_certificate_pem`].
    ///
    /// # Errors
    /// Those of [`key_file::public_from_pem`] and [`VerifyingKey::from_public`].
    pub fn from_pem(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        pem: &[u8],
    ) -> Result<Self, Error> {
        Self::from_public(provider, kid, &key_file::public_from_pem(algorithm, pem)?)
    }

    /// From a public key in DER: a `SubjectPublicKeyInfo` or PKCS#1. At most 16 KiB, see [`key_file`].
    ///
    /// # Errors
    /// Those of [`key_file::public_from_der`] and [`VerifyingKey::from_public`].
    pub fn from_der(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        der: &[u8],
    ) -> Result<Self, Error> {
        Self::from_public(provider, kid, &key_file::public_from_der(algorithm, der)?)
    }

    /// From a shared secret, which signs as well as it verifies; see [`SigningKey::hmac`](crate::SigningKey::hmac). Without
    /// `kid` it verifies tokens with any.
    ///
    /// # Errors
    /// As [`SigningKey::hmac`](crate::SigningKey::hmac).
    pub fn hmac(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        secret: &SecretBytes,
    ) -> Result<Self, Error> {
        Self::symmetric(provider, algorithm, kid, secret.expose()).map(|(key, _)| key)
    }

    /// The key of a shared secret, and its MAC for whoever signs.
    pub(crate) fn symmetric(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        secret: &[u8],
    ) -> Result<(Self, Arc<dyn Mac>), Error> {
        let Primitive::Mac(primitive) = algorithm.primitive() else {
            return Err(ErrorKind::KeyUse.into());
        };
        if kid.is_some_and(|kid| !jwk::is_kid(kid)) || secret.len() > MAX_SECRET {
            return Err(ErrorKind::Config.into());
        }
        // SECURITY: a short secret is found by trying (RFC 7518 §3.2, RFC 8725 §3.5).
        if secret.len() < primitive.tag_len() {
            return Err(ErrorKind::SecretTooShort.into());
        }
        if not_a_secret::is_key_file(provider, secret) {
            return Err(ErrorKind::SecretIsKey.into());
        }
        let mac = provider.mac(primitive, secret).map_err(Error::preparing)?;
        let known = Known {
            algorithm,
            name: algorithm.name(),
            kid: kid.map(Into::into),
            signature_len: primitive.tag_len(),
            check: Check::Mac(mac.clone()),
        };
        Ok((Self(Arc::new(known)), mac))
    }

    pub(crate) fn from_parsed(
        provider: &dyn Provider,
        jwk: &Jwk<'_>,
        rules: &KeyRules,
    ) -> Result<Self, Error> {
        if jwk.is_secret {
            return Err(ErrorKind::KeySecrecy.into());
        }
        let algorithm = jwk.algorithm(Purpose::Verify, rules)?;
        let key = Self::under_rules(provider, jwk.kid()?, &jwk.public(algorithm)?, rules)?;
        Ok(if jwk.is_fully_specified() { key.fully_specified() } else { key })
    }

    pub(crate) fn from_parsed_secret(provider: &dyn Provider, jwk: &Jwk<'_>) -> Result<Self, Error> {
        let algorithm = jwk.algorithm(Purpose::Verify, &KeyRules::strict())?;
        if !algorithm.is_symmetric() {
            return Err(ErrorKind::KeySecrecy.into());
        }
        Self::symmetric(provider, algorithm, jwk.kid()?, &jwk.secret_bytes(algorithm)?).map(|(key, _)| key)
    }

    /// The same key, published under the fully specified name of its algorithm.
    pub(crate) fn fully_specified(&self) -> Self {
        let Known { algorithm, kid, signature_len, check, .. } = &*self.0;
        Self(Arc::new(Known {
            algorithm: *algorithm,
            name: algorithm.fully_specified_name(),
            kid: kid.clone(),
            signature_len: *signature_len,
            check: check.clone(),
        }))
    }

    /// The public JWK, with `alg`, `use` and, if it has one, `kid`.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for a symmetric key: it has no public half.
    pub fn to_public_jwk(&self) -> Result<String, Error> {
        let mut out = Vec::with_capacity(256);
        self.write_public_jwk(&mut out)?;
        Ok(names::text(out))
    }

    pub(crate) fn write_public_jwk(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        jwk::write_public(self.0.name, self.kid(), self.public().ok_or(ErrorKind::KeySecrecy)?, out);
        Ok(())
    }

    /// The public key in PEM (`PUBLIC KEY`). It says neither `kid` nor, for RSA, the algorithm.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for a symmetric key: it has no public half.
    pub fn to_pem(&self) -> Result<String, Error> {
        key_file::public_to_pem(self.public().ok_or(ErrorKind::KeySecrecy)?)
    }

    /// The same in DER.
    ///
    /// # Errors
    /// As [`VerifyingKey::to_pem`].
    pub fn to_der(&self) -> Result<Vec<u8>, Error> {
        key_file::public_to_der(self.public().ok_or(ErrorKind::KeySecrecy)?)
    }

    /// The thumbprint of RFC 7638 with SHA-256, 43 characters of base64url; none for a symmetric key, whose thumbprint would
    /// let guesses at the secret be tried.
    #[must_use]
    pub fn thumbprint(&self, provider: &dyn Provider) -> Option<String> {
        self.public().map(|public| thumbprint(provider, public))
    }

    /// The id, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The algorithm; a key has exactly one.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// The name of the algorithm that JWKs of this key bear: for Ed25519 `EdDSA` or `Ed25519`. It verifies tokens under
    /// both.
    #[must_use]
    pub fn algorithm_name(&self) -> &'static str {
        self.0.name
    }

    /// The public key; none for a symmetric key.
    #[must_use]
    pub fn public(&self) -> Option<&PublicKey> {
        match &self.0.check {
            Check::Signature { public, .. } => Some(public),
            Check::Mac(_) => None,
        }
    }

    /// Bytes of a signature or tag.
    pub(crate) fn signature_len(&self) -> usize {
        self.0.signature_len
    }

    /// Checks an encoded signature.
    pub(crate) fn verify(&self, signed: &str, encoded: &str) -> Result<(), Error> {
        // The bytes are zeroed first, so small signatures take a small buffer.
        match self.0.signature_len {
            0..=64 => self.verify_in(signed, encoded, &mut [0; 64]),
            65..=512 => self.verify_in(signed, encoded, &mut [0; 512]),
            _ => self.verify_in(signed, encoded, &mut [0; MAX_SIGNATURE]),
        }
    }

    fn verify_in(&self, signed: &str, encoded: &str, buffer: &mut [u8]) -> Result<(), Error> {
        let length = self.0.signature_len;
        // SECURITY: the length is the key's or the signature is none (no DER, no truncated tag, no longer RSA signature).
        let signature = match buffer.get_mut(..length) {
            Some(place) if encoded.len() == base64url::encoded_len(length) => place,
            _ => return Err(ErrorKind::Signature.into()),
        };
        base64url::decode_into(encoded, signature).ok_or(ErrorKind::Malformed)?;
        let verified = match &self.0.check {
            Check::Signature { verifier, .. } => verifier.verify(signed.as_bytes(), signature),
            Check::Mac(mac) => mac.verify(&[signed.as_bytes()], signature),
        };
        verified.map_err(|_| ErrorKind::Signature.into())
    }
}

/// The thumbprint of RFC 7638 with SHA-256.
pub(crate) fn thumbprint(provider: &dyn Provider, public: &PublicKey) -> String {
    base64url::encode(&provider.hash().sha256(&[&jwk::write_for_thumbprint(public)]))
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish()
    }
}
