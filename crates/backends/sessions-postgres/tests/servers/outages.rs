//! The server gone, silent or restarted at each step of each call: an answer within the bound, nothing half done, and recovery
//! without a restart of the service.

use std::{net::ToSocketAddrs, sync::Arc, time::Duration};

use bartizan_sessions::conformance::plain::{NOW, begin, digest, rotate, selector};
use bartizan_sessions::{
    Cap, End, Ended, Error, ErrorKind, NewOnce, Note, OnceStore, Outbox, RevocationStore, Rotation,
    SessionStore, Store, WhenFull,
};
use bartizan_sessions_postgres::PostgresSessionStore;
use sqlx::postgres::PgPoolOptions;
use tokio::time::Instant;

use crate::{
    proxy::{Fault, Proxy},
    support::{Place, options, pool},
};

const BOUND: Duration = Duration::from_millis(500);

/// A call, of whose rows some are there already: number 1 to 3 of each round, in families of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Begin,
    BeginInPlaceOfAnother,
    Rotate,
    Reuse,
    End,
    EndAll,
    RevokeToken,
    Once,
    /// What a route asks that reads through.
    Find,
    /// What the courier asks.
    Pending,
}

/// Those that write.
const CALLS: [Call; 8] = [
    Call::Begin,
    Call::BeginInPlaceOfAnother,
    Call::Rotate,
    Call::Reuse,
    Call::End,
    Call::EndAll,
    Call::RevokeToken,
    Call::Once,
];

impl Call {
    pub(crate) async fn run(self, store: &PostgresSessionStore, family: u8) -> Result<(), Error> {
        let note = Note::default();
        match self {
            Self::Begin => store.begin(&begin(family + 100)).await.map(drop),
            Self::BeginInPlaceOfAnother => {
                let mut begin = begin(family + 100);
                begin.replaces = Some(selector(family));
                begin.cap = Some(Cap { most: 100, when_full: WhenFull::EndOldest });
                store.begin(&begin).await.map(drop)
            }
            Self::Rotate => store.rotate(&rotate(family, 0)).await.map(drop),
            Self::Reuse => store.rotate(&rotate(family, 9)).await.map(drop),
            Self::End => {
                let end = End::One { tenant: "north", subject: "ada", key: begin(family).row.session.id.key };
                store.end(end, Ended::LoggedOut, NOW, NOW, &note).await.map(drop)
            }
            Self::EndAll => {
                let end = End::All { tenant: "north", subject: "grace" };
                store.end(end, Ended::Revoked, NOW, NOW, &note).await.map(drop)
            }
            Self::RevokeToken => {
                store.revoke_token(&format!("jti-{family}"), "north", "ada", NOW, NOW, &note).await
            }
            Self::Once => {
                let new = NewOnce {
                    digest: digest(family, 0xcc, 0),
                    purpose: "reset",
                    tenant: "north",
                    subject: "ada",
                    data: "",
                    expires: NOW.saturating_add(Duration::from_secs(60)),
                    now: NOW,
                    note: &note,
                };
                store.put_once(&new).await
            }
            Self::Find => {
                store.find(&selector(family)).await.map(|found| assert!(found.is_some(), "it is there"))
            }
            Self::Pending => {
                store.pending(1_000).await.map(|told| assert!(!told.is_empty(), "it begins with a session"))
            }
        }
    }
}

/// Whatever happened: every row has its entry in the outbox, and its revocation where it ended.
pub(crate) const HALF_DONE: &str = "SELECT count(*) FROM (VALUES
    ((SELECT count(*) FROM {s}.sessions), (SELECT count(*) FROM {s}.outbox WHERE happening = 'begun')),
    ((SELECT coalesce(sum(generation), 0)::bigint FROM {s}.sessions), (SELECT count(*) FROM {s}.outbox WHERE happening = 'renewed')),
    ((SELECT count(*) FROM {s}.sessions WHERE ended_at IS NOT NULL), (SELECT count(*) FROM {s}.revocations WHERE scope = 'session')),
    ((SELECT count(*) FROM {s}.sessions WHERE ended_at IS NOT NULL),
        (SELECT count(*) FROM {s}.outbox WHERE happening IN ('ended', 'logged_out', 'reused'))),
    ((SELECT coalesce(sum(epoch), 0)::bigint FROM {s}.ends), (SELECT count(*) FROM {s}.revocations WHERE scope = 'subject')),
    ((SELECT coalesce(sum(epoch), 0)::bigint FROM {s}.ends), (SELECT count(*) FROM {s}.outbox WHERE happening = 'all_ended')),
    ((SELECT count(*) FROM {s}.revocations WHERE scope = 'token'), (SELECT count(*) FROM {s}.outbox WHERE happening = 'token_revoked')),
    ((SELECT count(*) FROM {s}.revocations), (SELECT last FROM {s}.feed))
) AS pairs (rows, told) WHERE rows <> told";

async fn through(proxy: &Proxy, place: &Place) -> PostgresSessionStore {
    let options = options().host("127.0.0.1").port(proxy.address.port());
    let config = place.config().within(BOUND).unwrap();
    // One connection: what is lost of it is missed at once.
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    PostgresSessionStore::open(pool, &config).await.unwrap()
}

fn server() -> std::net::SocketAddr {
    let options = options();
    (options.get_host(), options.get_port()).to_socket_addrs().unwrap().next().unwrap()
}

/// Each call with each fault after each number of requests, until the fault comes too late to matter.
fn each_step(fault: Fault) {
    let place = Arc::new(Place::new());
    let runtime = Arc::clone(&place.runtime);
    let (mut family, mut failures) = (0, 0);
    for call in CALLS {
        for step in 0.. {
            assert!(step < 20, "{call:?} has an end");
            family += 1;
            assert!(family < 100);
            let failed = runtime.block_on(async {
                let direct = PostgresSessionStore::open(place.admin.clone(), &place.config()).await.unwrap();
                direct.begin(&begin(family)).await.unwrap();
                let proxy = Proxy::start(server()).await;
                let store = through(&proxy, &place).await;
                proxy.fail_after(step, fault);
                let since = Instant::now();
                let answer = call.run(&store, family).await;
                assert!(since.elapsed() < BOUND * 3, "{call:?} {step}: {:?}", since.elapsed());
                let failed = proxy.mend();
                if let Err(error) = &answer {
                    assert_eq!(error.kind(), ErrorKind::Unavailable, "{call:?} {step}");
                    assert!(failed, "{call:?} {step}");
                }
                recovered(&store).await;
                // What was answered is there.
                if answer.is_ok() {
                    assert!(is_done(call, &direct, family).await, "{call:?} {step}");
                }
                failed && answer.is_err()
            });
            until_still(&place);
            assert_eq!(place.count(HALF_DONE), 0, "{call:?} {step}");
            if !failed {
                break;
            }
            failures += 1;
        }
    }
    assert!(failures > 15, "it failed {failures} times");
}

pub(crate) async fn is_done(call: Call, direct: &PostgresSessionStore, family: u8) -> bool {
    let note = Note::default();
    match call {
        Call::Begin => direct.find(&selector(family + 100)).await.unwrap().is_some(),
        Call::BeginInPlaceOfAnother => {
            direct.find(&selector(family + 100)).await.unwrap().is_some()
                && direct.find(&selector(family)).await.unwrap().is_none()
        }
        Call::Rotate => {
            matches!(direct.rotate(&rotate(family, 1)).await.unwrap(), Rotation::Rotated(_))
        }
        Call::Reuse | Call::End => direct.find(&selector(family)).await.unwrap().is_none(),
        Call::EndAll => direct.epochs("north", "grace").await.unwrap().subject > 0,
        Call::RevokeToken => {
            let jti = format!("jti-{family}");
            let asked = bartizan_sessions::Asked {
                jti: Some(&jti),
                session: None,
                tenant: "north",
                subject: "ada",
                issued_at: NOW.saturating_add(Duration::from_secs(9)),
            };
            direct.is_revoked(&asked).await.unwrap()
        }
        Call::Once => {
            direct.take_once(&digest(family, 0xcc, 0), "reset", NOW, &note).await.unwrap().is_some()
        }
        Call::Find | Call::Pending => true,
    }
}

/// The same store, without a restart. The pool may need a moment to give up its old connection.
pub(crate) async fn recovered(store: &PostgresSessionStore) {
    let since = Instant::now();
    while let Err(error) = store.health().await {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(since.elapsed() < Duration::from_secs(10), "it does not recover");
        tokio::task::yield_now().await;
    }
}

/// The server may still be at work for a connection that is gone.
fn until_still(place: &Place) {
    let busy = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND query LIKE '%{}%' AND state <> 'idle'",
        place.schema
    );
    for _ in 0..5_000 {
        if place.count(&busy) == 0 {
            return;
        }
    }
    panic!("the server does not come to rest");
}

#[test]
fn a_connection_lost_before_a_request() {
    each_step(Fault::BeforeTheRequest);
}

#[test]
fn a_connection_lost_before_an_answer() {
    each_step(Fault::BeforeTheAnswer);
}

#[test]
fn a_server_that_stands_still() {
    each_step(Fault::Stopped);
}

#[test]
fn a_server_that_ends_all_connections() {
    let place = Place::new();
    place.runtime.block_on(async {
        let named = options().application_name(&place.schema);
        let store = PostgresSessionStore::open(pool(named, 4).await, &place.config()).await.unwrap();
        store.begin(&begin(1)).await.unwrap();
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        let ended: i64 = sqlx::query_scalar(end).bind(&place.schema).fetch_one(&place.admin).await.unwrap();
        assert!(ended > 0);
        // The pool looks before it hands out a connection; what is in between is an outage and no answer.
        for _ in 0..4 {
            match store.find(&selector(1)).await {
                Ok(found) => assert!(found.is_some()),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
            }
        }
        assert!(store.find(&selector(1)).await.unwrap().is_some());
    });
}

#[test]
fn a_server_that_is_not_there() {
    let place = Place::new();
    place.runtime.block_on(async {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let nobody = options().host("127.0.0.1").port(free.port());
        let pool = PgPoolOptions::new().connect_lazy_with(nobody);
        let config = place.config().within(BOUND).unwrap();
        let since = Instant::now();
        let error = PostgresSessionStore::open(pool, &config).await.unwrap_err();
        assert_eq!(error.kind(), bartizan_sessions_postgres::ErrorKind::Unavailable);
        assert!(error.is_transient() && since.elapsed() < BOUND * 3, "{:?}", since.elapsed());
    });
}

#[test]
fn a_pool_without_a_free_connection_is_an_outage_within_the_bound() {
    let place = Place::new();
    place.runtime.block_on(async {
        let pool = pool(options(), 1).await;
        let config = place.config().within(BOUND).unwrap();
        let store = PostgresSessionStore::open(pool.clone(), &config).await.unwrap();
        let taken = pool.acquire().await.unwrap();
        let since = Instant::now();
        let error = store.find(&selector(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(since.elapsed() < BOUND * 3);
        drop(taken);
        assert!(store.find(&selector(1)).await.unwrap().is_none());
    });
}
