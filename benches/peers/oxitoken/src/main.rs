//! oxitoken on AWS-LC, with prepared keys of its fastest kind.

use std::error::Error;

use aws_lc_rs::{
    hmac,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair},
};
use oxitoken::{
    Algorithm,
    claims::{Aud, Exp, Iss},
    crypto::aws_lc::AwsLcVerificationKey,
    encoding::{Signer, encode},
    header::Alg,
    validation::{StaticKeyProvider, ValidationPipeline},
};
use peer_bench::{Claims, Family, Input, Key, Side, der_of};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Header {
    alg: Algorithm,
    typ: String,
    kid: String,
}

impl Alg for Header {
    fn alg(&self) -> Algorithm {
        self.alg
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Known(Claims);

impl Iss for Known {
    fn iss(&self) -> &str {
        &self.0.iss
    }
}

impl Aud for Known {
    fn aud(&self) -> impl Iterator<Item = impl AsRef<str>> {
        std::iter::once(&self.0.aud)
    }
}

impl Exp for Known {
    fn exp(&self) -> i64 {
        self.0.exp
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the input's path is missing")?;
    peer_bench::run(&Input::read(&path)?, prepare)
}

fn prepare<'k>(input: &'k Input, algorithm: &'k str, key: &'k Key) -> Result<Side<'k>, Box<dyn Error>> {
    let private = der_of(&key.private);
    match key.family {
        Family::Hmac => {
            let key_of = || hmac::Key::new(hmac::HMAC_SHA256, &private);
            side(input, algorithm, key, key_of(), AwsLcVerificationKey::try_from(key_of()).map_err(problem)?)
        }
        Family::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8(&private)?;
            let public = ParsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref())?;
            side(input, algorithm, key, pair, public.try_into().map_err(problem)?)
        }
        Family::P256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &private)?;
            let public =
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())?;
            side(input, algorithm, key, pair, public.try_into().map_err(problem)?)
        }
        Family::Rsa => {
            let pair = RsaKeyPair::from_pkcs8(&private)?;
            let padding = match algorithm {
                "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                _ => &signature::RSA_PKCS1_2048_8192_SHA256,
            };
            let public = ParsedPublicKey::new(padding, pair.public_key().as_ref())?;
            side(input, algorithm, key, pair, public.try_into().map_err(problem)?)
        }
    }
}

/// By its documentation nothing but the signature is checked until a validator is added.
fn side<'k, S: Signer + 'k>(
    input: &'k Input,
    algorithm: &'k str,
    key: &'k Key,
    signing: S,
    verifying: AwsLcVerificationKey,
) -> Result<Side<'k>, Box<dyn Error>> {
    let alg: Algorithm = serde_json::from_value(algorithm.into())?;
    let validator = ValidationPipeline::<Header, Known, StaticKeyProvider<_>>::builder(verifying.into())
        .with_issuer_validator(input.claims.iss.clone())
        .with_audience_validator(input.claims.aud.clone())
        .with_expiration_validator()
        .build();
    let header = Header { alg, typ: "at+jwt".to_owned(), kid: key.kid.clone() };
    Ok(Side {
        verify: Box::new(move |token| {
            validator
                .verify(token.as_bytes())
                .is_ok_and(|(_, claims)| claims.0.are_those_of(&input.claims.sub))
        }),
        issue: Box::new(move |show| {
            if let Ok(token) = encode(&signing, &header, &input.claims.renewed()) {
                show(&token);
            }
        }),
    })
}

fn problem(problem: oxitoken::error::JwtError) -> Box<dyn Error> {
    format!("{problem:?}").into()
}
