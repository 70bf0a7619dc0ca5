//! Issuing, and what becomes of a token that was verified.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Attestation, Fault, RawToken, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{BrokenEntropy, RepeatingEntropy, SeededEntropy};
use bartizan_tokens::{AccessToken, Algorithm, Error, ErrorKind, Issuer, KeySet, Verifier};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    ALGORITHMS, AUDIENCE, Forge, ISSUER, KID, NOW, clock, decode, encode, providers, signing_key, verify,
};

fn issuer(algorithm: Algorithm) -> Issuer {
    let key = signing_key(&Ring::new(), algorithm, KID);
    Issuer::new(ISSUER, key, clock(), Arc::new(SeededEntropy::new(5))).unwrap()
}

fn parts(token: &str) -> (Value, Value) {
    let parts: Vec<_> = token.split('.').collect();
    (serde_json::from_slice(&decode(parts[0])).unwrap(), serde_json::from_slice(&decode(parts[1])).unwrap())
}

#[test]
fn what_is_issued_is_verified_by_both_providers() {
    for provider in providers() {
        for algorithm in ALGORITHMS {
            let token = issuer(algorithm).issue(&AccessToken::new("ada", AUDIENCE, "web")).unwrap();
            let keys = KeySet::new([signing_key(&*provider, algorithm, KID).verifying()]).unwrap();
            let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, keys, clock()).unwrap();
            let verified = verify(&verifier, token.expose()).unwrap();
            assert_eq!(
                (verified.subject(), verified.client_id(), verified.issuer()),
                ("ada", Some("web"), ISSUER)
            );
            assert_eq!((verified.kid(), verified.algorithm()), (Some(KID), algorithm));
        }
    }
}

#[test]
fn asvs_9_2_4_a_token_has_the_claims_of_rfc_9068_and_one_audience() {
    let token = issuer(Algorithm::EdDsa).issue(&AccessToken::new("ada", AUDIENCE, "web")).unwrap();
    let (header, claims) = parts(token.expose());
    assert_eq!(header, json!({"alg": "EdDSA", "kid": KID, "typ": "at+jwt"}));
    let expected = json!({
        "iss": ISSUER, "sub": "ada", "aud": AUDIENCE, "client_id": "web", "iat": NOW, "exp": NOW + 900, "jti": claims["jti"],
    });
    assert_eq!(claims, expected);
}

#[test]
fn everything_a_token_says_is_read_again() {
    let token = AccessToken::new("ada \"the\" é", AUDIENCE, "web")
        .tenant("north")
        .roles(["doctor", "on\\call"])
        .groups(vec![String::from("ward-3")])
        .session("s-1")
        .acr("2")
        .amr(["pwd", "otp"])
        .auth_time(UnixTime::from_secs(NOW - 60))
        .actor("helper")
        .lifetime(Duration::from_secs(60))
        .claim("email", "ada@example.org")
        .claim("permissions", json!(["everything:do"]));
    for algorithm in ALGORITHMS {
        let token = issuer(algorithm).issue(&token).unwrap();
        let verified = verify(&Forge::new(algorithm).verifier(), token.expose()).unwrap();
        assert_eq!(verified.subject(), "ada \"the\" é");
        assert_eq!(verified.audiences().collect::<Vec<_>>(), [AUDIENCE]);
        assert_eq!(verified.roles().collect::<Vec<_>>(), ["doctor", "on\\call"]);
        assert_eq!(verified.groups().collect::<Vec<_>>(), ["ward-3"]);
        assert_eq!(verified.amr().collect::<Vec<_>>(), ["pwd", "otp"]);
        assert_eq!(
            (verified.tenant(), verified.session(), verified.acr()),
            (Some("north"), Some("s-1"), Some("2"))
        );
        assert_eq!(
            (verified.auth_time(), verified.actor()),
            (Some(UnixTime::from_secs(NOW - 60)), Some("helper"))
        );
        assert_eq!(verified.expires(), UnixTime::from_secs(NOW + 60));
        assert_eq!(verified.issued_at(), UnixTime::from_secs(NOW));
        assert_eq!(
            serde_json::from_str::<Value>(verified.claims_json()).unwrap()["email"],
            "ada@example.org"
        );

        let who = verified.principal().unwrap();
        assert_eq!((who.how(), who.subject(), who.tenant()), (Attestation::Token, "ada \"the\" é", "north"));
        assert_eq!(who.roles().iter().collect::<Vec<_>>(), ["doctor", "on\\call"]);
        assert_eq!(who.teams().iter().collect::<Vec<_>>(), ["ward-3"]);
        assert_eq!((who.issuer(), who.credential()), (Some(ISSUER), verified.jti()));
        assert_eq!((who.session(), who.expires()), (Some("s-1"), Some(verified.expires())));
        assert_eq!((who.acr(), who.amr().len()), (Some("2"), 2));
        assert_eq!(who.authenticated(), verified.auth_time());
        let actor = who.actor().unwrap();
        assert_eq!((actor.subject(), actor.tenant(), actor.roles().len()), ("helper", "north", 0));
        assert_eq!((actor.issuer(), actor.expires()), (Some(ISSUER), Some(verified.expires())));
    }
}

#[test]
fn a_token_without_a_tenant_is_nobody_unless_there_is_only_one() {
    let forge = Forge::new(Algorithm::EdDsa);
    let token = forge.without("tenant");
    let verified = verify(&forge.verifier(), &token).unwrap();
    let error = verified.principal().unwrap_err();
    assert_eq!(
        (error.kind(), error.claim(), error.fault()),
        (ErrorKind::MissingClaim, Some("tenant"), Fault::Peer)
    );
    assert_eq!(verified.tenant(), None);

    let only = forge.verifier().single_tenant();
    assert_eq!(verify(&only, &token).unwrap().principal().unwrap().tenant(), "-");
    // What the token says stands: it is then of a tenant that the service does not have.
    assert_eq!(verify(&only, &forge.good()).unwrap().principal().unwrap().tenant(), "north");
}

#[test]
fn asvs_11_5_1_token_ids_are_128_random_bits() {
    let key = || signing_key(&Ring::new(), Algorithm::EdDsa, KID);
    let repeating = Arc::new(RepeatingEntropy::of(*b"0123456789abcdef"));
    let token = Issuer::new(ISSUER, key(), clock(), repeating)
        .unwrap()
        .issue(&AccessToken::new("a", "b", "c"))
        .unwrap();
    assert_eq!(parts(token.expose()).1["jti"], encode("0123456789abcdef"));

    let issuer = issuer(Algorithm::EdDsa);
    let jti = || parts(issuer.issue(&AccessToken::new("a", "b", "c")).unwrap().expose()).1["jti"].to_string();
    assert_ne!(jti(), jti());

    let broken = Issuer::new(ISSUER, key(), clock(), Arc::new(BrokenEntropy)).unwrap();
    let error = broken.issue(&AccessToken::new("a", "b", "c")).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Entropy, Fault::Backend));
}

fn refused(token: &AccessToken<'_>) -> (ErrorKind, Option<&'static str>) {
    let error: Error = issuer(Algorithm::EdDsa).issue(token).unwrap_err();
    assert_eq!(error.fault() == Fault::Caller, error.kind() == ErrorKind::Claim);
    (error.kind(), error.claim())
}

#[test]
fn what_the_verifier_would_refuse_is_not_issued() {
    let base = || AccessToken::new("ada", AUDIENCE, "web");
    let long = "x".repeat(256);
    for bad in ["", "a\nb", "\0", "\u{202e}", &long] {
        assert_eq!(refused(&AccessToken::new(bad, AUDIENCE, "web")), (ErrorKind::Claim, Some("sub")));
        assert_eq!(refused(&AccessToken::new("ada", bad, "web")), (ErrorKind::Claim, Some("aud")));
        assert_eq!(refused(&AccessToken::new("ada", AUDIENCE, bad)), (ErrorKind::Claim, Some("client_id")));
        assert_eq!(refused(&base().tenant(bad)), (ErrorKind::Claim, Some("tenant")));
        assert_eq!(refused(&base().session(bad)), (ErrorKind::Claim, Some("sid")));
        assert_eq!(refused(&base().acr(bad)), (ErrorKind::Claim, Some("acr")));
        assert_eq!(refused(&base().actor(bad)), (ErrorKind::Claim, Some("act")));
        assert_eq!(refused(&base().roles(["x", bad])), (ErrorKind::Claim, Some("roles")));
        assert_eq!(refused(&base().groups([bad])), (ErrorKind::Claim, Some("groups")));
        assert_eq!(refused(&base().amr([bad])), (ErrorKind::Claim, Some("amr")));
        assert_eq!(refused(&base().claim(bad, 1)), (ErrorKind::Claim, None));
    }
    assert_eq!(refused(&base().roles(vec!["x"; 65])), (ErrorKind::Claim, Some("roles")));
    assert_eq!(refused(&base().amr(vec!["x"; 17])), (ErrorKind::Claim, Some("amr")));
    assert_eq!(refused(&base().auth_time(UnixTime::from_secs(-1))), (ErrorKind::Claim, Some("auth_time")));
    for lifetime in [Duration::ZERO, Duration::from_millis(1_500), Duration::from_secs(3_601), Duration::MAX]
    {
        assert_eq!(refused(&base().lifetime(lifetime)), (ErrorKind::Claim, Some("exp")));
    }
    assert!(
        issuer(Algorithm::EdDsa)
            .issue(&base().lifetime(Duration::from_secs(3_600)).roles(vec!["x"; 64]))
            .is_ok()
    );
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "tenant",
        "roles",
        "groups",
        "sid",
        "acr",
        "amr",
        "auth_time",
        "act",
        "cnf",
        "Sub",
        "EXP",
        "Roles",
    ] {
        assert_eq!(refused(&base().claim(name, "x")), (ErrorKind::Claim, None), "{name}");
    }
    assert_eq!(refused(&base().claim("own", 1).claim("own", 2)), (ErrorKind::Claim, None));
    assert_eq!(refused(&base().claim("own", "x".repeat(6_200))).0, ErrorKind::TooLarge);
    assert_eq!(refused(&base().claim("own", vec![1; 600])).0, ErrorKind::TooLarge);
    let deep = (0..16).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(refused(&base().claim("own", deep)).0, ErrorKind::TooLarge);
    let deep_enough = (0..15).fold(json!(1), |inner, _| json!([inner]));
    let token = issuer(Algorithm::EdDsa).issue(&base().claim("own", deep_enough)).unwrap();
    assert!(verify(&Forge::new(Algorithm::EdDsa).verifier(), token.expose()).is_ok());

    let key = || signing_key(&Ring::new(), Algorithm::EdDsa, KID);
    let before_1970 = clock();
    before_1970.set_wall(UnixTime::from_nanos(-1));
    let issuer = Issuer::new(ISSUER, key(), before_1970, Arc::new(SeededEntropy::new(1))).unwrap();
    assert_eq!(issuer.issue(&base()).unwrap_err().claim(), Some("iat"));
    for name in ["", "a\nb", long.as_str()] {
        let error = Issuer::new(name, key(), clock(), Arc::new(SeededEntropy::new(1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Own {
    email: String,
    #[serde(default)]
    seats: Vec<u32>,
}

#[test]
fn claims_of_ones_own_are_typed() {
    let token = AccessToken::new("ada", AUDIENCE, "web").claim("email", "a@b").claim("seats", vec![1, 2]);
    let token = issuer(Algorithm::EdDsa).issue(&token).unwrap();
    let verifier = Forge::new(Algorithm::EdDsa).verifier();
    let verified = verifier.verify_with::<Own>(RawToken::new(token.expose())).unwrap();
    assert_eq!(verified.own(), &Own { email: "a@b".into(), seats: vec![1, 2] });
    assert_eq!(verified.subject(), "ada");

    let forge = Forge::new(Algorithm::EdDsa);
    for token in [forge.good(), forge.with("email", json!(1))] {
        let error = verifier.verify_with::<Own>(RawToken::new(&token)).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::ClaimType, Fault::Peer));
    }
    // A token that is refused is refused whatever its own claims are.
    let expired = forge.with("exp", json!(NOW - 100));
    assert_eq!(verifier.verify_with::<Own>(RawToken::new(&expired)).unwrap_err().kind(), ErrorKind::Expired);
}

#[test]
fn nothing_that_is_shown_names_anybody() {
    let token = AccessToken::new("canary-ada", AUDIENCE, "canary-web")
        .tenant("canary-north")
        .claim("own", "canary-own");
    let issuer = issuer(Algorithm::Hs256);
    let issued = issuer.issue(&token).unwrap();
    let verifier = Forge::new(Algorithm::Hs256).verifier();
    let raw = RawToken::new(issued.expose());
    let verified = verifier.verify_with::<Value>(raw).unwrap();
    let keys = Forge::new(Algorithm::Hs256).keys();
    let payload = bartizan_tokens::jws::verify(&keys, raw, &bartizan_tokens::Limits::DEFAULT).unwrap();
    let mut shown = format!("{token:?} {issuer:?} {issued:?} {verifier:?} {verified:?} {payload:?} {raw:?}");
    let forge = Forge::new(Algorithm::Hs256);
    for canary in [
        forge.with("exp", json!("canary")),
        forge.with("iss", json!("canary")),
        forge.with("sub", json!({"canary": 1})),
        forge.claiming("canary"),
        forge.with_raw("canary", "1,\"canary\":2"),
        forge.token(r#"{"alg":"canary"}"#, "{}"),
        forge.token(r#"{"alg":"HS256","kid":"canary","typ":"at+jwt"}"#, "{}"),
    ] {
        let error = verifier.verify(RawToken::new(&canary)).unwrap_err();
        shown += &format!(" {error} {error:?} {error:#?}");
        assert!(std::error::Error::source(&error).is_none());
    }
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn every_code_is_its_own() {
    let kinds = [
        ErrorKind::Malformed,
        ErrorKind::TooLarge,
        ErrorKind::Duplicate,
        ErrorKind::Algorithm,
        ErrorKind::Key,
        ErrorKind::Critical,
        ErrorKind::Header,
        ErrorKind::Type,
        ErrorKind::Signature,
        ErrorKind::MissingClaim,
        ErrorKind::ClaimType,
        ErrorKind::Issuer,
        ErrorKind::Audience,
        ErrorKind::Expired,
        ErrorKind::NotYet,
        ErrorKind::Lifetime,
        ErrorKind::Bound,
        ErrorKind::Tenant,
        ErrorKind::Nonce,
        ErrorKind::AuthorizedParty,
        ErrorKind::Authentication,
        ErrorKind::TokenHash,
        ErrorKind::Revoked,
        ErrorKind::RevocationsUnavailable,
        ErrorKind::KeysUnavailable,
        ErrorKind::Config,
        ErrorKind::KeyFormat,
        ErrorKind::KeyTooLarge,
        ErrorKind::KeyUse,
        ErrorKind::KeyUnsupported,
        ErrorKind::KeyUnusable,
        ErrorKind::KeyUnnamed,
        ErrorKind::SecretTooShort,
        ErrorKind::SecretIsKey,
        ErrorKind::KeySecrecy,
        ErrorKind::KeyDuplicate,
        ErrorKind::KeyMixed,
        ErrorKind::KeyNone,
        ErrorKind::Claim,
        ErrorKind::Entropy,
        ErrorKind::Primitive,
    ];
    let codes: std::collections::BTreeSet<_> = kinds.iter().map(|kind| kind.code()).collect();
    assert_eq!(codes.len(), kinds.len());
    assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
}
