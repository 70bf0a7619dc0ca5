//! Tokens of issuers that name their claims themselves.

use bartizan_tokens::{
    Algorithm, Dispensable, ErrorKind, IdTokenVerifier, Limits, TokenShape, Verifier, parse,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    provider::{OpenIdProvider, raw, with, without},
    support::{NOW, clock, refused, verify},
};

const POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example";
const CLIENT: &str = "1example23456789";

fn provider(issuer: &'static str) -> OpenIdProvider {
    OpenIdProvider::new(issuer, Algorithm::Es256)
}

/// Those of a common guide for services in TypeScript.
fn guide_shape() -> TokenShape {
    TokenShape::access_tokens(["JWT"])
        .subject("userId")
        .token_id("tokenId")
        .roles("role")
        .without("type")
        .danger_without(Dispensable::TokenId)
        .danger_without(Dispensable::ClientId)
}

fn guide_verifier(provider: &OpenIdProvider) -> Verifier {
    let issuer = provider.trusted("microservices-api").shape(guide_shape());
    Verifier::of([issuer], clock()).unwrap().single_tenant()
}

fn guide_claims() -> Value {
    json!({
        "userId": "550e8400-e29b-41d4-a716-446655440000", "email": "user@example.com", "role": "user",
        "permissions": ["read:profile", "write:profile"], "iat": NOW, "exp": NOW + 900, "iss": "auth-service",
        "aud": "microservices-api",
    })
}

#[test]
fn claims_under_names_of_the_issuers_own_make_a_principal() {
    let provider = provider("auth-service");
    let verifier = guide_verifier(&provider);
    let verified = verify(&verifier, &provider.sign(Some("JWT"), &guide_claims())).unwrap();
    assert_eq!((verified.jti(), verified.client_id()), (None, None));
    let who = verified.principal().unwrap();
    assert_eq!((who.subject(), who.tenant()), ("550e8400-e29b-41d4-a716-446655440000", "-"));
    assert_eq!(who.roles().iter().collect::<Vec<_>>(), ["user"]);
    assert_eq!((who.credential(), who.teams().len()), (None, 0));

    let more = with(&with(&guide_claims(), "role", json!(["user", "admin"])), "tokenId", json!("t-1"));
    let verified = verify(&verifier, &provider.sign(Some("JWT"), &more)).unwrap();
    assert_eq!((verified.roles().collect::<Vec<_>>(), verified.jti()), (vec!["user", "admin"], Some("t-1")));
}

#[test]
fn row_16_asvs_9_2_2_a_refresh_token_is_no_access_token() {
    let provider = provider("auth-service");
    let verifier = guide_verifier(&provider);
    for kind in [json!("refresh"), json!("access"), json!(null), json!(1), json!({"a": [1]})] {
        let token = provider.sign(Some("JWT"), &with(&guide_claims(), "type", kind));
        assert_eq!(refused(&verifier, &token), ErrorKind::Type);
    }
    // As the guide has it, it names neither issuer nor audience.
    let refresh = json!({"userId": "u", "tokenId": "t", "iat": NOW, "exp": NOW + 900});
    assert_eq!(refused(&verifier, &provider.sign(Some("JWT"), &refresh)), ErrorKind::MissingClaim);

    let shape =
        TokenShape::access_tokens(["JWT"]).subject("userId").token_id("tokenId").with("type", "refresh");
    let issuer = provider.trusted("microservices-api").shape(shape.danger_without(Dispensable::ClientId));
    let of_refresh = Verifier::of([issuer], clock()).unwrap();
    let refresh = with(&with(&guide_claims(), "type", json!("refresh")), "tokenId", json!("t"));
    assert!(verify(&of_refresh, &provider.sign(Some("JWT"), &refresh)).is_ok());
    for kind in
        [json!("access"), json!("Refresh"), json!(""), json!(["refresh"]), json!({"refresh": "refresh"})]
    {
        let token = provider.sign(Some("JWT"), &with(&refresh, "type", kind));
        assert_eq!(refused(&of_refresh, &token), ErrorKind::Type);
    }
    let token = provider.sign(Some("JWT"), &without(&refresh, "type"));
    assert_eq!(refused(&of_refresh, &token), ErrorKind::Type);
}

#[test]
fn a_claim_with_another_name_is_read_under_that_name_alone() {
    let provider = provider("auth-service");
    let verifier = guide_verifier(&provider);
    let sign = |claims: &Value| provider.sign(Some("JWT"), claims);
    // The standard's name means nothing then, and does not stand in.
    let both = with(&with(&guide_claims(), "sub", json!("mallory")), "roles", json!(["admin"]));
    let verified = verify(&verifier, &sign(&both)).unwrap();
    assert_eq!(verified.subject(), "550e8400-e29b-41d4-a716-446655440000");
    assert_eq!(verified.roles().collect::<Vec<_>>(), ["user"]);
    let error = verifier
        .verify(raw(&sign(&with(&without(&guide_claims(), "userId"), "sub", json!("x")))))
        .unwrap_err();
    assert_eq!((error.kind(), error.claim()), (ErrorKind::MissingClaim, Some("sub")));

    for claim in ["iss", "aud", "exp", "iat"] {
        let error = verifier.verify(raw(&sign(&without(&guide_claims(), claim)))).unwrap_err();
        assert_eq!((error.kind(), error.claim()), (ErrorKind::MissingClaim, Some(claim)));
    }
    for (claim, standard) in [("userId", "sub"), ("tokenId", "jti"), ("role", "roles")] {
        for value in [json!(1), json!(null), json!({"a": 1}), json!(""), json!([["x"]])] {
            let error = verifier.verify(raw(&sign(&with(&guide_claims(), claim, value)))).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::ClaimType, Some(standard)));
        }
    }
    let roles = json!(vec!["x"; 65]);
    assert_eq!(refused(&verifier, &sign(&with(&guide_claims(), "role", roles))), ErrorKind::TooLarge);
}

#[test]
fn row_13_own_names_come_once_and_in_one_letter_case() {
    let provider = provider("auth-service");
    let verifier = guide_verifier(&provider);
    let text = guide_claims().to_string();
    for twice in [
        r#""userId":"mallory""#,
        r#""userid":"mallory""#,
        r#""USERID":1"#,
        r#""user\u0049d":"x""#,
        r#""Type":"x""#,
        r#""Iss":"x""#,
        r#""email":1"#,
    ] {
        let token = provider.sign_text(Some("JWT"), &format!("{{{twice},{}", &text[1..]));
        assert_eq!(refused(&verifier, &token), ErrorKind::Duplicate, "{twice}");
    }
}

#[test]
fn the_type_is_the_one_that_was_said() {
    let provider = provider("auth-service");
    let verifier = guide_verifier(&provider);
    for typ in ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"] {
        assert!(verify(&verifier, &provider.sign(Some(typ), &guide_claims())).is_ok(), "{typ}");
    }
    for typ in
        [None, Some("at+jwt"), Some("logout+jwt"), Some("JWT2"), Some("application/"), Some("application/é")]
    {
        assert_eq!(refused(&verifier, &provider.sign(typ, &guide_claims())), ErrorKind::Type, "{typ:?}");
    }
}

#[test]
fn a_shape_that_is_unclear_makes_no_verifier() {
    let provider = provider("auth-service");
    let refused = |shape: TokenShape| {
        let issuer = provider.trusted("api").shape(shape);
        Verifier::of([issuer], clock()).is_err_and(|error| error.kind() == ErrorKind::Config)
    };
    let good = || TokenShape::access_tokens(["JWT"]).without("type");
    assert!(!refused(good()));
    // Nothing tells its access tokens from its others.
    assert!(refused(TokenShape::access_tokens(["JWT"])));
    assert!(refused(TokenShape::access_tokens(["at+jwt", "JWT"])));
    assert!(refused(TokenShape::access_tokens(["at+jwt"]).or_untyped()));
    assert!(!refused(TokenShape::access_tokens(["AT+jwt"])));
    // No type, or an unprintable one.
    assert!(refused(TokenShape::access_tokens::<&str>([]).without("type")));
    assert!(refused(TokenShape::access_tokens([""]).without("type")));
    // Names that are none, that mean something already, or that two claims have.
    assert!(refused(good().subject("")));
    assert!(refused(good().subject("a b")));
    assert!(refused(good().subject("é")));
    assert!(refused(good().subject("x".repeat(129))));
    assert!(refused(good().subject("iss")));
    assert!(refused(good().subject("ISS")));
    assert!(refused(good().roles("groups")));
    assert!(refused(good().subject("id").token_id("id")));
    assert!(refused(good().subject("id").token_id("ID")));
    assert!(refused(good().subject("id").subject("uid")));
    assert!(refused(good().subject("type")));
    assert!(refused(good().with("exp", "1")));
    assert!(!refused(good().subject("sub")));
    let many = |n: usize| (0..n).fold(good(), |shape, i| shape.with(format!("m{i}"), "x"));
    assert!(!refused(many(8)));
    assert!(refused(many(9)));
    // A shape of other tokens.
    assert!(refused(TokenShape::id_tokens(["JWT"]).without("type")));
    assert!(refused(TokenShape::cognito_id_tokens()));
    assert!(refused(TokenShape::logout_tokens(["logout+jwt"])));
    let issuer = provider.trusted("api").shape(TokenShape::cognito_access_tokens());
    assert_eq!(IdTokenVerifier::of([issuer], clock()).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn all_eight_markers_are_asked_for() {
    let provider = provider("auth-service");
    let shape = (0..8)
        .fold(TokenShape::access_tokens(["JWT"]), |shape, i| shape.with(format!("m{i}"), format!("v{i}")));
    let shape =
        shape.danger_without(Dispensable::TokenId).danger_without(Dispensable::ClientId).subject("userId");
    let verifier = Verifier::of([provider.trusted("microservices-api").shape(shape)], clock()).unwrap();
    let all =
        (0..8).fold(guide_claims(), |claims, i| with(&claims, &format!("m{i}"), json!(format!("v{i}"))));
    assert!(verify(&verifier, &provider.sign(Some("JWT"), &all)).is_ok());
    for i in 0..8 {
        let token = provider.sign(Some("JWT"), &without(&all, &format!("m{i}")));
        assert_eq!(refused(&verifier, &token), ErrorKind::Type, "{i}");
        let token = provider.sign(Some("JWT"), &with(&all, &format!("m{i}"), json!("v")));
        assert_eq!(refused(&verifier, &token), ErrorKind::Type, "{i}");
    }
}

fn cognito_access() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "device_key": "d", "cognito:groups": ["doctors"], "iss": POOL,
        "version": 2, "client_id": CLIENT, "origin_jti": "o-1", "event_id": "e", "token_use": "access",
        "scope": "phone openid profile", "auth_time": NOW - 5, "exp": NOW + 3_000, "iat": NOW - 5, "jti": "j-1",
        "username": "my-test-user",
    })
}

fn cognito_id() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["doctors"], "email_verified": true, "iss": POOL,
        "cognito:username": "my-test-user", "nonce": "n-1", "origin_jti": "o-1", "aud": CLIENT, "event_id": "e",
        "token_use": "id", "auth_time": NOW - 5, "exp": NOW + 3_000, "iat": NOW - 5, "jti": "j-2", "email": "a@b.example",
    })
}

#[test]
fn access_tokens_of_cognito_are_told_from_its_id_tokens() {
    let pool = provider(POOL);
    let verifier = |audience: &str| {
        Verifier::of([pool.trusted(audience).shape(TokenShape::cognito_access_tokens())], clock()).unwrap()
    };
    let ours = verifier(CLIENT);
    let verified = verify(&ours, &pool.sign(None, &cognito_access())).unwrap();
    assert_eq!(
        (verified.client_id(), verified.session(), verified.jti()),
        (Some(CLIENT), Some("o-1"), Some("j-1"))
    );
    assert_eq!(verified.groups().collect::<Vec<_>>(), ["doctors"]);
    assert_eq!(verified.audiences().count(), 0);

    assert_eq!(refused(&ours, &pool.sign(None, &cognito_id())), ErrorKind::Type);
    for kind in [json!("id"), json!("Access"), json!(["access"])] {
        let token = pool.sign(None, &with(&cognito_access(), "token_use", kind));
        assert_eq!(refused(&ours, &token), ErrorKind::Type);
    }
    assert_eq!(refused(&ours, &pool.sign(None, &without(&cognito_access(), "token_use"))), ErrorKind::Type);
    // Of another client of the same pool, and bound to another API by a resource server's `aud`.
    assert_eq!(refused(&verifier("another"), &pool.sign(None, &cognito_access())), ErrorKind::Audience);
    let for_an_api = with(&cognito_access(), "aud", json!("https://api.example"));
    assert_eq!(refused(&ours, &pool.sign(None, &for_an_api)), ErrorKind::Audience);
    assert!(verify(&verifier("https://api.example"), &pool.sign(None, &for_an_api)).is_ok());
    let empty = with(&cognito_access(), "aud", json!([]));
    assert_eq!(refused(&ours, &pool.sign(None, &empty)), ErrorKind::Audience);
}

#[test]
fn id_tokens_of_cognito_are_told_from_its_access_tokens() {
    let pool = provider(POOL);
    let issuer = pool.trusted(CLIENT).shape(TokenShape::cognito_id_tokens());
    let verifier = IdTokenVerifier::of([issuer], clock()).unwrap();
    let asked = bartizan_tokens::Asked::with_nonce("n-1");
    let verified = verifier.verify(raw(&pool.sign(None, &cognito_id())), &asked).unwrap();
    assert_eq!((verified.session(), verified.groups().collect::<Vec<_>>()), (Some("o-1"), vec!["doctors"]));
    for other in [cognito_access(), with(&cognito_access(), "aud", json!(CLIENT))] {
        let error = verifier.verify(raw(&pool.sign(None, &other)), &asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
    }
}

/// Values that claims have, and such that they have not.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}".prop_map(|text| json!(text).to_string()),
        prop::collection::vec("[a-z]{1,4}", 0..3).prop_map(|list| json!(list).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("null".to_owned()),
        Just(r#"{"userId":"x"}"#.to_owned()),
        "[\\[\\]{}\",:0-9a-z]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Our reading of an issuer's own names against serde_json's: what we accept, it reads, and to the same values.
    #[test]
    fn accepted_claims_of_ones_own_say_the_same_to_another_reader(
        name in prop::sample::select(vec!["userId", "tokenId", "role", "type", "sub", "roles", "USERID", "x"]), value in value(),
    ) {
        let provider = provider("auth-service");
        let verifier = guide_verifier(&provider);
        let rest = without(&guide_claims(), name).to_string();
        let token = provider.sign_text(Some("JWT"), &format!(r#"{{"{name}":{value},{}"#, &rest[1..]));
        if let Ok(verified) = verify(&verifier, &token) {
            prop_assert!(name != "type" && name != "USERID");
            let read: Value = serde_json::from_str(verified.claims_json()).unwrap();
            prop_assert_eq!(verified.subject(), read["userId"].as_str().unwrap());
            prop_assert_eq!(verified.jti(), read.get("tokenId").map(|id| id.as_str().unwrap()));
            let roles: Vec<_> = match &read["role"] {
                Value::String(role) => vec![role.as_str()],
                list => list.as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect(),
            };
            prop_assert_eq!(verified.roles().collect::<Vec<_>>(), roles);
        }
    }

    #[test]
    fn claims_of_every_profile_are_read_without_a_panic(text in prop_oneof![value(), "\\PC{0,60}"]) {
        let object = format!(r#"{{"events":{text},"nonce":{text},"userId":{text},"type":{text}}}"#);
        for text in [&text, &object] {
            let _ = parse::id_claims(text, &Limits::DEFAULT);
            let _ = parse::logout_claims(text, &Limits::DEFAULT);
            let _ = parse::shaped_claims(text, &guide_shape(), &Limits::DEFAULT);
        }
    }
}
