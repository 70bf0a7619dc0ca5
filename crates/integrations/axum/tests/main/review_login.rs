//! Attacks of a second reviewer on browsers' sessions, over real sockets.

use std::{sync::Arc, time::Duration};

use axum::{http::header::SET_COOKIE, response::AppendHeaders};
use bartizan_axum::{SecureRouter, Who, get, post};
use bartizan_core::SecretText;
use bartizan_crypto_ring::Ring;
use bartizan_http::{Logins, Origins, SessionCookie};
use bartizan_sessions::{By, Freshness, Login, MemoryStore, Policy, Sessions};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};

use crate::{
    bench::{Bench, Created, NOW},
    browser::now,
    mint,
};

const SAME: &str = "Sec-Fetch-Site: same-origin";
const CROSS: &str = "Sec-Fetch-Site: cross-site";
const SIBLING: &str = "Sec-Fetch-Site: same-site";

/// A service that logs in by a link, as those in mails and those that come back from another login do, and a browser with a session.
fn start() -> (Bench, &'static str) {
    let clock = Arc::new(ManualClock::at(NOW));
    let entropy = Arc::new(SeededEntropy::new(3));
    let store = Arc::new(MemoryStore::new());
    let sessions =
        Sessions::new(mint::ISSUER, store, Arc::new(Ring::new()), entropy, clock.clone(), Policy::guide())
            .unwrap();
    let (_, token) = now(sessions.login(&Login::new("north", "ada"), &By::owner())).unwrap();
    let origins = Origins::of(["https://clinic.example"]).unwrap();
    let logins = Logins::of(sessions).cookies(SessionCookie::Lax, origins);
    let given = || {
        let text = SecretText::new("attackers".to_owned());
        AppendHeaders([(SET_COOKIE, SessionCookie::Lax.set(&text, Duration::from_secs(60)).unwrap())])
    };
    let routes = move |router: SecureRouter<Created>| {
        router
            .route(get("/link", async move || given()).public("how a session is had by a link"))
            .route(get("/picture", async || "seen").public("a picture that everybody may show"))
            .route(get("/renew", async move || given()).authenticated().fresh(Freshness::ReadThrough))
            .route(
                get("/live", async |Who(who): Who| who.subject().to_owned())
                    .authenticated()
                    .fresh(Freshness::ReadThrough),
            )
            .route(post("/change", async || "changed").authenticated().fresh(Freshness::ReadThrough))
    };
    let bench = Bench::of(Arc::new(MemoryRecorder::default()), clock, |guard| guard.logins(logins), routes);
    (bench, format!("Cookie: __Host-sid={}", token.expose()).leak())
}

/// `<img src=https://clinic.example/link?…>` on a page of a sibling host: `SameSite` does not stop its cookie.
#[test]
fn asvs_3_5_1_no_picture_of_another_site_logs_a_browser_in() {
    let (bench, _) = start();
    for embedded in [
        &[SIBLING, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"][..],
        &[CROSS, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
        &[CROSS, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
        &[SIBLING, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", "Origin: https://x.clinic.example"],
        &["Origin: https://evil.example"],
    ] {
        let answer = bench.get("/link", embedded);
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{embedded:?}");
        assert_eq!(answer.code(), "CROSS_SITE_REQUEST");
        assert_eq!(bench.recorded().last(), Some(&("malicious_csrf", Some("cross_site"))));
        // What gives no session may be shown anywhere.
        assert_eq!(bench.get("/picture", embedded).status, 200);
    }
    // Somebody follows the link, from a mail or from where they logged in.
    let visit = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
    for site in [SAME, CROSS, SIBLING, "Sec-Fetch-Site: none"] {
        let answer = bench.get("/link", &[site, visit[0], visit[1]]);
        assert!(answer.status == 200 && answer.header("set-cookie").is_some(), "{site}");
    }
}

/// A handshake is a GET, and nothing but its headers stops another site's script (RFC 6455 section 10.2).
#[test]
fn asvs_4_4_2_another_site_opens_no_web_socket_by_a_cookie() {
    let (bench, cookie) = start();
    let shake = |more: &[&str]| {
        let upgrade = [
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ];
        let all: Vec<&str> = more.iter().copied().chain(upgrade).chain([cookie]).collect();
        bench.get("/live", &all).status
    };
    for refused in [
        &["Origin: https://evil.example"][..],
        &["Origin: null"],
        &[
            "Origin: https://x.clinic.example",
            SIBLING,
            "Sec-Fetch-Mode: websocket",
            "Sec-Fetch-Dest: websocket",
        ],
        &["Origin: https://evil.example", CROSS, "Sec-Fetch-Mode: websocket"],
        &["Origin: https://evil.example", CROSS, "Sec-Fetch-Mode: websocket", "Sec-Fetch-Dest: empty"],
    ] {
        assert_eq!(shake(refused), 403, "{refused:?}");
    }
    assert_eq!(shake(&["Origin: https://clinic.example", SAME, "Sec-Fetch-Mode: websocket"]), 200);
    assert_eq!(shake(&["Origin: https://clinic.example"]), 200);
}

#[test]
fn a_cookie_that_only_looks_like_the_one_is_never_taken_and_never_hides_it() {
    let (bench, cookie) = start();
    let value = cookie.strip_prefix("Cookie: __Host-sid=").unwrap();
    for alike in
        ["__Secure-sid", "Host-sid", "__Host-sid2", "___Host-sid", "__Host_sid", "$Version", "__Host-si%64"]
    {
        let other = format!("Cookie: {alike}={value}");
        assert_eq!(bench.get("/live", &[&other]).status, 401, "{alike}");
        for both in [format!("{cookie}; {alike}=x"), format!("Cookie: {alike}=x; __Host-sid={value}")] {
            assert_eq!(bench.get("/live", &[&both]).status, 200, "{alike}");
        }
    }
    for planted in [
        format!("Cookie: =__Host-sid={value}"),
        format!("Cookie: __host-sid={value}"),
        format!("Cookie: __Host-sid={value}, a=b"),
        format!("Cookie: __Host-sid = {value}"),
    ] {
        assert!(matches!(bench.get("/live", &[&planted]).status, 400 | 401), "{planted:.20}");
    }
}
