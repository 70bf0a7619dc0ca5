//! The server gone, silent or restarted at each step of each call: an answer within the bound, nothing half done, and recovery
//! without a restart of the service.

use std::time::Duration;

use bartizan_policy_postgres::PostgresPolicyStore;
use bartizan_rbac::{AssignmentStore, Changes, PolicySource, PolicyStore, SourceError, SourceErrorKind};
use sqlx::postgres::PgPoolOptions;
use tokio::time::Instant;

use crate::{
    proxy::{Fault, Proxy},
    support::{Place, assign, join, options, policy, pool, server},
};

const BOUND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Load,
    Changes,
    Commit,
    Publish,
}

const CALLS: [Call; 4] = [Call::Load, Call::Changes, Call::Commit, Call::Publish];

/// Whatever happened: every commit is in the log and in the tables, or in neither.
const HALF_DONE: &str = "SELECT count(*) FROM (VALUES
    ((SELECT max(revision) FROM {s}.policy_commits), (SELECT revision FROM {s}.policy_feed)),
    ((SELECT count(*) FROM {s}.policy_commits), (SELECT revision + 1 FROM {s}.policy_feed)),
    ((SELECT sum(changes)::bigint FROM {s}.policy_commits), (SELECT count(*) FROM {s}.policy_changes)),
    ((SELECT count(*) FROM {s}.policy_changes WHERE kind = 'assign'), (SELECT count(*) FROM {s}.policy_assignments)),
    ((SELECT count(*) FROM {s}.policy_changes WHERE kind = 'join'), (SELECT count(*) FROM {s}.policy_members))
) AS pairs (logged, made) WHERE logged <> made";

async fn through(proxy: &Proxy, place: &Place) -> PostgresPolicyStore {
    let options = options().host("127.0.0.1").port(proxy.address.port());
    let config = place.config().within(BOUND).unwrap().load_within(BOUND).unwrap();
    let config = config.poll_every(Duration::from_millis(20)).unwrap().without_listening();
    // One that is lost, and one to go on with while the pool ends it.
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap();
    for _ in 0..5 {
        // On a busy machine it may take longer than the bound.
        if let Ok(store) = PostgresPolicyStore::open(pool.clone(), &config).await {
            return store;
        }
    }
    panic!("the store does not open");
}

impl Call {
    async fn run(self, store: &PostgresPolicyStore, name: &str) -> Result<(), SourceError> {
        let seen = match self {
            Self::Load => return store.load().await.map(drop),
            _ => store.revision().await?,
        };
        match self {
            Self::Changes => store.changes(seen).await.map(drop),
            Self::Commit => store.commit(seen, &[assign(name), join(name)]).await.map(drop),
            _ => store.publish(seen, &policy(7)).await.map(drop),
        }
    }
}

/// Each call with each fault after each number of requests, until the fault comes too late to matter.
fn each_step(fault: Fault) {
    let place = Place::filled(3);
    let direct = place.store();
    let (mut number, mut failures, mut slow) = (0, 0, 0);
    for call in CALLS {
        let mut step = 0;
        loop {
            assert!(step < 30 && slow < 30, "{call:?} has an end");
            number += 1;
            let name = format!("new-{number}");
            let failed = place.runtime.block_on(async {
                let proxy = Proxy::start(server()).await;
                let store = through(&proxy, &place).await;
                let before = direct.load().await.unwrap();
                proxy.fail_after(step, fault);
                let since = Instant::now();
                let answer = call.run(&store, &name).await;
                assert!(since.elapsed() < BOUND * 5, "{call:?} {step}: {:?}", since.elapsed());
                let failed = proxy.mend();
                if let Err(error) = &answer {
                    assert_eq!(error.kind(), SourceErrorKind::Unavailable, "{call:?} {step}");
                    assert!(error.is_transient(), "{call:?} {step}");
                    // On a busy machine a call may be too slow without any fault.
                    assert!(failed || since.elapsed() >= BOUND, "{call:?} {step}");
                }
                recovered(&store).await;
                let after = direct.load().await.unwrap();
                // What was answered is there.
                if answer.is_ok() && matches!(call, Call::Commit | Call::Publish) {
                    assert!(after.revision > before.revision, "{call:?} {step}");
                }
                (failed, answer.is_err())
            });
            until_still(&place);
            assert_eq!(place.count(HALF_DONE), 0, "{call:?} {step}");
            match failed {
                (true, true) => (step, failures) = (step + 1, failures + 1),
                (false, true) => slow += 1,
                (_, false) => break,
            }
        }
    }
    assert!(failures > 15, "it failed {failures} times");
}

/// The same store, without a restart. The pool may need a moment to give up its old connection.
async fn recovered(store: &PostgresPolicyStore) {
    let since = Instant::now();
    while let Err(error) = store.load().await {
        assert_eq!(error.kind(), SourceErrorKind::Unavailable);
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

/// Its own listening connection among them: what happens meanwhile is asked for.
#[test]
fn a_server_that_ends_all_connections() {
    let place = Place::filled(1);
    place.runtime.block_on(async {
        let named = options().application_name(&place.schema);
        let config = place.config().poll_every(Duration::from_millis(50)).unwrap();
        let store = PostgresPolicyStore::open(pool(named, 4).await, &config).await.unwrap();
        let writer = PostgresPolicyStore::open(place.admin.clone(), &place.config()).await.unwrap();
        let mut seen = store.load().await.unwrap().revision;
        for round in 0..3 {
            assert!(matches!(store.changes(seen).await.unwrap(), Changes::Nothing));
            let end =
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
            let ended: i64 =
                sqlx::query_scalar(end).bind(&place.schema).fetch_one(&place.admin).await.unwrap();
            assert!(ended > 1, "the pool's and the one that listens");
            let committed = writer.commit(seen, &[assign(&format!("r-{round}"))]).await.unwrap();
            let since = Instant::now();
            loop {
                assert!(since.elapsed() < Duration::from_secs(10), "it does not recover");
                match store.changes(seen).await {
                    Ok(Changes::These(changes, revision)) => {
                        assert_eq!((changes.len(), revision), (1, committed));
                        break;
                    }
                    Ok(Changes::Nothing) => {}
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => assert_eq!(error.kind(), SourceErrorKind::Unavailable),
                }
            }
            seen = committed;
        }
    });
}

/// Asked every 20 s, and told at once.
#[test]
fn a_change_is_heard_before_it_is_asked_for() {
    let place = Place::filled(1);
    place.runtime.block_on(async {
        let config = place.config().poll_every(Duration::from_secs(20)).unwrap();
        let store = PostgresPolicyStore::open(pool(options(), 1).await, &config).await.unwrap();
        let writer = PostgresPolicyStore::open(place.admin.clone(), &place.config()).await.unwrap();
        let seen = store.load().await.unwrap().revision;
        let since = Instant::now();
        let (heard, committed) = tokio::join!(store.changes(seen), async {
            // Once somebody listens.
            let listens = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN \"policy_{}\"'",
                place.schema
            );
            while sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(listens.clone()))
                .fetch_one(&place.admin)
                .await
                .unwrap()
                == 0
            {}
            writer.commit(seen, &[assign("eve")]).await.unwrap()
        });
        assert!(matches!(heard.unwrap(), Changes::These(_, revision) if revision == committed));
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
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
        let error = PostgresPolicyStore::open(pool, &config).await.unwrap_err();
        assert_eq!(error.kind(), bartizan_policy_postgres::ErrorKind::Unavailable);
        assert!(error.is_transient() && since.elapsed() < BOUND * 3, "{:?}", since.elapsed());
    });
}

/// The user's pool has all of its connections for the user, whoever listens.
#[test]
fn listening_takes_no_connection_of_the_pool() {
    let place = Place::filled(1);
    place.runtime.block_on(async {
        let pool = pool(options(), 1).await;
        let config = place.config().within(BOUND).unwrap().poll_every(Duration::from_secs(1)).unwrap();
        let store = PostgresPolicyStore::open(pool.clone(), &config).await.unwrap();
        let seen = store.load().await.unwrap().revision;
        let (waited, free) = tokio::join!(store.changes(seen), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            tokio::time::timeout(BOUND, pool.acquire()).await.is_ok_and(|free| free.is_ok())
        });
        assert!(matches!(waited.unwrap(), Changes::Nothing));
        assert!(free);
    });
}
