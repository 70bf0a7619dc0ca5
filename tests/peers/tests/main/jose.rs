//! PyJWT and joserfc verify what we issue, and issue what we verify, in every algorithm we have.

use std::sync::Arc;

use bartizan_core::{Clock as _, RawToken, os};
use bartizan_crypto::Provider;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_tokens::{
    AccessToken, Algorithm, ErrorKind, Issuer, KeySet, SigningKey, Verifier, VerifyingKey,
};
use serde_json::{Value, json};

use crate::support::Jose;

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://api.example";

macro_rules! pairs {
    ($($name:ident: $library:literal, $algorithm:ident;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn verifies_what_we_issue() {
                they_verify_ours($library, Algorithm::$algorithm, &Ring::new());
                they_verify_ours($library, Algorithm::$algorithm, &RustCrypto::new());
            }

            #[test]
            fn issues_what_we_verify() {
                we_verify_theirs($library, Algorithm::$algorithm, &Ring::new());
                we_verify_theirs($library, Algorithm::$algorithm, &RustCrypto::new());
            }
        }
    )+};
}

pairs! {
    pyjwt_eddsa: "pyjwt", EdDsa;
    pyjwt_es256: "pyjwt", Es256;
    pyjwt_hs256: "pyjwt", Hs256;
    joserfc_eddsa: "joserfc", EdDsa;
    joserfc_es256: "joserfc", Es256;
    joserfc_hs256: "joserfc", Hs256;
}

fn they_verify_ours(library: &str, algorithm: Algorithm, provider: &dyn Provider) {
    let key = SigningKey::generate(provider, algorithm, Some("ours"), &os::OsEntropy).expect("a key");
    let jwk = if algorithm.is_symmetric() {
        key.to_private_jwk().expose().to_owned()
    } else {
        key.verifying().to_public_jwk().expect("a public key")
    };
    let jwk: Value = serde_json::from_str(&jwk).expect("a JWK");
    let issuer =
        Issuer::new(ISSUER, key, Arc::new(os::SystemClock), Arc::new(os::OsEntropy)).expect("an issuer");
    let issue = |subject: &str| {
        let token = AccessToken::new(subject, AUDIENCE, "web").tenant("north").roles(["doctor", "nurse"]);
        issuer.issue(&token).expect("a token").expose().to_owned()
    };
    let mut peer = Jose::start();
    let mut verdict = |token: &str, audience: &str| {
        peer.ask(&json!({
            "do": "verify", "by": library, "jwk": jwk, "alg": algorithm.name(), "token": token,
            "issuer": ISSUER, "audience": audience,
        }))
    };

    let token = issue("ada");
    let good = verdict(&token, AUDIENCE);
    assert_eq!(good["ok"], true, "{good}");
    let claims = &good["claims"];
    assert_eq!((&claims["sub"], &claims["tenant"]), (&json!("ada"), &json!("north")));
    assert_eq!(claims["roles"], json!(["doctor", "nurse"]));
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 900);

    let (signed, _) = token.rsplit_once('.').expect("three parts");
    let other = issue("eve");
    let (_, signature) = other.rsplit_once('.').expect("three parts");
    assert_eq!(verdict(&format!("{signed}.{signature}"), AUDIENCE)["ok"], false, "a foreign signature");
    assert_eq!(verdict(&token, "https://other.example")["ok"], false, "another audience");
}

fn we_verify_theirs(library: &str, algorithm: Algorithm, provider: &dyn Provider) {
    let mut peer = Jose::start();
    let made = peer.ask(&json!({"do": "key", "kid": "theirs", "alg": algorithm.name()}));
    assert_eq!(made["ok"], true, "{made}");
    let jwk = made["jwk"].to_string();
    let key = if algorithm.is_symmetric() {
        VerifyingKey::from_secret_jwk(provider, jwk.as_bytes())
    } else {
        VerifyingKey::from_jwk(provider, jwk.as_bytes())
    };
    let keys = KeySet::new([key.expect("their key")]).expect("a key set");
    let verifier =
        Verifier::access_tokens(ISSUER, AUDIENCE, keys, Arc::new(os::SystemClock)).expect("a verifier");
    let now = os::SystemClock.wall().as_secs();
    let claims = json!({
        "iss": ISSUER, "sub": "ada", "aud": AUDIENCE, "client_id": "web", "jti": "one", "iat": now, "exp": now + 300,
        "tenant": "north",
    });
    let mut sign = |header: Value, claims: &Value| {
        let made = peer.ask(&json!({
            "do": "sign", "by": library, "kid": "theirs", "header": header, "claims": claims,
        }));
        made["token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    };

    let token = sign(json!({"typ": "at+jwt"}), &claims);
    let verified = verifier.verify(RawToken::new(&token)).expect("their token is good");
    assert_eq!((verified.subject(), verified.tenant()), ("ada", Some("north")));
    assert_eq!((verified.algorithm(), verified.kid()), (algorithm, Some("theirs")));

    let refused = |token: &str| verifier.verify(RawToken::new(token)).expect_err("refused").kind();
    // SECURITY: an ID token of the same issuer must not pass for an access token (RFC 9068 §4).
    assert_eq!(refused(&sign(json!({"typ": "JWT"}), &claims)), ErrorKind::Type);
    let mut elsewhere = claims.clone();
    elsewhere["aud"] = json!("https://other.example");
    assert_eq!(refused(&sign(json!({"typ": "at+jwt"}), &elsewhere)), ErrorKind::Audience);
    let mut endless = claims.clone();
    endless.as_object_mut().expect("claims").remove("exp");
    assert_eq!(refused(&sign(json!({"typ": "at+jwt"}), &endless)), ErrorKind::MissingClaim);
    let (signed, _) = token.rsplit_once('.').expect("three parts");
    let other = sign(json!({"typ": "at+jwt"}), &elsewhere);
    let (_, signature) = other.rsplit_once('.').expect("three parts");
    assert_eq!(refused(&format!("{signed}.{signature}")), ErrorKind::Signature);
}
