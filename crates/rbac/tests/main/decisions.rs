//! One rule, one test: what is granted, to whom, on what.

use std::sync::Arc;

use bartizan_core::{
    Attestation, Authorizer, Decision, FieldSet, JobPolicy, Owner, Permission, PermissionName, PolicyEngine,
    Principal, PrincipalFacts, Realm, Resource, Revision, UnixTime, Verdict, danger_unrecorded,
};
use bartizan_rbac::{Assignments, Engine, ErrorKind, HeldAssignments, Policy};
use bartizan_testkit::{ManualClock, SeededEntropy};

use crate::support::{ISSUER, allows, in_teams, of_issuer, policy, token, token_only, verdict};

const POLICY: &str = r#"
    version = 1
    [permissions]
    "patient:read" = { scopes = ["own", "team", "all"] }
    "patient:list" = { scopes = ["own", "all"], asserted_owner = true }
    "patient:create" = {}
    "invoice:read" = { scopes = ["own", "tenant"] }
    [aliases]
    "read:patient" = "patient:read"
    "list:all:patients" = "patient:list:all"
    [roles.self]
    allow = ["patient:read:own", "patient:list:own"]
    [roles.ward]
    allow = ["patient:read:team"]
    [roles.staff]
    inherits = ["ward"]
    allow = ["patient:read:all", "patient:create"]
    [roles.chief]
    inherits = ["staff", "self"]
    [roles.suspended]
    deny = ["patient:read"]
    [roles.not-oneself]
    deny = ["patient:read:own"]
    [roles.auditor]
    allow = ["*:read:*"]
"#;

const RECORD: Resource<'static> = Resource::record("north", "patient", "p1");

fn engine() -> Engine {
    token_only(policy(POLICY))
}

#[test]
fn a_role_grants_what_it_lists_and_nothing_else() {
    let (engine, staff) = (engine(), token("north", "ada", &["staff"]));
    assert!(allows(&engine, &staff, "patient:read", RECORD));
    assert!(allows(&engine, &staff, "patient:create", Resource::collection("north", "patient")));
    assert!(!allows(&engine, &staff, "patient:list", RECORD));
    assert!(!allows(&engine, &staff, "invoice:read", Resource::record("north", "invoice", "i1")));
}

#[test]
fn rights_come_down_every_step_of_inheritance() {
    let chief = token("north", "ada", &["chief"]);
    assert!(allows(&engine(), &chief, "patient:read:all", RECORD));
    assert!(allows(&engine(), &chief, "patient:list", RECORD.owned_by(Owner::Asserted("ada"))));
    assert!(!allows(&engine(), &chief, "patient:list", RECORD.owned_by(Owner::Asserted("bob"))));
}

#[test]
fn asvs_8_2_2_own_compares_the_owner_of_the_record_with_the_subject() {
    let (engine, ada) = (engine(), token("north", "ada", &["self"]));
    for permission in ["patient:read", "patient:read:own", "read:patient"] {
        assert!(allows(&engine, &ada, permission, RECORD.owned_by(Owner::Sealed("ada"))), "{permission}");
        for other in [
            Owner::Sealed("bob"),
            Owner::Sealed(""),
            Owner::Sealed("Ada"),
            Owner::Sealed("ada "),
            Owner::Sealed("ad"),
        ] {
            assert!(!allows(&engine, &ada, permission, RECORD.owned_by(other)), "{permission} {other:?}");
        }
        assert!(!allows(&engine, &ada, permission, RECORD), "{permission} without an owner");
        let elsewhere = Resource::record("south", "patient", "p1").owned_by(Owner::Sealed("ada"));
        assert!(!allows(&engine, &ada, permission, elsewhere), "{permission} in another tenant");
    }
}

#[test]
fn an_asserted_owner_counts_only_where_the_catalogue_says_so() {
    let (engine, ada) = (engine(), token("north", "ada", &["self"]));
    let asserted = RECORD.owned_by(Owner::Asserted("ada"));
    assert!(!allows(&engine, &ada, "patient:read", asserted));
    assert!(allows(&engine, &ada, "patient:list", asserted));
}

#[test]
fn a_team_reaches_its_records_and_ones_own() {
    let engine = engine();
    let ward = in_teams("north", "ada", &["ward"], &["t1", "t2"]);
    assert!(allows(&engine, &ward, "patient:read", RECORD.in_team("t2")));
    assert!(allows(&engine, &ward, "patient:read", RECORD.owned_by(Owner::Sealed("ada"))));
    assert!(!allows(&engine, &ward, "patient:read", RECORD.in_team("t3")));
    assert!(!allows(&engine, &ward, "patient:read", RECORD.in_team("")));
    assert!(!allows(&engine, &ward, "patient:read", RECORD));
    assert!(!allows(&engine, &token("north", "ada", &["ward"]), "patient:read", RECORD.in_team("t1")));
}

#[test]
fn a_question_with_a_scope_asks_for_at_least_that_scope() {
    let engine = engine();
    let ward = in_teams("north", "ada", &["ward"], &["t1"]);
    let mine = RECORD.owned_by(Owner::Sealed("ada"));
    for (permission, granted) in [
        ("patient:read:own", true),
        ("patient:read:team", true),
        ("patient:read:tenant", false),
        ("patient:read:all", false),
    ] {
        assert_eq!(allows(&engine, &ward, permission, mine), granted, "{permission}");
        assert!(allows(&engine, &token("north", "ada", &["staff"]), permission, mine), "{permission}");
    }
}

#[test]
fn tenant_and_all_are_one_scope() {
    let (engine, auditor) = (engine(), token("north", "ada", &["auditor"]));
    let invoice = Resource::record("north", "invoice", "i1");
    for permission in ["invoice:read:all", "invoice:read:tenant", "invoice:read"] {
        assert!(allows(&engine, &auditor, permission, invoice), "{permission}");
    }
}

#[test]
fn a_scope_that_the_catalogue_does_not_list_is_unknown() {
    let (engine, staff) = (engine(), token("north", "ada", &["staff", "auditor"]));
    assert!(!allows(&engine, &staff, "patient:create:own", Resource::collection("north", "patient")));
    assert!(!allows(&engine, &staff, "invoice:read:team", Resource::record("north", "invoice", "i1")));
}

#[test]
fn deny_beats_allow_whatever_role_comes_first() {
    let engine = engine();
    for roles in [["staff", "suspended"], ["suspended", "staff"]] {
        let ada = token("north", "ada", &roles);
        assert!(matches!(verdict(&engine, &ada, "patient:read", RECORD), Verdict::Deny { rule: Some(_) }));
        assert!(!allows(&engine, &ada, "patient:read:own", RECORD.owned_by(Owner::Sealed("ada"))));
        assert!(allows(&engine, &ada, "patient:create", RECORD));
    }
}

#[test]
fn a_scoped_deny_holds_until_the_record_is_known_to_lie_outside() {
    let engine = engine();
    let ada = token("north", "ada", &["staff", "not-oneself"]);
    let allowed = |on| allows(&engine, &ada, "patient:read", on);
    assert!(allowed(RECORD.owned_by(Owner::Sealed("bob"))));
    assert!(!allowed(RECORD.owned_by(Owner::Sealed("ada"))));
    assert!(!allowed(RECORD));
    assert!(!allowed(RECORD.owned_by(Owner::Sealed(""))));
    // The permission believes the seal only, so the caller's word cannot lift the deny either.
    assert!(!allowed(RECORD.owned_by(Owner::Asserted("bob"))));
}

#[test]
fn a_permission_speaks_of_its_own_kind_only() {
    let (engine, staff) = (engine(), token("north", "ada", &["staff"]));
    for kind in ["invoice", "Patient", "patient ", "patien", "patient:read", "*"] {
        assert!(!allows(&engine, &staff, "patient:read", Resource::record("north", kind, "p1")), "{kind}");
    }
}

#[test]
fn no_role_reaches_into_another_tenant() {
    let (engine, all) = (engine(), token("north", "ada", &["chief", "auditor", "staff"]));
    for tenant in ["south", "North", "north ", "nort", "", "north\0"] {
        let on = Resource::record(tenant, "patient", "p1").owned_by(Owner::Sealed("ada"));
        assert_eq!(verdict(&engine, &all, "patient:read", on), Verdict::Deny { rule: None }, "{tenant:?}");
    }
}

#[test]
fn a_principal_across_tenants_has_no_roles_here() {
    let mut facts = PrincipalFacts::new("north", "ada").with_roles(["chief"]).with_issuer(ISSUER);
    facts.realm = Realm::System;
    let system = Principal::attested(Attestation::Token, facts).unwrap();
    assert_eq!(verdict(&engine(), &system, "patient:read", RECORD), Verdict::Deny { rule: None });
}

#[test]
fn unknown_roles_count_nothing_and_break_nothing() {
    let engine = engine();
    for role in ["Staff", "staff ", "staf", "staff\u{200b}", "st\u{430}ff", "*", "staff,chief", "ſtaff"] {
        assert!(!allows(&engine, &token("north", "ada", &[role]), "patient:read", RECORD), "{role:?}");
        assert!(
            allows(&engine, &token("north", "ada", &[role, "staff"]), "patient:read", RECORD),
            "{role:?}"
        );
    }
    assert!(!allows(&engine, &token("north", "ada", &[]), "patient:read", RECORD));
}

#[test]
fn asvs_1_2_9_a_wildcard_is_a_whole_segment_and_no_pattern() {
    let text = r#"
        version = 1
        [permissions]
        "user:read" = {}
        "user-admin:read" = {}
        "userx:read" = {}
        "user:readx" = {}
        "user:re" = {}
        "us:read" = {}
        [roles.one]
        allow = ["user:*"]
        [roles.two]
        allow = ["*:read"]
    "#;
    let engine = token_only(policy(text));
    let granted = |role: &str, kind: &str, action: &str| {
        let who = token("north", "ada", &[role]);
        allows(&engine, &who, &format!("{kind}:{action}"), Resource::record("north", kind, "x"))
    };
    for (kind, action, one, two) in [
        ("user", "read", true, true),
        ("user", "readx", true, false),
        ("user", "re", true, false),
        ("user-admin", "read", false, true),
        ("userx", "read", false, true),
        ("us", "read", false, true),
        ("user", "rea", false, false),
        ("user", "write", false, false),
    ] {
        assert_eq!(
            (granted("one", kind, action), granted("two", kind, action)),
            (one, two),
            "{kind}:{action}"
        );
    }
    for pattern in [
        "user:rea*",
        "us*:read",
        "user.*:read",
        "user:re?d",
        "(user|us):read",
        "user:[a-z]+",
        "**:read",
        "*",
        "user:**",
    ] {
        let bad = text.replace("user:*", pattern);
        assert!(Policy::parse(&bad).is_err(), "{pattern}");
    }
}

#[test]
fn asvs_1_3_2_nothing_in_a_policy_is_evaluated() {
    for expression in
        ["user.id == owner", "true", "1=1", "env(PATH)", "${PATH}", "user:read || true", "$(id)", "{{ 1 }}"]
    {
        let text = POLICY.replace("patient:read:team", expression);
        assert!(Policy::parse(&text).is_err(), "{expression}");
    }
    for key in ["when", "condition", "if", "script", "rule"] {
        let text = POLICY.replace("[roles.ward]", &format!("[roles.ward]\n{key} = \"true\""));
        assert_eq!(Policy::parse(&text).unwrap_err().kind(), ErrorKind::Syntax, "{key}");
    }
}

#[test]
fn held_assignments_are_cut_with_the_tokens_roles() {
    let held = HeldAssignments::new()
        .assign("north", "ada", "staff")
        .assign("north", "ada", "staff")
        .assign("east", "ada", "staff")
        .assign("east", "ada", "suspended")
        .assign("south", "ada", "chief")
        .assign("north", "bob", "no-such-role");
    let engine = Engine::new(policy(POLICY), Assignments::Held(held));
    let may = |tenant: &str, subject: &str, roles: &[&str]| {
        let who = of_issuer(tenant, subject, roles, None);
        allows(&engine, &who, "patient:read", Resource::record(tenant, "patient", "p1"))
    };
    assert!(may("north", "ada", &["staff"]));
    assert!(!may("north", "ada", &["chief"]), "assigned in the south only");
    assert!(!may("north", "ada", &[]), "the token names no role");
    assert!(may("south", "ada", &["staff"]), "chief inherits staff: a session may activate it");
    assert!(!may("south", "ada", &["suspended"]));
    assert!(may("south", "ada", &["chief", "staff"]));
    assert!(!may("north", "bob", &["staff", "no-such-role"]));
    assert!(!may("north", "eve", &["staff"]));
    assert!(may("north", "ada", &["staff", "suspended"]), "she is not suspended in the north");
    assert!(!may("east", "ada", &["staff", "suspended"]));
    assert!(!may("east", "ada", &["staff"]), "nobody gets round a deny by not naming it");
}

#[test]
fn where_tokens_name_nothing_an_api_key_is_still_less_than_its_owner() {
    let held = HeldAssignments::new().assign("north", "ada", "chief");
    let engine = Engine::new(policy(POLICY), Assignments::HeldOnly(held));
    let create = |how, roles: &[&str]| {
        let who = Principal::attested(how, PrincipalFacts::new("north", "ada").with_roles(roles)).unwrap();
        allows(&engine, &who, "patient:create", Resource::collection("north", "patient"))
    };
    assert!(create(Attestation::Session, &[]), "all that she holds");
    assert!(create(Attestation::Token, &["ward"]), "whatever it names");
    assert!(create(Attestation::ApiKey, &["staff"]), "chief inherits staff");
    assert!(!create(Attestation::ApiKey, &["ward"]), "a key for less");
    assert!(!create(Attestation::ApiKey, &[]), "a key for nothing");
    assert!(!create(Attestation::ApiKey, &["auditor"]), "a key for more");
}

#[test]
fn an_assignment_that_was_taken_away_counts_nothing_whatever_the_token_says() {
    let policy = policy(POLICY);
    let ada = token("north", "ada", &["staff"]);
    let before = Engine::new(
        policy.clone(),
        Assignments::Held(HeldAssignments::new().assign("north", "ada", "staff")),
    );
    let after = Engine::new(policy, Assignments::Held(HeldAssignments::new())).with_revision(Revision(2));
    assert!(allows(&before, &ada, "patient:read", RECORD));
    assert!(!allows(&after, &ada, "patient:read", RECORD));
    assert_eq!((before.revision(), after.revision()), (Revision(1), Revision(2)));
}

#[test]
fn a_tenant_and_subject_run_together_are_not_another_pair() {
    let held = HeldAssignments::new().assign("ab", "c", "staff");
    let engine = Engine::new(policy(POLICY), Assignments::Held(held));
    let record = |tenant| Resource::record(tenant, "patient", "p1");
    assert!(allows(&engine, &token("ab", "c", &["staff"]), "patient:read", record("ab")));
    assert!(!allows(&engine, &token("a", "bc", &["staff"]), "patient:read", record("a")));
}

#[test]
fn only_tokens_of_listed_issuers_bring_roles() {
    let engine = engine();
    for issuer in
        [None, Some("https://auth.example/"), Some("https://AUTH.example"), Some("https://evil.example")]
    {
        assert!(
            !allows(&engine, &of_issuer("north", "ada", &["staff"], issuer), "patient:read", RECORD),
            "{issuer:?}"
        );
    }
    for how in [
        Attestation::Assertion,
        Attestation::Password,
        Attestation::Operator,
        Attestation::Certificate,
        Attestation::Process,
    ] {
        let facts = PrincipalFacts::new("north", "ada").with_roles(["staff"]).with_issuer(ISSUER);
        let who = Principal::attested(how, facts).unwrap();
        assert!(!allows(&engine, &who, "patient:read", RECORD), "{how:?}");
    }
    let nobody = Engine::new(policy(POLICY), Assignments::TokenOnly(vec![]));
    assert!(!allows(&nobody, &token("north", "ada", &["staff"]), "patient:read", RECORD));
}

#[test]
fn all_of_nothing_is_an_error_and_so_is_any_of_nothing() {
    let (engine, ada) = (engine(), token("north", "ada", &["staff"]));
    for answer in [
        engine.decide_all(&ada, &[], RECORD, UnixTime::EPOCH),
        engine.decide_any(&ada, &[], RECORD, UnixTime::EPOCH),
    ] {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::EmptySet);
    }
}

#[test]
fn any_and_all_are_or_and_and() {
    let (engine, ada) = (engine(), token("north", "ada", &["staff"]));
    let [read, create, list] =
        ["patient:read", "patient:create", "patient:list"].map(|name| PermissionName::parse(name).unwrap());
    let allowed = |answer: Result<(Verdict, Revision), bartizan_rbac::Error>| {
        matches!(answer.unwrap().0, Verdict::Allow { .. })
    };
    for (names, all, any) in [
        (&[read][..], true, true),
        (&[read, create], true, true),
        (&[read, list], false, true),
        (&[list, read], false, true),
        (&[list], false, false),
        (&[list, list], false, false),
    ] {
        assert_eq!(allowed(engine.decide_all(&ada, names, RECORD, UnixTime::EPOCH)), all, "{names:?}");
        assert_eq!(allowed(engine.decide_any(&ada, names, RECORD, UnixTime::EPOCH)), any, "{names:?}");
    }
}

#[test]
fn asvs_8_3_3_who_acts_for_another_may_do_what_both_may() {
    const READ: Permission = Permission::literal("patient:read");
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let authorizer = Authorizer::new(
        "clinic",
        engine(),
        JobPolicy::none(),
        Arc::new(danger_unrecorded()),
        clock,
        &SeededEntropy::new(1),
    )
    .unwrap();
    let acting_for = |actor: &[&str], subject: &[&str]| {
        let mut facts =
            PrincipalFacts::new("north", "ada").with_roles(subject.iter().copied()).with_issuer(ISSUER);
        facts.actor = Some(token("north", "robot", actor));
        Principal::attested(Attestation::Token, facts).unwrap()
    };
    for (actor, subject, granted) in [
        (&["staff"][..], &["staff"][..], true),
        (&[], &["staff"], false),
        (&["staff"], &[], false),
        (&["staff", "suspended"], &["staff"], false),
        (&["self"], &["staff"], false),
    ] {
        let decision =
            authorizer.decide(&acting_for(actor, subject), READ, RECORD.owned_by(Owner::Sealed("ada")));
        assert_eq!(matches!(decision, Decision::Allow(_)), granted, "{actor:?} for {subject:?}");
    }
}

#[test]
fn fields_are_hidden_until_a_policy_shows_them() {
    let Verdict::Allow { clear, .. } =
        verdict(&engine(), &token("north", "ada", &["staff"]), "patient:read", RECORD)
    else {
        panic!("denied")
    };
    assert_eq!(clear, FieldSet::nothing());
}

#[test]
fn nothing_of_a_principal_stands_in_what_an_engine_shows() {
    let held = HeldAssignments::new().assign("canary-tenant", "canary-subject", "staff");
    let shown = format!("{held:?} {:?}", Assignments::Held(held.clone()));
    let engine = Engine::new(policy(POLICY), Assignments::Held(held));
    let who = token("canary-tenant", "canary-subject", &["canary-role"]);
    let ask = bartizan_core::Ask::new(
        &who,
        PermissionName::parse("patient:read").unwrap(),
        Resource::record("canary-tenant", "patient", "canary-id").owned_by(Owner::Sealed("canary-owner")),
        UnixTime::EPOCH,
    );
    let explanation = engine.explain(&ask);
    let all = format!("{shown} {engine:?} {:#?} {:?} {explanation:?} {explanation}", engine, engine.policy());
    assert!(!all.contains("canary"), "{all}");
}

#[test]
fn an_engine_can_be_shared_by_threads() {
    fn shared<T: PolicyEngine + 'static>(_: &T) {}
    let engine = engine();
    shared(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let who = token("north", "ada", &["staff"]);
                assert!((0..1_000).all(|_| allows(&engine, &who, "patient:read", RECORD)));
            });
        }
    });
}
