//! What a reviewer with fresh eyes tried.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{
        HeaderName, StatusCode,
        header::{CACHE_CONTROL, LOCATION, UPGRADE},
    },
};
use bartizan_axum::{ErrorKind, Guarded, Route, SecureRouter, StrictJson, get, post};
use bartizan_core::{Permission, Resource};
use bartizan_testkit::{BrokenEntropy, ManualClock, SeededEntropy};

use crate::bench::{self, Bench, CANARY, authorization, request};

const READ: Permission = Permission::literal("patient:read");
const LIST: Permission = Permission::literal("patient:list");
const ERASE: Permission = Permission::literal("patient:erase").critical();

/// The same name, without the importance that the route demands.
const ERASE_UNNOTICED: Permission = Permission::literal("patient:erase");

const JSON: &str = "Content-Type: application/json";

#[test]
fn a_second_policy_of_a_route_is_refused_and_not_put_in_place_of_the_first() {
    let kinds = |route: Route<_>| {
        let (recorder, clock) = (Arc::default(), Arc::new(ManualClock::at(bench::NOW)));
        let entropy = Arc::new(SeededEntropy::new(1));
        let router: SecureRouter = bench::router(&recorder, &clock, entropy).0;
        let built = router.route(route).build();
        built.map_or_else(|error| error.faults().iter().map(|fault| fault.kind()).collect(), |_| Vec::new())
    };
    let route = || get("/a", async || "a");
    assert_eq!(kinds(route().requires(READ)), []);
    for two in [
        route().requires(READ).requires(LIST),
        route().requires(LIST).requires_on_record(READ),
        route().requires(READ).authenticated(),
        route().requires(READ).public("for a while"),
    ] {
        assert_eq!(kinds(two), [ErrorKind::SecondPolicy]);
    }
}

#[test]
fn a_body_that_outlives_the_decision_made_for_it_is_not_carried_out() {
    let body = br#"{"name":"Ada","age":36}"#;
    let (one, two) = body.split_at(10);
    let bench = Bench::start();
    let length = format!("Content-Length: {}", body.len());
    let expects = [&authorization("doctor"), JSON, &length, "Expect: 100-continue"];
    let head = request("POST /patients", &expects, b"");
    let after =
        |seconds| bench.in_two_parts(&head, one, || bench.clock.advance(Duration::from_secs(seconds)), two);
    assert_eq!((after(60).status, bench.created()), (201, 1));
    let answer = after(61);
    assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"));
    assert_eq!(bench.created(), 1);
}

#[test]
fn userinfo_in_the_url_is_a_credential_in_the_url() {
    let bench = Bench::start();
    let doctor = authorization("doctor");
    for target in [format!("http://ada:{CANARY}@clinic/me"), "http://ada@clinic/me".to_owned()] {
        let answer = bench.get(&target, &[&doctor]);
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"), "{target}");
        assert!(!bench.is_on_record(CANARY));
    }
    assert_eq!(bench.recorded().last(), Some(&("token_misplaced", Some("credentials_in_url"))));
    assert_eq!(bench.get("http://clinic/me", &[&doctor]).status, 200);
}

#[test]
fn two_hosts_are_one_too_many() {
    let bench = Bench::start();
    for second in ["Host: clinic", "Host: elsewhere"] {
        let answer = bench.get("/health", &[second]);
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"));
    }
}

/// One request in which a second one hides, for whoever frames it otherwise.
#[test]
fn ambiguous_framing_is_refused_or_ends_the_connection() {
    const SMUGGLED: &[u8] = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let bench = Bench::start();
    let send = |version: &str, headers: &[&str], body: &[u8]| {
        let mut bytes = format!("POST /echo {version}\r\nHost: a\r\n").into_bytes();
        for header in headers {
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        bench.raw(&bytes)
    };
    let length = format!("Content-Length: {}", SMUGGLED.len());
    let chunked = "Transfer-Encoding: chunked";
    for headers in [[length.as_str(), chunked], [chunked, &length]] {
        let answer = send("HTTP/1.1", &headers, SMUGGLED);
        assert_eq!((answer.answers, answer.header("connection")), (1, Some("close")), "{answer:?}");
    }
    for headers in [
        &["Content-Length: 5", "Content-Length: 6"][..],
        &["Content-Length: 5, 5"],
        &["Content-Length: +5"],
        &["Content-Length: 0x5"],
        &["Content-Length: 5 ", "Content-Length: 05, 6"],
        &["Transfer-Encoding: xchunked"],
        &["Transfer-Encoding: identity"],
        &["Transfer-Encoding: chunked, identity"],
        &["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        &["Transfer-Encoding : chunked"],
        &["Transfer-Encoding:\u{b}chunked"],
        &["X: a", " folded: b", "Content-Length: 5"],
        &["Content-Length: 99999999999999999999999"],
    ] {
        let answer = send("HTTP/1.1", headers, SMUGGLED);
        assert_eq!((answer.status, answer.answers), (400, 1), "{headers:?} {answer:?}");
    }
    assert_eq!(send("HTTP/1.0", &[chunked], SMUGGLED).status, 400);
    for chunks in [
        &b"5\nabcde\r\n0\r\n\r\n"[..],
        b"+5\r\nabcde\r\n0\r\n\r\n",
        b"0x5\r\nabcde\r\n0\r\n\r\n",
        b"5\r\nabcdeXX0\r\n\r\n",
        b"fffffffffffffffff\r\na",
    ] {
        let answer = send("HTTP/1.1", &[chunked], chunks);
        assert_eq!((answer.status, answer.answers), (400, 1), "{chunks:?}");
    }
}

#[test]
fn a_trailer_is_no_header() {
    let bench = Bench::start();
    let body = format!("0\r\n{}\r\n\r\n", authorization("doctor"));
    let answer = bench.send(
        "POST /patients",
        &["Transfer-Encoding: chunked", JSON, "Trailer: Authorization"],
        body.as_bytes(),
    );
    assert_eq!(answer.status, 401);
}

#[test]
fn too_many_or_too_long_headers_end_the_request() {
    let bench = Bench::start();
    let many: Vec<String> = (0..200).map(|n| format!("X-{n}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(bench.get("/health", &many).status, 431);
    let long = format!("Authorization: Bearer {}", "a".repeat(64 * 1024));
    assert_eq!(bench.get("/me", &[&long]).status, 400);
    assert_eq!(bench.get("/health", &[&format!("X: {}", "a".repeat(1024 * 1024))]).status, 431);
}

#[test]
fn old_http_meets_the_same_guard() {
    let bench = Bench::start();
    assert_eq!(bench.raw(b"GET /health HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn a_request_id_is_ours_even_when_we_have_none() {
    let bench = Bench::drawing_from(Arc::new(BrokenEntropy), |router| {
        router.route(get("/echoes", async || ([("x-request-id", CANARY)], "a")).public("to name an own id"))
    });
    assert_eq!(bench.get("/echoes", &[]).header("x-request-id"), None);
}

#[test]
fn a_handler_cannot_ask_for_less_than_the_route_demands() {
    let bench = Bench::with(|router| {
        router.route(
            get("/erases", async |guarded: Guarded| {
                let record = Resource::record("north", "patient", "p-1");
                guarded.authorize(ERASE_UNNOTICED, record).await.map(|_| "erased")
            })
            .requires_on_record(ERASE),
        )
    });
    assert_eq!(bench.doctor("GET /erases").status, 500);
}

#[test]
fn no_kind_of_answer_leaves_without_a_decision() {
    let bench = Bench::with(|router| {
        router
            .route(
                get("/redirects", async || (StatusCode::FOUND, [(LOCATION, CANARY)]))
                    .requires_on_record(READ),
            )
            .route(
                get("/upgrades", async || (StatusCode::SWITCHING_PROTOCOLS, [(UPGRADE, "websocket")]))
                    .requires_on_record(READ),
            )
            .route(
                get("/streams", async |guarded: Guarded| {
                    // The question is asked beside the answer: too late.
                    drop(tokio::spawn(async move {
                        std::future::pending::<()>().await;
                        guarded.authorize(READ, Resource::record("north", "patient", "p-1")).await.is_ok()
                    }));
                    CANARY
                })
                .requires_on_record(READ),
            )
    });
    for target in ["/redirects", "/upgrades", "/streams"] {
        let answer =
            bench.send(&format!("GET {target}"), &[&authorization("doctor"), "Upgrade: websocket"], b"");
        assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL"), "{target}");
        assert!(!answer.contains(CANARY));
    }
}

#[test]
fn no_cache_of_any_name_keeps_what_was_made_for_somebody() {
    let headers = || {
        [
            (CACHE_CONTROL, "public, max-age=60"),
            (HeaderName::from_static("cdn-cache-control"), "public, max-age=60"),
            (HeaderName::from_static("surrogate-control"), "max-age=60"),
        ]
    };
    let bench = Bench::with(|router| {
        router
            .route(get("/mine", async move || (headers(), "a")).authenticated())
            .route(get("/ours", async move || (headers(), "a")).public("a public document"))
    });
    let mine = bench.doctor("GET /mine");
    assert_eq!(mine.header("cache-control"), Some("no-store"));
    assert_eq!((mine.header("cdn-cache-control"), mine.header("surrogate-control")), (None, None));
    assert_eq!(bench.get("/ours", &[]).header("cdn-cache-control"), Some("public, max-age=60"));
}

#[test]
fn a_list_is_no_object() {
    let bench = Bench::start();
    let answer = bench.post("/patients", "application/json", br#"["Ada",36]"#);
    assert_eq!((answer.status, answer.code().as_str()), (400, "VALIDATION_ERROR"));
    assert_eq!(bench.created(), 0);
    let bench = Bench::with(|router| {
        router.route(
            post("/sum", async |StrictJson(all): StrictJson<Vec<u8>>| format!("{all:?}")).public("lists"),
        )
    });
    assert_eq!(bench.post("/sum", "application/json", b"[1,2]").body, "[1, 2]");
}

/// Panics when it is dropped.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("{CANARY}");
        }
    }
}

#[test]
fn a_panic_in_a_drop_harms_its_own_request_alone() {
    let bench = Bench::with(|router| {
        router
            .route(
                get("/drops", async || {
                    let _mine = Mine;
                    "a"
                })
                .authenticated(),
            )
            .route(
                get("/drops-late", async || {
                    let mut response = axum::response::Response::new(Body::from("a"));
                    response.extensions_mut().insert(Arc::new(Mine));
                    *response.status_mut() = StatusCode::BAD_REQUEST;
                    response
                })
                .authenticated(),
            )
    });
    for line in ["GET /drops", "GET /drops-late"] {
        let answer = bench.doctor(line);
        assert_eq!((answer.status, answer.code().as_str()), (500, "INTERNAL"), "{line}");
        assert!(!answer.contains(CANARY));
    }
    assert_eq!(bench.doctor("GET /me").status, 200, "the service lives on");
}

/// A body that panics when it is read.
struct Unreadable;

impl hyper::body::Body for Unreadable {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        panic!("{CANARY}")
    }
}

#[test]
fn a_panic_while_a_body_streams_ends_its_connection_alone() {
    let bench = Bench::with(|router| {
        router.route(get("/unreadable", async || Body::new(Unreadable)).authenticated())
    });
    let line = request("GET /unreadable", &[&authorization("doctor")], b"");
    assert!(!bench.hang_up_after(&line).is_some_and(|answer| answer.contains(CANARY)));
    assert_eq!(bench.doctor("GET /me").status, 200, "the service lives on");
}

#[test]
fn a_router_inside_another_keeps_its_guard() {
    let bench = Bench::nested("/api");
    assert_eq!(bench.get("/api/me", &[]).status, 401);
    assert_eq!(bench.doctor("GET /api/me").status, 200);
    for trick in [
        "/api//me",
        "/api/./me",
        "/api/health/../me",
        "/api/me/",
        "/api/%2e/me",
        "//api/me",
        "/api/../api/me",
        "/me",
    ] {
        assert!(matches!(bench.doctor(&format!("GET {trick}")).status, 404), "{trick}");
    }
    assert_eq!(bench.doctor("GET /api/forgetful").status, 500);
}
