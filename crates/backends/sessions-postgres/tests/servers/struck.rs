//! The processes of a real server stopped and killed at each step of each call: an outage within the bound and nothing else, and
//! after the server is back the same store goes on, with nothing lost and nothing twice.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_sessions::conformance::plain::{begin, rotate, secret, selector};
use bartizan_sessions::{ErrorKind, Outbox, Rotation, SessionStore, Store};
use bartizan_sessions_postgres::PostgresSessionStore;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    cluster::Cluster,
    outages::{Call, HALF_DONE, is_done, recovered},
    proxy::{Fault, Proxy},
    road::Service,
    support::{Place, pool},
};

const BOUND: Duration = Duration::from_millis(400);

/// Strikes at each step of each call, until it comes too late to matter. It is one and the same store from the first to the last.
fn each_step(calls: &[Call], fault: Fault, strike: fn(&Cluster), mend: fn(&Cluster)) {
    let cluster = Arc::new(Cluster::start());
    let place = Place::on(cluster.options());
    let server = ([127, 0, 0, 1], cluster.options().get_port()).into();
    let (proxy, store, direct) = place.runtime.block_on(async {
        let proxy = Proxy::start(server).await;
        let store = hasty(cluster.options().port(proxy.address.port()), 1, &place).await;
        let direct = PostgresSessionStore::open(place.admin.clone(), &place.config()).await.unwrap();
        (proxy, store, direct)
    });
    let (mut family, mut strikes, mut late) = (0, 0, 0);
    for call in calls.iter().copied() {
        for step in 0.. {
            assert!(step < 20, "{call:?} has an end");
            family += 1;
            assert!(family < 100);
            let (answer, was_struck) = place.runtime.block_on(async {
                direct.begin(&begin(family)).await.unwrap();
                let struck = Arc::clone(&cluster);
                proxy.strike_after(step, fault, move || strike(&struck));
                let since = Instant::now();
                let answer = call.run(&store, family).await;
                assert!(since.elapsed() < BOUND * 3, "{call:?} {step}: {:?}", since.elapsed());
                (answer, proxy.mend())
            });
            if let Err(error) = &answer {
                // A machine that is busy may be late by itself, now and then.
                late += u32::from(!was_struck);
                assert!(late < 4, "{call:?} {step}: {error:?}");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{call:?} {step}");
                assert!(error.is_transient() && error.refusal().is_none(), "{call:?} {step}");
            }
            if was_struck {
                mend(&cluster);
                strikes += 1;
            }
            place.runtime.block_on(async {
                recovered(&store).await;
                recovered(&direct).await;
            });
            until_forgotten(&place);
            assert_eq!(place.count(HALF_DONE), 0, "{call:?} {step}");
            let is_through = !was_struck && answer.is_ok();
            place.runtime.block_on(async {
                // What was answered is there; what was not is there or not, and nothing is in between.
                match answer {
                    Ok(()) => assert!(is_done(call, &direct, family).await, "{call:?} {step}"),
                    Err(_) => one_leaf(&direct, family).await,
                }
            });
            if is_through {
                break;
            }
        }
    }
    assert!(strikes >= 15, "it was struck {strikes} times");
}

/// A family that lives has one current secret, which is the only one that can be exchanged.
async fn one_leaf(store: &PostgresSessionStore, family: u8) {
    let Some(row) = store.find(&selector(family)).await.unwrap() else { return };
    let generation = row.session.generation;
    assert_eq!(row.current, secret(family, generation), "{family}");
    let next = store.rotate(&rotate(family, generation)).await.unwrap();
    assert!(matches!(next, Rotation::Rotated(_)), "{family}: {next:?}");
    let again = store.rotate(&rotate(family, generation)).await.unwrap();
    assert!(matches!(again, Rotation::Reused(_)), "{family}: {again:?}");
}

/// A server that goes on first does what it was sent before, for connections that nobody holds any more; then it ends them.
fn until_forgotten(place: &Place) {
    let held = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{STORE}'");
    let since = Instant::now();
    while place.count(&held) > 1 {
        assert!(since.elapsed() < Duration::from_secs(20), "it does not forget them");
    }
}

/// What the connections of the store under test are called.
const STORE: &str = "the store";

/// A store that gives up soon.
async fn hasty(server: PgConnectOptions, connections: u32, place: &Place) -> PostgresSessionStore {
    within(BOUND, server, connections, place).await
}

async fn within(
    bound: Duration,
    server: PgConnectOptions,
    connections: u32,
    place: &Place,
) -> PostgresSessionStore {
    let named = server.application_name(STORE);
    let pool = PgPoolOptions::new().max_connections(connections).connect_with(named).await.unwrap();
    PostgresSessionStore::open(pool, &place.config().within(bound).unwrap()).await.unwrap()
}

// One of each shape: each strike takes as long as the bound, or as a server that comes back.
const WRITES: [Call; 4] = [Call::Begin, Call::Rotate, Call::Reuse, Call::End];
const READS: [Call; 2] = [Call::Find, Call::Pending];

#[test]
fn stopped_at_each_step() {
    each_step(&[&WRITES[..], &READS].concat(), Fault::StruckBefore, Cluster::stop, Cluster::go_on);
}

#[test]
fn killed_before_each_answer_to_a_write() {
    each_step(&WRITES, Fault::StruckAfter, Cluster::kill, Cluster::start_again);
}

#[test]
fn stopped_for_many_callers_it_is_an_outage_for_all_of_them_within_the_bound() {
    let cluster = Cluster::start();
    let place = Place::on(cluster.options());
    place.runtime.block_on(async {
        // Fewer connections than callers: some wait for one.
        let store = hasty(cluster.options(), 8, &place).await;
        for family in 0..32 {
            store.begin(&begin(family)).await.unwrap();
        }
        cluster.stop();
        for _ in 0..2 {
            let since = Instant::now();
            let mut callers = JoinSet::new();
            for family in 0..32 {
                let store = store.clone();
                callers.spawn(async move { store.find(&selector(family)).await.map(drop) });
            }
            while let Some(answer) = callers.join_next().await {
                assert_eq!(answer.unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
            }
            assert!(since.elapsed() < BOUND * 3, "{:?}", since.elapsed());
        }
        assert_eq!(store.health().await.unwrap_err().kind(), ErrorKind::Unavailable);
        cluster.go_on();
        recovered(&store).await;
        for family in 0..32 {
            assert!(store.find(&selector(family)).await.unwrap().is_some());
        }
    });
}

/// How often clients were told that it was done, and whether the server was struck: then each ends what it is about.
#[derive(Default)]
struct Progress {
    told: AtomicU64,
    is_over: AtomicBool,
}

impl Progress {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

/// Rotates one session on and on. Answers the generation that it was told last.
async fn rotate_on(store: PostgresSessionStore, family: u8, from: u64, progress: Arc<Progress>) -> u64 {
    let mut generation = from;
    while progress.goes_on() {
        match store.rotate(&rotate(family, generation)).await {
            Ok(Rotation::Rotated(session)) => {
                generation += 1;
                assert_eq!(session.generation, generation);
                progress.told.fetch_add(1, Ordering::Relaxed);
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable);
                break;
            }
        }
    }
    generation
}

/// Takes entries from the outbox on and on. Answers the numbers of all that it has delivered.
async fn deliver_on(
    store: PostgresSessionStore,
    mut delivered: BTreeSet<u64>,
    progress: Arc<Progress>,
) -> BTreeSet<u64> {
    while progress.goes_on() {
        let Ok(entries) = store.pending(7).await else { break };
        let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
        // Delivered, and then forgotten: what is not forgotten comes again, under the same number.
        delivered.extend(&numbers);
        if store.delivered(&numbers).await.is_err() {
            break;
        }
    }
    delivered
}

#[test]
fn killed_in_the_middle_it_loses_nothing_that_it_answered() {
    let cluster = Cluster::start();
    let place = Place::on(cluster.options());
    // Only the end of the server ends the work of its clients, however busy the machine is.
    let store = place.runtime.block_on(within(BOUND * 5, cluster.options(), 16, &place));
    let (mut generations, mut delivered) = ([0_u64; 8], BTreeSet::new());
    place.runtime.block_on(async {
        for family in 0..8 {
            store.begin(&begin(family)).await.unwrap();
        }
    });
    for round in 0..4 {
        place.runtime.block_on(async {
            let progress = Arc::new(Progress::default());
            let mut clients = JoinSet::new();
            for family in 0..8 {
                let (store, progress) = (store.clone(), Arc::clone(&progress));
                let from = generations[usize::from(family)];
                clients.spawn(async move { (family, rotate_on(store, family, from, progress).await) });
            }
            let courier = tokio::spawn(deliver_on(store.clone(), delivered.clone(), Arc::clone(&progress)));
            let since = Instant::now();
            while progress.told.load(Ordering::Relaxed) < 60 {
                assert!(since.elapsed() < Duration::from_secs(60), "they do not get on");
                tokio::task::yield_now().await;
            }
            if round == 0 {
                // Postgres ends all others then, and reads its log.
                let mut connection = pool(cluster.options(), 1).await.acquire().await.unwrap();
                let mine: i32 =
                    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await.unwrap();
                cluster.kill_one(mine);
            } else {
                cluster.kill();
            }
            // After the first strike it is back by itself, perhaps before anybody has noticed.
            progress.is_over.store(true, Ordering::Relaxed);
            while let Some(client) = clients.join_next().await {
                let (family, generation) = client.unwrap();
                generations[usize::from(family)] = generation;
            }
            delivered = courier.await.unwrap();
        });
        if round > 0 {
            cluster.start_again();
        }
        place.runtime.block_on(async {
            recovered(&store).await;
            for (family, generation) in (0..).zip(&mut generations) {
                let row = store.find(&selector(family)).await.unwrap().expect("the session is there");
                // What was under way is done or not done; what was answered is done.
                let at = row.session.generation;
                assert!(at == *generation || at == *generation + 1, "{family}: {at}, answered {generation}");
                assert_eq!(row.current, secret(family, at));
                *generation = at;
            }
            let told = store.pending(100_000).await.unwrap();
            let all: BTreeSet<u64> = told.iter().map(|entry| entry.number).chain(delivered.clone()).collect();
            // One entry for each write: eight beginnings, and as many rotations as the rows say.
            assert_eq!(all.len() as u64, 8 + generations.iter().sum::<u64>(), "round {round}");
        });
    }
}

#[test]
fn a_service_guards_its_routes_while_the_server_is_gone_and_goes_on_by_itself() {
    let cluster = Cluster::start();
    let place = Place::on(cluster.options());
    place.runtime.block_on(async {
        let store = Arc::new(hasty(cluster.options(), 8, &place).await);
        let service = Service::start(store, BOUND).await;
        service.is_well().await;
        cluster.stop();
        service.is_out().await;
        cluster.go_on();
        service.comes_back().await;
        cluster.kill();
        service.is_out().await;
        cluster.start_again();
        service.comes_back().await;
        service.is_well().await;
        service.ends().await;
    });
}
