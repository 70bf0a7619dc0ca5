//! npm's jose, PyJWT and joserfc verify what we issue, and issue what we verify: every algorithm we have, under every name.
//!
//! What one of them cannot do stands in `cannot.csv`, and the tests fail when that is no longer so.

use std::{collections::BTreeSet, fs, sync::Arc};

use bartizan_core::{Clock as _, RawToken, SecretBytes, os};
use bartizan_crypto::{Ability, Provider, RsaSize};
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_tokens::{
    AccessToken, Algorithm, ErrorKind, Issuer, KeyRules, KeySet, SigningKey, Verifier, VerifyingKey, key_file,
};
use serde_json::{Value, json};

use crate::support::Jose;

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://api.example";

macro_rules! peers {
    ($($name:ident: $start:ident;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn verifies_what_we_issue() {
                let mut peer = Peer { name: stringify!($name), process: Jose::$start() };
                they_verify_ours(&mut peer, &AwsLc::new());
                they_verify_ours(&mut peer, &Ring::new());
                they_verify_ours(&mut peer, &RustCrypto::new());
            }

            #[test]
            fn issues_what_we_verify() {
                let mut peer = Peer { name: stringify!($name), process: Jose::$start() };
                we_verify_theirs(&mut peer, &[&AwsLc::new(), &Ring::new(), &RustCrypto::new()]);
            }
        }
    )+};
}

peers! {
    jose: node;
    joserfc: python;
    pyjwt: python;
}

struct Peer {
    name: &'static str,
    process: Jose,
}

impl Peer {
    fn ask(&mut self, mut request: Value) -> Value {
        request["by"] = json!(self.name);
        self.process.ask(&request)
    }

    /// The names of algorithms for which it does not do this, by the list.
    fn cannot(&self, does: &str) -> BTreeSet<String> {
        let list = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/cannot.csv")).expect("the list");
        let rows = list.lines().skip(1).map(|line| line.splitn(4, ',').collect::<Vec<_>>());
        rows.filter(|row| row[0] == self.name && row[1] == does).map(|row| row[2].to_owned()).collect()
    }
}

/// Every name that an algorithm has in headers.
fn names() -> Vec<(&'static str, Algorithm)> {
    let mut names: Vec<_> = Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)).into();
    names.push((Algorithm::EdDsa.fully_specified_name(), Algorithm::EdDsa));
    names
}

/// Our keys, one for each name, whose `kid` is that name.
fn our_keys(provider: &dyn Provider) -> Vec<SigningKey> {
    // One RSA key for all that need one; ring makes none, and takes this one.
    let rsa = AwsLc::new();
    let rsa = SigningKey::generate_rsa(&rsa, Algorithm::Ps256, RsaSize::Bits3072, None, &os::OsEntropy);
    let rsa: SecretBytes = rsa.expect("an RSA key").to_der().expect("a key file");
    let key = |(name, algorithm): (&str, Algorithm)| {
        if algorithm.is_symmetric() {
            return Some(
                SigningKey::generate(provider, algorithm, Some(name), &os::OsEntropy).expect("a key"),
            );
        }
        if algorithm.is_rsa() {
            let key = key_file::private_from_der(&AwsLc::new(), algorithm, rsa.expose()).expect("a key");
            if !provider.can(Ability::Sign(key.algorithm())) {
                return None;
            }
            let made = match algorithm.is_rsa_pkcs1() {
                true => SigningKey::danger_rsa_pkcs1(provider, Some(name), &key),
                false => SigningKey::from_private(provider, Some(name), &key),
            };
            return Some(made.expect("a key"));
        }
        let key = SigningKey::generate(provider, algorithm, Some(name), &os::OsEntropy).expect("a key");
        Some(if name == algorithm.name() { key } else { key.fully_specified_name() })
    };
    names().into_iter().filter_map(key).collect()
}

fn they_verify_ours(peer: &mut Peer, provider: &dyn Provider) {
    let keys = our_keys(provider);
    assert!(keys.len() >= 7, "{} makes keys of most algorithms", provider.name());
    let published = keys.iter().filter(|key| !key.algorithm().is_symmetric()).map(SigningKey::verifying);
    let published = KeySet::new(published).expect("a key set").to_jwks().expect("a JWKS");
    let published: Value = serde_json::from_str(&published).expect("JSON");
    let mut refused = BTreeSet::new();
    let tried: BTreeSet<String> = keys.iter().map(|key| key.kid().to_owned()).collect();
    for key in keys {
        let (name, secret) = (key.kid().to_owned(), key.to_private_jwk());
        let jwks = match key.algorithm().is_symmetric() {
            true => {
                json!({"keys": [serde_json::from_str::<Value>(secret.expose()).expect("a JWK")]})
            }
            false => published.clone(),
        };
        let issuer = Issuer::new(ISSUER, key, Arc::new(os::SystemClock), Arc::new(os::OsEntropy));
        let token = AccessToken::new("ada", AUDIENCE, "web").tenant("north").roles(["doctor", "nurse"]);
        let token = issuer.expect("an issuer").issue(&token).expect("a token").expose().to_owned();
        let mut verdict = |token: &str, audience: &str| {
            peer.ask(json!({
                "do": "verify", "jwks": jwks, "alg": name, "token": token, "issuer": ISSUER, "audience": audience,
            }))
        };

        let good = verdict(&token, AUDIENCE);
        if good["ok"] != true {
            refused.insert(name);
            continue;
        }
        let claims = &good["claims"];
        assert_eq!((&claims["sub"], &claims["tenant"]), (&json!("ada"), &json!("north")), "{name}");
        assert_eq!(claims["roles"], json!(["doctor", "nurse"]), "{name}");
        assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 900);
        for part in 1..3 {
            assert_eq!(verdict(&changed(&token, part), AUDIENCE)["ok"], false, "{name}, part {part} changed");
        }
        assert_eq!(verdict(&token, "https://other.example")["ok"], false, "{name}, another audience");
    }
    let cannot: BTreeSet<String> = peer.cannot("verify").intersection(&tried).cloned().collect();
    assert_eq!(refused, cannot, "what {} refuses of {}", peer.name, provider.name());
}

/// The token with one character in the middle of a part changed for another of the alphabet.
fn changed(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let at = parts[part].len() / 2;
    let other = if parts[part].as_bytes()[at] == b'A' { "B" } else { "A" };
    parts[part].replace_range(at..=at, other);
    parts.join(".")
}

fn we_verify_theirs(peer: &mut Peer, providers: &[&dyn Provider]) {
    let now = os::SystemClock.wall().as_secs();
    let claims = json!({
        "iss": ISSUER, "sub": "ada", "aud": AUDIENCE, "client_id": "web", "jti": "one", "iat": now, "exp": now + 300,
        "tenant": "north",
    });
    let mut refused = BTreeSet::new();
    for (name, algorithm) in names() {
        let made = peer.ask(json!({"do": "key", "kid": name, "alg": name}));
        assert_eq!(made["ok"], true, "{made}");
        let mut sign = |typ: &str, claims: &Value| {
            let request = json!({"do": "sign", "kid": name, "header": {"typ": typ}, "claims": claims});
            peer.ask(request)["token"].as_str().map(str::to_owned)
        };
        let Some(token) = sign("at+jwt", &claims) else {
            refused.insert(name.to_owned());
            continue;
        };
        let mut elsewhere = claims.clone();
        elsewhere["aud"] = json!("https://other.example");
        let mut endless = claims.clone();
        endless.as_object_mut().expect("claims").remove("exp");
        let mut other = |typ, claims| sign(typ, claims).expect("another token");
        let bad = [
            // SECURITY: an ID token of the same issuer must not pass for an access token (RFC 9068 §4).
            (other("JWT", &claims), ErrorKind::Type),
            (other("at+jwt", &elsewhere), ErrorKind::Audience),
            (other("at+jwt", &endless), ErrorKind::MissingClaim),
            (changed(&token, 1), ErrorKind::Signature),
            (changed(&token, 2), ErrorKind::Signature),
        ];
        for provider in providers {
            let Some(key) = their_key(*provider, algorithm, &made["jwk"]) else { continue };
            let keys = KeySet::new([key]).expect("a key set");
            let clock = Arc::new(os::SystemClock);
            let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, keys, clock).expect("a verifier");
            let verified = verifier.verify(RawToken::new(&token)).expect("their token is good");
            assert_eq!((verified.subject(), verified.tenant()), ("ada", Some("north")));
            assert_eq!((verified.algorithm(), verified.kid()), (algorithm, Some(name)));
            for (token, kind) in &bad {
                let refused = verifier.verify(RawToken::new(token)).expect_err("refused");
                assert_eq!(refused.kind(), *kind, "{name} on {}", provider.name());
            }
        }
    }
    assert_eq!(refused, peer.cannot("sign"), "what {} cannot sign", peer.name);
}

/// None when the provider knows no such key.
fn their_key(provider: &dyn Provider, algorithm: Algorithm, jwk: &Value) -> Option<VerifyingKey> {
    let jwk = jwk.to_string();
    if algorithm.is_symmetric() {
        return Some(VerifyingKey::from_secret_jwk(provider, jwk.as_bytes()).expect("their secret"));
    }
    if algorithm.is_rsa_pkcs1() {
        let refused = VerifyingKey::from_jwk(provider, jwk.as_bytes()).expect_err("not asked for");
        assert_eq!(refused.kind(), ErrorKind::KeyRsaPkcs1);
    }
    let rules = KeyRules::strict().danger_rsa_pkcs1();
    match VerifyingKey::from_jwk_with(provider, jwk.as_bytes(), &rules) {
        Ok(key) => Some(key),
        Err(error) => {
            // The RustCrypto provider has no RSA.
            assert!(algorithm.is_rsa() && provider.name() == RustCrypto::new().name(), "{error}");
            assert_eq!(error.kind(), ErrorKind::KeyUnsupported);
            None
        }
    }
}
