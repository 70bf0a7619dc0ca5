//! A source that fails, stands still, or contradicts itself.

use super::*;

#[tokio::test]
async fn a_first_attempt_that_fails_is_told_and_made_again() {
    let world = World::new();
    world.script.loads(Err(outage()));
    let failed = world.live.ready().await.unwrap_err();
    assert_eq!((failed.kind(), failed.is_transient()), (LoadErrorKind::Source, true));
    assert_eq!(world.live.health().failures, 1);
    settle().await;
    assert_eq!(world.script.asked().len(), 1, "it waits before it asks again");
    world.script.loads(Ok(loaded(READS, ["ada"], 5)));
    world.reached(5).await;
    assert_eq!(world.live.ready().await.unwrap(), Revision(5));
    assert!(world.live.health().is_well() && world.live.health().failures == 0);
}

#[tokio::test]
async fn failures_are_answered_with_patience() {
    let world = World::begun().await;
    let before = world.script.asked().len();
    for _ in 0..200 {
        world.script.says(Err(outage()));
    }
    for _ in 0..600 {
        world.clock.advance(Duration::from_secs(1));
        settle().await;
    }
    // In ten minutes: some at first, then one every 15 to 30 seconds.
    let asked = world.script.asked().len() - before;
    assert!((20..60).contains(&asked), "asked {asked} times in ten minutes");
    assert!(world.live.health().failures >= 20);
}

#[tokio::test]
async fn what_is_not_confirmed_is_decided_no_more() {
    let world = World::begun().await;
    world.clock.advance(BOUND);
    settle().await;
    assert!(is_stale(&world.may("ada", "note:read")), "on the other clock the bound has passed as well");
    let health = world.live.health();
    assert!(health.is_stale && !health.is_well());
    assert_eq!(world.facts(), ["policy_loaded", "policy_stale"]);
    world.clock.advance(BOUND);
    settle().await;
    assert_eq!(world.facts().len(), 2, "it is said once");
    // The source is back.
    world.script.says(Ok(Changes::Nothing));
    world.until(|world| !world.live.health().is_stale).await;
    assert!(allows(&world.may("ada", "note:read")) && world.live.health().is_well());
}

#[tokio::test]
async fn errors_confirm_nothing() {
    let world = World::begun().await;
    for _ in 0..100 {
        world.script.says(Err(outage()));
    }
    for _ in 0..31 {
        world.clock.advance(BOUND / 30);
        settle().await;
    }
    assert!(is_stale(&world.may("ada", "note:read")));
}

/// A question that was put before the source fell silent is no sign of life from after that.
#[tokio::test]
async fn an_answer_confirms_the_time_when_it_was_asked_for() {
    let world = World::begun().await;
    let asked_at = world.clock.wall();
    world.clock.advance(Duration::from_secs(59));
    settle().await;
    world.script.says(Ok(Changes::Nothing));
    world.until(|world| world.script.asked().len() > 2).await;
    assert_eq!(world.live.health().confirmed_at, Some(asked_at));
}

#[tokio::test]
async fn a_wall_clock_set_back_keeps_nothing_alive() {
    let world = World::begun().await;
    world.clock.set_wall(UnixTime::from_secs(1_000_000_000));
    world.clock.advance(BOUND);
    settle().await;
    assert!(is_stale(&world.may("ada", "note:read")));
}

#[tokio::test]
async fn a_source_that_stands_still_is_asked_again() {
    let world = World::begun().await;
    settle().await;
    assert_eq!(world.script.asked().len(), 2);
    world.clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(world.live.health().failure.unwrap().kind(), LoadErrorKind::Silent);
    world.script.says(Ok(Changes::These(vec![revoke("ada")], Revision(6))));
    world.reached(6).await;
    assert!(denies(&world.may("ada", "note:read")));
}

#[tokio::test]
async fn a_load_that_stands_still_is_given_up() {
    let world = World::begun_with(|builder| builder.load_within(Duration::from_secs(5))).await;
    let reloaded = world.passing(world.live.reload()).await;
    assert_eq!(reloaded.unwrap_err().kind(), LoadErrorKind::Silent);
    assert!(allows(&world.may("ada", "note:read")));
}

#[tokio::test]
async fn a_source_that_contradicts_itself_is_loaded_anew() {
    for revision in [5, 4] {
        let world = World::begun().await;
        world.script.says(Ok(Changes::These(vec![revoke("ada")], Revision(revision))));
        world.script.loads(Ok(loaded(READS, ["bob"], 6)));
        world.until(|world| world.live.health().failures == 1).await;
        assert!(allows(&world.may("ada", "note:read")), "what it means is not known");
        world.reached(6).await;
        assert!(denies(&world.may("ada", "note:read")) && allows(&world.may("bob", "note:read")));
    }
}

#[tokio::test]
async fn a_failed_load_changes_nothing_and_is_made_again() {
    let world = World::begun().await;
    world.script.says(Ok(Changes::Everything));
    world.script.loads(Err(outage()));
    world.until(|world| world.live.health().failures == 1).await;
    assert!(allows(&world.may("ada", "note:read")));
    assert_eq!(world.engine.revision(), Revision(5));
    world.script.says(Ok(Changes::Everything));
    world.script.loads(Ok(loaded(READS, [], 7)));
    world.reached(7).await;
    assert_eq!(world.script.asked().iter().filter(|asked| **asked == Some(Revision(5))).count(), 2);
}

#[tokio::test]
async fn nothing_of_policies_and_people_is_shown() {
    let world = World::begun().await;
    let policy = format!("{READS}# canary-text\n");
    world.loads(Ok(loaded(&policy, ["canary-subject"], 6))).await.unwrap();
    let shown = format!("{:?} {:?} {:?}", world.live, loaded(&policy, ["canary-subject"], 6), world.recorder);
    assert!(!shown.contains("canary"), "{shown}");
}
