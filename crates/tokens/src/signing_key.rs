//! Keys that sign: one algorithm each, checked and prepared when they are made.

use std::{fmt, sync::Arc};

use bartizan_core::{Entropy, SecretBytes, SecretText};
use bartizan_crypto::{Ability, MAX_SIGNATURE, Mac, PrivateKey, Provider, RsaSize, Signer};

use crate::{
    Algorithm, Error, ErrorKind, KeyRules, VerifyingKey,
    algorithm::Primitive,
    base64url,
    jwk::{self, Jwk, Purpose},
    key_file,
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
    Signer { key: PrivateKey, signer: Arc<dyn Signer> },
    Mac { secret: SecretBytes, mac: Arc<dyn Mac> },
}

impl SigningKey {
    /// Makes a new key; an RSA key has 3072 bits. Without `kid`, an asymmetric key is named by its RFC 7638 thumbprint and a
    /// symmetric one by 128 random bits.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a `kid` that is no printable name of 1 to 128 bytes, [`ErrorKind::Entropy`],
    /// [`ErrorKind::KeyRsaPkcs1`] for RS256, RS384 and RS512, and [`ErrorKind::KeyUnsupported`] when the provider cannot make
    /// keys of the algorithm: ring makes no RSA keys.
    pub fn generate(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        entropy: &dyn Entropy,
    ) -> Result<Self, Error> {
        match algorithm.primitive() {
            Primitive::Signature(_) if algorithm.is_rsa_pkcs1() => Err(ErrorKind::KeyRsaPkcs1.into()),
            Primitive::Signature(primitive) => {
                able(provider, Ability::Generate(primitive))?;
                let key = provider.generate(primitive, entropy).map_err(Error::preparing)?;
                Self::from_private(provider, kid, &key)
            }
            Primitive::Mac(mac) => {
                able(provider, Ability::Mac(mac))?;
                let mut secret = vec![0; mac.tag_len()];
                let filled = entropy.fill(&mut secret);
                let secret = SecretBytes::new(secret);
                filled?;
                match kid {
                    Some(kid) => Self::hmac(provider, algorithm, kid, &secret),
                    None => Self::hmac(provider, algorithm, &random_id(entropy)?, &secret),
                }
            }
        }
    }

    /// Makes a new RSA key of this size. Larger keys sign and verify more slowly, and are accepted by fewer peers.
    ///
    /// # Errors
    /// [`ErrorKind::KeyUse`] for an algorithm that is not of RSA; else as [`SigningKey::generate`].
    pub fn generate_rsa(
        provider: &dyn Provider,
        algorithm: Algorithm,
        size: RsaSize,
        kid: Option<&str>,
        entropy: &dyn Entropy,
    ) -> Result<Self, Error> {
        let primitive =
            algorithm.signature().filter(|primitive| primitive.is_rsa()).ok_or(ErrorKind::KeyUse)?;
        if algorithm.is_rsa_pkcs1() {
            return Err(ErrorKind::KeyRsaPkcs1.into());
        }
        able(provider, Ability::Generate(primitive))?;
        let key = provider.generate_rsa(primitive, size, entropy).map_err(Error::preparing)?;
        Self::from_private(provider, kid, &key)
    }

    /// From an asymmetric private key. Without `kid` it is named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a `kid` that is no printable name of 1 to 128 bytes, [`ErrorKind::KeyUnusable`] when the
    /// halves do not belong together, [`ErrorKind::KeyRsaPkcs1`] for a key of RS256, RS384 or RS512 (see
    /// [`SigningKey::danger_rsa_pkcs1`]), [`ErrorKind::KeyUnsupported`].
    pub fn from_private(provider: &dyn Provider, kid: Option<&str>, key: &PrivateKey) -> Result<Self, Error> {
        Self::under_rules(provider, kid, key, &KeyRules::strict())
    }

    /// From a private key that signs with RS256, RS384 or RS512, for verifiers that know nothing newer: JWT authorizers of AWS
    /// API Gateway take RSASSA-PKCS1-v1_5 alone. Without `kid` it is named by its RFC 7638 thumbprint.
    ///
    /// ```
    /// use bartizan_crypto_ring::Ring;
    /// use bartizan_tokens::{Algorithm, Error, SigningKey, key_file};
    ///
    /// fn signing_key(pem: &[u8]) -> Result<SigningKey, Error> {
    ///     let key = key_file::private_from_pem(&Ring::new(), Algorithm::Rs256, pem)?;
    ///     SigningKey::danger_rsa_pkcs1(&Ring::new(), None, &key)
    /// }
    /// ```
    ///
    /// # Security
    /// RSASSA-PKCS1-v1_5 has no proof of security, and ASVS 11.6.1 asks for approved modern schemes: issuing with it is a deviation to write
    /// down. Where you choose the verifiers, take [`Algorithm::EdDsa`], or [`Algorithm::Ps256`] where RSA is asked for.
    ///
    /// # Errors
    /// [`ErrorKind::KeyUse`] for a key of any other algorithm; else as [`SigningKey::from_private`].
    pub fn danger_rsa_pkcs1(
        provider: &dyn Provider,
        kid: Option<&str>,
        key: &PrivateKey,
    ) -> Result<Self, Error> {
        if !Algorithm::of(key.algorithm()).is_some_and(Algorithm::is_rsa_pkcs1) {
            return Err(ErrorKind::KeyUse.into());
        }
        Self::under_rules(provider, kid, key, &KeyRules::strict().danger_rsa_pkcs1())
    }

    fn under_rules(
        provider: &dyn Provider,
        kid: Option<&str>,
        key: &PrivateKey,
        rules: &KeyRules,
    ) -> Result<Self, Error> {
        let algorithm = Algorithm::of(key.algorithm()).ok_or(ErrorKind::KeyUnsupported)?;
        if !rules.allow(algorithm) {
            return Err(ErrorKind::KeyRsaPkcs1.into());
        }
        let kid = match kid {
            Some(kid) => kid.into(),
            None => thumbprint(provider, key.public()).into_boxed_str(),
        };
        let signer = provider.signer(key).map_err(Error::preparing)?;
        let verifying = VerifyingKey::under_rules(provider, Some(&kid), key.public(), rules)?;
        let secret = SecretBytes::new(key.secret().expose().to_vec());
        let key = PrivateKey::new(secret, key.public().clone());
        Ok(Self { kid, secret: Secret::Signer { key, signer }, verifying })
    }

    /// A symmetric key from a secret, which should be random: 32 to 1,024 bytes for [`Algorithm::Hs256`], at least 48 for
    /// [`Algorithm::Hs384`], at least 64 for [`Algorithm::Hs512`]. Whoever has it signs as well as verifies.
    ///
    /// # Errors
    /// [`ErrorKind::SecretTooShort`] under that length; [`ErrorKind::SecretIsKey`] for what is a key file: PEM, DER, a
    /// certificate, an SSH key, a JWK or JWKS, a point of P-256 or P-384, each also as base64 or hexadecimal digits; [`ErrorKind::Config`] for a
    /// secret over 1,024 bytes, or a `kid` that is no printable name of 1 to 128 bytes; [`ErrorKind::KeyUse`] for an
    /// asymmetric algorithm; [`ErrorKind::KeyUnsupported`].
    ///
    /// # Security
    /// The `kid` stands in every token. Do not derive it from the secret.
    pub fn hmac(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: &str,
        secret: &SecretBytes,
    ) -> Result<Self, Error> {
        VerifyingKey::symmetric(provider, algorithm, Some(kid), secret.expose()).map(|(verifying, mac)| {
            let secret = SecretBytes::new(secret.expose().to_vec());
            Self { kid: kid.into(), secret: Secret::Mac { secret, mac }, verifying }
        })
    }

    /// From a private JWK: EC P-256 or P-384, OKP Ed25519, RSA with an `alg` of PS256, PS384 or PS512 and all members of its
    /// private half, or `oct` with an `alg` and a `kid`. At most 16 KiB. Tokens bear the name of the algorithm that `alg`
    /// has, `Ed25519` or `EdDSA`.
    ///
    /// # Errors
    /// [`ErrorKind::KeyFormat`] and [`ErrorKind::KeyTooLarge`] for the text; [`ErrorKind::KeyUse`] when `alg`, `crv`, `use`
    /// or `key_ops` do not fit; [`ErrorKind::KeyAlgorithm`] for an RSA or symmetric key without `alg`;
    /// [`ErrorKind::KeyRsaPkcs1`] for RS256, RS384 and RS512; [`ErrorKind::KeySize`] and [`ErrorKind::KeyWeak`] for RSA keys;
    /// [`ErrorKind::KeyUnsupported`] for other types; [`ErrorKind::KeySecrecy`] for a public key;
    /// [`ErrorKind::KeyUnusable`] when the halves do not belong together; [`ErrorKind::KeyUnnamed`] for `oct` without
    /// `kid`; and those of [`SigningKey::hmac`]. [`Error::claim`] names the member where one is at fault.
    pub fn from_jwk(provider: &dyn Provider, json: &[u8]) -> Result<Self, Error> {
        Self::from_jwk_with(provider, json, &KeyRules::strict())
    }

    /// The same, beyond the strict default.
    ///
    /// # Errors
    /// As [`SigningKey::from_jwk`], and [`ErrorKind::Config`] for rules that contradict themselves.
    pub fn from_jwk_with(provider: &dyn Provider, json: &[u8], rules: &KeyRules) -> Result<Self, Error> {
        let rules = rules.checked()?;
        let jwk = Jwk::parse(json)?;
        let algorithm = jwk.algorithm(Purpose::Sign, rules)?;
        if !jwk.is_secret {
            return Err(ErrorKind::KeySecrecy.into());
        }
        if algorithm.is_symmetric() {
            let kid = jwk.kid()?.ok_or(ErrorKind::KeyUnnamed)?;
            let secret = jwk.secret_bytes(algorithm)?;
            return Self::hmac(provider, algorithm, kid, &SecretBytes::new(secret.to_vec()));
        }
        let key = Self::under_rules(provider, jwk.kid()?, &jwk.private(algorithm)?, rules)?;
        Ok(if jwk.is_fully_specified() { key.fully_specified_name() } else { key })
    }

    /// From a private key in PEM: PKCS#8, PKCS#1 or SEC 1, unencrypted. At most 16 KiB, see [`key_file`]. Without `kid` it is
    /// named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// Those of [`key_file::private_from_pem`] and [`SigningKey::from_private`].
    pub fn from_pem(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        pem: &[u8],
    ) -> Result<Self, Error> {
        Self::from_private(provider, kid, &key_file::private_from_pem(provider, algorithm, pem)?)
    }

    /// From a private key in DER: PKCS#8, PKCS#1 or SEC 1, unencrypted. At most 16 KiB, see [`key_file`]. Without `kid` it is
    /// named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// Those of [`key_file::private_from_der`] and [`SigningKey::from_private`].
    pub fn from_der(
        provider: &dyn Provider,
        algorithm: Algorithm,
        kid: Option<&str>,
        der: &[u8],
    ) -> Result<Self, Error> {
        Self::from_private(provider, kid, &key_file::private_from_der(provider, algorithm, der)?)
    }

    /// The same key, which names its algorithm in headers and JWKs as RFC 9864 does: `Ed25519` in place of `EdDSA`. Other
    /// algorithms have one name. Older libraries do not know it; this one verifies both.
    #[must_use]
    pub fn fully_specified_name(self) -> Self {
        Self { verifying: self.verifying.fully_specified(), ..self }
    }

    /// The private JWK, for a file that only its owner reads.
    #[must_use]
    pub fn to_private_jwk(&self) -> SecretText {
        let name = self.algorithm_name();
        match &self.secret {
            Secret::Signer { key, .. } => jwk::write_private(name, &self.kid, key),
            Secret::Mac { secret, .. } => jwk::write_secret(name, &self.kid, secret.expose()),
        }
    }

    /// The private key as PKCS#8 in PEM, for a file that only its owner reads. It says neither `kid` nor, for RSA, the
    /// algorithm.
    ///
    /// # Errors
    /// [`ErrorKind::KeyUse`] for a symmetric key, which is no PKCS#8.
    pub fn to_pem(&self) -> Result<SecretText, Error> {
        key_file::private_to_pem(self.private()?)
    }

    /// The same in DER.
    ///
    /// # Errors
    /// As [`SigningKey::to_pem`].
    pub fn to_der(&self) -> Result<SecretBytes, Error> {
        key_file::private_to_der(self.private()?)
    }

    fn private(&self) -> Result<&PrivateKey, Error> {
        match &self.secret {
            Secret::Signer { key, .. } => Ok(key),
            Secret::Mac { .. } => Err(ErrorKind::KeyUse.into()),
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

    /// The name of the algorithm that stands in every token.
    #[must_use]
    pub fn algorithm_name(&self) -> &'static str {
        self.verifying.algorithm_name()
    }

    /// Bytes of a signature or tag.
    pub(crate) fn signature_len(&self) -> usize {
        self.verifying.signature_len()
    }

    /// Appends dot and signature to what is signed.
    pub(crate) fn sign(&self, token: &mut Vec<u8>) -> Result<(), Error> {
        match &self.secret {
            Secret::Mac { mac, .. } => {
                let tag = mac.tag(&[token]);
                token.push(b'.');
                base64url::encode_onto(tag.as_bytes(), token);
                Ok(())
            }
            // The bytes are zeroed first, so small signatures take a small buffer.
            Secret::Signer { signer, .. } => match self.signature_len() {
                0..=64 => sign_in(&**signer, token, &mut [0; 64]),
                65..=512 => sign_in(&**signer, token, &mut [0; 512]),
                _ => sign_in(&**signer, token, &mut [0; MAX_SIGNATURE]),
            },
        }
    }
}

fn sign_in(signer: &dyn Signer, token: &mut Vec<u8>, buffer: &mut [u8]) -> Result<(), Error> {
    let place = buffer.get_mut(..signer.signature_len()).ok_or(ErrorKind::Primitive)?;
    signer.sign_into(token, place).map_err(Error::signing)?;
    token.push(b'.');
    base64url::encode_onto(place, token);
    Ok(())
}

/// What a provider lacks is known before anything is drawn.
fn able(provider: &dyn Provider, ability: Ability) -> Result<(), Error> {
    if provider.can(ability) { Ok(()) } else { Err(ErrorKind::KeyUnsupported.into()) }
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
