//! Every way to present a token but the one.

use std::time::Duration;

use bartizan_http::MAX_TOKEN;

use crate::{
    bench::{Bench, CANARY, authorization},
    mint,
};

#[test]
fn the_scheme_is_read_in_any_case() {
    let bench = Bench::start();
    let token = mint::token("north", "ada", "doctor");
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let answer = bench.get("/me", &[&format!("Authorization: {scheme} {token}")]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "ada of north"), "{scheme}");
    }
    assert_eq!(bench.guard.counts().verified, 4);
    assert!(bench.recorded().is_empty(), "who is let in is counted and not recorded");
}

#[test]
fn without_credentials_there_is_a_bare_challenge() {
    let bench = Bench::start();
    for headers in
        [&[][..], &["Authorization: Basic dXNlcjpwYXNz"], &["X-User-Id: ada"], &["Cookie: token=a"]]
    {
        let answer = bench.get("/me", headers);
        assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHORIZED"));
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="api""#));
    }
    assert!(bench.recorded().is_empty(), "who presents nothing is told and not recorded");
    assert_eq!(bench.guard.counts().refused, 4);
}

#[test]
fn asvs_15_3_7_two_credentials_are_refused_in_every_arrangement() {
    let bench = Bench::start();
    let (good, token) = (authorization("doctor"), mint::token("north", "ada", "doctor"));
    for headers in [
        &[good.as_str(), good.as_str()][..],
        &[good.as_str(), "Authorization: Bearer x"],
        &["authorization: Basic x", good.as_str()],
        &[&format!("Authorization: Bearer {token}, Bearer {token}")],
        &[&format!("Authorization: Bearer {token},{token}")],
    ] {
        let answer = bench.get("/me", headers);
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"), "{headers:?}");
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="invalid_request""#));
    }
    assert!(bench.recorded().iter().all(|(event, _)| *event == "token_misplaced"));
    assert_eq!(bench.recorded().len(), 5);
}

#[test]
fn malformed_credentials_are_refused_and_recorded_by_kind() {
    let bench = Bench::start();
    let token = mint::token("north", "ada", "doctor");
    let huge = format!("Authorization: Bearer {}", "a".repeat(64 * 1024));
    for (header, kind) in [
        (format!("Authorization: Bearer\t{token}"), "malformed_credentials"),
        (format!("Authorization: Bearer  {token}"), "malformed_credentials"),
        (format!("Authorization: Bearer \t{token}"), "malformed_credentials"),
        (format!("Authorization: Bearer {token} {CANARY}"), "malformed_credentials"),
        (format!("Authorization: Bearer \"{CANARY}\""), "malformed_credentials"),
        (format!("Authorization: Bearer {CANARY}\u{e9}"), "malformed_credentials"),
        ("Authorization: Bearer".to_owned(), "malformed_credentials"),
        ("Authorization: Bearer ".to_owned(), "malformed_credentials"),
        ("Authorization:".to_owned(), "malformed_credentials"),
        (huge, "credentials_too_large"),
        (format!("Authorization: Bearer {}", "a".repeat(MAX_TOKEN + 1)), "credentials_too_large"),
    ] {
        let answer = bench.get("/me", &[&header]);
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"), "{header:.60}");
        assert_eq!(bench.recorded().last(), Some(&("token_misplaced", Some(kind))));
        assert!(!answer.contains(CANARY) && !answer.contains(&token));
    }
    assert!(!bench.is_on_record(CANARY) && !bench.is_on_record(&token));
    // White space behind the value is no part of it (RFC 9110 section 5.5): the server cuts it off.
    assert_eq!(bench.get("/me", &[&format!("Authorization: Bearer {token} ")]).status, 200);
}

#[test]
fn asvs_14_2_1_a_token_in_the_url_is_refused_recorded_and_never_echoed() {
    let bench = Bench::start();
    let good = authorization("doctor");
    for target in [
        format!("/me?access_token={CANARY}"),
        format!("/me?a=b&%61ccess_token={CANARY}"),
        format!("/me?ACCESS_TOKEN={CANARY}"),
        format!("/patients/p-1?access_token={CANARY}"),
    ] {
        for headers in [&[][..], &[good.as_str()]] {
            let answer = bench.get(&target, headers);
            assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"), "{target}");
            assert_eq!(bench.recorded().last(), Some(&("token_misplaced", Some("credentials_in_url"))));
            assert!(!answer.contains(CANARY));
        }
    }
    assert!(!bench.is_on_record(CANARY));
}

#[test]
fn asvs_8_3_1_only_verified_claims_make_somebody_known() {
    let bench = Bench::start();
    let good = mint::token("north", "ada", "nurse");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let (_, others) = mint::token("south", "eve", "doctor")
        .split_once('.')
        .map(|(h, r)| (h.to_owned(), r.to_owned()))
        .unwrap();
    let claims = others.split('.').next().unwrap();
    for forged in [
        format!("{header}.{claims}.{signature}"),
        format!("{signed}."),
        format!("{signed}.{}", "A".repeat(86)),
        format!("{signed}.{signature}.{signature}"),
        mint::unsigned("north", "ada", "doctor"),
        mint::of_another_key("north", "ada", "doctor"),
        mint::for_another_audience("north", "ada", "doctor"),
        CANARY.to_owned(),
    ] {
        let answer = bench.get("/me", &[&format!("Authorization: Bearer {forged}")]);
        assert_eq!((answer.status, answer.code().as_str()), (401, "INVALID_TOKEN"), "{forged}");
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
        assert_eq!(bench.recorded().last().unwrap().0, "token_refused");
        assert!(bench.recorded().last().unwrap().1.is_some());
        assert!(!bench.is_on_record(&forged) && !answer.contains(&forged));
    }
    // Claims in headers, queries and bodies are nobody's.
    let nurse = authorization("nurse");
    let answer =
        bench.get("/patients?role=doctor", &[&nurse, "X-Role: doctor", "X-User: root", "X-Tenant: south"]);
    assert_eq!(answer.status, 403);
}

#[test]
fn an_expired_token_is_told_apart_at_its_exact_second() {
    let bench = Bench::start();
    let token = authorization("doctor");
    bench.clock.advance(mint::LIFE - Duration::from_secs(1));
    assert_eq!(bench.get("/me", &[&token]).status, 200);
    bench.clock.advance(mint::LEEWAY + Duration::from_secs(1));
    let answer = bench.get("/me", &[&token]);
    assert_eq!((answer.status, answer.code().as_str()), (401, "TOKEN_EXPIRED"));
    assert_eq!(bench.recorded(), [("token_refused", Some("expired"))]);
}

#[test]
fn asvs_16_5_3_a_refusal_that_cannot_be_recorded_is_no_refusal() {
    let bench = Bench::start();
    bench.recorder.refuse();
    for header in ["Authorization: Bearer a.b.c", "Authorization: Bearer  a"] {
        let answer = bench.get("/me", &[header]);
        assert_eq!((answer.status, answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"));
        assert!(answer.header("retry-after").is_some() && answer.header("www-authenticate").is_none());
    }
    assert_eq!(bench.guard.counts().failed, 2);
    assert_eq!(bench.get("/me", &[]).status, 401);
}

#[test]
fn the_client_and_the_request_stand_in_the_record() {
    let bench = Bench::start();
    let answer = bench.get(
        "/patients/p-1?x=1",
        &["Authorization: Bearer a.b.c", "User-Agent: curl/8", "X-Request-Id: mine"],
    );
    let id = answer.header("x-request-id").unwrap();
    assert_ne!(id, "mine");
    for text in [id, "127.0.0.1", "curl/8", "/patients/{id}", "clinic"] {
        assert!(bench.is_on_record(text), "{text}");
    }
    assert!(!bench.is_on_record("p-1"), "the raw path is the client's own text");
}
