//! Who may, who may not, and who must not even know.

use bartizan_http::{Rendering, Style};

use crate::bench::{Bench, authorization};

#[test]
fn roles_decide_and_a_refusal_names_no_permission() {
    let bench = Bench::start();
    assert_eq!(bench.doctor("GET /patients").body, "all of them");
    assert_eq!(bench.doctor("GET /patients/p-1").body, "patient p-1");
    assert_eq!(bench.doctor("DELETE /patients/p-1").status, 204);
    assert_eq!(bench.doctor("GET /page").body, "2 shown");
    let nurse = authorization("nurse");
    assert_eq!(bench.get("/patients/p-1", &[&nurse]).body, "patient p-1");
    for line in ["GET /patients", "DELETE /patients/p-1"] {
        let answer = bench.send(line, &[&nurse], b"");
        assert_eq!((answer.status, answer.code().as_str()), (403, "FORBIDDEN"));
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="insufficient_scope""#));
        assert!(!answer.contains("patient:"));
    }
    let answer =
        bench.send("POST /patients", &[&nurse, "Content-Type: application/json", "Content-Length: 1"], b"{");
    assert_eq!(answer.status, 403, "the body is not even looked at");
}

#[test]
fn while_developing_a_refusal_names_the_permission_in_both_styles() {
    for style in [Style::Problem, Style::Envelope] {
        let bench = Bench::rendered(Rendering::new(style).danger_show_required());
        let answer = bench.get("/patients", &[&authorization("nurse")]);
        assert!(answer.status == 403 && answer.body.contains(r#""required":["patient:list"]"#), "{answer:?}");
    }
}

#[test]
fn another_tenants_record_is_answered_like_a_missing_one_byte_by_byte() {
    for style in [Style::Problem, Style::Envelope] {
        let bench = Bench::rendered(Rendering::new(style));
        for method in ["GET", "HEAD", "DELETE"] {
            let theirs = bench.doctor(&format!("{method} /patients/p-2")).comparable();
            let missing = bench.doctor(&format!("{method} /patients/p-9")).comparable();
            assert_eq!(theirs.status, 404);
            assert_eq!(theirs, missing, "{method}");
        }
    }
}

#[test]
fn an_id_that_no_record_can_have_is_answered_like_a_missing_record() {
    let bench = Bench::start();
    let missing = bench.doctor("GET /patients/p-9").comparable();
    for id in ["x".repeat(300), "%F0%9F%94%91".to_owned(), "a'b".to_owned()] {
        assert_eq!(bench.doctor(&format!("GET /patients/{id}")).comparable(), missing);
    }
}

#[test]
fn asvs_16_5_3_a_decision_that_cannot_be_recorded_is_a_503() {
    let bench = Bench::start();
    bench.recorder.refuse();
    for line in ["GET /patients", "GET /patients/p-1", "DELETE /patients/p-1", "GET /page"] {
        let answer = bench.doctor(line);
        assert_eq!((answer.status, answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"), "{line}");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    assert_eq!(bench.doctor("GET /me").status, 200, "nothing is recorded there");
    assert_eq!(bench.get("/health", &[]).status, 200);
}

#[test]
fn a_critical_permission_waits_for_its_durable_record() {
    let bench = Bench::start();
    bench.recorder.lose();
    assert_eq!(bench.doctor("DELETE /patients/p-1").status, 503);
    assert_eq!(bench.doctor("GET /patients/p-1").status, 200);
}

#[test]
fn a_handler_that_did_not_ask_does_not_get_its_answer_out() {
    let bench = Bench::start();
    for line in ["GET /forgetful", "GET /forgiving"] {
        let answer = bench.doctor(line);
        assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL"), "{line}");
        assert!(!answer.contains("asked"));
        assert_eq!(bench.recorded().last(), Some(&("control_failed", Some("handler_did_not_ask"))));
    }
}

#[test]
fn nobody_is_known_on_a_public_route_and_that_is_said() {
    let bench = Bench::start();
    let answer = bench.doctor("GET /nobody");
    assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL"));
}

#[test]
fn decisions_carry_the_request() {
    let bench = Bench::start();
    let answer = bench.doctor("GET /patients/p-1");
    assert!(bench.is_on_record(answer.header("x-request-id").unwrap()) && bench.is_on_record("127.0.0.1"));
}
