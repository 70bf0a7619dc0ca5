//! Browsers with a session's cookie, programs with a key, and other sites that try to use them.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{
    extract::State,
    http::{HeaderName, header::SET_COOKIE},
    response::{AppendHeaders, Html, IntoResponse},
};
use bartizan_axum::{OldSession, Problem, SecureRouter, SeeOther, StrictForm, StrictJson, Who, get, post};
use bartizan_core::RawToken;
use bartizan_crypto_ring::Ring;
use bartizan_http::{KeyPlace, Logins, Origins, SafeRedirect, SessionCookie, StepUp};
use bartizan_sessions::{By, Ended, ErrorKind, Freshness, Login, NewKey, Policy, SessionId, Sessions};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use serde::Deserialize;

use crate::{
    bench::{Answer, Bench, CANARY, Created, NOW, authorization},
    faulty::{Fault, Faulty},
    mint,
};

/// A store in memory never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

const ORIGIN: &str = "Origin: https://clinic.example";
const SAME: &str = "Sec-Fetch-Site: same-origin";
const CROSS: &str = "Sec-Fetch-Site: cross-site";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    next: String,
}

/// Everybody is Ada here: what a login looks at is not what is tested.
async fn login(
    sessions: Sessions,
    old: OldSession,
    body: Next,
) -> Result<impl IntoResponse + use<>, Problem> {
    let old = old.0.as_ref().map(|text| RawToken::new(text.expose()));
    let login = Login::new("north", "ada").roles(["doctor"]).acr("pwd").instead_of(old);
    let (session, token) = sessions.login(&login, &By::owner()).await?;
    let cookie = SessionCookie::Lax.set(token.secret(), session.expires.since(NOW))?;
    let next = SafeRedirect::parse(&body.next).unwrap_or_default();
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), SeeOther(next)))
}

async fn logout(sessions: Sessions, Who(who): Who) -> Result<impl IntoResponse, Problem> {
    let key = who.session().map(SessionId::parse).transpose()?.map(|id| id.key);
    if let Some(key) = key {
        sessions.end(who.tenant(), who.subject(), key, Ended::LoggedOut, &By::principal(&who)).await?;
    }
    Ok((AppendHeaders([(SET_COOKIE, SessionCookie::Lax.clear())]), SeeOther(SafeRedirect::default())))
}

async fn change(State(created): State<Created>, Who(who): Who, StrictJson(_): StrictJson<Next>) -> String {
    created.fetch_add(1, Ordering::SeqCst);
    who.subject().to_owned()
}

fn routes(sessions: &Sessions, router: SecureRouter<Created>) -> SecureRouter<Created> {
    let within = Freshness::Snapshot(Duration::from_secs(5));
    let (entry, exit) = (sessions.clone(), sessions.clone());
    router
        .route(
            get("/cached", async || ([("cache-control", "public, max-age=60")], "kept")).public("a document"),
        )
        .route(get("/login", async || Html("<form method=post>")).public("the form").page())
        .route(
            post("/form", async |StrictForm(form): StrictForm<Next>| form.next)
                .public("to read a form")
                .page(),
        )
        .route(
            post("/login", async move |old: OldSession, StrictJson(body): StrictJson<Next>| {
                login(entry.clone(), old, body).await
            })
            .public("how a session is had"),
        )
        .route(
            post("/logout", async move |who: Who| logout(exit.clone(), who).await)
                .authenticated()
                .fresh(Freshness::ReadThrough),
        )
        .route(get("/me", async |Who(who): Who| who.subject().to_owned()).authenticated().fresh(within))
        .route(post("/change", change).authenticated().fresh(within))
        .route(
            post("/erase", async || "done")
                .authenticated()
                .fresh(Freshness::ReadThrough)
                .step_up(StepUp::within(Duration::from_secs(300)).acr(["pwd", "mfa"])),
        )
}

/// A service with one browser logged in, and one program that has a key.
struct Clinic {
    bench: Bench,
    store: Arc<Faulty>,
    sessions: Sessions,
    cookie: &'static str,
    key: &'static str,
}

fn start() -> Clinic {
    let clock = Arc::new(ManualClock::at(NOW));
    let (store, entropy) = (Arc::new(Faulty::default()), Arc::new(SeededEntropy::new(3)));
    let sessions = Sessions::new(
        mint::ISSUER,
        store.clone(),
        Arc::new(Ring::new()),
        entropy,
        clock.clone(),
        Policy::guide(),
    )
    .unwrap();
    let keys = sessions.api_keys("clinic").unwrap();
    let (_, token) =
        now(sessions.login(&Login::new("north", "ada").roles(["doctor"]).acr("pwd"), &By::owner())).unwrap();
    let (_, key) = now(keys.make(&NewKey::new("north", "ada", "backup"), &By::owner())).unwrap();
    let logins = Logins::of(sessions.clone())
        .cookies(SessionCookie::Lax, Origins::of(["https://clinic.example"]).unwrap())
        .api_keys(KeyPlace::header(&HeaderName::from_static("x-api-key")).unwrap(), keys);
    let recorder = Arc::new(MemoryRecorder::default());
    let bench = Bench::of(recorder, clock, |guard| guard.logins(logins), |router| routes(&sessions, router));
    let cookie = format!("Cookie: theme=dark; __Host-sid={}", token.expose()).leak();
    Clinic { bench, store, sessions, cookie, key: format!("X-API-Key: {}", key.expose()).leak() }
}

/// The one cookie that an answer sets, as a browser sends it back.
fn cookie_of(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap();
    format!("Cookie: {}", set.split(';').next().unwrap())
}

const BODY: &[u8] = br#"{"next":"/"}"#;

fn post_json(bench: &Bench, target: &str, headers: &[&str], body: &[u8]) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    let all: Vec<&str> =
        headers.iter().copied().chain([&*length, "Content-Type: application/json"]).collect();
    bench.send(&format!("POST {target}"), &all, body)
}

#[test]
fn a_browser_a_program_and_a_token_are_each_let_in() {
    let Clinic { bench, cookie: good, key, .. } = start();
    for header in [good, key, &authorization("doctor")] {
        let answer = bench.get("/me", &[header]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "ada"), "{header:.30}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert!(bench.recorded().is_empty());
}

#[test]
fn asvs_3_3_1_asvs_3_3_3_asvs_3_3_4_a_session_leaves_in_its_cookie_alone() {
    let Clinic { bench, .. } = start();
    let answer = post_json(&bench, "/login", &[ORIGIN], br#"{"next":"/patients?page=2"}"#);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/patients?page=2")));
    let (pair, attributes) = answer.header("set-cookie").unwrap().split_once("; ").unwrap();
    assert_eq!(attributes, "Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax");
    let token = pair.strip_prefix("__Host-sid=").unwrap();
    assert!(token.starts_with("bzc1_") && !answer.body.contains(token));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!bench.is_on_record(token));
}

#[test]
fn asvs_7_2_4_a_new_login_takes_the_place_of_the_session_that_the_browser_had() {
    let Clinic { bench, cookie: good, .. } = start();
    let again = post_json(&bench, "/login", &[SAME, good], BODY);
    let renewed = cookie_of(&again);
    assert_ne!(good.rsplit_once(' ').unwrap().1, renewed.rsplit_once(' ').unwrap().1);
    assert_eq!(bench.get("/me", &[&renewed]).status, 200);
    assert_eq!(bench.get("/me", &[good]).code(), "SESSION_ENDED");
}

#[test]
fn asvs_7_4_1_a_session_that_was_logged_out_is_over_at_once() {
    let Clinic { bench, cookie: good, .. } = start();
    let out = bench.send("POST /logout", &[SAME, good], b"");
    assert_eq!((out.status, out.header("location")), (303, Some("/")));
    assert_eq!(
        out.header("set-cookie"),
        Some("__Host-sid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax")
    );
    for line in ["GET /me", "POST /change", "POST /logout"] {
        let answer = bench.send(line, &[SAME, good], b"");
        assert_eq!((answer.status, answer.code().as_str()), (401, "SESSION_ENDED"), "{line}");
    }
}

#[test]
fn asvs_3_7_2_a_login_leads_nowhere_but_back() {
    let Clinic { bench, .. } = start();
    for next in [
        "//evil.example",
        "https://evil.example",
        r"/\\evil.example",
        "/%09/evil.example",
        "/\\u000d\\u000aa",
    ] {
        let answer = post_json(&bench, "/login", &[SAME], format!(r#"{{"next":"{next}"}}"#).as_bytes());
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{next}");
    }
}

#[test]
fn asvs_3_5_1_another_site_changes_nothing() {
    let Clinic { bench, store, cookie: good, key, .. } = start();
    let asked = store.calls();
    for (headers, reason) in [
        (&[good, CROSS][..], "cross_site"),
        (&[good, "Sec-Fetch-Site: same-site"], "cross_site"),
        (&[good, "Origin: https://evil.example"], "cross_site"),
        (&[good, "Origin: null"], "cross_site"),
        (&[good, SAME, "Origin: https://evil.example"], "cross_site"),
        (&[good, SAME, CROSS], "cross_site"),
        (&[good], "no_word_of_sender"),
    ] {
        let answer = post_json(&bench, "/change", headers, BODY);
        assert_eq!((answer.status, answer.code().as_str()), (403, "CROSS_SITE_REQUEST"), "{headers:?}");
        assert_eq!(bench.recorded().last(), Some(&("malicious_csrf", Some(reason))));
    }
    assert_eq!((bench.created(), store.calls()), (0, asked));
    for headers in [&[good, SAME][..], &[good, ORIGIN], &[good, SAME, "Origin: null"], &[key, CROSS], &[key]]
    {
        assert_eq!(post_json(&bench, "/change", headers, BODY).status, 200, "{headers:?}");
    }
    assert_eq!(bench.created(), 5);
}

#[test]
fn asvs_3_5_2_a_form_that_looks_like_json_changes_nothing_from_anywhere() {
    let Clinic { bench, cookie: good, .. } = start();
    let length = format!("Content-Length: {}", BODY.len());
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let content_type = format!("Content-Type: {content_type}");
        let elsewhere = bench.send("POST /change", &[good, CROSS, &length, &content_type], BODY);
        assert_eq!(elsewhere.status, 403);
        let here = bench.send("POST /change", &[good, SAME, &length, &content_type], BODY);
        assert_eq!(here.status, 415, "{content_type}");
    }
    let none = bench.send("POST /change", &[good, SAME, &length], BODY);
    assert_eq!((none.status, bench.created()), (415, 0));
}

#[test]
fn asvs_3_5_1_another_site_logs_nobody_in() {
    let Clinic { bench, .. } = start();
    for headers in
        [&[CROSS][..], &["Origin: null"], &["Origin: https://evil.example"], &["Sec-Fetch-Site: same-site"]]
    {
        let answer = post_json(&bench, "/login", headers, BODY);
        assert_eq!((answer.status, answer.code().as_str()), (403, "CROSS_SITE_REQUEST"), "{headers:?}");
        assert!(answer.header("set-cookie").is_none());
    }
    // A program may ask, but no cookie goes where nothing says that an own page asked for it.
    let answer = post_json(&bench, "/login", &[], BODY);
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    assert_eq!(bench.recorded().last(), Some(&("malicious_csrf", Some("no_word_of_sender"))));
    assert_eq!(bench.get("/login", &[CROSS]).status, 200, "a link to the form is none of this");
}

#[test]
fn asvs_3_5_8_nothing_of_a_session_is_embedded_elsewhere() {
    let Clinic { bench, cookie: good, .. } = start();
    let visit = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
    assert_eq!(bench.get("/me", &[good, CROSS, visit[0], visit[1]]).status, 200);
    for headers in [
        &[good, CROSS, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"][..],
        &[good, CROSS, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
        &[good, CROSS, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"],
    ] {
        let answer = bench.get("/me", headers);
        assert_eq!((answer.status, answer.code().as_str()), (403, "CROSS_SITE_REQUEST"), "{headers:?}");
    }
    let answer = bench.get("/me", &[good, SAME]);
    assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
}

#[test]
fn two_credentials_are_refused_in_every_pair_and_recorded() {
    let Clinic { bench, store, cookie: good, key, .. } = start();
    let asked = store.calls();
    let bearer = format!("Authorization: Bearer {}", mint::token("north", "ada", "doctor"));
    let canary = format!("Cookie: __Host-sid={CANARY}");
    for (headers, reason) in [
        (&[good, &bearer][..], "two_credentials"),
        (&[key, &bearer], "two_credentials"),
        (&[key, good], "two_credentials"),
        (&["Authorization: Basic YTpi", good], "two_credentials"),
        (&[&canary, key], "two_credentials"),
        (&[good, &canary], "duplicate_cookie"),
        (&["Cookie: __Host-sid=good; __Host-sid=good"], "duplicate_cookie"),
        (&["Cookie: __Host-sid=good; __HOST-SID=x"], "duplicate_cookie"),
        (&["Cookie: __Host-sid=\"good\""], "malformed_cookie"),
        (&["Cookie: a=b;__Host-sid=good"], "malformed_cookie"),
        (&["Cookie: __Host-sid=gööd"], "malformed_cookie"),
        (&[key, key], "duplicate_credentials"),
        (&["X-API-Key: a b"], "malformed_credentials"),
    ] {
        let answer = bench.get("/me", headers);
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"), "{headers:?}");
        assert_eq!(bench.recorded().last(), Some(&("token_misplaced", Some(reason))), "{headers:?}");
    }
    for target in [format!("/me?access_token={CANARY}"), format!("/me?api_key={CANARY}")] {
        for header in [good, key] {
            let answer = bench.get(&target, &[header]);
            assert_eq!((answer.status, answer.contains(CANARY)), (400, false));
            assert_eq!(bench.recorded().last(), Some(&("token_misplaced", Some("credentials_in_url"))));
        }
    }
    let huge = format!("Cookie: __Host-sid=good; a={}", "a".repeat(9_000));
    assert_eq!(bench.get("/me", &[&huge]).status, 400);
    assert!(!bench.is_on_record(CANARY) && !bench.is_on_record("bzc1_") && !bench.is_on_record("clinic_"));
    assert_eq!(store.calls(), asked);
}

#[test]
fn a_session_that_ended_and_a_revoked_token_have_codes_of_their_own() {
    let Clinic { bench, sessions, cookie: good, .. } = start();
    assert_eq!(now(sessions.end_all("north", "ada", &By::owner())), Ok(1));
    let answer = bench.get("/me", &[good]);
    assert_eq!((answer.status, answer.code().as_str()), (401, "SESSION_ENDED"));
    let answer = bench.get("/me", &[&authorization("doctor")]);
    assert_eq!((answer.status, answer.code().as_str()), (401, "TOKEN_REVOKED"));
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
    let answer = bench.get("/me", &["X-API-Key: clinic_other"]);
    assert_eq!((answer.status, answer.code().as_str()), (401, "INVALID_TOKEN"));
    assert_eq!(
        bench.recorded(),
        [
            ("token_refused", Some("unknown")),
            ("token_refused", Some("revoked")),
            ("token_refused", Some("malformed"))
        ]
    );
}

#[test]
fn asvs_16_5_3_while_the_store_is_out_nobody_is_let_in_and_nobody_is_told_to_log_in() {
    let Clinic { bench, store, cookie: good, key, .. } = start();
    store.set(Some(Fault::Fails(ErrorKind::Unavailable)));
    for header in [good, key, &authorization("doctor")] {
        for line in ["GET /me", "POST /logout", "POST /change"] {
            let answer = bench.send(line, &[header, SAME], b"");
            assert_eq!((answer.status, answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"), "{line}");
            assert!(answer.header("retry-after").is_some() && answer.header("www-authenticate").is_none());
        }
    }
    assert_eq!((bench.created(), bench.recorded().len()), (0, 1), "and the log is not filled");
    store.set(None);
    assert_eq!(bench.get("/me", &[good]).status, 200, "back without a restart");
}

#[test]
fn a_store_that_hangs_is_given_up_and_the_answer_is_a_503() {
    let Clinic { bench, store, cookie: good, .. } = start();
    store.set(Some(Fault::Hangs));
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| bench.get("/me", &[good]));
        while !asking.is_finished() {
            bench.clock.advance(Duration::from_millis(100));
            std::thread::yield_now();
        }
        asking.join().unwrap()
    });
    assert_eq!((answer.status, answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"));
}

#[test]
fn asvs_7_5_3_a_marked_route_asks_for_more_recent_authentication() {
    let Clinic { bench, cookie: good, key, .. } = start();
    bench.clock.advance(Duration::from_secs(300));
    assert_eq!(bench.send("POST /erase", &[good, SAME], b"").body, "done");
    bench.clock.advance(Duration::from_secs(1));
    let answer = bench.send("POST /erase", &[good, SAME], b"");
    assert_eq!((answer.status, answer.code().as_str()), (401, "STEP_UP_REQUIRED"));
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer error="insufficient_user_authentication", acr_values="pwd mfa", max_age="300""#)
    );
    // A key and a token that say nothing of when and how.
    for header in [key, &authorization("doctor")] {
        assert_eq!(bench.send("POST /erase", &[header], b"").code(), "STEP_UP_REQUIRED");
    }
}

#[test]
fn asvs_14_3_2_no_cache_keeps_an_answer_that_a_credential_came_for_or_a_cookie_left_with() {
    let Clinic { bench, cookie: good, key, .. } = start();
    for header in
        [good, key, "Cookie: __Host-sid=bad", "Authorization: Basic YTpi", "Authorization: Bearer x"]
    {
        let answer = bench.get("/cached", &[header]);
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{header}");
    }
    for headers in [&[][..], &["Cookie: theme=dark"]] {
        let answer = bench.get("/cached", headers);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    }
    assert_eq!(post_json(&bench, "/login", &[SAME], BODY).header("cache-control"), Some("no-store"));
}

#[test]
fn methods_that_are_to_change_nothing_do_not_ask_who_sends() {
    let Clinic { bench, cookie: good, .. } = start();
    for line in ["GET /me", "HEAD /me"] {
        assert_eq!(bench.send(line, &[good], b"").status, 200, "{line}");
    }
    for line in ["get /me", "TRACE /me", "OPTIONS /me"] {
        assert_eq!(bench.send(line, &[good], b"").status, 405, "{line}");
    }
    let overridden = bench.send("GET /change", &[good, "X-HTTP-Method-Override: POST"], b"");
    assert_eq!((overridden.status, bench.created()), (405, 0));
}

#[test]
fn a_page_may_send_its_forms_home_and_its_failures_are_no_pages() {
    let Clinic { bench, .. } = start();
    let policy = |answer: &Answer| answer.header("content-security-policy").unwrap().to_owned();
    let page = bench.get("/login", &[]);
    assert!(policy(&page).contains("form-action 'self'") && policy(&page).contains("default-src 'none'"));
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    let refused = bench.send("POST /form", &[CROSS], b"");
    assert!(refused.status == 403 && policy(&refused).contains("form-action 'none'"));
    assert!(policy(&bench.get("/cached", &[])).contains("form-action 'none'"));
}

#[test]
fn a_form_is_read_strictly_and_from_own_pages_alone() {
    let Clinic { bench, .. } = start();
    let send = |sender: &str, content_type: &str, body: &str| {
        let length = format!("Content-Length: {}", body.len());
        let content_type = format!("Content-Type: {content_type}");
        bench.send("POST /form", &[sender, &length, &content_type], body.as_bytes())
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    assert_eq!(send(SAME, FORM, "next=%2Fa+b%26%C3%A9").body, "/a b&é");
    assert_eq!(send(ORIGIN, &format!("{FORM}; charset=UTF-8"), "next=a").body, "a");
    assert_eq!(send(CROSS, FORM, "next=a").status, 403);
    for content_type in ["text/plain", "application/json", "multipart/form-data; boundary=x", ""] {
        assert_eq!(send(SAME, content_type, "next=a").status, 415, "{content_type}");
    }
    for bad in [
        "",
        "next=a&next=b",
        "next=a&other=b",
        "next=%",
        "next=%00",
        "next=%0d%0a",
        "next=a#b",
        "next=\u{e9}",
        "next=a&access_token=x",
    ] {
        assert_eq!(send(SAME, FORM, bad).status, 400, "{bad}");
    }
    assert_eq!(send(SAME, FORM, &format!("next={}", "a".repeat(5_000))).status, 400);
    assert_eq!(send(SAME, FORM, &format!("next={}", "a".repeat(70_000))).status, 413);
}
