//! A key for each algorithm, in the types of both libraries, signing through AWS-LC itself.

use std::error::Error;

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    hmac, rand,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use bartizan_core::SecretBytes;
use bartizan_crypto::Provider;
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;
use bartizan_tokens::{Algorithm, KeySet, SigningKey, VerifyingKey, key_file};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::DecodingKey;

pub(crate) struct Keys(pub(crate) Vec<Key>);

/// A key of one algorithm. Its `kid` is the algorithm's name.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) algorithm: Algorithm,
    signing: Signing,
    /// SubjectPublicKeyInfo; empty for a secret.
    pub(crate) public_der: Vec<u8>,
    pub(crate) public_pem: String,
    pub(crate) theirs: DecodingKey,
}

enum Signing {
    Mac(hmac::Key, Vec<u8>),
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static signature::RsaSignatureEncoding),
}

impl Keys {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let mut keys = Vec::new();
        for (name, mac) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
        {
            let mut secret = vec![0; 64];
            rand::fill(&mut secret)?;
            keys.push(Key::new(name, Signing::Mac(hmac::Key::new(mac, &secret), secret))?);
        }
        keys.push(Key::new("EdDSA", Signing::Ed25519(Ed25519KeyPair::generate()?))?);
        for (name, curve) in [
            ("ES256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            ("ES384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        ] {
            keys.push(Key::new(name, Signing::Ecdsa(EcdsaKeyPair::generate(curve)?))?);
        }
        let paddings: [(_, &'static signature::RsaSignatureEncoding); 6] = [
            ("PS256", &signature::RSA_PSS_SHA256),
            ("PS384", &signature::RSA_PSS_SHA384),
            ("PS512", &signature::RSA_PSS_SHA512),
            ("RS256", &signature::RSA_PKCS1_SHA256),
            ("RS384", &signature::RSA_PKCS1_SHA384),
            ("RS512", &signature::RSA_PKCS1_SHA512),
        ];
        for (name, padding) in paddings {
            keys.push(Key::new(name, Signing::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?, padding))?);
        }
        Ok(Self(keys))
    }

    pub(crate) fn named(&self, name: &str) -> &Key {
        self.0.iter().find(|key| key.name == name).expect("a key of every algorithm")
    }
}

impl Key {
    fn new(name: &'static str, signing: Signing) -> Result<Self, Box<dyn Error>> {
        let algorithm = Algorithm::named(name).ok_or("an algorithm of ours")?;
        let public_der = match &signing {
            Signing::Mac(..) => Vec::new(),
            Signing::Ed25519(pair) => as_der(pair.public_key().as_der()?),
            Signing::Ecdsa(pair) => as_der(pair.public_key().as_der()?),
            Signing::Rsa(pair, _) => as_der(pair.public_key().as_der()?),
        };
        let public_pem = pem(&public_der);
        let pem = public_pem.as_bytes();
        let theirs = match &signing {
            Signing::Mac(_, secret) => DecodingKey::from_secret(secret),
            Signing::Ed25519(_) => DecodingKey::from_ed_pem(pem)?,
            Signing::Ecdsa(_) => DecodingKey::from_ec_pem(pem)?,
            Signing::Rsa(..) => DecodingKey::from_rsa_pem(pem)?,
        };
        Ok(Self { name, algorithm, signing, public_der, public_pem, theirs })
    }

    pub(crate) fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let random = rand::SystemRandom::new();
        match &self.signing {
            Signing::Mac(key, _) => hmac::sign(key, signed).as_ref().to_vec(),
            Signing::Ed25519(pair) => pair.sign(signed).as_ref().to_vec(),
            Signing::Ecdsa(pair) => pair.sign(&random, signed).expect("a signature").as_ref().to_vec(),
            Signing::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &random, signed, &mut signature).expect("a signature");
                signature
            }
        }
    }

    /// The same key as one of ours.
    pub(crate) fn ours(&self, provider: &dyn Provider) -> Result<VerifyingKey, Box<dyn Error>> {
        Ok(match &self.signing {
            Signing::Mac(_, secret) => {
                SigningKey::hmac(provider, self.algorithm, self.name, &SecretBytes::new(secret.clone()))?
                    .verifying()
            }
            _ => {
                let public = key_file::public_from_der(self.algorithm, &self.public_der)?;
                match self.algorithm.is_rsa_pkcs1() {
                    true => VerifyingKey::danger_rsa_pkcs1(provider, Some(self.name), &public)?,
                    false => VerifyingKey::from_public(provider, Some(self.name), &public)?,
                }
            }
        })
    }
}

/// Every key alone, and all that are not secret in one set, with both providers.
pub(crate) fn our_sets(keys: &Keys) -> Result<Vec<(Option<&'static str>, KeySet)>, Box<dyn Error>> {
    let mut sets = Vec::new();
    let (aws_lc, ring) = (AwsLc::new(), Ring::new());
    let providers: [&dyn Provider; 2] = [&aws_lc, &ring];
    for provider in providers {
        let mut all = Vec::new();
        for key in &keys.0 {
            let ours = key.ours(provider)?;
            sets.push((Some(key.name), KeySet::new([ours.clone()])?));
            if !key.algorithm.is_symmetric() {
                all.push(ours);
            }
        }
        sets.push((None, KeySet::new(all)?));
    }
    Ok(sets)
}

fn as_der(der: PublicKeyX509Der<'_>) -> Vec<u8> {
    der.as_ref().to_vec()
}

/// RFC 7468: 64 characters a line.
fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
