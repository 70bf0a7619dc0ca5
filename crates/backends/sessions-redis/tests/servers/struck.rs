//! The server stopped and killed under each call, and under a whole service: an outage within the bound and nothing else, and after
//! it is back the same store goes on, with nothing lost and nothing twice.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Clock, os::SystemClock};
use bartizan_sessions::{
    Asked, End, Ended, Error, ErrorKind, Outbox, Position, RevocationStore, Rotation, SessionStore, Store,
};
use bartizan_sessions_redis::{Config, RedisSessions};
use rustix::process::Signal;

use crate::{
    road::Service,
    support::{GOOD, SUBJECT, Server, TENANT, at, beginning, note, open, rotate, row, secret, selector},
};

const BOUND: Duration = Duration::from_millis(300);

async fn store(server: &Server) -> RedisSessions {
    let config = Config::new("struck").expect("a prefix").timeout(BOUND).expect("a timeout");
    open(&server.url(), config).await.expect("a store")
}

/// Sessions of a round: one is exchanged, one is shown an old secret, one is ended, and one is to begin.
const EXCHANGED: u64 = 0;
const STOLEN: u64 = 1;
const ENDED: u64 = 2;
const BEGUN: u64 = 3;

#[derive(Clone, Copy, Debug)]
enum Call {
    Find,
    IsRevoked,
    Begin,
    Rotate,
    Reuse,
    End,
    RevokeToken,
    Feed,
    Pending,
    Health,
}

const CALLS: [Call; 10] = [
    Call::Find,
    Call::IsRevoked,
    Call::Begin,
    Call::Rotate,
    Call::Reuse,
    Call::End,
    Call::RevokeToken,
    Call::Feed,
    Call::Pending,
    Call::Health,
];

impl Call {
    async fn run(self, store: &RedisSessions, first: u64) -> Result<(), Error> {
        match self {
            Self::Find => store.find(&selector(first + EXCHANGED)).await.map(drop),
            Self::IsRevoked => store.is_revoked(&asked(&format!("jti-{first}"))).await.map(drop),
            Self::Begin => store.begin(&beginning(row(first + BEGUN))).await.map(drop),
            Self::Rotate => store.rotate(&rotate(first + EXCHANGED, 0)).await.map(drop),
            Self::Reuse => store.rotate(&rotate(first + STOLEN, 5)).await.map(drop),
            Self::End => {
                let key = row(first + ENDED).session.id.key;
                let end = End::One { tenant: TENANT, subject: SUBJECT, key };
                store.end(end, Ended::LoggedOut, at(1), at(900), &note()).await.map(drop)
            }
            Self::RevokeToken => {
                let jti = format!("jti-{first}");
                store.revoke_token(&jti, TENANT, SUBJECT, at(1), at(900), &note()).await
            }
            Self::Feed => store.revocations(Position::default(), 10).await.map(drop),
            Self::Pending => store.pending(10).await.map(drop),
            Self::Health => store.health().await,
        }
    }
}

fn asked(jti: &str) -> Asked<'_> {
    Asked { jti: Some(jti), session: None, tenant: TENANT, subject: SUBJECT, issued_at: at(9) }
}

/// The same store, without a restart of its own.
async fn recovered(store: &RedisSessions) {
    let since = SystemClock.monotonic();
    while let Err(error) = store.health().await {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(SystemClock.monotonic().since(since) < Duration::from_secs(10), "it does not recover");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_is_an_outage_and_done_once_or_not_at_all() {
    let mut server = Server::start(&GOOD);
    let store = store(&server).await;
    let (mut entries, mut revocations) = (0, 0);
    for round in 0..6_u64 {
        let (first, is_stopped) = (round * 10, round % 2 == 0);
        for number in [EXCHANGED, STOLEN, ENDED] {
            store.begin(&beginning(row(first + number))).await.expect("a session");
        }
        if is_stopped {
            server.signal(Signal::STOP);
        } else {
            server.kill();
        }
        for call in CALLS {
            let since = SystemClock.monotonic();
            let error = call.run(&store, first).await.expect_err("it is out");
            let took = SystemClock.monotonic().since(since);
            assert!(took < 3 * BOUND, "{call:?} took {took:?}");
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{call:?}");
            assert!(error.is_transient() && error.refusal().is_none(), "{call:?}");
        }
        if is_stopped {
            server.signal(Signal::CONT);
        } else {
            server.start_again();
        }
        recovered(&store).await;
        let exchanged = store.find(&selector(first + EXCHANGED)).await.expect("an answer").expect("it lives");
        let generation = exchanged.session.generation;
        assert_eq!(exchanged.current, secret(first + EXCHANGED, generation));
        assert!(generation <= 1);
        let mut lives = Vec::new();
        for number in [STOLEN, ENDED, BEGUN] {
            lives.push(store.find(&selector(first + number)).await.expect("an answer").is_some());
        }
        let is_revoked = store.is_revoked(&asked(&format!("jti-{first}"))).await.expect("an answer");
        // A server that stood still does what it was sent before; one that was killed never saw it.
        if !is_stopped {
            assert_eq!((generation, &*lives, is_revoked), (0, &[true, true, false][..], false));
        }
        // An entry for whatever was done, and a revocation for whatever ended.
        let ends = [!lives[0], !lives[1], is_revoked].into_iter().filter(|ended| *ended).count();
        entries += 3 + ends + usize::from(generation == 1) + usize::from(lives[2]);
        revocations += ends;
        let told = store.pending(1_000).await.expect("entries");
        assert_eq!(told.len(), entries, "round {round}");
        assert!(told.is_sorted_by(|one, two| one.number < two.number), "a number was given twice");
        let feed = store.revocations(Position::default(), 1_000).await.expect("a feed").revocations;
        assert_eq!(feed.len(), revocations, "round {round}");
        // One leaf.
        let next = store.rotate(&rotate(first + EXCHANGED, generation)).await.expect("an answer");
        assert!(matches!(next, Rotation::Rotated(_)), "{next:?}");
        let again = store.rotate(&rotate(first + EXCHANGED, generation)).await.expect("an answer");
        assert!(matches!(again, Rotation::Reused(_)), "{again:?}");
        entries += 2;
        revocations += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_guards_its_routes_while_the_server_is_gone_and_goes_on_by_itself() {
    let mut server = Server::start(&GOOD);
    let service = Service::start(Arc::new(store(&server).await), BOUND).await;
    service.is_well().await;
    server.signal(Signal::STOP);
    service.is_out().await;
    server.signal(Signal::CONT);
    service.comes_back().await;
    server.kill();
    service.is_out().await;
    server.start_again();
    service.comes_back().await;
    service.is_well().await;
    service.ends().await;
}
