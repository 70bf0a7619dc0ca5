//! The headers of every answer.

use bartizan_axum::Clients;
use bartizan_http::Transport;

use crate::bench::{Answer, Bench};

/// One answer of every kind.
fn every_kind(bench: &Bench) -> Vec<(u16, Answer)> {
    let big = vec![b' '; 70_000];
    vec![
        (200, bench.get("/health", &[])),
        (200, bench.doctor("GET /me")),
        (200, bench.doctor("HEAD /me")),
        (201, bench.post("/patients", "application/json", br#"{"name":"a","age":1}"#)),
        (204, bench.doctor("DELETE /patients/p-1")),
        (400, bench.get("/me?access_token=a", &[])),
        (400, bench.post("/patients", "application/json", b"{")),
        (401, bench.get("/me", &[])),
        (403, bench.send("GET /patients", &[&crate::bench::authorization("nurse")], b"")),
        (404, bench.get("/nowhere", &[])),
        (404, bench.get("/me/", &[])),
        (404, bench.doctor("GET /patients/p-2")),
        (405, bench.send("TRACE /me", &[], b"")),
        (413, bench.post("/echo", "text/plain", &big)),
        (415, bench.post("/patients", "text/plain", b"{}")),
        (500, bench.doctor("GET /panic")),
        (500, bench.get("/broken", &[])),
    ]
}

fn all_have(name: &str, check: impl Fn(&str) -> bool) {
    let bench = Bench::start();
    for (status, answer) in every_kind(&bench) {
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.header(name).is_some_and(&check), "{name} of {answer:?}");
    }
}

#[test]
fn asvs_3_4_1_hsts_of_a_year_with_subdomains_on_every_answer() {
    all_have("strict-transport-security", |value| value == "max-age=31536000; includeSubDomains");
    let bench = Bench::with(|router| router.transport(Transport::PlainLoopback));
    for (_, answer) in every_kind(&bench) {
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}

#[test]
fn asvs_3_4_3_a_content_security_policy_on_every_answer() {
    all_have("content-security-policy", |value| {
        ["default-src 'none'", "object-src 'none'", "base-uri 'none'"].iter().all(|part| value.contains(part))
    });
}

#[test]
fn asvs_3_4_4_nosniff_on_every_answer() {
    all_have("x-content-type-options", |value| value == "nosniff");
}

#[test]
fn asvs_3_4_5_a_referrer_policy_on_every_answer() {
    all_have("referrer-policy", |value| value == "no-referrer");
}

#[test]
fn asvs_3_4_6_no_frames_on_every_answer() {
    all_have("content-security-policy", |value| value.contains("frame-ancestors 'none'"));
}

#[test]
fn asvs_3_4_8_opener_policy_on_every_answer() {
    all_have("cross-origin-opener-policy", |value| value == "same-origin");
}

#[test]
fn asvs_14_3_2_authenticated_answers_are_never_stored() {
    let bench = Bench::start();
    for line in ["GET /me", "GET /me-cached", "GET /patients/p-1", "GET /patients/p-2", "GET /panic"] {
        assert_eq!(bench.doctor(line).header("cache-control"), Some("no-store"), "{line}");
    }
    assert_eq!(bench.get("/cached", &[]).header("cache-control"), Some("public, max-age=60"));
    assert_eq!(bench.get("/health", &[]).header("cache-control"), Some("no-store"));
}

#[test]
fn asvs_14_2_5_a_cache_cannot_be_deceived_by_a_path() {
    let bench = Bench::start();
    for target in [
        "/me/style.css",
        "/me.css",
        "/me;x.css",
        "/me%2fstyle.css",
        "/me%00.css",
        "/patients/p-1/x.png",
        "/me?x.css",
    ] {
        let answer = bench.doctor(&format!("GET {target}"));
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        assert_eq!(answer.status, if target == "/me?x.css" { 200 } else { 404 }, "{target}");
    }
}

#[test]
fn asvs_13_4_6_no_answer_names_a_product_or_version() {
    let bench = Bench::start();
    for (_, answer) in every_kind(&bench) {
        assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none());
        let shown = format!("{answer:?}").to_ascii_lowercase();
        assert!(
            !shown.contains("bartizan") && !shown.contains("axum") && !shown.contains("hyper"),
            "{shown}"
        );
    }
}

#[test]
fn request_ids_are_ours_and_never_alike() {
    let bench = Bench::start();
    let mut ids: Vec<String> = (0..50)
        .map(|_| bench.get("/health", &["X-Request-Id: chosen"]).header("x-request-id").unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == 50 && ids.iter().all(|id| id.len() == 32));
}

#[test]
fn a_handler_may_record_where_a_request_came_from() {
    let bench = Bench::start();
    let answer = bench.get("/client", &[&format!("User-Agent: {}", "x".repeat(300))]);
    let id = answer.header("x-request-id").unwrap();
    assert_eq!(answer.body, format!("Some(127.0.0.1) Some({id:?}) Some({:?})", "x".repeat(255)));
    let answer = Bench::with(|router| router.clients(Clients::BehindProxies)).get("/client", &[]);
    assert!(answer.body.starts_with("None Some(") && answer.body.ends_with("None"), "{answer:?}");
}
