//! When the service itself fails, nothing of its inside gets out.

use std::sync::Arc;

use bartizan_axum::Clients;
use bartizan_http::{Rendering, Style};
use bartizan_testkit::BrokenEntropy;

use crate::bench::{Bench, CANARY};

#[test]
fn asvs_16_5_4_a_panic_is_a_problem_and_on_record() {
    let bench = Bench::start();
    let answer = bench.doctor("GET /panic");
    assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL"));
    assert!(!answer.contains(CANARY) && !answer.contains("panic"));
    assert_eq!(bench.recorded().last(), Some(&("control_failed", Some("handler_panicked"))));
    assert!(bench.is_on_record("/panic") && !bench.is_on_record(CANARY));
    assert_eq!(bench.doctor("GET /me").status, 200, "the service lives on");
}

#[test]
fn asvs_16_5_1_a_failure_says_one_constant_sentence_and_its_id() {
    let bench = Bench::start();
    for line in ["GET /panic", "GET /broken", "GET /nobody"] {
        let answer = bench.doctor(line);
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(
            answer.body,
            format!(
                r#"{{"title":"Internal Server Error","status":500,"detail":"Internal error","code":"INTERNAL","request_id":"{id}"}}"#
            ),
            "{line}"
        );
    }
    let answer = bench.get("/teapot", &[]);
    assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"));
    assert!(!answer.contains(CANARY));
}

#[test]
fn when_to_come_back_is_kept_and_nothing_else() {
    let bench = Bench::start();
    let answer = bench.get("/busy", &[]);
    assert_eq!((answer.status, answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert!(!answer.contains(CANARY));
}

#[test]
fn without_randomness_a_request_has_no_id_and_the_same_guard() {
    let bench = Bench::drawing_from(Arc::new(BrokenEntropy), |router| router);
    let answer = bench.doctor("GET /patients/p-1");
    assert_eq!((answer.status, answer.header("x-request-id")), (200, None));
    assert_eq!(bench.get("/patients/p-1", &[]).status, 401);
    assert_eq!(bench.get("/broken", &[]).code(), "INTERNAL");
}

#[test]
fn behind_proxies_the_peers_address_is_not_taken_for_the_clients() {
    let bench = Bench::with(|router| router.clients(Clients::BehindProxies));
    let headers = ["Authorization: Bearer a.b.c", "X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.8"];
    assert_eq!(bench.get("/me", &headers).status, 401);
    assert!(!bench.is_on_record("127.0.0.1") && !bench.is_on_record("192.0.2."));
}

#[test]
fn the_envelope_style_holds_on_every_kind_of_answer() {
    let bench = Bench::rendered(Rendering::new(Style::Envelope));
    for (line, status, body) in [
        ("GET /nowhere", 404, r#"{"success":false,"error":{"code":"NOT_FOUND","message":"Not found"}}"#),
        (
            "POST /me",
            405,
            r#"{"success":false,"error":{"code":"METHOD_NOT_ALLOWED","message":"Method not allowed"}}"#,
        ),
        (
            "GET /me",
            401,
            r#"{"success":false,"error":{"code":"UNAUTHORIZED","message":"No token provided"}}"#,
        ),
        ("GET /a//b", 404, r#"{"success":false,"error":{"code":"NOT_FOUND","message":"Not found"}}"#),
        (
            "GET /teapot",
            400,
            r#"{"success":false,"error":{"code":"INVALID_REQUEST","message":"Malformed request"}}"#,
        ),
    ] {
        let answer = bench.send(line, &[], b"");
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{line}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn a_request_that_is_no_http_gets_no_answer_of_ours() {
    let bench = Bench::start();
    for bytes in [
        &b"GET /me HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer a\r\n\r\n"[..],
        b"GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\x00b\r\n\r\n",
        b"GET /me\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ] {
        assert_eq!(bench.raw(bytes).status, 400, "{bytes:?}");
    }
    assert!(bench.recorded().is_empty());
}
