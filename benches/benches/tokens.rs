//! What issuing and verifying an access token costs, all checks on, with each provider.
//!
//! The token has about 530 bytes, 316 of them claims: subject, e-mail, a role, four permissions, `iat`, `exp`, `iss`, `aud` and
//! `jti`, and `client_id`, which RFC 9068 asks for; in the header `alg`, `kid` and `typ`. What is written by hand reads and
//! writes the same token.

#[path = "tokens/bare.rs"]
mod bare;
#[path = "tokens/by_hand.rs"]
mod by_hand;

use std::{cell::Cell, collections::HashMap, error::Error, sync::Arc};

use aws_lc_rs::{encoding::AsDer, rsa};
use bartizan::{
    core::{BufferedEntropy, Entropy, RawToken, SecretBytes, os},
    crypto::{PrivateKey, Provider, SignatureAlgorithm},
    crypto_aws_lc::AwsLc,
    crypto_ring::Ring,
    tokens::{
        AccessToken, Algorithm, Issuer, KeySet, SigningKey, TokenCache, TrustedIssuer, Verifier,
        VerifyingKey, jws, key_file,
    },
};
use bartizan_benches::{Bench, Case};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use self::bare::{Hmac, aws_lc_bare, ring_bare};

pub(crate) const ISSUER: &str = "https://auth.example.org";
pub(crate) const AUDIENCE: &str = "https://api.example.org";
pub(crate) const SUBJECT: &str = "0192f7c2-5b1e-7c3a-9d4e-8f60a1b2c3d4";
pub(crate) const CLIENT: &str = "web";
pub(crate) const ROLE: &str = "doctor";
pub(crate) const EMAIL: &str = "ada.l@example.org";
pub(crate) const PERMISSIONS: [&str; 4] = ["patient:read", "patient:update", "order:read", "order:write"];
const KID: &str = "2026-11";

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    hs256(&mut bench, "hs256_verify", "hs256_issue", &Ring::new(), ring_bare::hmac)?;
    hs256(&mut bench, "hs256_verify_aws_lc", "hs256_issue_aws_lc", &AwsLc::new(), aws_lc_bare::hmac)?;
    principal_hs256(&mut bench)?;
    own_claims_hs256(&mut bench)?;
    header_not_known(&mut bench)?;
    several_issuers(&mut bench)?;
    jwks_lookup(&mut bench)?;
    cached_verify_es256(&mut bench)?;
    for (algorithm, [verify, issue, verify_aws_lc, issue_aws_lc]) in [
        (Algorithm::EdDsa, ["eddsa_verify", "eddsa_issue", "eddsa_verify_aws_lc", "eddsa_issue_aws_lc"]),
        (Algorithm::Es256, ["es256_verify", "es256_issue", "es256_verify_aws_lc", "es256_issue_aws_lc"]),
        (Algorithm::Ps256, ["ps256_verify", "ps256_issue", "ps256_verify_aws_lc", "ps256_issue_aws_lc"]),
        (Algorithm::Rs256, ["rs256_verify", "rs256_issue", "rs256_verify_aws_lc", "rs256_issue_aws_lc"]),
    ] {
        let key = private_key(algorithm)?;
        let (check, sign) = (ring_bare::verify(&key)?, ring_bare::sign(&key)?);
        asymmetric(&mut bench, [verify, issue], &Ring::new(), &key, (check, sign))?;
        let (check, sign) = (aws_lc_bare::verify(&key)?, aws_lc_bare::sign(&key)?);
        asymmetric(&mut bench, [verify_aws_lc, issue_aws_lc], &AwsLc::new(), &key, (check, sign))?;
    }
    bench.finish();
    Ok(())
}

fn hs256(
    bench: &mut Bench,
    verify: &'static str,
    issue: &'static str,
    provider: &dyn Provider,
    bare: fn(&[u8]) -> Hmac,
) -> Result<(), Box<dyn Error>> {
    let (key, secret) = shared_key(provider, KID)?;
    let bare = bare(&secret);
    let verifier = verifier([key.verifying()])?;
    let issuer = issuer(key)?;
    let claims = claims();
    let token = checked(&verifier, &issuer)?;
    let (signed, tag) = parts(&token)?;
    bench.run(
        Case::new(verify, || verifier.verify(RawToken::new(&token)).is_ok())
            .limit(|| (bare.verify)(signed.as_bytes(), &tag))
            .floor(|| by_hand::verify(&token, &bare.verify)),
    );
    let header = token.split_once('.').ok_or("no header")?.0;
    let written = by_hand::issue(header, &bare.tag).ok_or("by hand nothing was issued")?;
    verifier.verify(RawToken::new(&written))?;
    bench.run(
        Case::new(issue, || issuer.issue(&claims))
            .limit(|| (bare.tag)(signed.as_bytes()))
            .floor(|| by_hand::issue(header, &bare.tag)),
    );
    Ok(())
}

fn asymmetric(
    bench: &mut Bench,
    [verify, issue]: [&'static str; 2],
    provider: &dyn Provider,
    key: &PrivateKey,
    (check, sign): (bare::Verify, bare::Sign),
) -> Result<(), Box<dyn Error>> {
    let key = match key.algorithm() {
        SignatureAlgorithm::RsaPkcs1Sha256 => SigningKey::danger_rsa_pkcs1(provider, Some(KID), key)?,
        _ => SigningKey::from_private(provider, Some(KID), key)?,
    };
    let verifier = verifier([key.verifying()])?;
    let issuer = issuer(key)?;
    let claims = claims();
    let token = checked(&verifier, &issuer)?;
    let (signed, signature) = parts(&token)?;
    bench.run(
        Case::new(verify, || verifier.verify(RawToken::new(&token)).is_ok())
            .limit(|| check(signed.as_bytes(), &signature))
            .floor(|| by_hand::verify(&token, &check)),
    );
    bench.run(Case::new(issue, || issuer.issue(&claims)).limit(|| sign(signed.as_bytes())));
    Ok(())
}

fn principal_hs256(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let (key, secret) = shared_key(&Ring::new(), KID)?;
    let bare = ring_bare::hmac(&secret);
    let verifier = verifier([key.verifying()])?;
    let token = checked(&verifier, &issuer(key)?)?;
    let (signed, tag) = parts(&token)?;
    verifier.verify(RawToken::new(&token))?.principal()?;
    by_hand::somebody(&token, &bare.verify).ok_or("by hand the token is refused")?;
    let ours = || verifier.verify(RawToken::new(&token)).and_then(|verified| verified.principal());
    bench.run(
        Case::new("principal_hs256", ours)
            .limit(|| (bare.verify)(signed.as_bytes(), &tag))
            .floor(|| by_hand::somebody(&token, &bare.verify)),
    );
    Ok(())
}

/// `hs256_verify` for a header that has to be read: the table of known ones is full of others.
fn header_not_known(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let (key, secret) = shared_key(&Ring::new(), KID)?;
    let bare = ring_bare::hmac(&secret);
    let verifier = verifier([key.verifying()])?;
    let usual = checked(&verifier, &issuer(shared(&Ring::new(), KID, &secret)?)?)?;
    let verified = verifier.verify(RawToken::new(&usual))?;
    let payload = verified.claims_json().as_bytes();
    for typ in ["AT+jwt", "aT+jwt", "At+jwt", "at+JWT", "at+Jwt", "at+jWt", "at+jwT", "AT+JWT"] {
        verifier.verify(RawToken::new(jws::sign(&key, Some(typ), payload)?.expose()))?;
    }
    let token = jws::sign(&key, Some("at+JwT"), payload)?;
    let token = token.expose();
    verifier.verify(RawToken::new(token))?;
    let (signed, tag) = parts(token)?;
    bench.run(
        Case::new("hs256_verify_new_header", || verifier.verify(RawToken::new(token)).is_ok())
            .limit(|| (bare.verify)(signed.as_bytes(), &tag))
            .floor(|| by_hand::verify(token, &bare.verify)),
    );
    Ok(())
}

/// Claims of one's own read into a struct, and written from one.
fn own_claims_hs256(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let (key, secret) = shared_key(&Ring::new(), KID)?;
    let bare = ring_bare::hmac(&secret);
    let verifier = verifier([key.verifying()])?;
    let issuer = issuer(key)?;
    let token = checked(&verifier, &issuer)?;
    let (signed, tag) = parts(&token)?;
    let own = verifier.verify_with::<by_hand::Own>(RawToken::new(&token))?;
    by_hand::own(&token, &bare.verify)
        .filter(|by_hand| by_hand == own.own())
        .ok_or("by hand others are read")?;
    bench.run(
        Case::new("hs256_verify_with", || verifier.verify_with::<by_hand::Own>(RawToken::new(&token)))
            .limit(|| (bare.verify)(signed.as_bytes(), &tag))
            .floor(|| by_hand::own(&token, &bare.verify)),
    );
    let header = token.split_once('.').ok_or("no header")?.0;
    let issued = issuer.issue_with(&bare_claims(), own.own())?;
    verifier.verify_with::<by_hand::Own>(RawToken::new(issued.expose()))?;
    bench.run(
        Case::new("hs256_issue_with", || issuer.issue_with(&bare_claims(), own.own()))
            .limit(|| (bare.tag)(signed.as_bytes()))
            .floor(|| by_hand::issue(header, &bare.tag)),
    );
    let (key, _) = shared_key(&Ring::new(), KID)?;
    let entropy = Arc::new(BufferedEntropy::new(os::OsEntropy));
    let buffered = Issuer::new(ISSUER, key, Arc::new(os::SystemClock), entropy)?;
    let claims = claims();
    bench.run(
        Case::new("hs256_issue_buffered", || buffered.issue(&claims))
            .limit(|| (bare.tag)(signed.as_bytes()))
            .floor(|| by_hand::issue(header, &bare.tag)),
    );
    Ok(())
}

/// `hs256_verify` where two issuers are trusted: the claims say whose keys are to be taken.
fn several_issuers(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let (key, secret) = shared_key(&Ring::new(), KID)?;
    let (other, _) = shared_key(&Ring::new(), KID)?;
    let bare = ring_bare::hmac(&secret);
    let trusted = |name: &str, key: &SigningKey| {
        Ok::<_, Box<dyn Error>>(TrustedIssuer::new(name, AUDIENCE, KeySet::new([key.verifying()])?))
    };
    let issuers = [trusted(ISSUER, &key)?, trusted("https://auth.example.com", &other)?];
    let verifier = Verifier::of(issuers, Arc::new(os::SystemClock))?.single_tenant();
    let token = checked(&verifier, &issuer(key)?)?;
    let (signed, tag) = parts(&token)?;
    bench.run(
        Case::new("hs256_verify_two_issuers", || verifier.verify(RawToken::new(&token)).is_ok())
            .limit(|| (bare.verify)(signed.as_bytes(), &tag))
            .floor(|| by_hand::verify(&token, &bare.verify)),
    );
    Ok(())
}

/// Each token is of another key among 64, more than known headers are kept for.
fn jwks_lookup(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let mut keys = Vec::new();
    let (mut tokens, mut bare) = (Vec::new(), HashMap::new());
    for place in 0..64 {
        let kid = format!("2026-11-{place:02}");
        let (key, secret) = shared_key(&Ring::new(), &kid)?;
        keys.push(key.verifying());
        bare.insert(kid, ring_bare::hmac(&secret));
        tokens.push(issuer(key)?.issue(&claims())?.expose().to_owned());
    }
    let verifier = verifier(keys)?;
    for token in &tokens {
        verifier.verify(RawToken::new(token))?;
    }
    let next = |turn: &Cell<usize>| {
        turn.set((turn.get() + 1) % tokens.len());
        tokens.get(turn.get()).map_or("", String::as_str)
    };
    let (ours, by_hand) = (Cell::new(0), Cell::new(0));
    let look_up = |token: &str| {
        let Some(key) = by_hand::kid(token).and_then(|kid| bare.get(&kid)) else { return false };
        by_hand::verify(token, &key.verify)
    };
    if !tokens.iter().all(|token| look_up(token)) {
        return Err("by hand a token is refused".into());
    }
    bench.run(
        Case::new("jwks_lookup", || verifier.verify(RawToken::new(next(&ours))).is_ok())
            .floor(|| look_up(next(&by_hand))),
    );
    Ok(())
}

/// Beside the hash of the token, without which it cannot be found.
fn cached_verify_es256(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let key = SigningKey::from_private(&Ring::new(), Some(KID), &private_key(Algorithm::Es256)?)?;
    let cache = TokenCache::new(&Ring::new(), &os::OsEntropy)?;
    let verifier = verifier([key.verifying()])?.cache(&cache);
    let token = checked(&verifier, &issuer(key)?)?;
    let mut secret = [0; 32];
    os::OsEntropy.fill(&mut secret)?;
    let bare = ring_bare::hmac(&secret);
    bench.run(
        Case::new("cached_verify_es256", || verifier.verify(RawToken::new(&token)).is_ok())
            .limit(|| (bare.tag)(token.as_bytes())),
    );
    Ok(())
}

fn shared_key(provider: &dyn Provider, kid: &str) -> Result<(SigningKey, [u8; 32]), Box<dyn Error>> {
    let mut secret = [0; 32];
    os::OsEntropy.fill(&mut secret)?;
    Ok((shared(provider, kid, &secret)?, secret))
}

fn shared(provider: &dyn Provider, kid: &str, secret: &[u8]) -> Result<SigningKey, Box<dyn Error>> {
    Ok(SigningKey::hmac(provider, Algorithm::Hs256, kid, &SecretBytes::new(secret.to_vec()))?)
}

/// RSA keys have 2048 bits, as those that are met with.
fn private_key(algorithm: Algorithm) -> Result<PrivateKey, Box<dyn Error>> {
    Ok(match algorithm {
        Algorithm::EdDsa => Ring::new().generate(SignatureAlgorithm::Ed25519, &os::OsEntropy)?,
        Algorithm::Es256 => Ring::new().generate(SignatureAlgorithm::EcdsaP256Sha256, &os::OsEntropy)?,
        _ => {
            let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048)?;
            key_file::private_from_der(&Ring::new(), algorithm, key.as_der()?.as_ref())?
        }
    })
}

fn verifier(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Verifier, Box<dyn Error>> {
    let clock = Arc::new(os::SystemClock);
    Ok(Verifier::access_tokens(ISSUER, AUDIENCE, KeySet::new(keys)?, clock)?.single_tenant())
}

fn issuer(key: SigningKey) -> Result<Issuer, Box<dyn Error>> {
    Ok(Issuer::new(ISSUER, key, Arc::new(os::SystemClock), Arc::new(os::OsEntropy))?)
}

fn bare_claims() -> AccessToken<'static> {
    AccessToken::new(SUBJECT, AUDIENCE, CLIENT).roles([ROLE])
}

fn claims() -> AccessToken<'static> {
    bare_claims().claim("email", json!(EMAIL)).claim("permissions", json!(PERMISSIONS))
}

/// A token that has the size which the figures are of, and that is accepted.
fn checked(verifier: &Verifier, issuer: &Issuer) -> Result<String, Box<dyn Error>> {
    let token = issuer.issue(&claims())?.expose().to_owned();
    let size = verifier.verify(RawToken::new(&token))?.claims_json().len();
    if size == 316 { Ok(token) } else { Err(format!("{size} bytes of claims").into()) }
}

fn parts(token: &str) -> Result<(&str, Vec<u8>), Box<dyn Error>> {
    let (signed, signature) = token.rsplit_once('.').ok_or("no signature")?;
    Ok((signed, URL_SAFE_NO_PAD.decode(signature)?))
}
