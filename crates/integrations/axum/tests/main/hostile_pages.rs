//! What a page of another site can do to whoever looks at it: their limits, the record, their cookie.

use std::{sync::Arc, time::Duration};

use bartizan_axum::{Clients, OldSession, SecureRouter, Who, get, post};
use bartizan_crypto_ring::Ring;
use bartizan_http::{Logins, Origins, RouteLimit, SessionCookie};
use bartizan_rate_limit::{Limiter, MemoryLimits, OnOutage, Policy as Limit, Quota};
use bartizan_sessions::{By, Freshness, Login, MemoryStore, Policy, Sessions};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};

use crate::{
    bench::{Answer, Bench, Created, NOW, authorization},
    browser::now,
    mint,
};

const SAME: &str = "Sec-Fetch-Site: same-origin";
const CROSS: &str = "Sec-Fetch-Site: cross-site";
const SIBLING: &str = "Sec-Fetch-Site: same-site";

/// `<img src=…>`
const PICTURE: [&str; 3] = [CROSS, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"];

const CLEARED: &str = "__Host-sid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax";

/// Five a minute of each address, for each of these routes alone.
fn five(name: &str) -> RouteLimit {
    let quota = Quota::per(5, Duration::from_secs(60)).unwrap();
    RouteLimit::by_address(Limit::new(name, quota, OnOutage::Closed).unwrap())
}

fn routes(router: SecureRouter<Created>) -> SecureRouter<Created> {
    let within = Freshness::ReadThrough;
    let me = async |Who(who): Who| who.subject().to_owned();
    router
        .clients(Clients::Direct)
        .error_pages(|problem, _, _| format!("<p>{}</p>", problem.code().as_str()))
        .route(
            post("/login", async |OldSession(old): OldSession| if old.is_some() { "again" } else { "new" })
                .public("how a session is had")
                .limit(five("login")),
        )
        .route(get("/me", me).authenticated().fresh(within).limit(five("me")))
        .route(post("/change", me).authenticated().fresh(within).limit(five("change")))
        .route(get("/page", me).authenticated().fresh(within).page())
}

/// A limited service, and a browser with a session.
fn start() -> (Bench, &'static str) {
    let clock = Arc::new(ManualClock::at(NOW));
    let (entropy, store) = (Arc::new(SeededEntropy::new(3)), Arc::new(MemoryStore::new()));
    let sessions =
        Sessions::new(mint::ISSUER, store, Arc::new(Ring::new()), entropy, clock.clone(), Policy::guide())
            .unwrap();
    let (_, token) = now(sessions.login(&Login::new("north", "ada"), &By::owner())).unwrap();
    let origins = Origins::of(["https://clinic.example"]).unwrap();
    let logins = Logins::of(sessions).cookies(SessionCookie::Lax, origins);
    let memory = MemoryLimits::new(100_000, clock.clone(), &SeededEntropy::new(2)).unwrap();
    let limiter = Arc::new(Limiter::in_memory(Arc::new(memory)));
    let recorder = Arc::new(MemoryRecorder::default());
    let bench = Bench::of(recorder, clock, |guard| guard.logins(logins).limited_by(limiter), routes);
    (bench, format!("Cookie: __Host-sid={}", token.expose()).leak())
}

fn left(answer: &Answer) -> Option<&str> {
    answer.header("ratelimit").and_then(|told| told.split(';').nth(1))
}

#[test]
fn a_page_of_another_site_uses_up_no_limit_of_whoever_looks_at_it() {
    let (bench, cookie) = start();
    for _ in 0..10 {
        for (line, headers) in [
            ("POST /login", &[CROSS][..]),
            ("POST /login", &[SIBLING, cookie]),
            ("POST /login", &["Origin: null"]),
            // `SameSite` kept the cookie back, or did not.
            ("POST /change", &[CROSS]),
            ("POST /change", &[SIBLING, cookie]),
            ("POST /change", &[CROSS, "Authorization: Basic YTpi"]),
            ("POST /change", &[CROSS, "Cookie: __Host-sid=\"\""]),
            ("GET /me", &PICTURE),
            ("GET /me", &[PICTURE[0], PICTURE[1], PICTURE[2], cookie]),
        ] {
            let answer = bench.send(line, headers, b"");
            let found = (answer.status, answer.code(), left(&answer).is_none());
            assert_eq!(found, (403, "CROSS_SITE_REQUEST".to_owned(), true), "{line} {headers:?}");
        }
    }
    for (line, body) in [("POST /login", "again"), ("POST /change", "ada"), ("GET /me", "ada")] {
        let answer = bench.send(line, &[SAME, cookie], b"");
        assert_eq!((answer.status, answer.body.as_str(), left(&answer)), (200, body, Some("r=4")), "{line}");
    }
}

/// No browser adds a token by itself, so that it says nothing of whose page asks; a guess at one is counted wherever it comes from.
#[test]
fn a_token_is_judged_and_counted_from_everywhere() {
    let (bench, _) = start();
    let doctor = authorization("doctor");
    let answer = bench.send("POST /change", &[CROSS, &doctor], b"");
    assert_eq!((answer.status, left(&answer)), (200, Some("r=4")));
    for n in (0..4).rev() {
        let answer = bench.send("POST /change", &[CROSS, "Authorization: Bearer a.b.c"], b"");
        assert_eq!((answer.status, left(&answer)), (401, Some(&*format!("r={n}"))));
    }
    assert_eq!(bench.send("POST /change", &[CROSS, &doctor], b"").status, 429);
}

/// A browser that says nothing of the sender is old, or none: nobody can make one of today do so.
#[test]
fn who_says_nothing_of_the_sender_is_counted_and_gets_nothing_by_a_cookie() {
    let (bench, cookie) = start();
    let answer = bench.send("POST /change", &[cookie], b"");
    assert_eq!((answer.status, left(&answer)), (403, Some("r=4")));
    assert_eq!(bench.recorded(), [("malicious_csrf", Some("no_word_of_sender"))]);
}

#[test]
fn a_flood_of_them_is_on_record_once_a_minute_for_each_route_with_its_number() {
    let (bench, cookie) = start();
    let ask = |line: &str| assert_eq!(bench.send(line, &[SIBLING, cookie], b"").status, 403);
    (0..30).for_each(|_| ask("POST /login"));
    (0..20).for_each(|_| ask("POST /change"));
    assert_eq!(bench.recorded(), [("malicious_csrf", Some("cross_site")); 2]);
    bench.clock.advance(Duration::from_secs(59));
    ask("POST /login");
    assert_eq!(bench.recorded().len(), 2);
    bench.clock.advance(Duration::from_secs(1));
    ask("POST /login");
    let facts = bench.recorder.facts();
    assert!(facts.len() == 3 && facts[2].shown.contains("Number(31)"), "{}", facts[2].shown);
    // Every one of them is counted among those who were not let in.
    assert_eq!(bench.guard.counts().refused, 20);
}

#[test]
fn a_refusal_that_could_not_be_recorded_is_an_outage_until_it_can() {
    let (bench, cookie) = start();
    bench.recorder.refuse();
    for line in ["POST /login", "POST /login", "POST /change", "POST /change"] {
        assert_eq!(bench.send(line, &[CROSS, cookie], b"").status, 503, "{line}");
    }
    assert_eq!(bench.guard.counts().failed, 2);
}

/// Browsers send a cookie until it ends. One that lets nobody in, whatever they do, is taken away with the refusal.
#[test]
fn a_malformed_cookie_is_refused_once_and_then_gone() {
    let (bench, cookie) = start();
    let long = format!("Cookie: __Host-sid={}", "a".repeat(4_096));
    for malformed in
        ["Cookie: __Host-sid=\"a\"", "Cookie: theme=dark; __Host-sid=", "Cookie: __Host-sid=a b", &long]
    {
        for line in ["GET /me", "POST /change", "POST /login"] {
            let answer = bench.send(line, &[SAME, malformed], b"");
            let found = (answer.status, answer.code(), answer.header("set-cookie"));
            assert_eq!(found, (400, "INVALID_REQUEST".to_owned(), Some(CLEARED)), "{line} {malformed:.40}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let page = bench.get("/page", &[malformed]);
        assert_eq!((page.status, page.header("set-cookie")), (400, Some(CLEARED)));
        assert_eq!(page.body, "<p>INVALID_REQUEST</p>");
        bench.clock.advance(Duration::from_secs(60));
    }
    // What the browser then sends.
    assert_eq!(bench.get("/me", &[SAME]).code(), "UNAUTHORIZED");
    assert_eq!(bench.send("POST /login", &[SAME], b"").body, "new");
    // A session that lives, or ended, is not taken away: its cookie is well-formed.
    assert_eq!(bench.get("/me", &[cookie]).header("set-cookie"), None);
    assert_eq!(bench.get("/me", &["Cookie: __Host-sid=ended"]).header("set-cookie"), None);
}

/// Taking ours away would leave the other one, and log its user out for whoever planted that.
#[test]
fn a_cookie_that_stands_there_twice_or_looks_like_ours_is_refused_and_takes_nothing_away() {
    let (bench, cookie) = start();
    for (other, reason) in [
        (format!("{cookie}; __Host-sid=a"), "duplicate_cookie"),
        (format!("{cookie}; __host-sid=a"), "duplicate_cookie"),
        (format!("{cookie}; __Host-sid=\"\""), "duplicate_cookie"),
        ("Cookie: __host-sid=a".to_owned(), "lookalike_cookie"),
    ] {
        let answer = bench.get("/me", &[&other]);
        assert_eq!((answer.status, answer.header("set-cookie")), (400, None), "{reason}");
        assert_eq!(bench.recorded().last(), Some(&("token_misplaced", Some(reason))));
    }
    assert_eq!(bench.get("/me", &[cookie]).status, 200);
}
