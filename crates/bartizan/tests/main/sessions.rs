//! Sessions in the shell: what is ended is refused by the guard, and what happened comes to the record.

use std::{future::Future, sync::Arc, time::Duration};

use bartizan::{
    ErrorKind, KeptSessions, Security,
    core::Fault,
    http::{Arrival, Code, KeyPlace, Origins, SessionCookie},
    sessions::{By, Freshness, Login, MemoryStore, NewKey, Policy, Session},
};
use bartizan_testkit::{ManualClock, MemoryRecorder};
use http::{HeaderMap, Method, Uri};

use super::{AUDIENCE, whole};

fn kept(store: &Arc<MemoryStore>) -> KeptSessions {
    let origins = Origins::of(["https://orders.example"]).unwrap();
    KeptSessions::kept_in(store.clone())
        .cookies(SessionCookie::Lax, origins)
        .api_keys(KeyPlace::BEARER, "orders_live")
}

fn shell(store: &Arc<MemoryStore>, recorder: &Arc<MemoryRecorder>) -> Security {
    let clock = Arc::new(ManualClock::at(bartizan::core::UnixTime::from_secs(1_700_000_000)));
    whole("orders").clock(clock).recorder(recorder.clone()).sessions(kept(store)).build().unwrap()
}

fn access(security: &Security, session: &Session) -> String {
    let token = security.sessions().unwrap().access_token(session, AUDIENCE).unwrap().roles(["admin"]);
    security.issuer().issue(&token).unwrap().expose().to_owned()
}

/// The code that a request with this header is refused with, or whose it is.
async fn asked(
    security: &Security,
    name: &'static str,
    value: String,
    freshness: Freshness,
) -> Result<String, Code> {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().unwrap());
    let (method, uri) = (Method::GET, Uri::from_static("/orders"));
    let mut arrival = Arrival::new("/orders", &method, &headers, &uri);
    arrival.freshness = freshness;
    let who = security.guard().authenticate(&arrival).await;
    who.map(|who| who.subject().to_owned()).map_err(|problem| problem.code())
}

const YOUNG: Freshness = Freshness::Snapshot(Duration::from_secs(5));

#[tokio::test]
async fn what_is_ended_is_refused_at_once_here_and_after_one_reading_elsewhere() {
    let (store, recorder) = (Arc::new(MemoryStore::new()), Arc::new(MemoryRecorder::default()));
    let (here, there) = (shell(&store, &recorder), shell(&store, &recorder));
    let (session, _) =
        here.sessions().unwrap().begin(&Login::new("north", "ada"), &By::owner()).await.unwrap();
    let header = format!("Bearer {}", access(&here, &session));
    // Before the feed was read once, a snapshot knows nothing: closed, and no 401.
    let refused = asked(&here, "authorization", header.clone(), YOUNG).await;
    assert_eq!(refused, Err(Code::ServiceUnavailable));
    here.upkeep().unwrap().refresh().await.unwrap();
    assert_eq!(asked(&here, "authorization", header.clone(), YOUNG).await.as_deref(), Ok("ada"));

    there.sessions().unwrap().end_all("north", "ada", &By::owner()).await.unwrap();
    let through = asked(&here, "authorization", header.clone(), Freshness::ReadThrough).await;
    assert_eq!(through, Err(Code::TokenRevoked));
    assert_eq!(asked(&here, "authorization", header.clone(), YOUNG).await.as_deref(), Ok("ada"));
    here.upkeep().unwrap().refresh().await.unwrap();
    assert_eq!(asked(&here, "authorization", header, YOUNG).await, Err(Code::TokenRevoked));

    let (again, _) = here.sessions().unwrap().begin(&Login::new("north", "ada"), &By::owner()).await.unwrap();
    let header = format!("Bearer {}", access(&here, &again));
    assert_eq!(asked(&here, "authorization", header.clone(), YOUNG).await.as_deref(), Ok("ada"));
    here.sessions().unwrap().end_all("north", "ada", &By::owner()).await.unwrap();
    assert_eq!(asked(&here, "authorization", header, YOUNG).await, Err(Code::TokenRevoked));

    let before = recorder.facts().len();
    here.upkeep().unwrap().deliver().await.unwrap();
    // Two logins and two endings.
    assert_eq!(recorder.facts().len() - before, 4);
}

#[tokio::test]
async fn browsers_and_programs_come_in_by_what_they_were_given() {
    let (store, recorder) = (Arc::new(MemoryStore::new()), Arc::new(MemoryRecorder::default()));
    let security = shell(&store, &recorder);
    let (_, cookie) =
        security.sessions().unwrap().login(&Login::new("north", "ada"), &By::owner()).await.unwrap();
    let header = format!("__Host-sid={}", cookie.expose());
    assert_eq!(asked(&security, "cookie", header, Freshness::ReadThrough).await.as_deref(), Ok("ada"));

    let keys = security.api_keys().unwrap();
    let (_, key) = keys.make(&NewKey::new("north", "nightly", "export"), &By::owner()).await.unwrap();
    let header = format!("Bearer {}", key.expose());
    let who = asked(&security, "authorization", header, Freshness::ReadThrough).await;
    assert_eq!(who.as_deref(), Ok("nightly"));
}

#[test]
fn sessions_that_cannot_be_are_refused_by_name() {
    let store = Arc::new(MemoryStore::new());
    let none = KeptSessions::kept_in(store.clone()).policy(Policy::guide().idle(Duration::ZERO));
    let prefix = KeptSessions::kept_in(store.clone()).api_keys(KeyPlace::BEARER, "A B");
    let never = KeptSessions::kept_in(store).followed_every(Duration::ZERO);
    for sessions in [none, prefix, never] {
        let error = whole("orders").sessions(sessions).build().unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Sessions, Fault::Caller));
    }
    let plain = whole("orders").build().unwrap();
    assert!(plain.sessions().is_none() && plain.api_keys().is_none() && plain.upkeep().is_none());
}

/// Runs a shell's upkeep until nothing is left for it to do before its clock moves on.
async fn a_moment_of_upkeep(security: &Security) {
    let upkeep = security.upkeep().unwrap();
    let mut running = std::pin::pin!(upkeep.run());
    for _ in 0..64 {
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(running.as_mut().poll(cx).is_pending()));
        assert!(polled.await, "it never ends");
    }
}

#[tokio::test]
async fn upkeep_follows_what_was_ended_and_one_process_of_all_delivers() {
    let (store, recorder) = (Arc::new(MemoryStore::new()), Arc::new(MemoryRecorder::default()));
    let here = shell(&store, &recorder);
    let silent = Arc::new(MemoryRecorder::default());
    let clock = Arc::new(ManualClock::at(bartizan::core::UnixTime::from_secs(1_700_000_000)));
    let elsewhere = whole("orders").clock(clock).recorder(silent.clone());
    let elsewhere = elsewhere.sessions(kept(&store).delivered_elsewhere()).build().unwrap();

    let sessions = here.sessions().unwrap();
    let (session, _) = sessions.begin(&Login::new("north", "ada"), &By::owner()).await.unwrap();
    let header = format!("Bearer {}", access(&elsewhere, &session));
    a_moment_of_upkeep(&elsewhere).await;
    assert_eq!(asked(&elsewhere, "authorization", header.clone(), YOUNG).await.as_deref(), Ok("ada"));
    assert_eq!(silent.facts().len(), 0, "somebody else brings it to the record");

    a_moment_of_upkeep(&here).await;
    assert_eq!(recorder.facts().len(), 1, "the login");
    sessions.end_all("north", "ada", &By::owner()).await.unwrap();
    a_moment_of_upkeep(&elsewhere).await;
    assert_eq!(asked(&elsewhere, "authorization", header, YOUNG).await, Err(Code::TokenRevoked));
}
