//! What comes into force, and when it is known to have done so.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn nothing_is_decided_before_the_first_policy() {
    let world = World::new();
    assert!(is_stale(&world.may("ada", "note:read")));
    settle().await;
    assert!(!world.live.health().is_well());
    world.script.loads(Ok(loaded(READS, ["ada"], 5)));
    assert_eq!(world.live.ready().await.unwrap(), Revision(5));
    assert!(allows(&world.may("ada", "note:read")) && denies(&world.may("bob", "note:read")));
    let health = world.live.health();
    assert!(health.is_well(), "{health:?}");
    assert_eq!((health.revision, health.loads), (Some(Revision(5)), 1));
    assert_eq!(health.age(world.clock.wall()), Some(Duration::ZERO));
    assert_eq!(world.facts(), ["policy_loaded"]);
}

#[tokio::test]
async fn changes_come_into_force_in_their_order() {
    let world = World::begun().await;
    world.script.says(Ok(Changes::These(vec![assign("bob"), revoke("bob"), assign("eve")], Revision(6))));
    world.reached(6).await;
    assert!(denies(&world.may("bob", "note:read")) && allows(&world.may("eve", "note:read")));
    world.script.says(Ok(Changes::These(vec![revoke("ada")], Revision(9))));
    world.reached(9).await;
    assert!(denies(&world.may("ada", "note:read")));
    assert_eq!(world.script.asked()[..3], [None, Some(Revision(5)), Some(Revision(6))]);
    // Who may do what was changed by an administrator, who recorded it.
    assert_eq!(world.facts(), ["policy_loaded"]);
}

#[tokio::test]
async fn many_changes_come_into_force_as_well() {
    let world = World::begun().await;
    let changes = (0..2_000).map(|number| assign(&number.to_string())).collect();
    world.script.says(Ok(Changes::These(changes, Revision(6))));
    world.reached(6).await;
    assert!(allows(&world.may("0", "note:read")) && allows(&world.may("1999", "note:read")));
}

#[tokio::test]
async fn everything_is_loaded_when_the_source_says_so() {
    let world = World::begun().await;
    world.script.loads(Ok(loaded(WRITES, ["bob"], 7)));
    world.script.says(Ok(Changes::Everything));
    world.reached(7).await;
    assert!(denies(&world.may("ada", "note:read")) && allows(&world.may("bob", "note:write")));
    assert_eq!(world.facts(), ["policy_loaded", "policy_loaded"]);
    // The same file with other assignments is no other policy.
    world.loads(Ok(loaded(WRITES, ["ada"], 8))).await.unwrap();
    assert!(allows(&world.may("ada", "note:write")) && denies(&world.may("bob", "note:write")));
    assert_eq!(world.facts().len(), 2);
}

#[tokio::test]
async fn what_the_file_assigns_only_the_file_takes_away() {
    let world = World::new();
    let file = format!("{READS}[[assignments]]\ntenant = \"north\"\nsubject = \"ada\"\nrole = \"doctor\"\n");
    world.script.loads(Ok(loaded(&file, ["bob"], 5)));
    world.live.ready().await.unwrap();
    world.script.loads(Ok(loaded(&file, [], 6)));
    world.script.says(Ok(Changes::These(vec![revoke("ada"), revoke("bob")], Revision(6))));
    world.reached(6).await;
    assert!(allows(&world.may("ada", "note:read")) && denies(&world.may("bob", "note:read")));
}

#[tokio::test]
async fn where_only_tokens_count_the_revision_goes_on() {
    let world = World::counting(Assignments::TokenOnly(vec!["https://a.example".into()]), |builder| builder);
    world.script.loads(Ok(loaded(READS, ["ada"], 5)));
    world.live.ready().await.unwrap();
    world.script.says(Ok(Changes::These(vec![assign("bob")], Revision(6))));
    world.reached(6).await;
    assert!(denies(&world.may("bob", "note:read")));
    assert_eq!(world.engine.revision(), Revision(6));
}

#[tokio::test]
async fn an_administrator_of_this_node_may_be_faster() {
    let world = World::begun().await;
    world.engine.apply(&[revoke("ada")], Revision(6)).unwrap();
    world.script.says(Ok(Changes::These(vec![revoke("ada")], Revision(6))));
    world.reached(6).await;
    assert!(denies(&world.may("ada", "note:read")));
    // A load that began before: what was revoked meanwhile does not come back with it.
    world.engine.apply(&[revoke("bob")], Revision(9)).unwrap();
    let overtaken = world.loads(Ok(loaded(READS, ["bob"], 8))).await.unwrap_err();
    assert_eq!(overtaken.kind(), LoadErrorKind::Behind);
    assert!(denies(&world.may("bob", "note:read")));
    world.loads(Ok(loaded(READS, ["eve"], 9))).await.unwrap();
    assert!(denies(&world.may("bob", "note:read")) && allows(&world.may("eve", "note:read")));
    assert_eq!(world.facts(), ["policy_loaded"]);
}

#[tokio::test]
async fn a_backup_that_was_put_back_is_taken_and_recorded() {
    let world = World::begun().await;
    let first = world.loads(Ok(loaded(READS, ["bob"], 3))).await.unwrap_err();
    assert_eq!((first.kind(), first.is_transient()), (LoadErrorKind::Behind, true));
    assert_eq!(world.loads(Ok(loaded(READS, ["bob"], 3))).await.unwrap(), Revision(3));
    assert!(allows(&world.may("bob", "note:read")) && denies(&world.may("ada", "note:read")));
    let facts = world.recorder.facts();
    assert_eq!(facts.last().unwrap().reason, Some("went_back"));
    assert!(facts.last().unwrap().shown.contains("Revision(3)"), "{facts:?}");
}

#[tokio::test]
async fn a_reload_is_one_that_began_after_it_was_asked_for() {
    let world = World::begun().await;
    world.live.refresh();
    settle().await;
    assert_eq!(world.script.asked().last(), Some(&None), "a wish interrupts the wait for changes");
    // That load is under way already: it may not know what was written meanwhile.
    let reloaded = tokio::spawn({
        let live = world.live.clone();
        async move { live.reload().await }
    });
    settle().await;
    world.script.loads(Ok(loaded(READS, ["ada"], 5)));
    world.reached(5).await;
    settle().await;
    assert!(!reloaded.is_finished());
    world.script.loads(Ok(loaded(READS, ["ada"], 6)));
    let reloaded = world.passing(reloaded).await.unwrap();
    assert_eq!(reloaded.unwrap(), Revision(6));
}

#[tokio::test]
async fn a_source_that_never_waits_is_not_asked_in_a_circle() {
    let world = World::begun().await;
    world.script.always_says(Changes::Nothing);
    settle().await;
    let before = world.script.asked().len();
    for _ in 0..100 {
        world.clock.advance(Duration::from_millis(10));
        settle().await;
    }
    let asked = world.script.asked().len() - before;
    assert!((25..=51).contains(&asked), "asked {asked} times in a second");
}

#[tokio::test]
async fn a_driver_that_is_gone_is_known_to_be() {
    let world = World::begun().await;
    world.driver.abort();
    let stopped = world.live.reached(Revision(99)).await.unwrap_err();
    assert_eq!(stopped.kind(), LoadErrorKind::Stopped);
    assert!(!world.live.health().is_running && !world.live.health().is_well());
    assert_eq!(world.live.reload().await.unwrap_err().kind(), LoadErrorKind::Stopped);
    // What is in force stays until its bound.
    assert!(allows(&world.may("ada", "note:read")));
}

/// Readers go round without a pause while everything is replaced a thousand times: each answer is that of its revision.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_one_revision_or_the_other_and_never_a_mixture() {
    const RELOADS: u64 = 1_000;
    // However long it takes here, a bound does not pass meanwhile.
    let assignments = Assignments::HeldOnly(HeldAssignments::new());
    let world = World::following(Engine::new(Policy::default(), assignments), |builder| builder);
    // Even revisions: Ada reads. Odd ones: Bob reads and writes.
    let at = |revision: u64| match revision % 2 {
        0 => loaded(READS, ["ada"], revision),
        _ => loaded(WRITES, ["bob"], revision),
    };
    world.script.loads(Ok(at(2)));
    world.live.ready().await.unwrap();
    let (is_over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    // Some time passes with each reload; these ask as if none did.
    let now = world.clock.wall();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = Revision(0);
                while !is_over.load(Ordering::Relaxed) {
                    for (who, permission) in [
                        ("ada", "note:read"),
                        ("ada", "note:write"),
                        ("bob", "note:read"),
                        ("bob", "note:write"),
                    ] {
                        let (verdict, revision) = decides(&world.engine, who, permission, now);
                        let expected = match (revision.0 % 2, who, permission) {
                            (0, "ada", "note:read") | (1, "bob", _) => allows(&verdict),
                            _ => denies(&verdict),
                        };
                        assert!(expected, "{who} {permission} at {revision:?}: {verdict:?}");
                        assert!(revision >= last, "revisions go back under a reader");
                        last = revision;
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                    std::thread::yield_now();
                }
            });
        }
        let reloads = async {
            for revision in 3..3 + RELOADS {
                world.script.loads(Ok(at(revision)));
                world.script.says(Ok(Changes::Everything));
                world.reached(revision).await;
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(reloads));
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(asked.into_inner() > 1_000);
    assert_eq!(world.live.health().loads, RELOADS + 1);
}
