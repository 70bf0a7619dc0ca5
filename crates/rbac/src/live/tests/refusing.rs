//! What does not come into force.

use super::*;

#[tokio::test]
async fn a_refused_policy_leaves_the_last_good_one_in_force() {
    let world = World::begun().await;
    let refused = world.loads(Ok(loaded(BAD, ["ada"], 6))).await.unwrap_err();
    assert_eq!((refused.kind(), refused.line()), (LoadErrorKind::Policy, Some(7)));
    assert!(!refused.is_transient() && refused.to_string().contains("canary-nobody"), "{refused}");
    assert!(allows(&world.may("ada", "note:read")));
    assert_eq!(world.live.reached(Revision(6)).await.unwrap_err().kind(), LoadErrorKind::Policy);
    let health = world.live.health();
    assert!(!health.is_well() && !health.is_stale);
    assert_eq!((health.seen, health.failed_at), (Some(Revision(6)), Some(world.clock.wall())));
    // It is on record once, however often the source is asked; and without what stands in the file.
    world.loads(Ok(loaded(BAD, ["ada"], 7))).await.unwrap_err();
    assert_eq!(world.facts(), ["policy_loaded", "policy_refused"]);
    let fact = &world.recorder.facts()[1];
    assert_eq!((fact.reason, fact.shown.contains("canary")), (Some("policy_refused"), false), "{fact:?}");
    assert!(fact.shown.contains("line"), "{fact:?}");
    // A good one mends it.
    world.loads(Ok(loaded(WRITES, ["ada"], 8))).await.unwrap();
    assert!(world.live.health().is_well() && allows(&world.may("ada", "note:write")));
}

#[tokio::test]
async fn a_policy_whose_own_tests_fail_is_refused() {
    let world = World::begun().await;
    let tested = format!(
        "{WRITES}[[tests]]\nrole = \"doctor\"\npermission = \"note:write\"\nexpect = \"deny\"\nbecause = \"doctors only read\"\n"
    );
    let refused = world.loads(Ok(loaded(&tested, ["ada"], 6))).await.unwrap_err();
    assert_eq!(refused.kind(), LoadErrorKind::Policy);
    assert!(allows(&world.may("ada", "note:read")) && denies(&world.may("ada", "note:write")));
}

#[tokio::test]
async fn a_refused_first_policy_is_told_and_a_good_one_awaited() {
    let world = World::new();
    world.script.loads(Ok(loaded(BAD, [], 1)));
    assert_eq!(world.live.ready().await.unwrap_err().kind(), LoadErrorKind::Policy);
    assert!(is_stale(&world.may("ada", "note:read")));
    world.script.says(Ok(Changes::These(vec![assign("ada")], Revision(2))));
    world.script.says(Ok(Changes::Everything));
    world.script.loads(Ok(loaded(READS, ["ada"], 3)));
    world.reached(3).await;
    assert_eq!(world.live.ready().await.unwrap(), Revision(3));
    assert!(allows(&world.may("ada", "note:read")));
}

/// Somebody's mistake in a file keeps nobody's role alive.
#[tokio::test]
async fn assignments_do_not_wait_for_a_policy_to_be_mended() {
    let world = World::begun().await;
    world.loads(Ok(loaded(BAD, ["ada", "bob"], 6))).await.unwrap_err();
    assert!(allows(&world.may("bob", "note:read")));
    world.script.says(Ok(Changes::These(vec![revoke("ada")], Revision(7))));
    world.until(|world| world.engine.revision() == Revision(7)).await;
    assert!(denies(&world.may("ada", "note:read")));
    world.loads(Ok(loaded(BAD, [], 8))).await.unwrap_err();
    assert!(denies(&world.may("bob", "note:read")));
}

#[tokio::test]
async fn a_source_that_answers_confirms_although_its_policy_is_refused() {
    let world = World::begun().await;
    world.loads(Ok(loaded(BAD, ["ada"], 6))).await.unwrap_err();
    world.script.always_says(Changes::Nothing);
    for _ in 0..4 {
        world.clock.advance(BOUND / 2);
        settle().await;
    }
    assert!(allows(&world.may("ada", "note:read")));
    assert!(!world.live.health().is_well() && !world.live.health().is_stale);
}

#[tokio::test]
async fn unless_it_was_told_to_go_stale_then() {
    let world = World::begun_with(LivePolicyBuilder::stale_when_refused).await;
    world.loads(Ok(loaded(BAD, ["ada"], 6))).await.unwrap_err();
    world.script.always_says(Changes::Nothing);
    for _ in 0..3 {
        world.clock.advance(BOUND / 2);
        settle().await;
    }
    assert!(is_stale(&world.may("ada", "note:read")) && world.live.health().is_stale);
    world.loads(Ok(loaded(WRITES, ["ada"], 7))).await.unwrap();
    assert!(allows(&world.may("ada", "note:write")) && world.live.health().is_well());
}

#[tokio::test]
async fn a_guard_is_asked_about_old_and_new_and_about_nothing_else() {
    let asked = Arc::new(Mutex::new(0));
    let counting = Arc::clone(&asked);
    let world = World::begun_with(|builder| {
        builder.guarded_by(move |old, new| {
            *counting.lock().unwrap() += 1;
            let count = |policy: &Policy| policy.roles().count();
            if count(new) < count(old) { Err(Refusal::new("canary-roles are gone")) } else { Ok(()) }
        })
    })
    .await;
    assert_eq!(*asked.lock().unwrap(), 0, "the first replaces none");
    world.loads(Ok(loaded(WRITES, ["ada"], 6))).await.unwrap();
    let without = "version = 1\n[permissions]\n\"note:read\" = { scopes = [\"all\"] }\n";
    let refused = world.loads(Ok(loaded(without, ["ada"], 7))).await.unwrap_err();
    assert_eq!((refused.kind(), refused.line()), (LoadErrorKind::Guard, None));
    assert!(refused.to_string().contains("canary-roles"), "{refused}");
    assert!(allows(&world.may("ada", "note:write")));
    assert_eq!(*asked.lock().unwrap(), 2);
    let fact = world.recorder.facts().pop().unwrap();
    assert_eq!((fact.code.name(), fact.reason), ("policy_refused", Some("guard_refused")));
    assert!(!fact.shown.contains("canary"), "{fact:?}");
}

#[tokio::test]
async fn no_new_access_comes_by_a_policy_where_that_was_said() {
    let world = World::begun_with(LivePolicyBuilder::without_new_access).await;
    let refused = world.loads(Ok(loaded(WRITES, ["ada"], 6))).await.unwrap_err();
    assert_eq!(refused.kind(), LoadErrorKind::Guard);
    assert!(refused.to_string().contains("doctor") && denies(&world.may("ada", "note:write")), "{refused}");
    let less = READS.replace("allow = [\"note:read:all\"]", "allow = []");
    world.loads(Ok(loaded(&less, ["ada"], 7))).await.unwrap();
    assert!(denies(&world.may("ada", "note:read")));
}

#[tokio::test]
async fn a_guard_that_panics_lets_nothing_in_and_ends_nothing() {
    let world = World::begun_with(|builder| builder.guarded_by(|_, _| panic!("on purpose"))).await;
    let failed = world.loads(Ok(loaded(WRITES, ["ada"], 6))).await.unwrap_err();
    assert_eq!(failed.kind(), LoadErrorKind::Examiner);
    assert!(allows(&world.may("ada", "note:read")) && denies(&world.may("ada", "note:write")));
    world.loads(Ok(loaded(READS, [], 7))).await.unwrap();
    assert!(denies(&world.may("ada", "note:read")));
}

#[tokio::test]
async fn what_is_not_on_record_does_not_come_into_force() {
    for lose in [MemoryRecorder::refuse as fn(&MemoryRecorder), MemoryRecorder::lose] {
        let world = World::begun().await;
        lose(&world.recorder);
        let failed = world.loads(Ok(loaded(WRITES, ["ada"], 6))).await.unwrap_err();
        assert_eq!((failed.kind(), failed.is_transient()), (LoadErrorKind::NotRecorded, true));
        assert!(allows(&world.may("ada", "note:read")) && denies(&world.may("ada", "note:write")));
        assert_eq!(world.engine.revision(), Revision(5));
    }
}
