//! Keys that verify: one algorithm each, checked and prepared when they are made.

use std::{fmt, sync::Arc};

use bartizan_crypto::{Mac, Provider, PublicKey, SignatureVerifier};

use crate::{
    Algorithm, Error, ErrorKind,
    algorithm::{MAX_SIGNATURE, Primitive},
    base64url,
    jwk::{self, Jwk, Purpose},
    key_file, names,
};

/// A key that verifies. Cheap to clone.
///
/// Its `Debug` shows `kid` and algorithm.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Known>);

struct Known {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    check: Check,
}

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
    /// no point of its curve, [`ErrorKind::KeyUnsupported`].
    pub fn from_public(
        provider: &dyn Provider,
        kid: Option<&str>,
        public: &PublicKey,
    ) -> Result<Self, Error> {
        let algorithm = Algorithm::of(public.algorithm()).ok_or(ErrorKind::KeyUnsupported)?;
        if kid.is_some_and(|kid| !jwk::is_kid(kid)) {
            return Err(ErrorKind::Config.into());
        }
        let verifier = provider.verifier(public).map_err(Error::preparing)?;
        let check = Check::Signature { public: public.clone(), verifier };
        Ok(Self(Arc::new(Known { algorithm, kid: kid.map(Into::into), check })))
    }

    /// From a public JWK: EC P-256 or OKP Ed25519. At most 16 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for a private or symmetric key, even one whose public half is there: what is to be public
    /// has leaked its secret. Else as [`SigningKey::from_jwk`](crate::SigningKey::from_jwk).
    pub fn from_jwk(provider: &dyn Provider, json: &[u8]) -> Result<Self, Error> {
        Self::from_parsed(provider, &Jwk::parse(json)?)
    }

    /// From an `oct` JWK with an `alg`: a shared secret, which signs as well as it verifies. At most 16 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for an asymmetric key. Else as [`SigningKey::from_jwk`](crate::SigningKey::from_jwk), but a `kid` is optional.
    pub fn from_secret_jwk(provider: &dyn Provider, json: &[u8]) -> Result<Self, Error> {
        Self::from_parsed_secret(provider, &Jwk::parse(json)?)
    }

    /// The key of a shared secret, and its MAC for whoever signs.
    pub(crate) fn symmetric(
        provider: &dyn Provider,
        kid: Option<&str>,
        secret: &[u8],
    ) -> Result<(Self, Arc<dyn Mac>), Error> {
        let algorithm = Algorithm::Hs256;
        let Primitive::Mac(primitive) = algorithm.primitive() else {
            return Err(ErrorKind::KeyUnsupported.into());
        };
        if kid.is_some_and(|kid| !jwk::is_kid(kid)) || secret.len() > MAX_SECRET {
            return Err(ErrorKind::Config.into());
        }
        // SECURITY: a short secret is found by trying (RFC 7518 §3.2, RFC 8725 §3.5).
        if secret.len() < primitive.tag_len() {
            return Err(ErrorKind::SecretTooShort.into());
        }
        if key_file::is_key_file(provider, secret) {
            return Err(ErrorKind::SecretIsKey.into());
        }
        let mac = provider.mac(primitive, secret).map_err(Error::preparing)?;
        let known = Known { algorithm, kid: kid.map(Into::into), check: Check::Mac(mac.clone()) };
        Ok((Self(Arc::new(known)), mac))
    }

    pub(crate) fn from_parsed(provider: &dyn Provider, jwk: &Jwk<'_>) -> Result<Self, Error> {
        if jwk.is_secret {
            return Err(ErrorKind::KeySecrecy.into());
        }
        let algorithm = jwk.algorithm(Purpose::Verify)?;
        let Primitive::Signature(primitive) = algorithm.primitive() else {
            return Err(ErrorKind::KeySecrecy.into());
        };
        let public = PublicKey::new(primitive, &jwk.public_bytes(algorithm)?).map_err(Error::preparing)?;
        Self::from_public(provider, jwk.kid()?, &public)
    }

    pub(crate) fn from_parsed_secret(provider: &dyn Provider, jwk: &Jwk<'_>) -> Result<Self, Error> {
        if !jwk.algorithm(Purpose::Verify)?.is_symmetric() {
            return Err(ErrorKind::KeySecrecy.into());
        }
        Self::symmetric(provider, jwk.kid()?, &jwk.secret_bytes()?).map(|(key, _)| key)
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
        match &self.0.check {
            Check::Signature { public, .. } => {
                jwk::write_public(self.0.algorithm, self.kid(), public.as_bytes(), out);
                Ok(())
            }
            Check::Mac(_) => Err(ErrorKind::KeySecrecy.into()),
        }
    }

    /// The thumbprint of RFC 7638 with SHA-256, 43 characters of base64url; none for a symmetric key, whose thumbprint would
    /// let guesses at the secret be tried.
    #[must_use]
    pub fn thumbprint(&self, provider: &dyn Provider) -> Option<String> {
        match &self.0.check {
            Check::Signature { public, .. } => {
                Some(thumbprint(provider, self.0.algorithm, public.as_bytes()))
            }
            Check::Mac(_) => None,
        }
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

    pub(crate) fn public_bytes(&self) -> &[u8] {
        match &self.0.check {
            Check::Signature { public, .. } => public.as_bytes(),
            Check::Mac(_) => &[],
        }
    }

    /// Checks an encoded signature.
    pub(crate) fn verify(&self, signed: &str, encoded: &str) -> Result<(), Error> {
        let mut buffer = [0; MAX_SIGNATURE];
        let length = self.0.algorithm.signature_len();
        // SECURITY: the length is the algorithm's or the signature is none (no DER, no truncated tag).
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
pub(crate) fn thumbprint(provider: &dyn Provider, algorithm: Algorithm, public: &[u8]) -> String {
    base64url::encode(&provider.hash().sha256(&[&jwk::write_for_thumbprint(algorithm, public)]))
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .finish()
    }
}
