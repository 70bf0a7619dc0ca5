//! Browsers' sessions, API keys and revoked tokens, in front of the sessions of a store in memory.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bartizan_core::{Clock, Principal, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_http::{Arrival, Code, Guard, KeyPlace, Logins, Origins, Sender, SessionCookie, StepUp};
use bartizan_sessions::{By, ErrorKind, Freshness, Login, NewKey, Policy, SessionId, Sessions};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use bartizan_tokens::{Algorithm, Issuer, KeySet, SigningKey, Verifier};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::SET_COOKIE};

use crate::{
    faulty::{Fault, Faulty},
    now,
};

const CANARY: &str = "c4n4ry";
const ORIGIN: &str = "https://clinic.example";

struct Bench {
    guard: Guard,
    recorder: Arc<MemoryRecorder>,
    store: Arc<Faulty>,
    sessions: Sessions,
    clock: Arc<ManualClock>,
    /// Of one session of a browser.
    session: SessionId,
    cookie: String,
    /// Of another session.
    bearer: String,
    key: String,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let recorder = Arc::new(MemoryRecorder::default());
    let entropy = Arc::new(SeededEntropy::new(1));
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("k1"), &*entropy).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let shared: Arc<dyn Clock> = clock.clone();
    let verifier = Verifier::access_tokens("login", "api", keys, shared.clone()).unwrap();
    let issuer = Issuer::new("login", key, shared.clone(), entropy.clone()).unwrap();

    let store = Arc::new(Faulty::default());
    let policy = Policy::guide();
    let sessions =
        Sessions::new("login", store.clone(), Arc::new(Ring::new()), entropy, shared.clone(), policy)
            .unwrap();
    let keys = sessions.api_keys("clinic").unwrap();
    let (login, by) = (Login::new("north", "ada").roles(["doctor"]).acr("pwd"), By::owner());
    let (session, cookie) = now(sessions.login(&login, &by)).unwrap();
    let (other, _refresh) = now(sessions.begin(&login, &by)).unwrap();
    let token = issuer.issue(&sessions.access_token(&other, "api").unwrap()).unwrap();
    let (_, key) = now(keys.make(&NewKey::new("north", "ada", "backup"), &by)).unwrap();

    let logins = Logins::of(sessions.clone())
        .cookies(SessionCookie::Lax, Origins::of([ORIGIN]).unwrap())
        .api_keys(KeyPlace::BEARER, keys);
    let guard = Guard::new("clinic", verifier, recorder.clone(), shared).unwrap().logins(logins);
    let (session, cookie) = (session.id, format!("__Host-sid={}", cookie.expose()));
    let (bearer, key) = (format!("Bearer {}", token.expose()), format!("Bearer {}", key.expose()));
    Bench { guard, recorder, store, sessions, clock, session, cookie, bearer, key }
}

type Lines<'a> = &'a [(&'static str, &'a str)];

fn headers(lines: Lines<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

impl Bench {
    fn ask(&self, method: &Method, lines: Lines<'_>) -> Result<Principal, Code> {
        let (headers, uri) = (headers(lines), Uri::from_static("/me"));
        now(self.guard.authenticate(&Arrival::new("/me", method, &headers, &uri)))
            .map_err(|problem| problem.code())
    }

    fn code(&self, method: &Method, lines: Lines<'_>) -> Option<Code> {
        self.ask(method, lines).err()
    }

    fn admit(&self, method: &Method, lines: Lines<'_>) -> Option<Code> {
        let (headers, uri) = (headers(lines), Uri::from_static("/login"));
        let answer = self.guard.admit(&Arrival::new("/login", method, &headers, &uri));
        answer.err().map(|problem| problem.code())
    }

    fn cookie(&self) -> (&'static str, &str) {
        ("cookie", &self.cookie)
    }

    /// A cookie, a key and a token.
    fn all(&self) -> [(&'static str, &str); 3] {
        [self.cookie(), ("authorization", &self.key), ("authorization", &self.bearer)]
    }

    fn last(&self) -> (&'static str, Option<&'static str>) {
        self.recorder.facts().last().map(|fact| (fact.code.name(), fact.reason)).unwrap()
    }
}

const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");

#[test]
fn a_session_a_key_and_a_token_each_make_a_principal() {
    let bench = bench();
    for lines in bench.all() {
        let who = bench.ask(&Method::GET, &[lines]).unwrap();
        assert_eq!((who.tenant(), who.subject()), ("north", "ada"));
    }
    let among = format!("theme=dark; {}; lang=en", bench.cookie);
    let who = bench.ask(&Method::GET, &[("cookie", &among)]).unwrap();
    assert_eq!(who.session(), Some(&*bench.session.to_string()));
    assert!(bench.recorder.facts().is_empty());
}

#[test]
fn asvs_7_2_1_what_no_store_knows_is_a_401_and_on_record_by_its_kind_alone() {
    let bench = bench();
    let (unknown, zeros) = (format!("__Host-sid=bzc1_{}", "A".repeat(64)), "A".repeat(64));
    let (rest, last) = bench.cookie.split_at(bench.cookie.len() - 1);
    let wrong = format!("{rest}{}", if last == "A" { "B" } else { "A" });
    for (cookie, reason) in
        [(&*format!("__Host-sid={CANARY}"), "malformed"), (&*unknown, "unknown"), (&*wrong, "wrong")]
    {
        assert_eq!(bench.code(&Method::GET, &[("cookie", cookie)]), Some(Code::SessionEnded), "{reason}");
        assert_eq!(bench.last(), ("token_refused", Some(reason)));
    }
    let key = format!("Bearer clinic_{zeros}");
    assert_eq!(bench.code(&Method::GET, &[("authorization", &key)]), Some(Code::InvalidToken));
    assert_eq!(bench.last(), ("token_refused", Some("unknown")));
    assert!(bench.recorder.facts().iter().all(|fact| !fact.shown.contains(CANARY)));
}

#[test]
fn asvs_7_4_1_what_was_ended_stops_at_once_and_has_codes_of_its_own() {
    let bench = bench();
    let [cookie, _, bearer] = bench.all();
    assert_eq!(now(bench.sessions.end_all("north", "ada", &By::owner())), Ok(2));
    assert_eq!(bench.code(&Method::GET, &[bearer]), Some(Code::TokenRevoked));
    assert_eq!(bench.last(), ("token_refused", Some("revoked")));
    assert_eq!(bench.code(&Method::GET, &[cookie]), Some(Code::SessionEnded));
}

#[test]
fn asvs_7_3_1_a_session_that_is_not_used_ends() {
    let bench = bench();
    bench.clock.advance(Duration::from_secs(7 * 24 * 3_600));
    assert_eq!(bench.code(&Method::GET, &[bench.cookie()]), Some(Code::SessionEnded));
    assert_eq!(bench.last(), ("session_use_after_expire", Some("expired")));
}

#[test]
fn what_the_route_says_of_freshness_is_what_holds() {
    let bench = bench();
    let snapshot =
        bartizan_sessions::RevocationSnapshot::new("login", &SeededEntropy::new(5), bench.clock.clone())
            .unwrap();
    now(snapshot.refresh(&*bench.store)).unwrap();
    let logins = Logins::of(bench.sessions.keeping(&snapshot, 100));
    let guard = bench.guard.logins(logins);
    let (lines, uri) = (headers(&[("authorization", &bench.bearer)]), Uri::from_static("/me"));
    let ask = |freshness| {
        let mut arrival = Arrival::new("/me", &Method::GET, &lines, &uri);
        arrival.freshness = freshness;
        now(guard.authenticate(&arrival)).err().map(|problem| problem.code())
    };
    let within = |seconds| Freshness::Snapshot(Duration::from_secs(seconds));
    // Another node ends everything: this one does not know yet.
    now(bench.sessions.end_all("north", "ada", &By::owner())).unwrap();
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(ask(within(5)), None);
    assert_eq!(ask(within(4)), Some(Code::ServiceUnavailable), "what is too old is no answer");
    assert_eq!(ask(Freshness::ReadThrough), Some(Code::TokenRevoked));
    now(snapshot.refresh(&*bench.store)).unwrap();
    assert_eq!(ask(within(4)), Some(Code::TokenRevoked));
}

#[test]
fn asvs_16_5_3_a_store_that_is_out_is_never_a_401_and_lets_nobody_in() {
    let bench = bench();
    for (kind, code) in [
        (ErrorKind::Unavailable, Code::ServiceUnavailable),
        (ErrorKind::Busy, Code::ServiceUnavailable),
        (ErrorKind::Entropy, Code::ServiceUnavailable),
        (ErrorKind::Integrity, Code::Internal),
        (ErrorKind::Primitive, Code::Internal),
        (ErrorKind::TooMany, Code::Internal),
    ] {
        bench.store.set(Some(Fault::Fails(kind)));
        for lines in bench.all() {
            assert_eq!(bench.code(&Method::GET, &[lines]), Some(code), "{kind:?} {lines:?}");
        }
    }
    bench.store.set(None);
    assert!(
        bench.all().iter().all(|lines| bench.code(&Method::GET, &[*lines]).is_none()),
        "and back by itself"
    );
}

#[test]
fn a_store_that_hangs_is_given_up_within_the_policys_bound() {
    let bench = bench();
    bench.store.set(Some(Fault::Hangs));
    for lines in bench.all() {
        let (headers, uri) = (headers(&[lines]), Uri::from_static("/me"));
        let arrival = Arrival::new("/me", &Method::GET, &headers, &uri);
        let mut asked = pin!(bench.guard.authenticate(&arrival));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(asked.as_mut().poll(cx).is_pending());
        bench.clock.advance(Duration::from_secs(2));
        let Poll::Ready(Err(problem)) = asked.as_mut().poll(cx) else { panic!("still waiting") };
        assert_eq!(problem.code(), Code::ServiceUnavailable);
    }
    assert_eq!(bench.last(), ("control_failed", Some("sessions_unavailable")));
}

#[test]
fn an_outage_does_not_fill_the_log() {
    let bench = bench();
    bench.store.set(Some(Fault::Fails(ErrorKind::Unavailable)));
    let ask = || assert_eq!(bench.code(&Method::GET, &[bench.cookie()]), Some(Code::ServiceUnavailable));
    (0..100).for_each(|_| ask());
    assert_eq!(bench.recorder.facts().len(), 1);
    bench.clock.advance(Duration::from_secs(60));
    ask();
    let facts = bench.recorder.facts();
    assert!(facts.len() == 2 && facts[1].shown.contains("Number(100)"), "{}", facts[1].shown);
}

#[test]
fn two_credentials_are_a_400_on_record_and_neither_is_asked_about() {
    let bench = bench();
    let ([cookie, key, bearer], asked) = (bench.all(), bench.store.calls());
    for (lines, reason) in [
        (&[bearer, cookie][..], "two_credentials"),
        (&[key, cookie], "two_credentials"),
        (&[("authorization", "Basic YTpi"), cookie], "two_credentials"),
        (&[cookie, cookie], "duplicate_cookie"),
        (&[("cookie", "__Host-sid=good; __Host-sid=good")], "duplicate_cookie"),
        (&[("cookie", "__host-sid=good")], "lookalike_cookie"),
        (&[("cookie", "__Host-sid=\"good\"")], "malformed_cookie"),
    ] {
        assert_eq!(bench.code(&Method::GET, lines), Some(Code::MalformedCredentials), "{lines:?}");
        assert_eq!(bench.last(), ("token_misplaced", Some(reason)));
    }
    assert_eq!(bench.store.calls(), asked);
}

#[test]
fn asvs_3_5_1_another_sites_page_changes_nothing_by_a_cookie() {
    let bench = bench();
    let (good, asked) = (bench.cookie(), bench.store.calls());
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(bench.code(&method, &[good, SAME]), None, "{method}");
        assert_eq!(bench.code(&method, &[good, ("origin", ORIGIN)]), None);
        for lines in [
            &[good, CROSS][..],
            &[good, ("sec-fetch-site", "same-site")],
            &[good, ("origin", "https://evil.example")],
            &[good, ("origin", "null")],
            &[good, SAME, ("origin", "https://evil.example")],
        ] {
            assert_eq!(bench.code(&method, lines), Some(Code::CrossSite), "{method} {lines:?}");
            assert_eq!(bench.last(), ("malicious_csrf", Some("cross_site")));
        }
    }
    assert_eq!(bench.store.calls(), asked + 8, "a request that was refused did not keep the session alive");
}

#[test]
fn asvs_3_7_5_a_browser_that_does_not_say_who_sends_changes_nothing_by_a_cookie() {
    let bench = bench();
    let [good, key, bearer] = bench.all();
    assert_eq!(bench.code(&Method::POST, &[good]), Some(Code::CrossSite));
    assert_eq!(bench.last(), ("malicious_csrf", Some("no_word_of_sender")));
    assert_eq!(bench.code(&Method::GET, &[good]), None);
    // Programs bring no cookie, and are not asked for what browsers say.
    assert_eq!(bench.code(&Method::POST, &[bearer]), None);
    assert_eq!(bench.code(&Method::POST, &[key, CROSS]), None);
}

#[test]
fn asvs_3_5_8_another_site_embeds_nothing_that_a_cookie_opens() {
    let bench = bench();
    let good = bench.cookie();
    let navigate = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(
        bench.code(&Method::GET, &[good, CROSS, navigate[0], navigate[1]]),
        None,
        "a link from elsewhere"
    );
    for lines in [
        &[good, CROSS, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")][..],
        &[good, CROSS, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        &[good, CROSS],
    ] {
        assert_eq!(bench.code(&Method::GET, lines), Some(Code::CrossSite), "{lines:?}");
    }
}

#[test]
fn a_public_route_is_changed_by_everybody_but_another_sites_page() {
    let bench = bench();
    let good = bench.cookie();
    for fine in [&[][..], &[SAME], &[("origin", ORIGIN)], &[good, SAME], &[("cookie", "a=b")]] {
        assert_eq!(bench.admit(&Method::POST, fine), None, "{fine:?}");
    }
    for refused in [&[CROSS][..], &[("origin", "null")], &[good], &[good, CROSS], &[good, good]] {
        assert_eq!(bench.admit(&Method::POST, refused), Some(Code::CrossSite), "{refused:?}");
    }
    assert_eq!(bench.admit(&Method::GET, &[CROSS, good]), None);
}

#[test]
fn no_answer_gives_a_session_to_a_browser_that_another_page_made_ask() {
    let bench = bench();
    let mut answer = HeaderMap::new();
    let (empty, uri) = (HeaderMap::new(), Uri::from_static("/login"));
    let arrival = Arrival::new("/login", &Method::POST, &empty, &uri);
    let check = |answer: &HeaderMap, sender| {
        bench.guard.check_answer(&arrival, sender, answer).err().map(|p| p.code())
    };
    answer.append(SET_COOKIE, HeaderValue::from_static("theme=dark"));
    answer.append(SET_COOKIE, SessionCookie::Lax.clear());
    assert_eq!(check(&answer, Sender::Unsaid), None);
    answer.append(SET_COOKIE, HeaderValue::from_static("__Host-sid=x; Path=/"));
    assert_eq!(check(&answer, Sender::Own), None);
    assert_eq!(check(&answer, Sender::Unsaid), Some(Code::CrossSite));
    assert_eq!(check(&answer, Sender::Foreign), Some(Code::CrossSite));
}

#[test]
fn a_refusal_of_another_site_that_cannot_be_recorded_is_an_outage() {
    let bench = bench();
    bench.recorder.refuse();
    assert_eq!(bench.code(&Method::POST, &[bench.cookie(), CROSS]), Some(Code::ServiceUnavailable));
    assert_eq!(bench.admit(&Method::POST, &[CROSS]), Some(Code::ServiceUnavailable));
    assert_eq!(bench.code(&Method::GET, &[("cookie", "__Host-sid=bad")]), Some(Code::ServiceUnavailable));
}

#[test]
fn a_step_up_is_asked_of_whom_it_was_not_proven() {
    let bench = bench();
    let who = bench.ask(&Method::GET, &[bench.cookie()]).unwrap();
    let recent = StepUp::within(Duration::from_secs(300)).acr(["pwd"]);
    assert!(bench.guard.step_up(&who, &recent).is_ok());
    bench.clock.advance(Duration::from_secs(301));
    let problem = bench.guard.step_up(&who, &recent).unwrap_err();
    assert_eq!(problem.code(), Code::StepUpRequired);
}

#[test]
fn debug_shows_no_credential() {
    let bench = bench();
    let shown = format!("{:?} {:?}", bench.guard, Logins::of(bench.sessions.clone()));
    assert!(!shown.contains("bzc1_") && !shown.contains("clinic_"), "{shown}");
}
