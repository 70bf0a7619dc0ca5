//! What verifying an access token costs, all checks on.

use std::{error::Error, sync::Arc};

use bartizan::{
    core::{Clock, Entropy, RawToken, SecretBytes, os},
    crypto_ring::Ring,
    tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verifier},
};
use bartizan_benches::{Bench, Case};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{hmac, signature};
use serde::Deserialize;
use serde_json::{Value, json};

const ISSUER: &str = "https://auth.example.org";
const AUDIENCE: &str = "https://api.example.org";

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    hs256(&mut bench)?;
    eddsa(&mut bench)?;
    bench.finish();
    Ok(())
}

fn hs256(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let mut secret = [0; 32];
    os::OsEntropy.fill(&mut secret)?;
    let key = SigningKey::hmac(&Ring::new(), "2026-11", &SecretBytes::new(secret.to_vec()))?;
    let (token, verifier) = issued(key)?;
    let (signed, tag) = parts(&token)?;
    let bare = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    check(&verifier, &token)?;
    bench.run(
        Case::new("hs256_verify", || verifier.verify(RawToken::new(&token)).is_ok())
            .limit(|| hmac::verify(&bare, signed.as_bytes(), &tag).is_ok())
            .floor(|| by_hand(&token, |signed, tag| hmac::verify(&bare, signed, tag).is_ok())),
    );
    Ok(())
}

fn eddsa(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("2026-11"), &os::OsEntropy)?;
    let jwk: Value = serde_json::from_str(&key.verifying().to_public_jwk()?)?;
    let public = URL_SAFE_NO_PAD.decode(jwk.get("x").and_then(Value::as_str).ok_or("the JWK has no x")?)?;
    let (token, verifier) = issued(key)?;
    let (signed, signature) = parts(&token)?;
    let bare = signature::UnparsedPublicKey::new(&signature::ED25519, &public);
    check(&verifier, &token)?;
    bench.run(
        Case::new("eddsa_verify", || verifier.verify(RawToken::new(&token)).is_ok())
            .limit(|| bare.verify(signed.as_bytes(), &signature).is_ok())
            .floor(|| by_hand(&token, |signed, signature| bare.verify(signed, signature).is_ok())),
    );
    Ok(())
}

/// A token of the size that services send: e-mail, role and four permissions beside the registered claims.
fn issued(key: SigningKey) -> Result<(String, Verifier), Box<dyn Error>> {
    let clock = Arc::new(os::SystemClock);
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, KeySet::new([key.verifying()])?, clock.clone())?;
    let claims = AccessToken::new("0192f7c2-5b1e-7c3a-9d4e-8f60a1b2c3d4", AUDIENCE, "web")
        .tenant("north")
        .roles(["doctor"])
        .claim("email", json!("ada@example.org"))
        .claim("permissions", json!(["patient:read", "patient:update", "order:read", "order:write"]));
    let token = Issuer::new(ISSUER, key, clock, Arc::new(os::OsEntropy))?.issue(&claims)?;
    Ok((token.expose().to_owned(), verifier))
}

fn parts(token: &str) -> Result<(&str, Vec<u8>), Box<dyn Error>> {
    let (signed, signature) = token.rsplit_once('.').ok_or("no signature")?;
    Ok((signed, URL_SAFE_NO_PAD.decode(signature)?))
}

fn check(verifier: &Verifier, token: &str) -> Result<(), Box<dyn Error>> {
    verifier.verify(RawToken::new(token))?;
    Ok(())
}

/// What somebody in a hurry checks: the signature, issuer, audience and `exp`. No limits, no repeated members, no `typ`, no
/// `crit`, no key choice.
fn by_hand(token: &str, verified: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    #[derive(Deserialize)]
    struct Claims<'a> {
        iss: &'a str,
        aud: &'a str,
        exp: i64,
        sub: &'a str,
        jti: &'a str,
    }

    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    if !verified(signed.as_bytes(), &signature) {
        return false;
    }
    let Some((_, claims)) = signed.split_once('.') else { return false };
    let Ok(claims) = URL_SAFE_NO_PAD.decode(claims) else { return false };
    let Ok(claims) = serde_json::from_slice::<Claims<'_>>(&claims) else { return false };
    claims.iss == ISSUER
        && claims.aud == AUDIENCE
        && claims.exp > os::SystemClock.wall().as_secs()
        && !claims.sub.is_empty()
        && !claims.jti.is_empty()
}
