//! Limits of routes over real sockets, and whose address counts.

use std::{sync::Arc, time::Duration};

use bartizan_axum::{ClientIp, Clients, SecureRouter, get, post};
use bartizan_http::RouteLimit;
use bartizan_rate_limit::{ForwardingHeader, Limiter, MemoryLimits, OnOutage, Policy, Quota, TrustedProxies};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};

use crate::bench::{Bench, Created, NOW, authorization};

fn policy(name: &str, limit: u32) -> Policy {
    Policy::new(name, Quota::per(limit, Duration::from_secs(60)).unwrap(), OnOutage::Closed).unwrap()
}

fn start(clients: Clients) -> Bench {
    let clock = Arc::new(ManualClock::at(NOW));
    let memory = MemoryLimits::new(100_000, clock.clone(), &SeededEntropy::new(2)).unwrap();
    let limiter = Arc::new(Limiter::in_memory(Arc::new(memory)));
    let routes = |router: SecureRouter<Created>| {
        router
            .clients(clients)
            .route(get("/ip", async |ClientIp(address): ClientIp| address.to_string()).public("to see it"))
            .route(
                post("/open", async || "ok")
                    .public("to be limited")
                    .limit(RouteLimit::by_address(policy("open", 3))),
            )
            .route(
                get("/me", async || "me")
                    .authenticated()
                    .limit(RouteLimit::by_address(policy("address", 5)))
                    .limit(RouteLimit::by_principal(policy("each", 2))),
            )
    };
    Bench::of(Arc::new(MemoryRecorder::default()), clock, |guard| guard.limited_by(limiter), routes)
}

#[test]
fn a_route_is_asked_so_often_and_then_says_when_to_come_back() {
    let bench = start(Clients::Direct);
    for left in ["2", "1", "0"] {
        let answer = bench.send("POST /open", &[], b"");
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
        assert_eq!(answer.header("ratelimit-policy"), Some(r#""open";q=3;w=60"#));
        assert!(answer.header("ratelimit").unwrap().starts_with(&format!(r#""open";r={left};t="#)));
    }
    let answer = bench.send("POST /open", &[], b"");
    assert_eq!((answer.status, answer.code().as_str()), (429, "RATE_LIMIT_EXCEEDED"));
    assert_eq!(answer.header("retry-after"), Some("20"));
    assert_eq!(answer.header("ratelimit"), Some(r#""open";r=0;t=20"#));
    assert_eq!(bench.recorded(), [("excess_rate_limit_exceeded", Some("rate_limit"))]);
    assert!(bench.is_on_record("127.0.0.1"));
    bench.clock.advance(Duration::from_secs(20));
    assert_eq!(bench.send("POST /open", &[], b"").status, 200);
}

#[test]
fn by_address_comes_before_authentication_and_by_principal_after_it() {
    let bench = start(Clients::Direct);
    let doctor = authorization("doctor");
    for _ in 0..2 {
        let answer = bench.get("/me", &[&doctor]);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), Some(r#""address";q=5;w=60, "each";q=2;w=60"#));
    }
    let answer = bench.get("/me", &[&doctor]);
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("ratelimit-policy"), Some(r#""each";q=2;w=60, "address";q=5;w=60"#));
    assert_eq!(answer.header("ratelimit"), Some(r#""each";r=0;t=30, "address";r=2;t=36"#));
    // Bad tokens are counted before they are looked at.
    for _ in 0..2 {
        let answer = bench.get("/me", &["Authorization: Bearer a.b.c"]);
        assert_eq!(answer.status, 401);
        assert!(
            answer.header("ratelimit").unwrap().starts_with(r#""address";"#),
            "also what is refused says it"
        );
    }
    let before = bench.guard.counts();
    for header in ["Authorization: Bearer a.b.c", &doctor] {
        assert_eq!(bench.get("/me", &[header]).status, 429);
    }
    assert_eq!(bench.guard.counts(), before, "nobody was authenticated");
}

#[test]
fn whatever_a_client_writes_it_counts_for_its_own_address() {
    let bench = start(Clients::Direct);
    for n in 0..20 {
        let forged = [
            format!("X-Forwarded-For: 198.51.100.{n}"),
            format!("Forwarded: for=198.51.100.{n}"),
            format!("X-Real-IP: 198.51.100.{n}"),
            format!("X-Client-IP: 198.51.100.{n}"),
            format!("CF-Connecting-IP: 198.51.100.{n}"),
        ];
        let headers: Vec<&str> = forged.iter().map(String::as_str).collect();
        assert_eq!(bench.get("/ip", &headers).body, "127.0.0.1");
        let status = bench.send("POST /open", &headers, b"").status;
        assert_eq!(status, if n < 3 { 200 } else { 429 });
    }
}

#[test]
fn behind_a_proxy_the_last_address_that_it_did_not_write_itself_counts() {
    let proxies = TrustedProxies::in_networks(ForwardingHeader::XForwardedFor, ["127.0.0.0/8"]).unwrap();
    let bench = start(Clients::Behind(proxies));
    for (header, address) in [
        ("X-Forwarded-For: 198.51.100.7", "198.51.100.7"),
        ("X-Forwarded-For: 203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("X-Forwarded-For: 198.51.100.7, 127.0.0.2", "198.51.100.7"),
        ("X-Forwarded-For: ::ffff:198.51.100.7", "198.51.100.7"),
        ("X-Forwarded-For: 203.0.113.9, unknown", "127.0.0.1"),
        ("Forwarded: for=203.0.113.9", "127.0.0.1"),
        ("X-Other: a", "127.0.0.1"),
    ] {
        assert_eq!(bench.get("/ip", &[header]).body, address, "{header}");
    }
    let two = ["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 198.51.100.7"];
    assert_eq!(bench.get("/ip", &two).body, "198.51.100.7", "lines are one list");
    for n in 0..20 {
        let spoofed = format!("X-Forwarded-For: 203.0.113.{n}, 198.51.100.7");
        let status = bench.send("POST /open", &[&spoofed], b"").status;
        assert_eq!(status, if n < 3 { 200 } else { 429 });
    }
    assert_eq!(bench.send("POST /open", &["X-Forwarded-For: 198.51.100.8"], b"").status, 200);
    assert!(bench.is_on_record("198.51.100.7"));
}

#[test]
fn an_address_that_is_not_known_is_not_made_up() {
    let clock = Arc::new(ManualClock::at(NOW));
    let bench = Bench::of(
        Arc::new(MemoryRecorder::default()),
        clock,
        |guard| guard,
        |router: SecureRouter<Created>| {
            let ip = get("/ip", async |ClientIp(address): ClientIp| address.to_string()).public("to see it");
            router.clients(Clients::BehindProxies).route(ip)
        },
    );
    assert_eq!(bench.get("/ip", &["X-Forwarded-For: 198.51.100.7"]).status, 500);
}
