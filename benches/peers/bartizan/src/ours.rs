//! What a user of the crate calls.

use std::{error::Error, sync::Arc};

use bartizan_core::{RawToken, SecretBytes, os};
use bartizan_crypto::Provider;
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;
use bartizan_tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verifier, key_file};
use peer_bench::{Family, Input, Key, Side, der_of};
use serde::{Deserialize, Serialize};

/// The claims that are not the profile's own, read into a struct and written from one as everybody does.
#[derive(Deserialize)]
struct Own {
    #[expect(dead_code, reason = "Read, as everybody reads it.")]
    email: String,
    permissions: Vec<String>,
}

#[derive(Serialize)]
struct NewOwn<'a> {
    email: &'a str,
    permissions: &'a [String],
}

pub(crate) fn run(input: &Input, provider: &str) -> Result<(), Box<dyn Error>> {
    let provider: &dyn Provider = match provider {
        "ring" => &Ring::new(),
        "aws-lc" => &AwsLc::new(),
        _ => return Err("there is no such provider".into()),
    };
    peer_bench::run(input, |input, algorithm, key| prepare(provider, input, algorithm, key))
}

fn prepare<'k>(
    provider: &dyn Provider,
    input: &'k Input,
    algorithm: &str,
    key: &Key,
) -> Result<Side<'k>, Box<dyn Error>> {
    let signing = signing_key(provider, algorithm, key)?;
    let claims = &input.claims;
    let clock = Arc::new(os::SystemClock);
    let keys = KeySet::new([signing.verifying()])?;
    let verifier = Verifier::access_tokens(&*claims.iss, &*claims.aud, keys, clock.clone())?;
    let issuer = Issuer::new(&*claims.iss, signing, clock, Arc::new(os::OsEntropy))?;
    Ok(Side {
        verify: Box::new(move |token| {
            verifier.verify_with::<Own>(RawToken::new(token)).is_ok_and(|verified| {
                verified.subject() == claims.sub && verified.own().permissions.len() == 4
            })
        }),
        issue: Box::new(move |show| {
            let token = AccessToken::new(&*claims.sub, &*claims.aud, &*claims.client_id)
                .tenant(&*claims.tenant)
                .roles(claims.roles.iter().map(String::as_str));
            let own = NewOwn { email: &claims.email, permissions: &claims.permissions };
            if let Ok(token) = issuer.issue_with(&token, &own) {
                show(token.expose());
            }
        }),
    })
}

fn signing_key(provider: &dyn Provider, algorithm: &str, key: &Key) -> Result<SigningKey, Box<dyn Error>> {
    let (kid, pem) = (key.kid.as_str(), key.private.as_bytes());
    let algorithm = Algorithm::named(algorithm).ok_or("there is no such algorithm")?;
    Ok(match key.family {
        Family::Hmac => SigningKey::hmac(provider, algorithm, kid, &SecretBytes::new(der_of(&key.private)))?,
        _ if algorithm.is_rsa_pkcs1() => {
            let key = key_file::private_from_pem(provider, algorithm, pem)?;
            SigningKey::danger_rsa_pkcs1(provider, Some(kid), &key)?
        }
        _ => SigningKey::from_pem(provider, algorithm, Some(kid), pem)?,
    })
}
