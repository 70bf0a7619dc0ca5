//! Keys that sign: one algorithm each, checked and prepared when they are made.

use std::{fmt, sync::Arc};

use bartizan_core::{Entropy, SecretArray, SecretBytes, SecretText};
use bartizan_crypto::{Mac, PrivateKey, Provider, PublicKey, Signer};

use crate::{
    Algorithm, Error, ErrorKind, VerifyingKey,
    algorithm::{MAX_SIGNATURE, Primitive},
    base64url,
    jwk::{self, Jwk, Purpose},
    pem,
    verifying_key::thumbprint,
};

/// A key that signs.
///
/// Its `Debug` shows `kid` and algorithm. It is no `Clone`: put it into an [`Issuer`](crate::Issuer) and share that.
pub struct SigningKey {
    kid: Box<str>,
    secret: Secret,
    verifying: VerifyingKey,
}

enum Secret {
    Signer { secret: SecretArray<32>, signer: Arc<dyn Signer> },
    Mac { secret: SecretBytes, mac: Arc<dyn Mac> },
}

impl SigningKey {
    /// Makes a new key. Without `kid`, an asymmetric key is named by its RFC 7638 thumbprint and a symmetric one by 128
    /// random bits.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a `kid` that is no printable name of 1 to 128 bytes, [`ErrorKind::Entropy`], and
    /// [`ErrorKind::KeyUnsupported`] when the provider lacks the algorithm.
    pub fn generate(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        entropy: &dyn Entropy,
    ) -> Result<Self, Error> {
        match algorithm.primitive() {
            Primitive::Signature(algorithm) => {
                let key = provider.generate(algorithm, entropy).map_err(Error::preparing)?;
                Self::from_private(provider, kid, &key)
            }
            Primitive::Mac(mac) => {
                let mut secret = vec![0; mac.tag_len()];
                let filled = entropy.fill(&mut secret);
                let secret = SecretBytes::new(secret);
                filled?;
                match kid {
                    Some(kid) => Self::hmac(provider, kid, &secret),
                    None => Self::hmac(provider, &random_id(entropy)?, &secret),
                }
            }
        }
    }

    /// From an asymmetric private key. Without `kid` it is named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a `kid` that is no printable name of 1 to 128 bytes, [`ErrorKind::KeyUnusable`] when the
    /// halves do not belong together, [`ErrorKind::KeyUnsupported`].
    pub fn from_private(provider: &dyn Provider, kid: Option<&str>, key: &PrivateKey) -> Result<Self, Error> {
        let algorithm = Algorithm::of(key.algorithm()).ok_or(ErrorKind::KeyUnsupported)?;
        let kid = match kid {
            Some(kid) => kid.into(),
            None => thumbprint(provider, algorithm, key.public().as_bytes()).into_boxed_str(),
        };
        let signer = provider.signer(key).map_err(Error::preparing)?;
        let verifying = VerifyingKey::from_public(provider, Some(&kid), key.public())?;
        let secret = SecretArray::try_filled(|bytes| {
            bytes.copy_from_slice(key.secret().expose());
            Ok::<_, Error>(())
        })?;
        Ok(Self { kid, secret: Secret::Signer { secret, signer }, verifying })
    }

    /// An HS256 key from a secret of 32 to 1,024 bytes, which should be random. Whoever has it signs as well as verifies.
    ///
    /// # Errors
    /// [`ErrorKind::SecretTooShort`] under 32 bytes; [`ErrorKind::SecretIsKey`] for what is a key file: PEM, DER, a
    /// certificate, an SSH key, a JWK or JWKS, a point of P-256, each also as base64 or hexadecimal digits; [`ErrorKind::Config`] for a secret over 1,024 bytes, or a
    /// `kid` that is no printable name of 1 to 128 bytes.
    ///
    /// # Security
    /// The `kid` stands in every token. Do not derive it from the secret.
    pub fn hmac(provider: &dyn Provider, kid: &str, secret: &SecretBytes) -> Result<Self, Error> {
        VerifyingKey::symmetric(provider, Some(kid), secret.expose()).map(|(verifying, mac)| {
            let secret = SecretBytes::new(secret.expose().to_vec());
            Self { kid: kid.into(), secret: Secret::Mac { secret, mac }, verifying }
        })
    }

    /// From a private JWK: EC P-256, OKP Ed25519, or `oct` with an `alg` and a `kid`. At most 16 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::KeyFormat`] and [`ErrorKind::KeyTooLarge`] for the text; [`ErrorKind::KeyUse`] when `alg`, `crv`, `use`
    /// or `key_ops` do not fit; [`ErrorKind::KeyUnsupported`] for other types; [`ErrorKind::KeySecrecy`] for a public
    /// key; [`ErrorKind::KeyUnusable`] when the halves do not belong together; [`ErrorKind::KeyUnnamed`] for `oct` without
    /// `kid`; and those of [`SigningKey::hmac`].
    pub fn from_jwk(provider: &dyn Provider, json: &[u8]) -> Result<Self, Error> {
        let jwk = Jwk::parse(json)?;
        let algorithm = jwk.algorithm(Purpose::Sign)?;
        if !jwk.is_secret {
            return Err(ErrorKind::KeySecrecy.into());
        }
        match algorithm.primitive() {
            Primitive::Signature(primitive) => {
                let public =
                    PublicKey::new(primitive, &jwk.public_bytes(algorithm)?).map_err(Error::preparing)?;
                let bytes = jwk.private_bytes()?;
                let secret = SecretArray::try_filled(|secret| {
                    secret.copy_from_slice(&bytes);
                    Ok::<_, Error>(())
                })?;
                Self::from_private(provider, jwk.kid()?, &PrivateKey::new(secret, public))
            }
            Primitive::Mac(_) => {
                let kid = jwk.kid()?.ok_or(ErrorKind::KeyUnnamed)?;
                let secret = SecretBytes::new(jwk.secret_bytes()?.to_vec());
                Self::hmac(provider, kid, &secret)
            }
        }
    }

    /// From a PEM file with an unencrypted PKCS#8 private key (`BEGIN PRIVATE KEY`, RFC 5958), Ed25519 or P-256. Without
    /// `kid` it is named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`ErrorKind::KeyFormat`] for anything else, [`ErrorKind::KeyUnsupported`] for other algorithms, and for a P-256 key
    /// without its public half where the provider cannot compute that; else as [`SigningKey::from_private`].
    pub fn from_pem(provider: &dyn Provider, kid: Option<&str>, pem: &[u8]) -> Result<Self, Error> {
        Self::from_private(provider, kid, &pem::private_key(provider, pem)?)
    }

    /// The private JWK, for a file that only its owner reads.
    #[must_use]
    pub fn to_private_jwk(&self) -> SecretText {
        match &self.secret {
            Secret::Signer { secret, .. } => jwk::write_private(
                self.algorithm(),
                &self.kid,
                self.verifying.public_bytes(),
                secret.expose(),
            ),
            Secret::Mac { secret, .. } => {
                jwk::write_private(self.algorithm(), &self.kid, &[], secret.expose())
            }
        }
    }

    /// The key that verifies what this one signs. For a symmetric key that is the same key.
    #[must_use]
    pub fn verifying(&self) -> VerifyingKey {
        self.verifying.clone()
    }

    /// The id that stands in every token.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm; a key has exactly one.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm()
    }

    /// Appends dot and signature to what is signed.
    pub(crate) fn sign(&self, token: &mut Vec<u8>) -> Result<(), Error> {
        let mut buffer = [0; MAX_SIGNATURE];
        let signature = match &self.secret {
            Secret::Signer { signer, .. } => {
                let place = buffer.get_mut(..self.algorithm().signature_len()).ok_or(ErrorKind::Primitive)?;
                signer.sign_into(token, place).map_err(Error::signing)?;
                token.push(b'.');
                base64url::encode_onto(place, token);
                return Ok(());
            }
            Secret::Mac { mac, .. } => mac.tag(&[token]),
        };
        token.push(b'.');
        base64url::encode_onto(signature.as_bytes(), token);
        Ok(())
    }
}

/// 128 random bits as base64url.
pub(crate) fn random_id(entropy: &dyn Entropy) -> Result<String, Error> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    Ok(base64url::encode(&bytes))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("algorithm", &self.algorithm()).finish()
    }
}
