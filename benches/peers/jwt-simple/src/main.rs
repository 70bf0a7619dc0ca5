//! jwt-simple as it comes.

use std::{collections::HashSet, error::Error};

use jwt_simple::prelude::*;
use peer_bench::{Family, Input, Key, LIFETIME, Side, der_of, random_id};
use serde::{Deserialize, Serialize};

/// The claims that are not its own.
#[derive(Deserialize)]
struct Own {
    #[expect(dead_code, reason = "Read, as everybody reads it.")]
    client_id: String,
    #[expect(dead_code, reason = "Read, as everybody reads it.")]
    tenant: String,
    #[expect(dead_code, reason = "Read, as everybody reads it.")]
    roles: Vec<String>,
    #[expect(dead_code, reason = "Read, as everybody reads it.")]
    email: String,
    permissions: Vec<String>,
}

#[derive(Serialize)]
struct NewOwn<'a> {
    client_id: &'a str,
    tenant: &'a str,
    roles: &'a [String],
    email: &'a str,
    permissions: &'a [String],
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the input's path is missing")?;
    peer_bench::run(&Input::read(&path)?, prepare)
}

fn prepare<'k>(input: &'k Input, algorithm: &'k str, key: &'k Key) -> Result<Side<'k>, Box<dyn Error>> {
    // It has a type for each algorithm, and no common one.
    macro_rules! pair {
        ($signing:expr, $verifying:expr, $sign:ident) => {{
            let (signing, verifying) = ($signing, $verifying);
            Ok(Side {
                verify: Box::new(move |token| {
                    verifying.verify_token::<Own>(token, Some(options(input))).is_ok_and(|claims| {
                        claims.subject.as_deref() == Some(&input.claims.sub)
                            && claims.custom.permissions.len() == 4
                    })
                }),
                issue: Box::new(move |show| {
                    if let Ok(token) = signing.$sign(claims(input), &header()) {
                        show(&token);
                    }
                }),
            })
        }};
    }
    let private = &key.private;
    match (key.family, algorithm) {
        (Family::Hmac, _) => {
            let signing = || HS256Key::from_bytes(&der_of(private)).with_key_id(&key.kid);
            pair!(signing(), signing(), authenticate_with_options)
        }
        (Family::Ed25519, _) => {
            let signing = Ed25519KeyPair::from_pem(private)?.with_key_id(&key.kid);
            let verifying = signing.public_key();
            pair!(signing, verifying, sign_with_options)
        }
        (Family::P256, _) => {
            let signing = ES256KeyPair::from_pem(private)?.with_key_id(&key.kid);
            let verifying = signing.public_key();
            pair!(signing, verifying, sign_with_options)
        }
        (Family::Rsa, "PS256") => {
            let signing = PS256KeyPair::from_pem(private)?.with_key_id(&key.kid);
            let verifying = signing.public_key();
            pair!(signing, verifying, sign_with_options)
        }
        (Family::Rsa, _) => {
            let signing = RS256KeyPair::from_pem(private)?.with_key_id(&key.kid);
            let verifying = signing.public_key();
            pair!(signing, verifying, sign_with_options)
        }
    }
}

/// By its documentation `exp` is checked by default, with 15 minutes of tolerance; ours and the others have a minute. It takes
/// its options by value, so a service makes or clones them for every token.
fn options(input: &Input) -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from([input.claims.iss.clone()])),
        allowed_audiences: Some(HashSet::from([input.claims.aud.clone()])),
        time_tolerance: Some(Duration::from_secs(60)),
        ..VerificationOptions::default()
    }
}

fn claims(input: &Input) -> JWTClaims<NewOwn<'_>> {
    let claims = &input.claims;
    let own = NewOwn {
        client_id: &claims.client_id,
        tenant: &claims.tenant,
        roles: &claims.roles,
        email: &claims.email,
        permissions: &claims.permissions,
    };
    Claims::with_custom_claims(own, Duration::from_secs(LIFETIME.unsigned_abs()))
        .with_issuer(&claims.iss)
        .with_subject(&claims.sub)
        .with_audience(&claims.aud)
        .with_jwt_id(random_id())
}

fn header() -> HeaderOptions {
    HeaderOptions { signature_type: Some("at+jwt".to_owned()), ..HeaderOptions::default() }
}
