//! A server that is killed, stopped, full or busy: what it answered stays, and nobody waits longer than the bound.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Clock, os::SystemClock};
use bartizan_sessions::{
    End, Ended, ErrorKind, Outbox, Position, RevocationStore, Rotation, SessionStore, Store,
};
use bartizan_sessions_redis::{Config, RedisSessions};
use rustix::process::Signal;
use tokio::{sync::watch, task::JoinSet};

use crate::support::{
    self, GOOD, SUBJECT, Server, TENANT, at, beginning, end_all, note, open, rotate, row, secret, selector,
};

const BOUND: Duration = Duration::from_millis(400);

async fn store(server: &Server) -> RedisSessions {
    let config = Config::new("outages").expect("a prefix").timeout(BOUND).expect("a timeout");
    open(&server.url(), config).await.expect("a store")
}

/// Rotates one session on and on until the server is gone. Answers how often it was told that it was done.
async fn rotate_on(store: Arc<RedisSessions>, number: u64, from: u64, told: watch::Sender<u64>) -> u64 {
    let mut generation = from;
    loop {
        match store.rotate(&rotate(number, generation)).await {
            Ok(Rotation::Rotated(session)) => {
                generation += 1;
                assert_eq!(session.generation, generation);
                told.send_modify(|told| *told += 1);
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable);
                return generation;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_it_loses_nothing_that_it_answered() {
    let mut server = Server::start(&GOOD);
    let (one, two) = (Arc::new(store(&server).await), Arc::new(store(&server).await));
    let mut generations = [0_u64; 8];
    for number in 0..8 {
        one.begin(&beginning(row(number))).await.expect("a session");
    }
    one.begin(&beginning(row(100))).await.expect("a session");
    let end = End::One { tenant: TENANT, subject: SUBJECT, key: row(100).session.id.key };
    assert_eq!(one.end(end, Ended::LoggedOut, at(1), at(900), &note()).await.expect("an end"), 1);
    for round in 1..=3_u64 {
        let (told, mut progress) = watch::channel(0_u64);
        let mut clients = JoinSet::new();
        for number in 0..8 {
            let store = if number % 2 == 0 { &one } else { &two };
            let (store, told) = (Arc::clone(store), told.clone());
            let from = generations[number as usize];
            clients.spawn(async move { (number, rotate_on(store, number, from, told).await) });
        }
        progress.wait_for(|told| *told >= 50 * round).await.expect("progress");
        server.kill();
        while let Some(client) = clients.join_next().await {
            let (number, generation) = client.expect("a client");
            generations[number as usize] = generation;
        }
        server.start_again();
        for (number, generation) in generations.iter_mut().enumerate() {
            let number = number as u64;
            let found = recovered(&one, number).await;
            // What was under way is done or not done; what was answered is done.
            let at = found.session.generation;
            assert!(at == *generation || at == *generation + 1, "{number}: {at}, answered {generation}");
            assert_eq!(found.current, secret(number, at));
            *generation = at;
        }
        assert_eq!(one.find(&selector(100)).await.expect("an answer"), None, "what ended lives again");
        // One entry for each write: nine beginnings, an end, and as many rotations as the rows say.
        let entries = one.pending(100_000).await.expect("entries");
        assert_eq!(entries.len() as u64, 10 + generations.iter().sum::<u64>());
        assert!(entries.is_sorted_by(|one, two| one.number < two.number), "a number was given twice");
        assert_eq!(one.revocations(Position::default(), 10).await.expect("a feed").revocations.len(), 1);
    }
}

/// The same store, without a restart of its own.
async fn recovered(store: &RedisSessions, number: u64) -> bartizan_sessions::StoredSession {
    for _ in 0..100 {
        match store.find(&selector(number)).await {
            Ok(found) => return found.expect("the session is there"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
        }
    }
    panic!("it does not come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_it_is_unavailable_within_the_bound_and_comes_back() {
    let server = Server::start(&GOOD);
    let store = Arc::new(store(&server).await);
    for number in 0..64 {
        store.begin(&beginning(row(number))).await.expect("a session");
    }
    server.signal(Signal::STOP);
    for _ in 0..2 {
        let since = SystemClock.monotonic();
        let mut callers = JoinSet::new();
        for number in 0..64 {
            let store = Arc::clone(&store);
            callers.spawn(async move { store.find(&selector(number)).await.map(drop) });
        }
        while let Some(caller) = callers.join_next().await {
            let kind = caller.expect("a caller").expect_err("it is stopped").kind();
            assert_eq!(kind, ErrorKind::Unavailable);
        }
        let took = SystemClock.monotonic().since(since);
        assert!(took < 3 * BOUND, "64 callers waited {took:?} together");
    }
    assert_eq!(store.health().await.expect_err("it is stopped").kind(), ErrorKind::Unavailable);
    server.signal(Signal::CONT);
    for number in 0..64 {
        recovered(&store, number).await;
    }
    store.health().await.expect("it is well");
}

#[tokio::test]
async fn a_full_server_refuses_what_adds_and_does_what_ends() {
    let server = Server::start(&GOOD);
    let store = store(&server).await;
    for number in 0..4 {
        store.begin(&beginning(row(number))).await.expect("a session");
    }
    let mut connection = support::connection(&server.url()).await;
    redis::cmd("CONFIG")
        .arg("SET")
        .arg("maxmemory")
        .arg("1")
        .exec_async(&mut connection)
        .await
        .expect("a limit");
    let busy = |error: bartizan_sessions::Error| assert_eq!(error.kind(), ErrorKind::Busy);
    busy(store.begin(&beginning(row(9))).await.expect_err("it is full"));
    let mut crowding = beginning(row(9));
    crowding.cap =
        Some(bartizan_sessions::Cap { most: 1, when_full: bartizan_sessions::WhenFull::EndOldest });
    busy(store.begin(&crowding).await.expect_err("it is full"));
    busy(store.rotate(&rotate(0, 0)).await.expect_err("it is full"));
    for number in 0..4 {
        assert!(
            store.find(&selector(number)).await.expect("an answer").is_some(),
            "{number} was ended to no end"
        );
    }
    // A stolen secret, one session, all of them, everything.
    let reused = store.rotate(&rotate(0, 5)).await.expect("an answer");
    assert!(matches!(reused, Rotation::Reused(_)), "{reused:?}");
    let end = End::One { tenant: TENANT, subject: SUBJECT, key: row(1).session.id.key };
    assert_eq!(store.end(end, Ended::LoggedOut, at(1), at(900), &note()).await.expect("an end"), 1);
    assert_eq!(end_all(&store).await.expect("an end"), 2);
    let all = store.end(End::Everything, Ended::Revoked, at(1), at(900), &note()).await;
    assert_eq!(all.expect("an end"), 0);
    assert_eq!(store.revocations(Position::default(), 10).await.expect("a feed").revocations.len(), 4);
}

#[tokio::test]
async fn a_server_that_runs_somebody_elses_script_is_busy() {
    let server = Server::start(&[&GOOD[..], &["--busy-reply-threshold", "50"]].concat());
    let store = store(&server).await;
    store.begin(&beginning(row(0))).await.expect("a session");
    let mut other = support::connection(&server.url()).await;
    let forever = tokio::spawn(async move {
        redis::cmd("EVAL").arg("while true do end").arg(0).exec_async(&mut other).await
    });
    let mut connection = support::connection(&server.url()).await;
    let mut kinds = Vec::new();
    for _ in 0..10 {
        if let Err(error) = store.rotate(&rotate(0, 0)).await {
            kinds.push(error.kind());
        }
        if kinds.contains(&ErrorKind::Busy) {
            break;
        }
    }
    assert!(kinds.contains(&ErrorKind::Busy), "{kinds:?}");
    redis::cmd("SCRIPT").arg("KILL").exec_async(&mut connection).await.expect("an end");
    drop(forever.await);
    recovered(&store, 0).await;
}
