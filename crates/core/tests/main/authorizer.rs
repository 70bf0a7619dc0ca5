//! What is asked, in which order, and what each refusal is.

use std::{collections::HashSet, sync::Arc, thread, time::Duration};

use bartizan_core::{
    Authorizer, Cause, Decision, Denial, ErrorKind, FieldSet, JobPolicy, Outcome, Permission, PrincipalFacts,
    Resource, Revision, RuleId, UnixTime, Verdict, code, danger_unrecorded,
};
use bartizan_testkit::{BrokenEntropy, ManualClock, ScriptedEngine, SeededEntropy};

use crate::support::{
    Bench, ERASE, READ, RECORD, START, ada, allow, facts, granted, job, now, principal, undecided,
};

fn denied(decision: Decision) -> Denial {
    match decision {
        Decision::Deny(denial) => denial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_allow_is_recorded_and_granted() {
    let bench = Bench::new();
    let grant = bench.grant();
    let facts = bench.recorder.facts();
    assert_eq!(
        (facts.len(), facts[0].code, facts[0].outcome),
        (1, code::PERMISSION_GRANTED, Outcome::Success)
    );
    assert!(facts[0].shown.contains(&grant.decision().to_string()));
    assert!(facts[0].shown.contains("RuleId(3)") && facts[0].shown.contains("Revision(5)"));
}

#[test]
fn a_deny_is_recorded_with_its_rule() {
    let bench = Bench::new();
    bench.engine.answer("ada", Verdict::Deny { rule: Some(RuleId(7)) });
    let denial = denied(bench.authorizer.decide(&ada(), READ, RECORD));
    assert_eq!((denial.rule(), denial.revision()), (Some(RuleId(7)), Revision(5)));
    assert!(!denial.hides_existence() && !denial.credential_has_ended());
    let facts = bench.recorder.facts();
    assert_eq!(
        (facts[0].code, facts[0].outcome, facts[0].reason),
        (code::PERMISSION_DENIED, Outcome::Denied, Some("rule"))
    );
    assert!(facts[0].shown.contains(&denial.decision().to_string()));
}

#[test]
fn another_tenants_record_is_denied_before_the_engine_is_asked() {
    let bench = Bench::new();
    for tenant in ["south", "North", "north ", "nort", "northx"] {
        let denial =
            denied(bench.authorizer.decide(&ada(), READ, Resource::record(tenant, "patient", "p-17")));
        assert!(denial.hides_existence(), "{tenant}");
        assert_eq!((denial.rule(), denial.revision()), (None, Revision::default()));
    }
    assert_eq!(bench.engine.asked(), 0);
    assert!(bench.recorder.facts().iter().all(|fact| fact.reason == Some("other_tenant")));
    assert_eq!(bench.recorder.facts().len(), 5);
}

#[test]
fn a_credential_is_refused_at_the_exact_second_it_ends() {
    let bench = Bench::new();
    let mut facts = facts("ada");
    facts.expires = Some(START.saturating_add(Duration::from_secs(30)));
    let ada = principal(facts);
    bench.clock.advance(Duration::from_nanos(30_000_000_000 - 1));
    assert!(matches!(bench.authorizer.decide(&ada, READ, RECORD), Decision::Allow(_)));
    bench.clock.advance(Duration::from_nanos(1));
    let asked = bench.engine.asked();
    let denial = denied(bench.authorizer.decide(&ada, READ, RECORD));
    assert!(denial.credential_has_ended() && !denial.hides_existence());
    assert_eq!(bench.engine.asked(), asked, "the engine is not asked about a credential that has ended");
    assert_eq!(bench.recorder.facts().last().unwrap().reason, Some("credential_expired"));
}

#[test]
fn a_malformed_name_cannot_be_decided() {
    let bench = Bench::new();
    let long = "x".repeat(256);
    for on in [
        Resource::record("", "patient", "p-17"),
        Resource::record("north", "", "p-17"),
        Resource::record("north", "patient", ""),
        Resource::record("north", "patient", "p\n17"),
        Resource::record("north", "patient", "p\u{202e}17"),
        Resource::record("north", "patient", &long),
        Resource::record("north\0", "patient", "p-17"),
        Resource::collection("north", "pat\u{2028}ient"),
    ] {
        assert_eq!(undecided(bench.authorizer.decide(&ada(), READ, on)), Cause::Malformed, "{on:?}");
        assert_eq!(
            undecided(now(bench.authorizer.decide_durably(&ada(), ERASE, on))),
            Cause::Malformed,
            "{on:?}"
        );
    }
    assert_eq!(bench.engine.asked(), 0);
    assert!(
        bench
            .recorder
            .facts()
            .iter()
            .all(|fact| fact.outcome == Outcome::Unknown && fact.reason == Some("malformed"))
    );
}

#[test]
fn what_an_engine_cannot_tell_is_neither_allowed_nor_denied() {
    let bench = Bench::new();
    for cause in [Cause::Unavailable, Cause::Stale] {
        bench.engine.answer("ada", Verdict::Unknown(cause));
        assert_eq!(undecided(bench.authorizer.decide(&ada(), READ, RECORD)), cause);
        let fact = bench.recorder.facts().pop().unwrap();
        assert_eq!(
            (fact.code, fact.outcome, fact.reason),
            (code::PERMISSION_UNDECIDED, Outcome::Unknown, Some(cause.as_str()))
        );
    }
}

#[test]
fn an_allow_that_has_already_ended_is_a_deny() {
    let bench = Bench::new();
    for until in [START, UnixTime::EPOCH, UnixTime::from_nanos(i64::MIN)] {
        bench.engine.answer("ada", Verdict::Allow { rule: RuleId(1), clear: FieldSet::everything(), until });
        assert_eq!(denied(bench.authorizer.decide(&ada(), READ, RECORD)).rule(), None);
    }
}

#[test]
fn what_cannot_be_recorded_does_not_stand() {
    let bench = Bench::new();
    bench.recorder.refuse();
    assert_eq!(undecided(bench.authorizer.decide(&ada(), READ, RECORD)), Cause::NotRecorded);
    assert_eq!(undecided(now(bench.authorizer.decide_durably(&ada(), ERASE, RECORD))), Cause::NotRecorded);
    let page = bench.authorizer.decide_each(&ada(), READ, [RECORD, RECORD]);
    assert!(page.into_iter().all(|decision| undecided(decision) == Cause::NotRecorded));
    // A deny that is not on record is no answer either: the record would be silent about somebody who tries.
    bench.engine.answer("ada", Verdict::Deny { rule: None });
    assert_eq!(undecided(bench.authorizer.decide(&ada(), READ, RECORD)), Cause::NotRecorded);
}

#[test]
fn the_system_realm_is_decided_durably_by_the_job_policy_alone() {
    const RESEAL: Permission = Permission::literal("patient:reseal");
    let bench = Bench::with_jobs(JobPolicy::none().allow("nightly", RESEAL, FieldSet::named(["ssn"])));
    let nightly = job("nightly");
    assert_eq!(undecided(bench.authorizer.decide(&nightly, RESEAL, RECORD)), Cause::NeedsDurable);
    let page = bench.authorizer.decide_each(&nightly, RESEAL, [RECORD]);
    assert!(page.into_iter().all(|decision| undecided(decision) == Cause::NeedsDurable));
    assert!(bench.recorder.facts().is_empty());

    for tenant in ["north", "south"] {
        let on = Resource::record(tenant, "patient", "p-17");
        let grant = granted(now(bench.authorizer.decide_durably(&nightly, RESEAL, on)));
        assert_eq!(*grant.clear(), FieldSet::named(["ssn"]));
        assert!(grant.covers(on).is_ok());
    }
    denied(now(bench.authorizer.decide_durably(&nightly, READ, RECORD)));
    denied(now(bench.authorizer.decide_durably(&nightly, RESEAL, Resource::record("north", "invoice", "i"))));
    denied(now(bench.authorizer.decide_durably(&job("nightl"), RESEAL, RECORD)));
    assert_eq!(bench.engine.asked(), 0, "the policy of the tenants allows everything and is not asked");
}

#[test]
fn a_job_rule_with_a_narrow_scope_opens_nothing_wide() {
    const OWN: Permission = Permission::literal("patient:read:own");
    const ALL: Permission = Permission::literal("patient:read:all");
    let bench = Bench::with_jobs(JobPolicy::none().allow("one", OWN, FieldSet::everything()).allow(
        "two",
        ALL,
        FieldSet::nothing(),
    ));
    for permission in [OWN, ALL, READ] {
        denied(now(bench.authorizer.decide_durably(&job("one"), permission, RECORD)));
        drop(granted(now(bench.authorizer.decide_durably(&job("two"), permission, RECORD))));
    }
}

#[test]
fn a_job_that_acts_for_somebody_makes_the_decision_durable() {
    let bench = Bench::with_jobs(JobPolicy::none().allow("nightly", READ, FieldSet::named(["name"])));
    let mut subject = facts("ada");
    subject.actor = Some(job("nightly"));
    let ada = principal(subject);
    assert_eq!(undecided(bench.authorizer.decide(&ada, READ, RECORD)), Cause::NeedsDurable);
    let grant = granted(now(bench.authorizer.decide_durably(&ada, READ, RECORD)));
    assert_eq!(*grant.clear(), FieldSet::named(["name"]));
}

#[test]
fn who_acts_for_another_may_do_what_both_may() {
    let some = |fields: &[&str]| Verdict::Allow {
        rule: RuleId(1),
        clear: FieldSet::named(fields.iter().copied()),
        until: UnixTime::MAX,
    };
    let deny = || Verdict::Deny { rule: Some(RuleId(9)) };
    let unknown = || Verdict::Unknown(Cause::Unavailable);
    let acting = || {
        let mut robot = facts("robot");
        robot.actor = Some(principal(facts("gateway")));
        let mut subject = facts("ada");
        subject.actor = Some(principal(robot));
        principal(subject)
    };
    // What ada, the robot for her, and the gateway for the robot may do; then what comes of it.
    for (verdicts, expected) in [
        ([some(&["a", "b"]), some(&["b", "c"]), allow()], some(&["b"])),
        ([some(&["a"]), some(&["b"]), allow()], some(&[])),
        ([allow(), deny(), allow()], deny()),
        ([allow(), allow(), deny()], deny()),
        ([deny(), allow(), allow()], deny()),
        ([unknown(), allow(), allow()], unknown()),
        ([allow(), allow(), unknown()], unknown()),
        ([unknown(), deny(), allow()], deny()),
        ([deny(), unknown(), unknown()], deny()),
    ] {
        let bench = Bench::new();
        for (subject, verdict) in ["ada", "robot", "gateway"].into_iter().zip(&verdicts) {
            bench.engine.answer(subject, verdict.clone());
        }
        match (bench.authorizer.decide(&acting(), READ, RECORD), expected) {
            (Decision::Allow(grant), Verdict::Allow { clear, .. }) => assert_eq!(*grant.clear(), clear),
            (Decision::Deny(denial), Verdict::Deny { rule }) => assert_eq!(denial.rule(), rule),
            (Decision::Indeterminate(cause), Verdict::Unknown(expected)) => assert_eq!(cause, expected),
            (decision, expected) => panic!("{verdicts:?}: {decision:?} and not {expected:?}"),
        }
        assert_eq!(bench.recorder.facts().len(), 1);
    }
}

#[test]
fn an_actor_of_another_tenant_or_with_an_ended_credential_may_nothing() {
    let bench = Bench::new();
    let with_actor = |actor: PrincipalFacts| {
        let mut subject = facts("ada");
        subject.actor = Some(principal(actor));
        principal(subject)
    };
    let elsewhere = with_actor(PrincipalFacts::new("south", "robot"));
    assert!(denied(bench.authorizer.decide(&elsewhere, READ, RECORD)).hides_existence());
    let mut ended = facts("robot");
    ended.expires = Some(START);
    assert!(denied(bench.authorizer.decide(&with_actor(ended), READ, RECORD)).credential_has_ended());
}

#[test]
fn decision_ids_are_unique_across_threads_and_authorizers() {
    let clock = Arc::new(ManualClock::at(START));
    let authorizer = |seed| {
        Authorizer::new(
            "clinic",
            ScriptedEngine::allowing(),
            JobPolicy::none(),
            Arc::new(danger_unrecorded()),
            clock.clone(),
            &SeededEntropy::new(seed),
        )
        .unwrap()
    };
    let (one, two) = (authorizer(1), authorizer(2));
    let ids: Vec<_> = thread::scope(|scope| {
        let draw = |authorizer: &Authorizer| {
            let ada = ada();
            (0..2_000).map(|_| granted(authorizer.decide(&ada, READ, RECORD)).decision()).collect::<Vec<_>>()
        };
        let threads: Vec<_> =
            [&one, &one, &one, &two].map(|authorizer| scope.spawn(move || draw(authorizer))).into();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 8_000);
    assert_eq!(ids.into_iter().collect::<HashSet<_>>().len(), 8_000);
}

#[test]
fn an_authorizer_is_not_built_without_randomness_or_a_printable_name() {
    let build = |service: &str, entropy: &dyn bartizan_core::Entropy| {
        let clock = Arc::new(ManualClock::at(START));
        let recorder = Arc::new(danger_unrecorded());
        Authorizer::new(service, ScriptedEngine::allowing(), JobPolicy::none(), recorder, clock, entropy)
            .err()
            .map(|e| e.kind())
    };
    assert_eq!(build("clinic", &BrokenEntropy), Some(ErrorKind::Entropy));
    for name in ["", "a\nb", &"x".repeat(256)] {
        assert_eq!(build(name, &SeededEntropy::new(1)), Some(ErrorKind::Name));
    }
    assert_eq!(build("clinic", &SeededEntropy::new(1)), None);
}
