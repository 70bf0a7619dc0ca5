//! Attempts on decisions: emergencies by another name, other realms, stale and explained answers.

use std::{sync::Arc, time::Duration};

use bartizan_core::{
    Ask, Attestation, Cause, Owner, PermissionName, PolicyEngine, Principal, PrincipalFacts, Realm, Resource,
    Revision, Scope, Verdict,
};
use bartizan_rbac::{Assignment, Assignments, Change, Engine, HeldAssignments, Policy, SystemRoles};

use super::{START, assigned, fresh, later, naming, revoke, somebody};
use crate::support::policy;

const NOTE: Resource<'static> = Resource::record("north", "note", "n1");

fn ask<'a>(who: &'a Principal, permission: &'a str, on: Resource<'a>) -> Ask<'a> {
    Ask::new(who, PermissionName::parse(permission).unwrap(), on, START)
}

fn allows(engine: &impl PolicyEngine, ask: &Ask<'_>) -> bool {
    matches!(engine.decide(ask).0, Verdict::Allow { .. })
}

/// Who holds `emergency` inherits `doctor`; a credential that names `doctor` must not open with it what only the emergency gave.
#[test]
fn a_held_emergency_lends_nothing_under_the_name_of_what_it_inherits() {
    let text = r#"
        version = 1
        [permissions]
        "note:read" = {}
        [roles.nurse]
        [roles.doctor]
        allow = ["note:read"]
        [roles.emergency]
        inherits = ["doctor"]
        break_glass = { at_most = "1h", mfa_within = "10m", eligible = ["nurse"] }
    "#;
    let held =
        HeldAssignments::new().with(Assignment::new("north", "florence", "emergency").expires(later(3_600)));
    let engine = Engine::new(policy(text), Assignments::Held(held));
    let by_another_name = naming("florence", &["doctor"]);
    assert!(!allows(&engine, &ask(&by_another_name, "note:read", NOTE)));
    assert!(!allows(&engine, &ask(&by_another_name, "note:read", NOTE).durable()));
    let by_its_own = naming("florence", &["emergency"]);
    assert!(!allows(&engine, &ask(&by_its_own, "note:read", NOTE)));
    assert!(allows(&engine, &ask(&by_its_own, "note:read", NOTE).durable()));
    let id = engine.snapshot().permission_id(PermissionName::parse("note:read").unwrap()).unwrap();
    assert_eq!(engine.snapshot().standing(&by_another_name, START).reach(id), None);
}

/// Nobody across tenants owns a record, whatever the names are.
#[test]
fn somebody_across_tenants_is_no_owner_by_condition_either() {
    let text = r#"
        version = 1
        [permissions]
        "note:read" = {}
        "note:write" = {}
        [conditions.mine]
        owner = true
        [roles.support]
        realm = "system"
        allow = [{ permission = "note:read", when = "mine" }, "note:write"]
        deny = [{ permission = "note:write", when = "mine" }]
    "#;
    let held = HeldAssignments::new().with(Assignment::across_tenants("ada", "support"));
    let engine = Arc::new(Engine::new(policy(text), Assignments::HeldOnly(held)));
    let roles = SystemRoles::of(engine);
    let mut facts = PrincipalFacts::new("house", "ada");
    facts.realm = Realm::System;
    let ada = Principal::attested(Attestation::Assertion, facts).unwrap();
    let of_ada = NOTE.owned_by(Owner::Sealed("ada"));
    assert!(!allows(&roles, &ask(&ada, "note:read", of_ada)));
    assert!(allows(&roles, &ask(&ada, "note:write", of_ada)));
}

/// A tenant may be called anything but nothing; nobody of a tenant meets the assignments across tenants.
#[test]
fn no_tenant_is_the_system_realm() {
    let text = "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.root]\nrealm = \"system\"\nallow = [\"*:*\"]\n[roles.local]\nallow = [\"*:*\"]";
    let held = HeldAssignments::new()
        .with(Assignment::across_tenants("ada", "root"))
        .with(Assignment::across_tenants("bob", "local"))
        .assign("north", "ada", "root")
        .assign("house", "eve", "local");
    let engine = Arc::new(Engine::new(policy(text), Assignments::HeldOnly(held)));
    let roles = SystemRoles::of(engine.clone());
    let system = |subject: &str| {
        let mut facts = PrincipalFacts::new("house", subject);
        facts.realm = Realm::System;
        Principal::attested(Attestation::Assertion, facts).unwrap()
    };
    assert!(!allows(&engine, &ask(&somebody("ada"), "note:read", NOTE)), "a system role in a tenant");
    assert!(!allows(&roles, &ask(&somebody("ada"), "note:read", NOTE)), "somebody of a tenant");
    assert!(!allows(&engine, &ask(&system("ada"), "note:read", NOTE)), "asked as a tenant's engine");
    assert!(!allows(&roles, &ask(&system("bob"), "note:read", NOTE)), "a tenant's role across tenants");
    assert!(!allows(&roles, &ask(&system("eve"), "note:read", NOTE)), "a role of one tenant across all");
    assert!(allows(&roles, &ask(&system("ada"), "note:read", NOTE)));
}

#[test]
fn a_menu_shows_nothing_that_a_separation_of_duty_denies() {
    let text = r#"
        version = 1
        [permissions]
        "note:read" = {}
        [roles.clerk]
        allow = ["note:read"]
        [roles.approver]
        [separation.bills]
        kind = "dynamic"
        roles = ["clerk", "approver"]
    "#;
    let engine = Engine::new(
        policy(text),
        Assignments::HeldOnly(assigned(&[("ada", "clerk"), ("ada", "approver"), ("bob", "clerk")])),
    );
    let snapshot = engine.snapshot();
    let read = snapshot.permission_id(PermissionName::parse("note:read").unwrap()).unwrap();
    assert!(!allows(&engine, &ask(&somebody("ada"), "note:read", NOTE)));
    assert_eq!(snapshot.standing(&somebody("ada"), START).reach(read), None);
    assert_eq!(snapshot.standing(&somebody("bob"), START).reach(read), Some(Scope::All));
}

#[test]
fn an_explanation_is_as_stale_as_the_decision() {
    let text = "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.r]\nallow = [\"note:read\"]";
    let engine = Engine::new(policy(text), Assignments::HeldOnly(assigned(&[("ada", "r")])))
        .stale_after(Duration::from_secs(60));
    let ada = somebody("ada");
    let question = ask(&ada, "note:read", NOTE);
    for confirmed in [false, true] {
        if confirmed {
            engine.confirm(START);
        }
        for at_least in [Revision(0), Revision(1), Revision(2)] {
            let question = question.at_least(at_least);
            let stale = !confirmed || at_least == Revision(2);
            assert_eq!(engine.decide(&question).0 == Verdict::Unknown(Cause::Stale), stale);
            assert_eq!(*engine.explain(&question).verdict(), engine.decide(&question).0);
            let snapshot = engine.snapshot();
            assert_eq!(*snapshot.explain(&question).verdict(), snapshot.decide(&question).0);
        }
    }
    engine.withdraw();
    assert_eq!(*engine.explain(&question).verdict(), Verdict::Unknown(Cause::Stale));
}

/// What is said of a refusal must be what was refused.
#[test]
fn a_refused_emergency_is_explained_by_what_is_missing() {
    let text = r#"
        version = 1
        [permissions]
        "note:read" = {}
        [conditions.inside]
        address = ["10.0.0.0/8"]
        [roles.nurse]
        [roles.emergency]
        allow = [{ permission = "note:read", when = "inside" }]
        break_glass = { at_most = "1h", mfa_within = "10m", eligible = ["nurse"] }
    "#;
    let held = HeldAssignments::new().with(Assignment::new("north", "ada", "emergency").expires(later(60)));
    let engine = Engine::new(policy(text), Assignments::HeldOnly(held));
    let ada = fresh("ada");
    let explained = engine.explain(&ask(&ada, "note:read", NOTE).durable());
    assert!(matches!(explained.verdict(), Verdict::Deny { .. }));
    assert!(explained.to_string().contains("inside"), "{explained}");
}

/// The last revision there is has no next one; nothing may start again at none.
#[test]
fn a_revision_never_starts_again() {
    let text = "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.r]\nallow = [\"note:read\"]";
    let engine = Engine::new(policy(text), Assignments::HeldOnly(HeldAssignments::new()))
        .with_revision(Revision(u64::MAX - 1));
    let given = Change::Assign(Assignment::new("north", "ada", "r"));
    assert_eq!(engine.change(&[given]).unwrap(), Revision(u64::MAX));
    assert_eq!(engine.change(&[revoke("ada", "r")]).unwrap(), Revision(u64::MAX));
    assert!(!allows(&engine, &ask(&somebody("ada"), "note:read", NOTE)));
    assert_eq!(engine.replace(Policy::default()), Revision(u64::MAX));
}

/// A grant ends with the first of all that it rests on.
#[test]
fn an_allow_ends_with_the_assignment_the_proof_and_the_condition() {
    let text = r#"
        version = 1
        [permissions]
        "note:read" = {}
        [conditions.recent]
        mfa_within = "5m"
        [roles.nurse]
        [roles.plain]
        allow = ["note:read"]
        [roles.careful]
        allow = [{ permission = "note:read", when = "recent" }]
        [roles.emergency]
        allow = ["note:read"]
        break_glass = { at_most = "1h", mfa_within = "10m", eligible = ["nurse"] }
    "#;
    let until = |role: &str, ends: u64, named: &str, mode: fn(HeldAssignments) -> Assignments| {
        let held = HeldAssignments::new().with(Assignment::new("north", "ada", role).expires(later(ends)));
        let engine = Engine::new(policy(text), mode(held));
        match engine.decide(&ask(&naming("ada", &[named]), "note:read", NOTE).durable()).0 {
            Verdict::Allow { until, .. } => until,
            other => panic!("{other:?}"),
        }
    };
    for mode in [Assignments::Held as fn(_) -> _, Assignments::HeldOnly] {
        for (role, ends, expected) in [
            ("plain", 100, 100),
            ("careful", 100, 100),
            ("careful", 900, 300),
            ("emergency", 100, 100),
            ("emergency", 900, 600),
        ] {
            assert_eq!(until(role, ends, role, mode), later(expected), "{role} {ends}");
        }
    }
}
