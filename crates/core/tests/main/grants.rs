//! What a grant is for, whose it is, and when it ends.

use std::{sync::Arc, time::Duration};

use bartizan_core::{
    Authorizer, FieldSet, JobPolicy, MAX_GRANT_LIFE, Mismatch, Owner, Pii, Resource, RuleId, Sensitive,
    UnixTime, Verdict, danger_unrecorded,
};
use bartizan_testkit::{ManualClock, ScriptedEngine, SeededEntropy};

use crate::support::{Bench, READ, RECORD, START, ada, facts, granted, principal};

fn after(seconds: u64) -> UnixTime {
    START.saturating_add(Duration::from_secs(seconds))
}

#[test]
fn a_grant_of_a_foreign_authority_can_be_told() {
    let bench = Bench::new();
    let clock = Arc::new(ManualClock::at(START));
    // Same service, same clock, another draw: what a second authorizer with an allow-all engine would make.
    let foreign = Authorizer::new(
        "clinic",
        ScriptedEngine::allowing(),
        JobPolicy::none(),
        Arc::new(danger_unrecorded()),
        clock,
        &SeededEntropy::new(2),
    )
    .unwrap();
    let (ours, theirs) = (bench.grant(), granted(foreign.decide(&ada(), READ, RECORD)));
    let (ours, theirs) = (ours.covers(RECORD).unwrap(), theirs.covers(RECORD).unwrap());
    assert_eq!(ours.authority(), bench.authorizer.authority());
    assert_eq!(theirs.authority(), foreign.authority());
    assert_ne!(ours.authority(), theirs.authority());
    assert_eq!(ours.resource(), theirs.resource());
    assert_eq!(
        format!("{:?}", ours.authority()),
        format!("{:?}", theirs.authority()),
        "the number is not shown"
    );
}

#[test]
fn a_grant_ends_with_the_first_of_60_seconds_the_verdict_and_every_credential() {
    for (verdict, subject, actor, expected) in [
        (None, None, None, 60),
        (Some(61), Some(61), Some(61), 60),
        (Some(59), None, None, 59),
        (Some(59), Some(58), None, 58),
        (None, Some(40), Some(50), 40),
        (None, None, Some(1), 1),
        (Some(30), Some(20), Some(10), 10),
    ] {
        let bench = Bench::new();
        let until = verdict.map_or(UnixTime::MAX, after);
        bench.engine.answer("ada", Verdict::Allow { rule: RuleId(1), clear: FieldSet::nothing(), until });
        let mut ada = facts("ada");
        ada.expires = subject.map(after);
        ada.actor = actor.map(|seconds| {
            let mut robot = facts("robot");
            robot.expires = Some(after(seconds));
            principal(robot)
        });
        let grant = granted(bench.authorizer.decide(&principal(ada), READ, RECORD));
        assert_eq!(grant.expires(), after(expected), "{verdict:?} {subject:?} {actor:?}");
        assert_eq!(grant.covers(RECORD).unwrap().expires(), after(expected));
    }
    assert_eq!(MAX_GRANT_LIFE, Duration::from_secs(60));
}

#[test]
fn a_grant_ends_with_the_first_verdict_of_the_chain() {
    for (subject, actor, expected) in [(20, 30, 20), (30, 20, 20)] {
        let bench = Bench::new();
        for (name, seconds) in [("ada", subject), ("robot", actor)] {
            let verdict =
                Verdict::Allow { rule: RuleId(1), clear: FieldSet::nothing(), until: after(seconds) };
            bench.engine.answer(name, verdict);
        }
        let mut ada = facts("ada");
        ada.actor = Some(principal(facts("robot")));
        assert_eq!(
            granted(bench.authorizer.decide(&principal(ada), READ, RECORD)).expires(),
            after(expected)
        );
    }
}

#[test]
fn a_grant_near_the_end_of_time_does_not_wrap_round() {
    let bench = Bench::new();
    bench.clock.set_wall(UnixTime::from_nanos(i64::MAX - 1));
    assert_eq!(bench.grant().expires(), UnixTime::MAX);
}

#[test]
fn a_grant_covers_its_record_and_no_other() {
    let bench = Bench::new();
    let grant = bench.grant();
    for (other, mismatch) in [
        (Resource::record("south", "patient", "p-17"), Mismatch::Tenant),
        (Resource::record("north", "invoice", "p-17"), Mismatch::Kind),
        (Resource::record("north", "patient", "p-18"), Mismatch::Record),
        (Resource::record("north", "patient", "p-1"), Mismatch::Record),
        (Resource::record("north", "patient", "p-17 "), Mismatch::Record),
        (Resource::record("north", "patient", "P-17"), Mismatch::Record),
        (Resource::collection("north", "patient"), Mismatch::Record),
    ] {
        assert_eq!(grant.covers(other).unwrap_err(), mismatch, "{other:?}");
    }
    let covered = grant.covers(RECORD).unwrap();
    assert_eq!(
        (covered.resource(), covered.decision(), covered.permission()),
        (RECORD, grant.decision(), READ.name())
    );
    assert_eq!(*covered.clear(), FieldSet::everything());
    // Owner and team were for the decision; a grant does not repeat them.
    let decorated = RECORD.owned_by(Owner::Asserted("ada")).in_team("t");
    assert_eq!(grant.covers(decorated).unwrap().resource(), RECORD);
}

#[test]
fn a_grant_for_a_collection_opens_no_record() {
    let bench = Bench::new();
    let all = Resource::collection("north", "patient");
    let grant = granted(bench.authorizer.decide(&ada(), READ, all));
    assert_eq!(grant.covers(RECORD).unwrap_err(), Mismatch::Record);
    assert_eq!(grant.covers(all).unwrap().resource().id(), None);
}

#[test]
fn names_longer_than_a_grant_holds_in_place_are_compared_in_full() {
    let bench = Bench::new();
    for length in [61, 62, 63, 64, 200, 255] {
        let (id, other) = ("x".repeat(length), format!("{}y", "x".repeat(length - 1)));
        let grant = granted(bench.authorizer.decide(&ada(), READ, Resource::record("north", "patient", &id)));
        assert_eq!(
            grant.covers(Resource::record("north", "patient", &id)).unwrap().resource().id(),
            Some(&*id)
        );
        for other in [&other, &id[1..], &format!("{id}x")] {
            assert!(grant.covers(Resource::record("north", "patient", other)).is_err(), "{length}");
        }
    }
}

#[test]
fn a_value_is_exposed_under_the_decision_that_opened_it() {
    let bench = Bench::new();
    let (first, second) = (bench.grant(), bench.grant());
    let (first, second) = (first.covers(RECORD).unwrap(), second.covers(RECORD).unwrap());
    let ssn: Pii<String, Sensitive> = Pii::opened("078-05-1120".to_owned(), first);
    assert_eq!(ssn.expose(first).unwrap(), "078-05-1120");
    assert_eq!(ssn.expose(second).unwrap_err(), Mismatch::Decision);
    let from_a_request: Pii<String, Sensitive> = Pii::new("078-05-1120".to_owned());
    assert!(from_a_request.expose(second).is_ok());
}
