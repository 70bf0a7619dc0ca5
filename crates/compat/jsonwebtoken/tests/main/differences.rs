//! The table of differences in the README, row by row: what jsonwebtoken documents stands in the comment, what happens here in the
//! assertion.

use std::{collections::HashSet, sync::Arc};

use bartizan_compat_jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Engine, Header, Validation, danger_decode_header, decode, encode,
    errors::{Error, ErrorKind},
    jwk::{Jwk, JwkSet},
};
use bartizan_core::{Fault, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::ManualClock;
use bartizan_tokens::Limits;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{
    NOW, SECRET, base64url, claims, engine, fixture, forge, judge, key_file, refused, refused_key, signs,
    token, validation, verifies, with,
};

/// An option that is not honoured: the caller is told which.
fn option_refused(validation: &Validation, option: &str) {
    let error = judge(&token(&claims().to_string()), validation).unwrap_err();
    assert_eq!((error.code(), error.fault()), ("validation", Fault::Caller));
    let text = format!("the validation asks for what is never done ({option})");
    assert_eq!(*error.kind(), ErrorKind::Provider(text));
}

// `Validation::validate_exp`: “Whether to validate the `exp` field.”
#[test]
fn validate_exp_cannot_be_turned_off() {
    let mut lax = validation();
    lax.validate_exp = false;
    option_refused(&lax, "validate_exp");
}

// `Validation::validate_aud`: “Very insecure to turn this off.”
#[test]
fn validate_aud_cannot_be_turned_off() {
    let mut lax = validation();
    lax.validate_aud = false;
    option_refused(&lax, "validate_aud");
}

// `Validation::leeway`: any number of seconds.
#[test]
fn leeway_is_five_minutes_at_most() {
    let mut lax = validation();
    for (leeway, exp) in [(0, NOW + 1), (300, NOW - 299)] {
        lax.leeway = leeway;
        judge(&token(&with("exp", json!(exp))), &lax).unwrap();
        assert_eq!(refused(&token(&with("exp", json!(exp - 1))), &lax), ErrorKind::ExpiredSignature);
    }
    for leeway in [301, u64::MAX] {
        lax.leeway = leeway;
        option_refused(&lax, "leeway");
    }
}

// `Validation::required_spec_claims`: “Anything else will be ignored.”
#[test]
fn a_claim_that_cannot_be_required_is_refused() {
    for claim in ["iat", "jti", "nbf", "iss", "sub"] {
        let mut strict = validation();
        strict.set_required_spec_claims(&[claim]);
        let value = if matches!(claim, "iat" | "nbf") { json!(NOW) } else { json!("x") };
        judge(&token(&with(claim, value)), &strict).unwrap();
        let missing = refused(&token(&with(claim, Value::Null)), &strict);
        assert_eq!(missing, ErrorKind::MissingRequiredClaim(claim.into()));
    }
    let mut strict = validation();
    strict.set_required_spec_claims(&["exp", "tenant"]);
    option_refused(&strict, "required_spec_claims");
}

// `Validation::required_spec_claims`: an empty set requires nothing, and a token without `exp` never ends.
#[test]
fn exp_is_always_required() {
    let mut lax = validation();
    lax.required_spec_claims = HashSet::new();
    judge(&token(&claims().to_string()), &lax).unwrap();
    assert_eq!(
        refused(&token(&with("exp", Value::Null)), &lax),
        ErrorKind::MissingRequiredClaim("exp".into())
    );
}

// There a token is good while `exp >= now - leeway`.
#[test]
fn a_token_has_expired_at_the_exact_second() {
    let mut exact = validation();
    judge(&token(&with("exp", json!(NOW - 59))), &exact).unwrap();
    assert_eq!(refused(&token(&with("exp", json!(NOW - 60))), &exact), ErrorKind::ExpiredSignature);
    exact.reject_tokens_expiring_in_less_than = 100;
    judge(&token(&with("exp", json!(NOW + 41))), &exact).unwrap();
    assert_eq!(refused(&token(&with("exp", json!(NOW + 40))), &exact), ErrorKind::ExpiredSignature);
    exact.reject_tokens_expiring_in_less_than = u64::MAX;
    assert_eq!(refused(&token(&claims().to_string()), &exact), ErrorKind::ExpiredSignature);
}

// `Validation::validate_nbf`: “Defaults to `false`.”
#[test]
fn nbf_is_always_checked() {
    assert!(!validation().validate_nbf);
    judge(&token(&with("nbf", json!(NOW + 60))), &validation()).unwrap();
    assert_eq!(refused(&token(&with("nbf", json!(NOW + 61))), &validation()), ErrorKind::ImmatureSignature);
}

// `iat` is none of the claims that are validated there.
#[test]
fn iat_in_the_future_is_refused() {
    judge(&token(&with("iat", json!(NOW + 60))), &validation()).unwrap();
    assert_eq!(refused(&token(&with("iat", json!(NOW + 61))), &validation()), ErrorKind::ImmatureSignature);
}

// `Validation::iss`, `aud`, `sub`: “Validation only happens if … claim is present in the token.”
#[test]
fn an_expected_claim_is_a_required_one() {
    let mut strict = validation();
    strict.set_issuer(&["a", "b"]);
    judge(&token(&with("iss", json!("b"))), &strict).unwrap();
    assert_eq!(refused(&token(&with("iss", json!("c"))), &strict), ErrorKind::InvalidIssuer);
    assert_eq!(
        refused(&token(&claims().to_string()), &strict),
        ErrorKind::MissingRequiredClaim("iss".into())
    );

    let mut strict = validation();
    strict.set_audience(&["a", "b"]);
    for audience in [json!("a"), json!(["x", "b"])] {
        judge(&token(&with("aud", audience)), &strict).unwrap();
    }
    for audience in [json!("c"), json!(["x", "y"]), json!([]), json!("A"), json!("a ")] {
        assert_eq!(refused(&token(&with("aud", audience)), &strict), ErrorKind::InvalidAudience);
    }
    assert_eq!(
        refused(&token(&claims().to_string()), &strict),
        ErrorKind::MissingRequiredClaim("aud".into())
    );
    // In both: a token for somebody is not for who expects nobody.
    for audience in [json!("a"), json!([])] {
        assert_eq!(refused(&token(&with("aud", audience)), &validation()), ErrorKind::InvalidAudience);
    }

    let mut strict = validation();
    strict.sub = Some("ada".into());
    judge(&token(&claims().to_string()), &strict).unwrap();
    assert_eq!(refused(&token(&with("sub", json!("bob"))), &strict), ErrorKind::InvalidSubject);
    assert_eq!(
        refused(&token(&with("sub", Value::Null)), &strict),
        ErrorKind::MissingRequiredClaim("sub".into())
    );
}

// There a claim that fails to parse counts as absent, dates are rounded, and `iss` may be an array.
#[test]
fn registered_claims_have_their_types() {
    for (claim, value) in [
        ("iss", json!(["a"])),
        ("iss", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(256))),
        ("jti", json!({})),
        ("aud", json!(7)),
        ("aud", json!([7])),
        ("exp", json!(NOW as f64 + 900.5)),
        ("exp", json!((NOW + 900).to_string())),
        ("exp", json!(253_402_300_800_u64)),
        ("nbf", json!(-1)),
        ("iat", json!(true)),
    ] {
        let mut strict = validation();
        strict.set_audience(&["a"]);
        let mut claims: Value = serde_json::from_str(&with("aud", json!("a"))).unwrap();
        judge(&token(&claims.to_string()), &strict).unwrap();
        claims[claim] = value;
        assert_eq!(
            refused(&token(&claims.to_string()), &strict),
            ErrorKind::InvalidClaimFormat(claim.into())
        );
    }
    let many: Vec<_> = (0..33).map(|n| n.to_string()).collect();
    assert_eq!(refused(&token(&with("aud", json!(many))), &validation()), ErrorKind::InvalidToken);
}

// `cnf` is none of the claims that are validated there.
#[test]
fn a_token_bound_to_a_key_is_refused() {
    let bound = token(&with("cnf", json!({"jkt": "x"})));
    assert_eq!(refused(&bound, &validation()), ErrorKind::InvalidToken);
    assert_eq!(judge(&bound, &validation()).unwrap_err().code(), "bound");
}

// There serde_json reads the claims into `T`: the last one wins in a `Value`, the first of an ignored one is never seen.
#[test]
fn a_member_that_stands_twice_is_refused() {
    let (exp, later) = (NOW + 900, NOW + 9_000);
    for claims in [
        format!(r#"{{"exp":{exp},"exp":{later}}}"#),
        format!(r#"{{"exp":{exp},"\u0065xp":{later}}}"#),
        format!(r#"{{"exp":{exp},"EXP":{later}}}"#),
        format!(r#"{{"exp":{exp},"role":"a","role":"b"}}"#),
        format!(r#"{{"exp":{exp},"user":{{"role":"a","role":"b"}}}}"#),
    ] {
        assert_eq!(judge(&token(&claims), &validation()).unwrap_err().code(), "duplicate", "{claims}");
        assert_eq!(refused(&token(&claims), &validation()), ErrorKind::InvalidToken);
    }
    let header = r#"{"alg":"HS256","kid":"a","kid":"b"}"#;
    assert_eq!(refused(&forge(header, &claims().to_string()), &validation()), ErrorKind::InvalidToken);
}

fn code_of_header(header: &str) -> &'static str {
    let token = forge(header, &claims().to_string());
    assert_eq!(refused(&token, &validation()), ErrorKind::InvalidToken, "{header}");
    judge(&token, &validation()).unwrap_err().code()
}

// `Header::crit` is data there, and nothing is done about it.
#[test]
fn crit_is_refused() {
    for header in [r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, r#"{"alg":"HS256","crit":[]}"#] {
        assert_eq!(code_of_header(header), "crit");
    }
}

// `Header::jwk`, `jku` and so on are data there, for the program to fall for.
#[test]
fn a_header_that_brings_a_key_is_refused() {
    judge(&forge(r#"{"alg":"HS256","cty":"json","tier":7}"#, &claims().to_string()), &validation()).unwrap();
    for member in [
        r#""jwk":{"kty":"oct","k":"AA"}"#,
        r#""jku":"https://attacker.example""#,
        r#""x5u":"https://attacker.example""#,
        r#""x5c":["AA"]"#,
        r#""enc":"A128GCM""#,
        r#""zip":"DEF""#,
        r#""b64":false"#,
    ] {
        assert_eq!(code_of_header(&format!(r#"{{"alg":"HS256",{member}}}"#)), "header", "{member}");
    }
}

// There is no limit there.
#[test]
fn limits_are_kept() {
    let long = token(&with("note", json!("x".repeat(6 * 1024))));
    assert_eq!(refused(&long, &validation()), ErrorKind::InvalidToken);
    let deep = format!(r#"{{"exp":{},"x":{}1{}}}"#, NOW + 900, "[".repeat(16), "]".repeat(16));
    assert_eq!(judge(&token(&deep), &validation()).unwrap_err().code(), "too_large");

    let mut limits = Limits::DEFAULT;
    (limits.token, limits.claims) = (16 * 1024, 12 * 1024);
    let wide = DecodingKey::from_secret(&engine().limits(limits), Algorithm::HS256, SECRET).unwrap();
    decode::<Value>(&long, &wide, &validation()).unwrap();
    limits.depth = 65;
    let none = DecodingKey::from_secret(&engine().limits(limits), Algorithm::HS256, SECRET).unwrap();
    let error = decode::<Value>(&long, &none, &validation()).err().unwrap();
    assert_eq!((error.code(), error.fault()), ("config", Fault::Caller));
}

// `EncodingKey::from_secret(&[])` is a key there.
#[test]
fn a_short_secret_is_refused() {
    for (algorithm, least) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        EncodingKey::from_secret(&engine(), algorithm, &SECRET[..least]).unwrap();
        DecodingKey::from_secret(&engine(), algorithm, &SECRET[..least]).unwrap();
        let short = (ErrorKind::InvalidKeyFormat, "secret_too_short");
        assert_eq!(refused_key(EncodingKey::from_secret(&engine(), algorithm, &SECRET[..least - 1])), short);
        assert_eq!(refused_key(DecodingKey::from_secret(&engine(), algorithm, &SECRET[..least - 1])), short);
        assert_eq!(refused_key(DecodingKey::from_secret(&engine(), algorithm, b"")), short);
    }
}

// CVE-2015-9235: there a public key is a secret like any other.
#[test]
fn a_key_file_is_no_secret() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for secret in [key_file("rsa.spki.pem"), key_file("p256.spki.der"), jwk.into()] {
        let no_secret = (ErrorKind::InvalidKeyFormat, "secret_is_key");
        assert_eq!(refused_key(DecodingKey::from_secret(&engine(), Algorithm::HS256, &secret)), no_secret);
        assert_eq!(refused_key(EncodingKey::from_secret(&engine(), Algorithm::HS256, &secret)), no_secret);
    }
}

// There `DecodingKey` has a family, and the header chooses one of its algorithms that the validation lists.
#[test]
fn a_key_has_one_algorithm() {
    let mut family = validation();
    family.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    let token = forge(r#"{"alg":"HS256"}"#, &claims().to_string());
    judge(&token, &family).unwrap();
    for other in [Algorithm::HS384, Algorithm::HS512] {
        let key = DecodingKey::from_secret(&engine(), other, SECRET).unwrap();
        let error = decode::<Value>(&token, &key, &family).err().unwrap();
        assert_eq!((error.kind(), error.fault()), (&ErrorKind::InvalidAlgorithm, Fault::Peer));
        // And the other way round: it is the key's, and the validation does not want it.
        let signs = EncodingKey::from_secret(&engine(), other, SECRET).unwrap();
        let token = encode(&Header::new(other), &claims(), &signs).unwrap();
        decode::<Value>(&token, &key, &family).unwrap();
        let error = decode::<Value>(&token, &key, &validation()).err().unwrap();
        assert_eq!(*error.kind(), ErrorKind::InvalidAlgorithm);
    }
    // As there: no list, and a list of two families.
    family.algorithms = vec![Algorithm::HS256, Algorithm::ES256];
    assert_eq!(refused(&token, &family), ErrorKind::InvalidAlgorithm);
    family.algorithms.clear();
    assert_eq!(*judge(&token, &family).unwrap_err().kind(), ErrorKind::MissingAlgorithm);

    let wrong = (ErrorKind::InvalidKeyFormat, "key_use");
    assert_eq!(refused_key(DecodingKey::from_secret(&engine(), Algorithm::ES256, SECRET)), wrong);
    let rsa = key_file("rsa.spki.pem");
    assert_eq!(refused_key(DecodingKey::from_rsa_pem(&engine(), Algorithm::HS256, &rsa)), wrong);
    assert_eq!(refused_key(DecodingKey::from_rsa_pem(&engine(), Algorithm::EdDSA, &rsa)), wrong);
}

// There RS256 is the algorithm of most users of RSA keys, and nobody is asked.
#[test]
fn rs256_is_an_opt_in() {
    let (private, public) = (key_file("rsa.pkcs8.pem"), key_file("rsa.spki.pem"));
    for algorithm in [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512] {
        let nobody_asked = (ErrorKind::UnsupportedAlgorithm, "key_rsa_pkcs1");
        assert_eq!(refused_key(EncodingKey::from_rsa_pem(&engine(), algorithm, &private)), nobody_asked);
        assert_eq!(refused_key(DecodingKey::from_rsa_pem(&engine(), algorithm, &public)), nobody_asked);
        assert_eq!(refused_key(engine().rsa_without_alg(algorithm)), nobody_asked);

        let engine = engine().danger_rsa_pkcs1();
        let signs = EncodingKey::from_rsa_pem(&engine, algorithm, &private).unwrap();
        let verifies = DecodingKey::from_rsa_pem(&engine, algorithm, &public).unwrap();
        let token = encode(&Header::new(algorithm), &claims(), &signs).unwrap();
        decode::<Value>(&token, &verifies, &Validation::new(algorithm)).unwrap();
    }
}

// There `from_rsa_pem` takes a private key and a certificate as decoding keys.
#[test]
fn a_decoding_key_is_a_public_key() {
    let private = (ErrorKind::InvalidKeyFormat, "key_secrecy");
    let certificate = (ErrorKind::InvalidKeyFormat, "key_format");
    let rsa = |file| refused_key(DecodingKey::from_rsa_pem(&engine(), Algorithm::PS256, &key_file(file)));
    assert_eq!((rsa("rsa.pkcs8.pem"), rsa("rsa.x509.pem")), (private.clone(), certificate.clone()));
    let ec = |file| refused_key(DecodingKey::from_ec_pem(&engine(), &key_file(file)));
    assert_eq!((ec("p256.pkcs8.pem"), ec("p256.x509.pem")), (private.clone(), certificate));
    assert_eq!(refused_key(DecodingKey::from_ed_pem(&engine(), &key_file("ed25519.pkcs8.pem"))), private);
}

// There `from_rsa_der`, `from_ec_der` and `from_ed_der` are infallible.
#[test]
fn a_broken_key_is_refused_when_it_is_made() {
    for broken in [&b""[..], b"key", &[4; 65], &[0x30, 0x00]] {
        refused_key(EncodingKey::from_rsa_der(&engine(), Algorithm::PS256, broken));
        refused_key(DecodingKey::from_rsa_der(&engine(), Algorithm::PS256, broken));
        refused_key(EncodingKey::from_ec_der(&engine(), broken));
        refused_key(DecodingKey::from_ec_der(&engine(), broken));
        refused_key(EncodingKey::from_ed_der(&engine(), broken));
        refused_key(DecodingKey::from_ed_der(&engine(), broken));
    }
    // A modulus of 1024 bits, and an even exponent.
    let (small, even) = (base64url([0xff; 128]), base64url([4]));
    let key = DecodingKey::from_rsa_components(&engine(), Algorithm::PS256, &small, "AQAB");
    assert_eq!(refused_key(key).1, "key_size");
    let key = DecodingKey::from_rsa_components(&engine(), Algorithm::PS256, &base64url([0xff; 256]), &even);
    assert_eq!(refused_key(key).1, "key_weak");
}

fn jwk(name: &str, change: impl Fn(&mut Value)) -> Jwk {
    let mut jwk: Value = serde_json::from_slice(&fixture(&format!("keys/{name}.jwk"))).unwrap();
    change(&mut jwk);
    serde_json::from_value(jwk).unwrap()
}

// There `DecodingKey::from_jwk` takes coordinates or `k`, and looks at nothing else.
#[test]
fn a_jwk_has_to_fit() {
    let code = |jwk: &Jwk| refused_key(DecodingKey::from_jwk(&engine(), jwk)).1;
    for name in ["p256", "rsa"] {
        DecodingKey::from_jwk(&engine(), &jwk(name, |_| {})).unwrap();
        for (member, value, expected) in [
            ("alg", json!("HS256"), "key_use"),
            ("use", json!("enc"), "key_use"),
            ("key_ops", json!(["encrypt"]), "key_use"),
        ] {
            let jwk = jwk(name, |jwk| {
                jwk.as_object_mut().unwrap().remove("use");
                jwk[member] = value.clone();
            });
            assert_eq!(code(&jwk), expected, "{name} {member}");
        }
    }
    refused_key(DecodingKey::from_jwk(&engine(), &jwk("p256", |jwk| jwk["crv"] = json!("P-384"))));
    let unsaid = jwk("rsa", |jwk| drop(jwk.as_object_mut().unwrap().remove("alg")));
    assert_eq!(code(&unsaid), "key_algorithm");
    DecodingKey::from_jwk(&engine().rsa_without_alg(Algorithm::PS256).unwrap(), &unsaid).unwrap();
    assert_eq!(refused_key(engine().rsa_without_alg(Algorithm::ES256)).1, "key_use");

    let secret = json!({"kty": "oct", "alg": "HS256", "kid": "s", "k": base64url(SECRET)});
    let secret: Jwk = serde_json::from_value(secret).unwrap();
    assert_eq!(code(&secret), "key_secrecy");
    // One of them condemns the whole set.
    let set = JwkSet { keys: vec![jwk("p256", |_| {}), secret] };
    assert_eq!(refused_key(DecodingKey::from_jwk_set(&engine(), &set)).1, "key_secrecy");
}

// There the program finds a JWK by the `kid` of the header, and the key forgets it.
#[test]
fn the_kid_of_a_jwk_is_compared() {
    let signs = EncodingKey::from_ec_pem(&engine(), &key_file("p256.pkcs8.pem")).unwrap();
    let token = |kid: Option<&str>| {
        let header = Header { kid: kid.map(Into::into), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims(), &signs).unwrap()
    };
    let set = JwkSet { keys: vec![jwk("rsa", |_| {}), jwk("p256", |jwk| jwk["kid"] = json!("b"))] };
    let one = DecodingKey::from_jwk(&engine(), &set.keys[1]).unwrap();
    let all = DecodingKey::from_jwk_set(&engine(), &set).unwrap();
    let judge = |token: &str, key| {
        decode::<Value>(token, key, &Validation::new(Algorithm::ES256)).map(|data| data.header.kid)
    };
    assert_eq!(judge(&token(Some("b")), &one).unwrap().as_deref(), Some("b"));
    assert_eq!(judge(&token(Some("b")), &all).unwrap().as_deref(), Some("b"));
    assert_eq!(judge(&token(None), &one).unwrap(), None);
    for (token, key) in [(token(Some("c")), &one), (token(Some("c")), &all), (token(None), &all)] {
        let error = judge(&token, key).unwrap_err();
        assert_eq!((error.kind(), error.code()), (&ErrorKind::InvalidToken, "key"));
    }
}

// `encode` there: “If the algorithm given is RSA or EC”: any of the key's family.
#[test]
fn a_header_names_the_keys_algorithm() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512, Algorithm::ES256] {
        let error = encode(&Header::new(algorithm), &claims(), &signs()).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (&ErrorKind::InvalidAlgorithm, Fault::Caller));
    }
    encode(&Header::default(), &claims(), &signs()).unwrap();
}

// There anything that serializes is issued.
#[test]
fn what_would_be_refused_is_not_issued() {
    let issue = |claims: Value| {
        let error = encode(&Header::default(), &claims, &signs()).unwrap_err();
        assert_eq!(error.fault(), Fault::Caller);
        error.into_kind()
    };
    assert_eq!(issue(json!({"sub": "ada"})), ErrorKind::MissingRequiredClaim("exp".into()));
    assert_eq!(issue(json!({"exp": 1.5})), ErrorKind::InvalidClaimFormat("exp".into()));
    assert_eq!(issue(json!({"exp": 1, "sub": 7})), ErrorKind::InvalidClaimFormat("sub".into()));
    assert_eq!(issue(json!({"exp": 1, "x": "x".repeat(6 * 1024)})), ErrorKind::InvalidToken);
    assert_eq!(issue(json!("claims")), ErrorKind::InvalidToken);

    #[derive(Serialize)]
    struct Twice {
        exp: i64,
        role: &'static str,
        #[serde(flatten)]
        more: Value,
    }
    let twice = Twice { exp: NOW, role: "nurse", more: json!({"role": "admin"}) };
    let error = encode(&Header::default(), &twice, &signs()).unwrap_err();
    assert_eq!((error.code(), error.fault()), ("duplicate", Fault::Caller));

    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("canary"))
        }
    }
    let error = encode(&Header::default(), &Broken, &signs()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Json(_)) && !format!("{error}{error:?}").contains("canary"));
}

// There any header is issued.
#[test]
fn a_header_that_would_be_refused_is_not_issued() {
    let bad = [
        Header { crit: Some(vec!["exp".into()]), ..Header::default() },
        Header { jku: Some("https://login.example/keys".into()), ..Header::default() },
        Header { x5c: Some(vec!["AA".into()]), ..Header::default() },
        Header { jwk: Some(jwk("p256", |_| {})), ..Header::default() },
        Header { kid: Some("k".repeat(129)), ..Header::default() },
    ];
    for header in bad {
        let error = encode(&header, &claims(), &signs()).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (&ErrorKind::InvalidToken, Fault::Caller), "{header:?}");
    }
    let mut header = Header::default();
    header.extras.insert("alg", "none");
    assert_eq!(encode(&header, &claims(), &signs()).unwrap_err().code(), "duplicate");
}

// There `ErrorKind::Json` holds serde_json's error, which quotes what it found.
#[test]
fn an_error_quotes_nothing_of_the_token() {
    #[derive(Debug, Deserialize)]
    struct Own {
        #[expect(dead_code, reason = "Read by serde alone.")]
        level: u8,
    }
    let token = token(&with("level", json!("canary")));
    let error = decode::<Own>(&token, &verifies(), &validation()).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Json(_)));
    assert_eq!((error.code(), error.fault()), ("claims", Fault::Peer));
    let theirs = jsonwebtoken::errors::Error::from(error.clone());
    for text in [format!("{error} {error:?}"), format!("{theirs} {theirs:?}")] {
        assert!(
            text.contains("the claims are not of the type that was asked for") && !text.contains("canary")
        );
    }
    for broken in ["", "canary", "canary.canary.canary", "canary..", &token[..token.len() - 1]] {
        let error = judge(broken, &validation()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidToken | ErrorKind::InvalidSignature), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let error: Error = decode::<Value>(b"\xff.\xff.\xff", &verifies(), &validation()).err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::InvalidToken);
}

// `decode_header` there: “without any signature verification/validations”.
#[test]
fn a_header_that_decode_refuses_is_not_shown() {
    let header =
        danger_decode_header(forge(r#"{"alg":"HS256","kid":"k","tier":7}"#, "not even JSON")).unwrap();
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::HS256, Some("k")));
    assert_eq!(header.extras.get::<u8>("tier").unwrap(), Some(7));
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256","crit":["x"]}"#,
        r#"{"alg":"HS256","jku":"https://attacker.example"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
        r#"{"kid":"a"}"#,
    ] {
        let error = danger_decode_header(forge(header, "{}")).unwrap_err();
        assert_eq!(error.fault(), Fault::Peer, "{header}");
    }
    for token in ["", "e30", "e30.e30", "e30.e30.e30.e30", "e3.e30.e30"] {
        assert_eq!(*danger_decode_header(token).unwrap_err().kind(), ErrorKind::InvalidToken);
    }
}

// There `Ed25519` is `InvalidAlgorithmName`: the one thing that is taken here and not there.
#[test]
fn ed25519_has_two_names() {
    let provider = Ring::new();
    let key = bartizan_tokens::SigningKey::from_pem(
        &provider,
        bartizan_tokens::Algorithm::EdDsa,
        None,
        &key_file("ed25519.pkcs8.pem"),
    )
    .unwrap()
    .fully_specified_name();
    let token = bartizan_tokens::jws::sign(&key, Some("JWT"), claims().to_string().as_bytes()).unwrap();
    let engine = Engine::new(Arc::new(provider), Arc::new(ManualClock::at(UnixTime::from_secs(NOW))));
    let verifies = DecodingKey::from_ed_pem(&engine, &key_file("ed25519.spki.pem")).unwrap();
    let data = decode::<Value>(token.expose(), &verifies, &Validation::new(Algorithm::EdDSA)).unwrap();
    assert_eq!((data.header.alg, data.header.kid.as_deref()), (Algorithm::EdDSA, Some(key.kid())));
}
