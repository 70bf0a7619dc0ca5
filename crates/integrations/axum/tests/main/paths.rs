//! Tricks with paths and methods.

use crate::bench::{Bench, authorization};

/// Other ways to write `/patients/p-1`, `/me` and `/health`, as proxies and servers might read them.
const TRICKS: &[&str] = &[
    "//patients/p-1",
    "/patients//p-1",
    "/./patients/p-1",
    "/patients/./p-1",
    "/x/../patients/p-1",
    "/patients/x/../p-1",
    "/health/../patients/p-1",
    "/patients/p-1/",
    "/patients/p-1/.",
    "/patients/p-1/..",
    "/patients/p-1;x=1",
    "/patients;x/p-1",
    "/health;/patients/p-1",
    "/%2e/patients/p-1",
    "/x/%2e%2e/patients/p-1",
    "/patients%2fp-1",
    "/patients%2Fp-1",
    "/patients/..%2fp-1",
    "/patients/%2e%2e",
    "/patients/%252e",
    "/patients\\p-1",
    "/patients%5cp-1",
    "/PATIENTS/p-1",
    "/Patients/p-1",
    "/patients/p-1%00",
    "/patients/p-1%0a",
    "/patients/%c0%ae",
    "/patients/%ff",
    "/patients/%",
    "/patients/%zz",
    "/me/",
    "/ME",
    "//me",
    "/me;a",
    "/me%2f",
    "/me/.",
    "/%6de/",
    "/me.json",
    "/me%20",
    "/health/../me",
    "/me/../health",
];

#[test]
fn asvs_1_1_1_a_path_trick_is_an_unknown_path() {
    let bench = Bench::start();
    let doctor = authorization("doctor");
    let unknown = bench.get("/nowhere", &[]).comparable();
    assert_eq!(unknown.status, 404);
    for target in TRICKS {
        for headers in [&[][..], &[doctor.as_str()]] {
            let answer = bench.get(target, headers);
            assert_eq!(answer.answers, 1, "{target}");
            assert_eq!(answer.comparable(), unknown, "{target}");
        }
    }
    assert!(bench.recorded().is_empty());
}

#[test]
fn an_encoded_letter_is_the_letter_or_nothing() {
    let bench = Bench::start();
    // The router compares static segments as they stand: an encoded one matches no route.
    for (target, status) in
        [("/%6de", 404), ("/m%65", 404), ("/patients/p%2D1", 200), ("/patients/%70-1", 200)]
    {
        assert_eq!(bench.doctor(&format!("GET {target}")).status, status, "{target}");
        assert!(matches!(bench.get(target, &[]).status, 401 | 404), "{target}");
    }
    assert_eq!(bench.send("GET /patients/%70-1", &[&authorization("clerk")], b"").status, 403);
}

#[test]
fn absolute_and_odd_targets_reach_the_same_guard() {
    let bench = Bench::start();
    assert_eq!(bench.get("http://clinic/me", &[]).status, 401);
    assert_eq!(bench.get("http://elsewhere/me", &[]).status, 401);
    assert_eq!(bench.get("/me?", &[]).status, 401);
    assert_eq!(bench.get("/me?/health", &[]).status, 401);
    assert_eq!(bench.send("OPTIONS *", &[], b"").status, 404);
}

#[test]
fn asvs_4_1_4_only_declared_methods_answer() {
    let bench = Bench::start();
    let doctor = authorization("doctor");
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CHECKOUT", "get", "GETX"] {
        let answer = bench.send(&format!("{method} /me"), &[&doctor, "Content-Length: 0"], b"");
        assert_eq!((answer.status, answer.code().as_str()), (405, "METHOD_NOT_ALLOWED"), "{method}");
        assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    }
    let answer = bench.send("PATCH /patients/p-1", &[&doctor], b"");
    let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD"]);
    for header in ["X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE"] {
        assert_eq!(bench.send("GET /patients/p-1", &[&doctor, header], b"").body, "patient p-1");
    }
}

#[test]
fn asvs_13_4_4_trace_and_connect_are_refused() {
    let bench = Bench::start();
    let doctor = authorization("doctor");
    for line in ["TRACE /me", "TRACE /health", "TRACE /patients/p-1"] {
        let answer = bench.send(line, &[&doctor], b"");
        assert_eq!(answer.status, 405, "{line}");
        assert!(!answer.contains("Bearer"));
    }
    assert!(matches!(bench.send("CONNECT clinic:443", &[], b"").status, 400 | 404 | 405));
}

#[test]
fn head_is_guarded_like_get_and_has_no_body() {
    let bench = Bench::start();
    for target in ["/me", "/patients", "/patients/p-1"] {
        let answer = bench.send(&format!("HEAD {target}"), &[], b"");
        assert_eq!((answer.status, answer.body.as_str()), (401, ""), "{target}");
        let answer = bench.doctor(&format!("HEAD {target}"));
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{target}");
    }
    assert_eq!(bench.send("HEAD /patients", &[&authorization("nurse")], b"").status, 403);
    assert_eq!(bench.doctor("HEAD /forgetful").status, 500);
    assert_eq!(bench.doctor("HEAD /nowhere").status, 404);
}
