//! The bare primitives of both libraries that the providers are made of, with prepared keys.

use std::error::Error;

use bartizan::crypto::{PrivateKey, SignatureAlgorithm};

pub(crate) type Verify = Box<dyn Fn(&[u8], &[u8]) -> bool>;
pub(crate) type Sign = Box<dyn Fn(&[u8]) -> [u8; 512]>;
type Tag = Box<dyn Fn(&[u8]) -> [u8; 32]>;

/// HMAC-SHA-256: tag of a message, and whether a tag is that of a message.
pub(crate) struct Hmac {
    pub(crate) tag: Tag,
    pub(crate) verify: Verify,
}

/// ring has one API, and AWS-LC the same but for parsed public keys.
macro_rules! library {
    ($module:ident, $library:ident, $verifying:expr) => {
        pub(crate) mod $module {
            use super::*;
            use $library::{
                hmac,
                rand::SystemRandom,
                signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
            };

            pub(crate) fn hmac(secret: &[u8]) -> Hmac {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                let same = key.clone();
                let tag = move |message: &[u8]| {
                    hmac::sign(&key, message).as_ref().try_into().unwrap_or([0; 32])
                };
                let verify = move |message: &[u8], tag: &[u8]| hmac::verify(&same, message, tag).is_ok();
                Hmac { tag: Box::new(tag), verify: Box::new(verify) }
            }

            pub(crate) fn verify(key: &PrivateKey) -> Result<Verify, Box<dyn Error>> {
                let algorithm: &'static dyn signature::VerificationAlgorithm = match key.algorithm() {
                    SignatureAlgorithm::Ed25519 => &signature::ED25519,
                    SignatureAlgorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_FIXED,
                    SignatureAlgorithm::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
                    SignatureAlgorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    _ => return Err("no case uses this algorithm".into()),
                };
                $verifying(algorithm, key.public().as_bytes().to_vec())
            }

            #[expect(clippy::disallowed_methods, reason = "The libraries take no other source of randomness.")]
            pub(crate) fn sign(key: &PrivateKey) -> Result<Sign, Box<dyn Error>> {
                let random = SystemRandom::new();
                let length = key.public().signature_len();
                let (secret, public) = (key.secret().expose(), key.public().as_bytes());
                Ok(match key.algorithm() {
                    SignatureAlgorithm::Ed25519 => {
                        let key = Ed25519KeyPair::from_seed_and_public_key(secret, public)
                            .map_err(|error| error.to_string())?;
                        Box::new(move |message| in_room(key.sign(message).as_ref()))
                    }
                    SignatureAlgorithm::EcdsaP256Sha256 => {
                        let key = ecdsa(secret, public, &random)?;
                        Box::new(move |message| match key.sign(&random, message) {
                            Ok(signature) => in_room(signature.as_ref()),
                            Err(_) => in_room(&[]),
                        })
                    }
                    algorithm => {
                        let key = RsaKeyPair::from_der(secret).map_err(|error| error.to_string())?;
                        let padding: &'static dyn signature::RsaEncoding = match algorithm {
                            SignatureAlgorithm::RsaPssSha256 => &signature::RSA_PSS_SHA256,
                            _ => &signature::RSA_PKCS1_SHA256,
                        };
                        Box::new(move |message| {
                            let mut signature = [0; 512];
                            let place = signature.get_mut(..length).unwrap_or_default();
                            let _ = key.sign(padding, &random, message, place);
                            signature
                        })
                    }
                })
            }

            library!(@ecdsa $library);
        }
    };
    (@ecdsa ring) => {
        fn ecdsa(secret: &[u8], public: &[u8], random: &SystemRandom) -> Result<EcdsaKeyPair, Box<dyn Error>> {
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            Ok(EcdsaKeyPair::from_private_key_and_public_key(algorithm, secret, public, random)
                .map_err(|error| error.to_string())?)
        }
    };
    (@ecdsa aws_lc_rs) => {
        fn ecdsa(secret: &[u8], public: &[u8], _: &SystemRandom) -> Result<EcdsaKeyPair, Box<dyn Error>> {
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            Ok(EcdsaKeyPair::from_private_key_and_public_key(algorithm, secret, public)
                .map_err(|error| error.to_string())?)
        }
    };
}

library!(ring_bare, ring, |algorithm, public: Vec<u8>| {
    let key = signature::UnparsedPublicKey::new(algorithm, public);
    Ok::<Verify, Box<dyn Error>>(Box::new(move |message, signature| key.verify(message, signature).is_ok()))
});

library!(aws_lc_bare, aws_lc_rs, |algorithm, public: Vec<u8>| {
    let key = signature::ParsedPublicKey::new(algorithm, public).map_err(|error| error.to_string())?;
    Ok::<Verify, Box<dyn Error>>(Box::new(move |message, signature| {
        key.verify_sig(message, signature).is_ok()
    }))
});

fn in_room(signature: &[u8]) -> [u8; 512] {
    let mut room = [0; 512];
    room.iter_mut().zip(signature).for_each(|(to, from)| *to = *from);
    room
}
