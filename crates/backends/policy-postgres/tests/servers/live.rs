//! An engine that follows the store over a network that fails.

use std::{sync::Arc, time::Duration};

use bartizan_core::{
    Ask, Attestation, Cause, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource, Revision,
    UnixTime, Verdict,
};
use bartizan_policy_postgres::PostgresPolicyStore;
use bartizan_rbac::{
    AssignmentStore, Assignments, Change, Engine, HeldAssignments, Holder, LivePolicy, LoadErrorKind, Policy,
    PolicyStore,
};
use bartizan_testkit::{ManualClock, MemoryRecorder};
use sqlx::postgres::PgPoolOptions;

use crate::{
    proxy::{Fault, Proxy},
    support::{Place, assign, options, policy, server},
};

const STALE_AFTER: Duration = Duration::from_secs(300);

fn revoke(who: &str) -> Change {
    Change::Revoke { tenant: "north".into(), holder: Holder::Subject(who.into()), role: "doctor".into() }
}

fn decides(engine: &Engine, who: &str, now: UnixTime) -> Verdict {
    let who = Principal::attested(Attestation::Token, PrincipalFacts::new("north", who)).unwrap();
    let permission = PermissionName::parse("note:read").unwrap();
    engine.decide(&Ask::new(&who, permission, Resource::record("north", "note", "1"), now)).0
}

/// Runs a future while the clock of the engine goes on, a hundred times as fast as the server's.
async fn passing<T>(clock: &ManualClock, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            answer = &mut future => return answer,
            () = tokio::time::sleep(Duration::from_millis(1)) => clock.advance(Duration::from_millis(100)),
        }
    }
}

/// First everything and each change; then nothing at all once the feed has been silent for too long; then everything again.
#[test]
fn an_interrupted_feed_goes_stale_and_is_never_half_of_a_state() {
    let place = Place::filled(3);
    place.runtime.block_on(async {
        let proxy = Proxy::start(server()).await;
        let through = options().host("127.0.0.1").port(proxy.address.port());
        let bound = Duration::from_millis(500);
        let config = place.config().within(bound).unwrap().load_within(bound).unwrap();
        let config = config.poll_every(Duration::from_millis(20)).unwrap();
        let pool = PgPoolOptions::new().max_connections(2).connect_with(through).await.unwrap();
        let store = Arc::new(PostgresPolicyStore::open(pool, &config).await.unwrap());
        let writer = PostgresPolicyStore::open(place.admin.clone(), &place.config()).await.unwrap();

        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
        let engine = Engine::new(Policy::default(), Assignments::HeldOnly(HeldAssignments::new()));
        let engine = Arc::new(engine.stale_after(STALE_AFTER));
        let recorder = Arc::new(MemoryRecorder::default());
        let (live, driver) = LivePolicy::follow(
            store,
            Arc::clone(&engine),
            Arc::clone(&recorder) as _,
            Arc::clone(&clock) as _,
        )
        .build();
        let driver = tokio::spawn(driver.run());
        let may = |who: &str| decides(&engine, who, bartizan_core::Clock::wall(&*clock));

        let mut seen = passing(&clock, live.ready()).await.unwrap();
        assert!(matches!(may("0"), Verdict::Allow { .. }));
        seen = writer.commit(seen, &[revoke("0"), assign("eve")]).await.unwrap();
        passing(&clock, live.reached(seen)).await.unwrap();
        assert!(matches!(may("0"), Verdict::Deny { .. }) && matches!(may("eve"), Verdict::Allow { .. }));

        for fault in [Fault::Stopped, Fault::BeforeTheRequest, Fault::BeforeTheAnswer] {
            proxy.fail_after(0, fault);
            // A role goes from one to another meanwhile: nobody sees it with both, or with neither.
            let at = writer.commit(seen, &[revoke("1"), assign("0")]).await.unwrap();
            passing(&clock, async {
                while !live.health().is_stale {
                    let (old, new) = (may("1"), may("0"));
                    let is_before = matches!((&old, &new), (Verdict::Allow { .. }, Verdict::Deny { .. }));
                    let is_stale = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(Cause::Stale));
                    assert!(is_before || is_stale(&old) || is_stale(&new), "{old:?} {new:?}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
            assert!(matches!(may("2"), Verdict::Unknown(Cause::Stale)), "{fault:?}");
            assert!(!live.health().is_well() && engine.revision() == seen);
            assert!(proxy.mend());
            passing(&clock, live.reached(at)).await.unwrap();
            assert!(live.health().is_well(), "{:?}", live.health());
            assert!(matches!(may("1"), Verdict::Deny { .. }) && matches!(may("0"), Verdict::Allow { .. }));
            seen = writer.commit(at, &[revoke("0"), assign("1")]).await.unwrap();
            passing(&clock, live.reached(seen)).await.unwrap();
        }
        let stale = recorder.facts().iter().filter(|fact| fact.code.name() == "policy_stale").count();
        assert_eq!(stale, 3);
        driver.abort();
    });
}

#[test]
fn a_policy_that_is_published_comes_into_force_and_a_bad_one_does_not() {
    let place = Place::filled(1);
    let store = Arc::new(place.store_with(
        place.runtime.block_on(crate::support::pool(options(), 2)),
        &place.config().poll_every(Duration::from_millis(20)).unwrap(),
    ));
    place.runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
        let engine = Arc::new(Engine::new(Policy::default(), Assignments::HeldOnly(HeldAssignments::new())));
        let recorder = Arc::new(MemoryRecorder::default());
        let source = Arc::clone(&store);
        let (live, driver) =
            LivePolicy::follow(source, Arc::clone(&engine), recorder, Arc::clone(&clock) as _).build();
        let driver = tokio::spawn(driver.run());
        let first = passing(&clock, live.ready()).await.unwrap();
        let bad = bartizan_rbac::PolicyText::Toml("version = 2".into());
        let second = store.publish(first, &bad).await.unwrap();
        let refused = passing(&clock, live.reached(second)).await.unwrap_err();
        assert_eq!(refused.kind(), LoadErrorKind::Policy);
        assert!(matches!(decides(&engine, "0", clock_now(&clock)), Verdict::Allow { .. }));
        // Nobody keeps a role because of it.
        let third = store.commit(second, &[revoke("0")]).await.unwrap();
        passing(&clock, async {
            while engine.revision() < third {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        assert!(matches!(decides(&engine, "0", clock_now(&clock)), Verdict::Deny { .. }));
        let fourth = store.publish(third, &policy(2)).await.unwrap();
        passing(&clock, live.reached(fourth)).await.unwrap();
        assert_eq!((live.health().revision, fourth), (Some(fourth), Revision(third.0 + 1)));
        driver.abort();
    });
}

fn clock_now(clock: &ManualClock) -> UnixTime {
    bartizan_core::Clock::wall(clock)
}
