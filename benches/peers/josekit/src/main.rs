//! josekit, which links the OpenSSL of the system.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use josekit::{
    jws::{ES256, EdDSA, HS256, JwsHeader, JwsSigner, JwsVerifier, PS256, RS256},
    jwt::{self, JwtPayload, JwtPayloadValidator},
};
use peer_bench::{Family, Input, Key, LIFETIME, Side, der_of, random_id};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the input's path is missing")?;
    peer_bench::run(&Input::read(&path)?, prepare)
}

fn prepare<'k>(input: &'k Input, algorithm: &'k str, key: &'k Key) -> Result<Side<'k>, Box<dyn Error>> {
    let (private, public) = (key.private.as_bytes(), key.public.as_bytes());
    let (signer, verifier): (Box<dyn JwsSigner>, Box<dyn JwsVerifier>) = match (key.family, algorithm) {
        (Family::Hmac, _) => {
            let secret = der_of(&key.private);
            (Box::new(HS256.signer_from_bytes(&secret)?), Box::new(HS256.verifier_from_bytes(&secret)?))
        }
        (Family::Ed25519, _) => {
            (Box::new(EdDSA.signer_from_pem(private)?), Box::new(EdDSA.verifier_from_pem(public)?))
        }
        (Family::P256, _) => {
            (Box::new(ES256.signer_from_pem(private)?), Box::new(ES256.verifier_from_pem(public)?))
        }
        // A key file that does not say that it is for PSS only is made into one by its DER constructor.
        (Family::Rsa, "PS256") => (
            Box::new(PS256.signer_from_der(der_of(&key.private))?),
            Box::new(PS256.verifier_from_der(der_of(&key.public))?),
        ),
        (Family::Rsa, _) => {
            (Box::new(RS256.signer_from_pem(private)?), Box::new(RS256.verifier_from_pem(public)?))
        }
    };
    let mut validator = JwtPayloadValidator::new();
    validator.set_issuer(&input.claims.iss);
    validator.set_audience(&input.claims.aud);
    let mut header = JwsHeader::new();
    header.set_token_type("at+jwt");
    header.set_key_id(&key.kid);
    Ok(Side {
        verify: Box::new(move |token| accepts(token, &*verifier, &validator, &input.claims.sub)),
        issue: Box::new(move |show| {
            if let Ok(token) = issued(input, &header, &*signer) {
                show(&token);
            }
        }),
    })
}

/// By its documentation decoding checks the signature alone; a validator checks the claims that it is given, and those of time
/// when they are there. Its claims are a map of JSON values.
fn accepts(token: &str, verifier: &dyn JwsVerifier, validator: &JwtPayloadValidator, subject: &str) -> bool {
    let Ok((payload, _)) = jwt::decode_with_verifier(token, verifier) else { return false };
    validator.validate(&payload).is_ok()
        && payload.expires_at().is_some()
        && payload.audience().is_some()
        && payload.subject() == Some(subject)
        && payload.claim("permissions").and_then(Value::as_array).is_some_and(|all| all.len() == 4)
}

fn issued(input: &Input, header: &JwsHeader, signer: &dyn JwsSigner) -> Result<String, Box<dyn Error>> {
    let (claims, now) = (&input.claims, SystemTime::now());
    let mut payload = JwtPayload::new();
    payload.set_issuer(&claims.iss);
    payload.set_subject(&claims.sub);
    payload.set_audience(vec![&claims.aud]);
    payload.set_jwt_id(random_id());
    payload.set_issued_at(&now);
    payload.set_expires_at(&(now + Duration::from_secs(LIFETIME.unsigned_abs())));
    payload.set_claim("client_id", Some(claims.client_id.as_str().into()))?;
    payload.set_claim("tenant", Some(claims.tenant.as_str().into()))?;
    payload.set_claim("roles", Some(claims.roles.clone().into()))?;
    payload.set_claim("email", Some(claims.email.as_str().into()))?;
    payload.set_claim("permissions", Some(claims.permissions.clone().into()))?;
    Ok(jwt::encode_with_signer(&payload, header, signer)?)
}
