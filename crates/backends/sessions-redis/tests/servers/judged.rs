//! The script of a rotation says what `judge` says, of whatever row and whatever is asked.

use std::{sync::OnceLock, time::Duration};

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Begun, Digest, Ended, Facts, Judgement, Kind, RevocationStore, Rotate, Rotation, SessionId, SessionStore,
    StoredSession, from_millis, judge, to_millis,
};
use bartizan_sessions_redis::RedisSessions;
use proptest::{collection::vec, option, prelude::*, sample::select};
use tokio::runtime::Runtime;

use crate::support::{self, START, bytes, selector};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_script_says_what_judge_says(row in rows(), mut ask in asks(), ended_all in select(vec![false, false, false, true])) {
        let (runtime, store) = place();
        runtime.block_on(async {
            let number = next_number();
            let mut row = StoredSession { selector: selector(number), ..row };
            row.session.id.key = bartizan_sessions::SessionKey::from_bytes(bytes(3, number));
            row.session.subject = format!("subject {number}").into();
            ask.selector = row.selector;
            ask.next_selector = ask.next_selector.map(|_| Digest::from_bytes(bytes(9, number)));
            row.session.id = begun(store, &row).await;
            if ended_all {
                let end = bartizan_sessions::End::All { tenant: &row.session.tenant, subject: &row.session.subject };
                store.end(end, Ended::Revoked, START, START, &support::note()).await.expect("an end");
            }
            let epochs = store.epochs(&row.session.tenant, &row.session.subject).await.expect("epochs");
            let is_dead = row.ended.is_some() || row.session.id.epochs != epochs;
            let said = store.rotate(&ask).await.expect("an answer");
            let found = store.find(&ask.selector).await.expect("an answer");
            match judge(&row, epochs, &ask) {
                Judgement::Rotate(next) => {
                    prop_assert_eq!(said, Rotation::Rotated(next.session.clone()));
                    let here = store.find(&next.selector).await.expect("an answer");
                    prop_assert_eq!(here.as_ref(), Some(&*next));
                    if next.selector != row.selector {
                        prop_assert_eq!(found, None);
                    }
                }
                Judgement::End(dead) => {
                    prop_assert_eq!(said, Rotation::Reused(dead.session.clone()));
                    prop_assert_eq!(found, None);
                    let again = store.rotate(&Rotate { presented: row.current, ..ask.clone() }).await;
                    prop_assert_eq!(again.expect("an answer"), Rotation::Ended(dead.session.clone()));
                }
                Judgement::Answer(answer) => {
                    prop_assert_eq!(said, answer);
                    prop_assert_eq!(found, (!is_dead).then_some(row));
                }
            }
            Ok(())
        })?;
    }
}

fn place() -> &'static (Runtime, RedisSessions) {
    static PLACE: OnceLock<(Runtime, RedisSessions)> = OnceLock::new();
    PLACE.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let (store, _) = runtime.block_on(support::store());
        (runtime, store)
    })
}

fn next_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

async fn begun(store: &RedisSessions, row: &StoredSession) -> SessionId {
    match store.begin(&support::beginning(row.clone())).await.expect("a beginning") {
        Begun::As(id) => id,
        Begun::TooMany => panic!("there is no cap"),
    }
}

/// Times that lie on each other and on both sides of every limit.
fn times() -> impl Strategy<Value = UnixTime> {
    let apart = [-60_001, -1, 0, 1, 29_999, 30_000, 30_001, 59_999, 60_000, 60_001, 90_000];
    select(apart.to_vec()).prop_map(|millis| from_millis(to_millis(START) + millis))
}

/// Few, so that they meet.
fn digests() -> impl Strategy<Value = Digest> {
    (0..3_u64).prop_map(|number| Digest::from_bytes(bytes(7, number)))
}

fn rows() -> impl Strategy<Value = StoredSession> {
    let secrets = (
        digests(),
        option::of(digests()),
        option::weighted(0.7, Just([8; 32])),
        option::weighted(0.3, digests()),
    );
    let generations =
        select(vec![0, 8, 9, 99, 1_999, (1 << 53) - 1, 1 << 53, 999_999_999_999_999_999, u64::MAX - 1]);
    let ended = option::weighted(0.1, (times(), Just(Ended::Revoked)));
    let kinds = select(vec![Kind::Refresh, Kind::Cookie]);
    (secrets, vec(times(), 5), generations, ended, kinds).prop_map(
        |(secrets, times, generation, ended, kind)| {
            let (current, previous, nonce, binding) = secrets;
            let mut row = support::row(0);
            row.session.kind = kind;
            row.session.generation = generation;
            (row.session.begun, row.session.seen) = (START, times[0]);
            (row.session.idle_expires, row.session.expires) = (later(times[1]), later(times[2]));
            let grace_until = times[3];
            StoredSession { current, previous, nonce, binding, grace_until, ended, ..row }
        },
    )
}

/// Most rows live.
fn later(time: UnixTime) -> UnixTime {
    time.saturating_add(Duration::from_secs(60))
}

fn asks() -> impl Strategy<Value = Rotate> {
    let secrets = (
        digests(),
        digests(),
        option::of(Just([9; 32])),
        option::of(digests()),
        option::weighted(0.2, digests()),
    );
    let windows = select(vec![0, 1, 10_000, 30_000]);
    let idle = select(vec![0, 1, 60_000, 3_600_000]);
    let facts = option::of(Just(Facts::default()));
    (secrets, times(), windows, idle, facts).prop_map(|(secrets, now, grace, idle, facts)| {
        let (presented, next, nonce, binding, next_selector) = secrets;
        let (grace, idle) = (Duration::from_millis(grace), Duration::from_millis(idle));
        Rotate {
            presented,
            next,
            nonce,
            binding,
            next_selector,
            grace,
            idle,
            facts,
            now,
            ..support::rotate(0, 0)
        }
    })
}
