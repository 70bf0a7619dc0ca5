//! ID tokens (OpenID Connect Core 1.0 §3.1.3.7) and logout tokens (Back-Channel Logout 1.0 §2.4, §2.6).

use std::time::Duration;

use bartizan_core::{Fault, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_tokens::{
    Algorithm, Asked, Error, ErrorKind, IdTokenVerifier, LogoutTokenVerifier, TokenShape, VerifiedIdToken,
    VerifiedLogoutToken, Verifier,
};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    provider::{OpenIdProvider, raw, with, without},
    support::{NOW, clock, refused},
};

const OP: &str = "https://server.example.com";
const CLIENT: &str = "s6BhdRkqt3";
const NONCE: &str = "n-0S6_WzA2Mj";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn provider() -> OpenIdProvider {
    OpenIdProvider::new(OP, Algorithm::Es256)
}

/// The claims of Core §A.2, at our time.
fn id_claims() -> Value {
    json!({
        "iss": OP, "sub": "248289761001", "aud": CLIENT, "nonce": NONCE, "exp": NOW + 990, "iat": NOW - 10,
        "name": "Jane Doe", "given_name": "Jane", "family_name": "Doe", "gender": "female", "birthdate": "0000-10-31",
        "email": "janedoe@example.com", "picture": "http://example.com/janedoe/me.jpg",
    })
}

fn verifier() -> IdTokenVerifier {
    IdTokenVerifier::new(OP, CLIENT, provider().keys(), clock()).unwrap()
}

fn id_token(claims: &Value) -> String {
    provider().sign(None, claims)
}

fn check(
    verifier: &IdTokenVerifier,
    claims: &Value,
    asked: &Asked<'_>,
) -> Result<VerifiedIdToken, (ErrorKind, Option<&'static str>)> {
    verifier.verify(raw(&id_token(claims)), asked).map_err(shown)
}

fn shown(error: Error) -> (ErrorKind, Option<&'static str>) {
    assert_eq!(error.fault(), Fault::Peer);
    (error.kind(), error.claim())
}

fn kind(claims: &Value) -> ErrorKind {
    check(&verifier(), claims, &Asked::with_nonce(NONCE)).expect_err("accepted").0
}

#[test]
fn the_example_of_core_is_verified() {
    let verified = check(&verifier(), &id_claims(), &Asked::with_nonce(NONCE)).unwrap();
    assert_eq!((verified.issuer(), verified.subject(), verified.nonce()), (OP, "248289761001", Some(NONCE)));
    assert_eq!(verified.audiences().collect::<Vec<_>>(), [CLIENT]);
    assert_eq!((verified.jti(), verified.authorized_party(), verified.session()), (None, None, None));
    assert_eq!(verified.expires(), UnixTime::from_secs(NOW + 990));
    assert_eq!(verified.issued_at(), UnixTime::from_secs(NOW - 10));
    assert_eq!(verified.algorithm(), Algorithm::Es256);
    let who = verified.identity();
    assert_eq!((&*who.issuer, &*who.subject), (OP, "248289761001"));
    assert!(!format!("{verified:?} {who:?} {:?}", Asked::with_nonce(NONCE)).contains("24828"));

    #[derive(Deserialize)]
    struct Profile {
        email: String,
    }
    let token = id_token(&id_claims());
    let verified = verifier().verify_with::<Profile>(raw(&token), &Asked::with_nonce(NONCE)).unwrap();
    assert_eq!(verified.own().email, "janedoe@example.com");
    let wrong = id_token(&with(&id_claims(), "email", json!(1)));
    let error = verifier().verify_with::<Profile>(raw(&wrong), &Asked::with_nonce(NONCE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClaimType);
}

#[test]
fn strength_and_session_are_part_of_the_identity() {
    let claims = with(&with(&id_claims(), "acr", json!("2")), "amr", json!(["pwd", "otp"]));
    let claims = with(&with(&claims, "auth_time", json!(NOW - 60)), "sid", json!("s-1"));
    let who = check(&verifier(), &claims, &Asked::with_nonce(NONCE)).unwrap().identity();
    assert_eq!((who.session.as_deref(), who.assurance.acr.as_deref()), (Some("s-1"), Some("2")));
    assert_eq!((who.assurance.amr.len(), who.assurance.at), (2, Some(UnixTime::from_secs(NOW - 60))));
}

#[test]
fn every_required_claim_of_an_id_token_is_required() {
    for claim in ["iss", "sub", "aud", "exp", "iat"] {
        let refused =
            check(&verifier(), &without(&id_claims(), claim), &Asked::with_nonce(NONCE)).unwrap_err();
        assert_eq!(refused, (ErrorKind::MissingClaim, Some(claim)));
    }
}

#[test]
fn row_14_claims_of_an_id_token_have_their_types() {
    for claim in ["nonce", "azp", "at_hash", "c_hash", "sid", "acr", "sub"] {
        for value in [json!(1), json!(null), json!([NONCE]), json!(""), json!("a\nb"), json!({})] {
            let refused =
                check(&verifier(), &with(&id_claims(), claim, value), &Asked::with_nonce(NONCE)).unwrap_err();
            assert_eq!(refused, (ErrorKind::ClaimType, Some(claim)));
        }
    }
    for value in [json!("1"), json!(1.5), json!(-1), json!(null)] {
        assert_eq!(kind(&with(&id_claims(), "auth_time", value)), ErrorKind::ClaimType);
    }
}

#[test]
fn row_13_claims_of_an_id_token_come_once() {
    let text = id_claims().to_string();
    for twice in
        [r#""nonce":"x""#, r#""Nonce":"x""#, r#""n\u006fnce":"x""#, r#""azp":"a","AZP":"b""#, r#""name":"x""#]
    {
        let token = provider().sign_text(None, &format!("{{{twice},{}", &text[1..]));
        let error = verifier().verify(raw(&token), &Asked::with_nonce(NONCE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Duplicate, "{twice}");
    }
}

#[test]
fn asvs_10_5_1_a_token_of_another_login_is_refused() {
    let with_nonce = |nonce: &str| check(&verifier(), &id_claims(), &Asked::with_nonce(nonce)).map(|_| ());
    assert_eq!(with_nonce(NONCE), Ok(()));
    for other in ["", "n", "n-0S6_WzA2M", "n-0S6_WzA2Mjj", "N-0S6_WZA2MJ", "another"] {
        assert_eq!(with_nonce(other), Err((ErrorKind::Nonce, None)), "{other}");
    }
    let none = without(&id_claims(), "nonce");
    let asked = |claims: &Value, asked: Asked<'_>| {
        check(&verifier(), claims, &asked).map(|_| ()).map_err(|(kind, _)| kind)
    };
    assert_eq!(asked(&none, Asked::with_nonce(NONCE)), Err(ErrorKind::Nonce));
    assert_eq!(asked(&none, Asked::without_nonce()), Ok(()));
    assert_eq!(asked(&id_claims(), Asked::without_nonce()), Err(ErrorKind::Nonce));
    // Core §12.2: after a refresh there is the same one or none.
    assert_eq!(asked(&none, Asked::on_refresh(Some(NONCE))), Ok(()));
    assert_eq!(asked(&id_claims(), Asked::on_refresh(Some(NONCE))), Ok(()));
    assert_eq!(asked(&id_claims(), Asked::on_refresh(Some("other"))), Err(ErrorKind::Nonce));
    assert_eq!(asked(&id_claims(), Asked::on_refresh(None)), Err(ErrorKind::Nonce));
    assert_eq!(asked(&none, Asked::on_refresh(None)), Ok(()));
}

#[test]
fn asvs_10_5_4_row_17_a_token_for_another_client_is_refused() {
    for aud in [
        json!("another"),
        json!("s6BhdRkqt"),
        json!("s6BhdRkqt3 "),
        json!("S6BHDRKQT3"),
        json!(["another"]),
        json!([]),
    ] {
        assert_eq!(kind(&with(&id_claims(), "aud", aud)), ErrorKind::Audience);
    }
    for iss in ["https://server.example.com/", "http://server.example.com", "https://server.example"] {
        assert_eq!(kind(&with(&id_claims(), "iss", json!(iss))), ErrorKind::Issuer);
    }
}

#[test]
fn a_token_for_several_audiences_says_to_whom_it_was_issued() {
    let several = with(&id_claims(), "aud", json!([CLIENT, "api"]));
    let verdict = |verifier: IdTokenVerifier, claims: &Value| {
        check(&verifier, claims, &Asked::with_nonce(NONCE)).map(|_| ()).map_err(|(kind, _)| kind)
    };
    let ours = with(&several, "azp", json!(CLIENT));
    assert_eq!(verdict(verifier(), &ours), Err(ErrorKind::Audience));
    assert_eq!(verdict(verifier().other_audiences(["api"]), &ours), Ok(()));
    assert_eq!(verdict(verifier().other_audiences(["apis"]), &ours), Err(ErrorKind::Audience));
    assert_eq!(verdict(verifier().other_audiences(["api"]), &several), Err(ErrorKind::AuthorizedParty));
    // One audience alone needs no `azp`, but one that is there counts.
    let theirs = with(&id_claims(), "azp", json!("android"));
    assert_eq!(verdict(verifier(), &theirs), Err(ErrorKind::AuthorizedParty));
    assert_eq!(verdict(verifier().authorized_parties(["android"]), &theirs), Ok(()));
    assert_eq!(verdict(verifier().other_audiences(["android"]), &theirs), Err(ErrorKind::AuthorizedParty));
    assert_eq!(verdict(verifier(), &with(&id_claims(), "azp", json!(CLIENT))), Ok(()));
}

#[test]
fn an_authentication_is_as_young_as_was_asked() {
    let asked = Asked::with_nonce(NONCE).max_age(Duration::from_secs(300));
    let at = |seconds: i64| {
        check(&verifier(), &with(&id_claims(), "auth_time", json!(seconds)), &asked).map(|_| ())
    };
    let refused = Err((ErrorKind::Authentication, Some("auth_time")));
    assert_eq!(
        check(&verifier(), &id_claims(), &asked).map(|_| ()),
        Err((ErrorKind::MissingClaim, Some("auth_time")))
    );
    assert_eq!((at(NOW), at(NOW - 330), at(NOW - 331)), (Ok(()), Ok(()), refused));
    assert_eq!((at(NOW + 30), at(NOW + 31), at(253_402_300_799)), (Ok(()), refused, refused));
    let ever = Asked::with_nonce(NONCE).max_age(Duration::MAX);
    assert!(check(&verifier(), &with(&id_claims(), "auth_time", json!(0)), &ever).is_ok());
}

#[test]
fn an_authentication_is_of_a_class_that_was_asked() {
    let asked = Asked::with_nonce(NONCE).acr(&["urn:silver", "urn:gold"]);
    let with_acr = |acr: &str| check(&verifier(), &with(&id_claims(), "acr", json!(acr)), &asked).map(|_| ());
    assert_eq!((with_acr("urn:gold"), with_acr("urn:silver")), (Ok(()), Ok(())));
    for other in ["urn:bronze", "urn:gol", "URN:GOLD", "0"] {
        assert_eq!(with_acr(other), Err((ErrorKind::Authentication, Some("acr"))));
    }
    assert_eq!(
        check(&verifier(), &id_claims(), &asked).map(|_| ()),
        Err((ErrorKind::MissingClaim, Some("acr")))
    );
    let of_none = Asked::with_nonce(NONCE).acr(&[]);
    let gold = with(&id_claims(), "acr", json!("urn:gold"));
    assert_eq!(check(&verifier(), &gold, &of_none).unwrap_err(), (ErrorKind::Authentication, Some("acr")));
}

/// Core §A.3, §A.6: token, code and their hashes.
const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
const TOKEN_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";
const CODE: &str = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
const CODE_HASH: &str = "LDktKdoQak3Pk0cnXxCltA";

#[test]
fn what_comes_with_a_token_belongs_to_it() {
    let ring = Ring::new();
    let claims = with(&with(&id_claims(), "at_hash", json!(TOKEN_HASH)), "c_hash", json!(CODE_HASH));
    let verdict = |claims: &Value, asked: Asked<'_>| check(&verifier(), claims, &asked).map(|_| ());
    let asked = || Asked::with_nonce(NONCE);
    assert_eq!(verdict(&claims, asked().access_token(&ring, raw(TOKEN)).code(&ring, CODE)), Ok(()));
    assert_eq!(verdict(&claims, asked().access_token_if_hashed(&ring, raw(TOKEN))), Ok(()));
    let of_token = Err((ErrorKind::TokenHash, Some("at_hash")));
    for other in ["", CODE, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0y"] {
        assert_eq!(verdict(&claims, asked().access_token(&ring, raw(other))), of_token);
        assert_eq!(verdict(&claims, asked().access_token_if_hashed(&ring, raw(other))), of_token);
        assert_eq!(
            verdict(&claims, asked().code(&ring, &format!("{other}x"))),
            Err((ErrorKind::TokenHash, Some("c_hash")))
        );
    }
    for spelled in ["77QmUPtjPfzWtF2AnpK9RQ==", "77QmUPtjPfzWtF2AnpK9R", "77QmUPtjPfzWtF2AnpK9RR", CODE_HASH]
    {
        let claims = with(&claims, "at_hash", json!(spelled));
        assert_eq!(verdict(&claims, asked().access_token(&ring, raw(TOKEN))), of_token, "{spelled}");
    }
    assert_eq!(
        verdict(&id_claims(), asked().access_token(&ring, raw(TOKEN))),
        Err((ErrorKind::MissingClaim, Some("at_hash")))
    );
    assert_eq!(
        verdict(&id_claims(), asked().code(&ring, CODE)),
        Err((ErrorKind::MissingClaim, Some("c_hash")))
    );
    assert_eq!(verdict(&id_claims(), asked().access_token_if_hashed(&ring, raw(TOKEN))), Ok(()));
}

#[test]
fn the_hash_of_what_comes_with_a_token_is_that_of_its_algorithm() {
    // Ed25519 hashes with SHA-512: the left 32 bytes.
    let provider = OpenIdProvider::new(OP, Algorithm::EdDsa);
    let verifier = IdTokenVerifier::new(OP, CLIENT, provider.keys(), clock()).unwrap();
    let ring = Ring::new();
    let sha512 = bartizan_crypto::Provider::hash(&ring).sha512(&[TOKEN.as_bytes()]);
    let hash = crate::support::encode(&sha512[..32]);
    let verdict = |hash: &str| {
        let token = provider.sign(Some("JWT"), &with(&id_claims(), "at_hash", json!(hash)));
        let asked = Asked::with_nonce(NONCE).access_token(&ring, raw(TOKEN));
        verifier.verify(raw(&token), &asked).map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(verdict(&hash), Ok(()));
    assert_eq!(verdict(TOKEN_HASH), Err(ErrorKind::TokenHash));
}

#[test]
fn row_15_an_id_token_has_its_time() {
    let past = with(&id_claims(), "iat", json!(NOW - 90));
    assert_eq!(kind(&with(&past, "exp", json!(NOW - 30))), ErrorKind::Expired);
    assert!(check(&verifier(), &with(&past, "exp", json!(NOW - 29)), &Asked::with_nonce(NONCE)).is_ok());
    assert_eq!(
        kind(&with(&with(&id_claims(), "exp", json!(NOW + 900)), "iat", json!(NOW + 31))),
        ErrorKind::NotYet
    );
    assert_eq!(kind(&with(&id_claims(), "nbf", json!(NOW + 31))), ErrorKind::NotYet);
    assert_eq!(kind(&with(&id_claims(), "exp", json!(NOW + 3_600))), ErrorKind::Lifetime);
    let longer = verifier().max_lifetime(Duration::from_secs(86_400)).unwrap();
    assert!(
        check(&longer, &with(&id_claims(), "exp", json!(NOW + 36_000)), &Asked::with_nonce(NONCE)).is_ok()
    );
    assert!(verifier().max_lifetime(Duration::from_secs(86_401)).is_err());
    assert!(verifier().leeway(Duration::from_secs(301)).is_err());
}

#[test]
fn row_16_asvs_9_2_2_only_an_id_token_is_an_id_token() {
    let sign = |typ, claims: &Value| provider().sign(typ, claims);
    let verdict =
        |token: &str, asked| verifier().verify(raw(token), &asked).map(|_| ()).map_err(|error| error.kind());
    for typ in [None, Some("JWT"), Some("jwt"), Some("application/JWT")] {
        assert_eq!(verdict(&sign(typ, &id_claims()), Asked::with_nonce(NONCE)), Ok(()));
    }
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JWT ", ""] {
        if !typ.is_empty() {
            assert_eq!(
                verdict(&sign(Some(typ), &id_claims()), Asked::with_nonce(NONCE)),
                Err(ErrorKind::Type)
            );
        }
    }
    // A logout token from before the time of its type, where no nonce was sent.
    assert_eq!(verdict(&sign(None, &logout_claims()), Asked::without_nonce()), Err(ErrorKind::Type));
    assert_eq!(
        verdict(&sign(None, &with(&id_claims(), "cnf", json!({}))), Asked::with_nonce(NONCE)),
        Err(ErrorKind::Bound)
    );

    // And it is no access token, even with all that one needs.
    let claims = with(&with(&id_claims(), "jti", json!("j")), "client_id", json!(CLIENT));
    let access = Verifier::access_tokens(OP, CLIENT, provider().keys(), clock()).unwrap();
    for typ in [None, Some("JWT"), Some("logout+jwt")] {
        assert_eq!(refused(&access, &sign(typ, &claims)), ErrorKind::Type);
    }
}

#[test]
fn each_provider_knows_us_by_another_id() {
    let (one, two) = (provider(), OpenIdProvider::new("https://two.example", Algorithm::Es256));
    let verifier =
        IdTokenVerifier::of([one.trusted("us-1"), two.trusted("us-2").tenant("two")], clock()).unwrap();
    let verdict = |provider: &OpenIdProvider, iss: &str, aud: &str| {
        let claims = with(&with(&id_claims(), "iss", json!(iss)), "aud", json!(aud));
        verifier
            .verify(raw(&provider.sign(None, &claims)), &Asked::with_nonce(NONCE))
            .map_err(|error| error.kind())
    };
    assert!(verdict(&one, OP, "us-1").is_ok());
    assert_eq!(
        verdict(&two, "https://two.example", "us-2").unwrap().identity().tenant.as_deref(),
        Some("two")
    );
    assert_eq!(verdict(&one, OP, "us-2").unwrap_err(), ErrorKind::Audience);
    assert_eq!(verdict(&two, OP, "us-1").unwrap_err(), ErrorKind::Signature);
    assert_eq!(verdict(&two, "https://three.example", "us-1").unwrap_err(), ErrorKind::Issuer);
}

/// The example of Back-Channel Logout §2.4, at our time and with the short life that the same section prefers.
fn logout_claims() -> Value {
    json!({
        "iss": OP, "sub": "248289761001", "aud": CLIENT, "iat": NOW - 10, "exp": NOW + 110, "jti": "bWJq",
        "sid": "08a5019c-17e1-4977-8f42-65a12843ea02", "events": { EVENT: {} },
    })
}

fn logout_verifier() -> LogoutTokenVerifier {
    LogoutTokenVerifier::new(OP, CLIENT, provider().keys(), clock()).unwrap()
}

fn logout(claims: &Value) -> Result<VerifiedLogoutToken, (ErrorKind, Option<&'static str>)> {
    logout_verifier().verify(raw(&provider().sign(Some("logout+jwt"), claims))).map_err(shown)
}

#[test]
fn the_example_of_back_channel_logout_is_verified() {
    let verified = logout(&logout_claims()).unwrap();
    assert_eq!((verified.issuer(), verified.subject(), verified.jti()), (OP, Some("248289761001"), "bWJq"));
    assert_eq!(verified.session(), Some("08a5019c-17e1-4977-8f42-65a12843ea02"));
    assert_eq!(
        (verified.issued_at(), verified.expires()),
        (UnixTime::from_secs(NOW - 10), UnixTime::from_secs(NOW + 110))
    );
    assert_eq!((verified.kid(), verified.algorithm()), (Some("k1"), Algorithm::Es256));
    assert!(!format!("{verified:?}").contains("24828"));
}

#[test]
fn a_logout_token_names_a_subject_or_a_session() {
    let (no_sub, no_sid) = (without(&logout_claims(), "sub"), without(&logout_claims(), "sid"));
    assert_eq!(logout(&no_sub).unwrap().subject(), None);
    assert_eq!(logout(&no_sid).unwrap().session(), None);
    assert_eq!(logout(&without(&no_sub, "sid")).unwrap_err(), (ErrorKind::MissingClaim, Some("sub")));
}

#[test]
fn every_required_claim_of_a_logout_token_is_required() {
    for claim in ["iss", "aud", "iat", "exp", "jti", "events"] {
        assert_eq!(
            logout(&without(&logout_claims(), claim)).unwrap_err(),
            (ErrorKind::MissingClaim, Some(claim))
        );
    }
    for claim in ["iss", "sub", "jti", "sid"] {
        for value in [json!(1), json!(null), json!(["x"]), json!("")] {
            assert_eq!(
                logout(&with(&logout_claims(), claim, value)).unwrap_err(),
                (ErrorKind::ClaimType, Some(claim))
            );
        }
    }
}

#[test]
fn the_logout_event_is_an_object_under_its_exact_name() {
    for events in [
        json!(null),
        json!(EVENT),
        json!([EVENT]),
        json!({}),
        json!({ EVENT: null }),
        json!({ EVENT: true }),
        json!({ EVENT: "x" }),
        json!({ EVENT: [] }),
        json!({ format!("{EVENT}/"): {} }),
        json!({ "https://schemas.openid.net/event/backchannel-logout": {} }),
        json!({ "x": { EVENT: {} } }),
    ] {
        assert_eq!(
            logout(&with(&logout_claims(), "events", events)).unwrap_err(),
            (ErrorKind::ClaimType, Some("events"))
        );
    }
    for events in [json!({ EVENT: {"a": 1} }), json!({ EVENT: {}, "https://example.com/other": null })] {
        assert!(logout(&with(&logout_claims(), "events", events)).is_ok());
    }
    let rest = without(&logout_claims(), "events").to_string();
    for twice in [
        format!(r#"{{"{EVENT}":{{}},"{EVENT}":{{}}}}"#),
        format!(r#"{{"{EVENT}":{{}},"{}":{{}}}}"#, EVENT.to_uppercase()),
        format!(r#"{{"{EVENT}":{{"a":1,"a":2}}}}"#),
    ] {
        let token =
            provider().sign_text(Some("logout+jwt"), &format!(r#"{{"events":{twice},{}"#, &rest[1..]));
        assert_eq!(logout_verifier().verify(raw(&token)).unwrap_err().kind(), ErrorKind::Duplicate);
    }
    let deep = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
    assert_eq!(
        logout(&with(&logout_claims(), "events", json!({ EVENT: deep }))).unwrap_err().0,
        ErrorKind::TooLarge
    );
}

#[test]
fn row_16_asvs_9_2_2_only_a_logout_token_is_a_logout_token() {
    for nonce in [json!(NONCE), json!(null), json!(1)] {
        assert_eq!(logout(&with(&logout_claims(), "nonce", nonce)).unwrap_err().0, ErrorKind::Type);
    }
    assert_eq!(logout(&id_claims()).unwrap_err().0, ErrorKind::Type);
    let verdict = |verifier: &LogoutTokenVerifier, typ| {
        verifier
            .verify(raw(&provider().sign(typ, &logout_claims())))
            .map(|_| ())
            .map_err(|error| error.kind())
    };
    for typ in [Some("logout+jwt"), Some("LOGOUT+JWT"), Some("application/logout+jwt")] {
        assert_eq!(verdict(&logout_verifier(), typ), Ok(()));
    }
    for typ in [None, Some("JWT"), Some("at+jwt"), Some("secevent+jwt")] {
        assert_eq!(verdict(&logout_verifier(), typ), Err(ErrorKind::Type));
    }
    // Providers from before the final standard.
    let shape = TokenShape::logout_tokens(["logout+jwt", "JWT"]).or_untyped();
    let older = LogoutTokenVerifier::of([provider().trusted(CLIENT).shape(shape)], clock()).unwrap();
    assert_eq!((verdict(&older, None), verdict(&older, Some("JWT"))), (Ok(()), Ok(())));
    assert_eq!(verdict(&older, Some("at+jwt")), Err(ErrorKind::Type));

    let claims = with(&logout_claims(), "client_id", json!(CLIENT));
    let access = Verifier::access_tokens(OP, CLIENT, provider().keys(), clock()).unwrap();
    assert_eq!(refused(&access, &provider().sign(Some("logout+jwt"), &claims)), ErrorKind::Type);
}

#[test]
fn row_15_row_17_a_logout_token_has_its_time_issuer_and_audience() {
    let kind = |claim: &str, value: Value| logout(&with(&logout_claims(), claim, value)).unwrap_err().0;
    assert_eq!(kind("iat", json!(NOW + 31)), ErrorKind::NotYet);
    let past = with(&with(&logout_claims(), "iat", json!(NOW - 90)), "exp", json!(NOW - 30));
    assert_eq!(logout(&past).unwrap_err().0, ErrorKind::Expired);
    assert_eq!(kind("nbf", json!(NOW + 31)), ErrorKind::NotYet);
    assert_eq!(kind("aud", json!("another")), ErrorKind::Audience);
    assert_eq!(kind("iss", json!("https://another.example")), ErrorKind::Issuer);
    assert_eq!(kind("cnf", json!({})), ErrorKind::Bound);
}

#[test]
fn asvs_10_5_5_a_logout_token_is_typed_has_its_event_no_nonce_and_a_short_life() {
    let verdict = |verifier: &LogoutTokenVerifier, typ, claims: &Value| {
        verifier.verify(raw(&provider().sign(typ, claims))).map(|_| ()).map_err(|error| error.kind())
    };
    let (verifier, typ) = (logout_verifier(), Some("logout+jwt"));
    assert_eq!(verdict(&verifier, typ, &logout_claims()), Ok(()));
    assert_eq!(verdict(&verifier, Some("JWT"), &logout_claims()), Err(ErrorKind::Type));
    assert_eq!(verdict(&verifier, typ, &without(&logout_claims(), "events")), Err(ErrorKind::MissingClaim));
    assert_eq!(verdict(&verifier, typ, &with(&logout_claims(), "nonce", json!("n"))), Err(ErrorKind::Type));
    let living = |seconds: i64| with(&logout_claims(), "exp", json!(NOW - 10 + seconds));
    assert_eq!(verdict(&verifier, typ, &living(600)), Ok(()));
    assert_eq!(verdict(&verifier, typ, &living(601)), Err(ErrorKind::Lifetime));
    // The standard's own example has an hour, for whoever asks for that.
    let longer = logout_verifier().max_lifetime(Duration::from_secs(3_600)).unwrap();
    assert_eq!(verdict(&longer, typ, &living(3_600)), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_byte_changed_is_refused(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (id, out) = (id_token(&id_claims()), provider().sign(Some("logout+jwt"), &logout_claims()));
        let changed = |token: &str| {
            let mut bytes = token.as_bytes().to_vec();
            let place = place.index(bytes.len());
            let is_changed = bytes[place] != byte;
            bytes[place] = byte;
            is_changed.then(|| String::from_utf8(bytes).ok()).flatten()
        };
        if let Some(id) = changed(&id) {
            prop_assert!(verifier().verify(raw(&id), &Asked::with_nonce(NONCE)).is_err());
        }
        if let Some(out) = changed(&out) {
            prop_assert!(logout_verifier().verify(raw(&out)).is_err());
        }
    }
}
