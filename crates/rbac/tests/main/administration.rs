//! Giving and taking roles: grants, constraints, escalation, emergencies; and what stands on record of it.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bartizan_core::{
    Attestation, Authorizer, Cause, Clock, Decision, Fault, Grant, JobPolicy, Outcome, Permission, Principal,
    PrincipalFacts, Resource, Revision, UnixTime,
};
use bartizan_rbac::{
    AdminErrorKind, Administration, Assignment, Assignments, Change, Engine, HeldAssignments, Holder, Policy,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};

const POLICY: &str = r#"
version = 1
[permissions]
"role:assign" = {}
"role:escalate" = {}
"patient:read" = { scopes = ["own", "all"] }
"patient:erase" = {}
"bill:write" = {}
"bill:approve" = {}
[conditions.inside]
address = ["10.0.0.0/8"]
[roles.employee]
[roles.nurse]
allow = ["patient:read:all"]
fields = { patient = ["name"] }
[roles.doctor]
inherits = ["nurse"]
requires = ["employee"]
fields = { patient = ["ssn"] }
[roles.visitor]
allow = [{ permission = "patient:read:all", when = "inside" }]
[roles.clerk]
allow = ["bill:write"]
[roles.approver]
allow = ["bill:approve"]
[roles.head]
inherits = ["doctor", "clerk"]
allow = ["role:assign"]
[roles.owner]
allow = ["role:*"]
[roles.director]
max_holders = 1
[roles.emergency]
allow = ["patient:read:all", "patient:erase"]
fields = { patient = "*" }
break_glass = { at_most = "1h", mfa_within = "10m", eligible = ["nurse"] }
[separation.bills]
kind = "static"
roles = ["clerk", "approver"]
"#;

const START: UnixTime = UnixTime::from_secs(1_700_000_000);
const READ: Permission = Permission::literal("patient:read");

struct Hospital {
    engine: Arc<Engine>,
    authorizer: Authorizer,
    admin: Administration,
    recorder: Arc<MemoryRecorder>,
    clock: Arc<ManualClock>,
}

impl Hospital {
    fn new() -> Self {
        Self::seeded(1)
    }

    fn seeded(seed: u64) -> Self {
        let held = HeldAssignments::new()
            .assign("north", "head", "employee")
            .assign("north", "head", "head")
            .assign("north", "owner", "owner")
            .assign("north", "florence", "nurse")
            .assign("south", "owner", "owner")
            .with(
                Assignment::new("north", "locum", "head")
                    .expires(START.saturating_add(Duration::from_secs(3_600))),
            )
            .assign("north", "locum", "employee");
        let engine = Arc::new(Engine::new(Policy::parse(POLICY).unwrap(), Assignments::HeldOnly(held)));
        let (recorder, clock) = (Arc::new(MemoryRecorder::default()), Arc::new(ManualClock::at(START)));
        let authorizer = Authorizer::new(
            "hospital",
            Arc::clone(&engine),
            JobPolicy::none(),
            recorder.clone(),
            clock.clone(),
            &SeededEntropy::new(seed),
        )
        .unwrap();
        let admin = Administration::new(
            "hospital",
            engine.clone(),
            authorizer.authority(),
            recorder.clone(),
            clock.clone(),
        );
        Self { engine, authorizer, admin, recorder, clock }
    }

    fn commit_in(
        &self,
        tenant: &str,
        by: &Principal,
        changes: &[Change],
    ) -> Result<Revision, AdminErrorKind> {
        let on = Administration::roles_of(tenant);
        let grant = match now(self.authorizer.decide_durably(by, Administration::ASSIGN, on)) {
            Decision::Allow(grant) => grant,
            other => panic!("{other:?}"),
        };
        now(self.admin.commit(by, grant.covers(on).unwrap(), changes)).map_err(|error| error.kind())
    }

    fn commit(&self, by: &str, changes: &[Change]) -> Result<Revision, AdminErrorKind> {
        self.commit_in("north", &somebody("north", by), changes)
    }

    fn may_read(&self, subject: &str) -> bool {
        let on = Resource::record("north", "patient", "p-1");
        matches!(self.authorizer.decide(&somebody("north", subject), READ, on), Decision::Allow(_))
    }

    fn events(&self) -> Vec<(String, Outcome)> {
        let of = |fact: &bartizan_testkit::Recorded| (fact.code.name().to_owned(), fact.outcome);
        let facts = self.recorder.facts();
        facts.iter().map(of).filter(|(event, _)| !event.starts_with("permission_")).collect()
    }
}

fn somebody(tenant: &str, subject: &str) -> Principal {
    Principal::attested(Attestation::Assertion, PrincipalFacts::new(tenant, subject)).unwrap()
}

fn after_second_factor(subject: &str, at: UnixTime) -> Principal {
    let mut facts = PrincipalFacts::new("north", subject).with_amr(["pwd", "mfa"]);
    facts.authenticated = Some(at);
    Principal::attested(Attestation::Assertion, facts).unwrap()
}

fn assign(subject: &str, role: &str) -> Change {
    Change::Assign(Assignment::new("north", subject, role))
}

fn revoke(subject: &str, role: &str) -> Change {
    Change::Revoke { tenant: "north".into(), holder: Holder::Subject(subject.into()), role: role.into() }
}

fn join(group: &str, subject: &str) -> Change {
    Change::Join { tenant: "north".into(), group: group.into(), subject: subject.into() }
}

/// Nothing here waits for anything.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_role_that_is_given_counts_at_the_revision_that_is_answered_and_one_that_is_taken_no_more() {
    let hospital = Hospital::new();
    assert!(!hospital.may_read("ada"));
    let given = hospital.commit("head", &[assign("ada", "nurse")]).unwrap();
    assert!(given > Revision(1) && hospital.engine.revision() == given && hospital.may_read("ada"));
    let taken = hospital.commit("head", &[revoke("ada", "nurse")]).unwrap();
    assert!(taken > given && !hospital.may_read("ada"));
    let on = Resource::record("north", "patient", "p-1");
    let florence = somebody("north", "florence");
    assert!(matches!(hospital.authorizer.decide_since(taken, &florence, READ, on), Decision::Allow(_)));
    let later = Revision(taken.0 + 1);
    let stale = hospital.authorizer.decide_since(later, &florence, READ, on);
    assert!(matches!(stale, Decision::Indeterminate(Cause::Stale)), "{stale:?}");
    let changes =
        [("authz_change".to_owned(), Outcome::Success), ("authz_change".to_owned(), Outcome::Success)];
    assert_eq!(hospital.events(), changes);
}

#[test]
fn who_gave_a_role_is_put_down_and_cannot_be_forged() {
    let hospital = Hospital::new();
    let forged = Assignment::new("north", "ada", "nurse").granted_by("owner").because("covers for Bob");
    hospital.commit("head", &[Change::Assign(forged)]).unwrap();
    assert_eq!(
        hospital.engine.snapshot().assigned_users("north", "nurse", START),
        ["ada".into(), "florence".into()]
    );
    let kept = hospital.engine.snapshot().assignments("north");
    let kept: Vec<_> = kept.iter().filter(|one| one.holder().name() == "ada").collect();
    assert_eq!((kept.len(), kept[0].granter(), kept[0].reason()), (1, Some("head"), Some("covers for Bob")));
}

#[test]
fn nobody_gives_or_takes_what_they_do_not_hold() {
    for (change, what) in [
        (assign("ada", "approver"), "a right that the head lacks"),
        (assign("head", "owner"), "to themself"),
        (revoke("owner", "owner"), "from the owner"),
        (Change::Remove { tenant: "north".into(), subject: "owner".into() }, "all that the owner has"),
    ] {
        let hospital = Hospital::new();
        let before = hospital.engine.revision();
        assert_eq!(hospital.commit("head", &[change]), Err(AdminErrorKind::Escalation), "{what}");
        assert_eq!(hospital.engine.revision(), before);
        assert_eq!(hospital.events(), [("privilege_escalation".to_owned(), Outcome::Denied)]);
    }
    let hospital = Hospital::new();
    hospital.commit("owner", &[assign("ada", "approver"), assign("ada", "nurse")]).unwrap();
    hospital
        .commit("head", &[assign("eve", "visitor")])
        .expect("a condition narrows what the head has without");
}

#[test]
fn what_is_held_for_a_while_is_not_given_for_longer() {
    let hospital = Hospital::new();
    let until = |seconds| START.saturating_add(Duration::from_secs(seconds));
    let given = |end: Option<UnixTime>| {
        let nurse = Assignment::new("north", "ada", "nurse");
        Change::Assign(end.map_or(nurse.clone(), |end| nurse.expires(end)))
    };
    assert_eq!(hospital.commit("locum", &[given(None)]), Err(AdminErrorKind::Escalation));
    assert_eq!(hospital.commit("locum", &[given(Some(until(3_601)))]), Err(AdminErrorKind::Escalation));
    hospital.commit("locum", &[given(Some(until(3_600)))]).unwrap();
    assert!(hospital.may_read("ada"));
    hospital.clock.advance(Duration::from_secs(3_600));
    assert!(!hospital.may_read("ada"), "an assignment that has ended is absent");
}

#[test]
fn constraints_hold_for_all_that_a_change_leads_to() {
    let refused = |changes: &[Change]| Hospital::new().commit("owner", changes).unwrap_err();
    assert_eq!(refused(&[assign("ada", "clerk"), assign("ada", "approver")]), AdminErrorKind::Separation);
    assert_eq!(
        refused(&[assign("ada", "approver"), assign("ada", "employee"), assign("ada", "head")]),
        AdminErrorKind::Separation,
        "head inherits clerk"
    );
    assert_eq!(refused(&[assign("ada", "doctor")]), AdminErrorKind::Prerequisite);
    assert_eq!(refused(&[revoke("head", "employee")]), AdminErrorKind::Prerequisite, "head is a doctor");
    assert_eq!(refused(&[assign("ada", "director"), assign("bob", "director")]), AdminErrorKind::Holders);
    assert_eq!(refused(&[assign("ada", "docter")]), AdminErrorKind::UnknownRole);
    let to_group = Change::Assign(Assignment::to_group("north", "office", "approver"));
    assert_eq!(
        refused(&[join("office", "ada"), assign("ada", "clerk"), to_group.clone()]),
        AdminErrorKind::Separation
    );
    assert_eq!(
        refused(&[to_group, assign("ada", "clerk"), join("office", "ada")]),
        AdminErrorKind::Separation
    );
    assert_eq!(refused(&[Change::Assign(Assignment::new("south", "ada", "nurse"))]), AdminErrorKind::Grant);
    let hospital = Hospital::new();
    hospital
        .commit("owner", &[assign("ada", "doctor"), assign("ada", "employee")])
        .expect("in one go, in any order");
    hospital.commit("owner", &[assign("ada", "director")]).unwrap();
    assert_eq!(hospital.commit("owner", &[assign("bob", "director")]), Err(AdminErrorKind::Holders));
    hospital.commit("owner", &[revoke("ada", "director"), assign("bob", "director")]).unwrap();
}

#[test]
fn a_grant_of_another_authority_tenant_permission_or_time_changes_nothing() {
    let hospital = Hospital::new();
    let other = Hospital::seeded(2);
    let (owner, on) = (somebody("north", "owner"), Administration::roles_of("north"));
    let grant = |hospital: &Hospital, by: &Principal, permission, on| match now(hospital
        .authorizer
        .decide_durably(by, permission, on))
    {
        Decision::Allow(grant) => grant,
        other => panic!("{other:?}"),
    };
    let refused = |hospital: &Hospital, by: &Principal, covered| {
        now(hospital.admin.commit(by, covered, &[assign("ada", "nurse")])).unwrap_err()
    };
    let foreign = grant(&other, &owner, Administration::ASSIGN, on);
    let error = refused(&hospital, &owner, foreign.covers(on).unwrap());
    assert_eq!(
        (error.kind(), error.fault(), error.is_transient()),
        (AdminErrorKind::Grant, Fault::Peer, false)
    );
    let south = Administration::roles_of("south");
    let of_south = grant(&hospital, &somebody("south", "owner"), Administration::ASSIGN, south);
    assert_eq!(refused(&hospital, &owner, of_south.covers(south).unwrap()).kind(), AdminErrorKind::Grant);
    let escalate = grant(&hospital, &owner, Administration::ESCALATE, on);
    assert_eq!(refused(&hospital, &owner, escalate.covers(on).unwrap()).kind(), AdminErrorKind::Grant);
    let one = Resource::record("north", "role", "nurse");
    let of_one = grant(&hospital, &owner, Administration::ASSIGN, one);
    assert_eq!(refused(&hospital, &owner, of_one.covers(one).unwrap()).kind(), AdminErrorKind::Grant);
    let late = grant(&hospital, &owner, Administration::ASSIGN, on);
    hospital.clock.advance(Duration::from_secs(60));
    assert_eq!(refused(&hospital, &owner, late.covers(on).unwrap()).kind(), AdminErrorKind::Grant);
    assert_eq!(hospital.engine.revision(), Revision(1));
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let hospital = Hospital::new();
    let (owner, on) = (somebody("north", "owner"), Administration::roles_of("north"));
    let grant = match now(hospital.authorizer.decide_durably(&owner, Administration::ASSIGN, on)) {
        Decision::Allow(grant) => grant,
        other => panic!("{other:?}"),
    };
    hospital.recorder.lose();
    let error =
        now(hospital.admin.commit(&owner, grant.covers(on).unwrap(), &[assign("ada", "nurse")])).unwrap_err();
    assert_eq!(
        (error.kind(), error.fault(), error.is_transient()),
        (AdminErrorKind::NotRecorded, Fault::Backend, true)
    );
    assert_eq!(hospital.engine.revision(), Revision(1));
    assert!(!hospital.may_read("ada"));
    hospital.recorder.refuse();
    let florence = after_second_factor("florence", START);
    let error =
        now(hospital.admin.break_glass(&florence, "emergency", Duration::from_secs(60), "fire")).unwrap_err();
    assert_eq!(error.kind(), AdminErrorKind::NotRecorded);
    assert_eq!(hospital.engine.revision(), Revision(1));
}

#[test]
fn glass_is_broken_by_the_eligible_after_a_fresh_second_factor_for_a_while_and_on_record() {
    let hospital = Hospital::new();
    let hour = Duration::from_secs(3_600);
    let florence = after_second_factor("florence", START);
    let breaks = |who: &Principal, role: &str, lasting, reason: &str| {
        now(hospital.admin.break_glass(who, role, lasting, reason)).map_err(|error| error.kind())
    };
    let old = START.saturating_sub(Duration::from_secs(600));
    assert_eq!(breaks(&somebody("north", "florence"), "emergency", hour, "fire"), Err(AdminErrorKind::Proof));
    assert_eq!(
        breaks(&after_second_factor("florence", old), "emergency", hour, "fire"),
        Err(AdminErrorKind::Proof)
    );
    assert_eq!(
        breaks(&after_second_factor("eve", START), "emergency", hour, "fire"),
        Err(AdminErrorKind::Eligibility)
    );
    assert_eq!(breaks(&florence, "doctor", hour, "fire"), Err(AdminErrorKind::Eligibility));
    assert_eq!(breaks(&florence, "emergency", hour * 2, "fire"), Err(AdminErrorKind::Bounds));
    assert_eq!(breaks(&florence, "emergency", Duration::ZERO, "fire"), Err(AdminErrorKind::Bounds));
    assert_eq!(breaks(&florence, "emergency", hour, " "), Err(AdminErrorKind::Bounds));
    assert_eq!(hospital.events(), []);
    breaks(&florence, "emergency", hour, "fire on ward 3").unwrap();
    assert_eq!(hospital.events(), [("break_glass_opened".to_owned(), Outcome::Success)]);

    let erase = Permission::literal("patient:erase");
    let on = Resource::record("north", "patient", "p-1");
    let quietly = hospital.authorizer.decide(&florence, erase, on);
    assert!(matches!(quietly, Decision::Indeterminate(Cause::NeedsDurable)), "{quietly:?}");
    let Decision::Allow(grant) = now(hospital.authorizer.decide_durably(&florence, erase, on)) else {
        panic!("denied")
    };
    assert!(grant.expires() <= START.saturating_add(Duration::from_secs(600)));
    let Decision::Allow(as_nurse) = hospital.authorizer.decide(&florence, READ, on) else { panic!("denied") };
    assert!(as_nurse.clear().contains("name") && !as_nurse.clear().contains("card"));
    let Decision::Allow(in_need) = now(hospital.authorizer.decide_durably(&florence, READ, on)) else {
        panic!("denied")
    };
    assert!(in_need.clear().contains("card"));

    hospital.clock.advance(Duration::from_secs(600));
    let stale_proof = now(hospital.authorizer.decide_durably(&florence, erase, on));
    assert!(matches!(stale_proof, Decision::Deny(_)), "{stale_proof:?}");
    let again = after_second_factor("florence", hospital.clock.wall());
    assert!(matches!(now(hospital.authorizer.decide_durably(&again, erase, on)), Decision::Allow(_)));
    hospital.clock.advance(Duration::from_secs(3_000));
    let again = after_second_factor("florence", hospital.clock.wall());
    assert!(
        matches!(now(hospital.authorizer.decide_durably(&again, erase, on)), Decision::Deny(_)),
        "it has ended"
    );
}

#[test]
fn a_use_of_an_emergency_role_waits_for_a_review_by_somebody_else() {
    let hospital = Hospital::new();
    let florence = after_second_factor("florence", START);
    now(hospital.admin.break_glass(&florence, "emergency", Duration::from_secs(60), "fire")).unwrap();
    hospital.clock.advance(Duration::from_secs(120));
    let again = after_second_factor("florence", hospital.clock.wall());
    now(hospital.admin.break_glass(&again, "emergency", Duration::from_secs(60), "flood")).unwrap();
    let open = hospital.admin.unreviewed("north");
    assert_eq!(open.len(), 1);
    let first = &open[0].assignment;
    assert_eq!((first.holder().name(), first.reason()), ("florence", Some("fire; flood")));
    assert_eq!(first.starts(), Some(START), "the first use is not lost by the second");
    assert!(hospital.admin.unreviewed("south").is_empty());
    let on = Administration::roles_of("north");
    let review = |by: &Principal, subject: &str| {
        let Decision::Allow(grant) = now(hospital.authorizer.decide_durably(by, Administration::ASSIGN, on))
        else {
            panic!("denied")
        };
        now(hospital.admin.review(by, grant.covers(on).unwrap(), subject, "emergency"))
            .map_err(|error| error.kind())
    };
    let owner = somebody("north", "owner");
    assert_eq!(review(&owner, "ada"), Err(AdminErrorKind::Eligibility));
    hospital.commit("owner", &[assign("florence", "owner")]).unwrap();
    assert_eq!(review(&somebody("north", "florence"), "florence"), Err(AdminErrorKind::Eligibility));
    review(&owner, "florence").unwrap();
    assert!(hospital.admin.unreviewed("north").is_empty());
    assert_eq!(hospital.events().last().unwrap().0, "break_glass_reviewed");
}

#[test]
fn an_emergency_role_is_given_to_one_person_within_its_limit_only() {
    let given = |end: Option<u64>| {
        let role = Assignment::new("north", "ada", "emergency");
        Change::Assign(
            end.map_or(role.clone(), |end| role.expires(START.saturating_add(Duration::from_secs(end)))),
        )
    };
    assert_eq!(Hospital::new().commit("owner", &[given(None)]), Err(AdminErrorKind::Bounds));
    assert_eq!(Hospital::new().commit("owner", &[given(Some(3_601))]), Err(AdminErrorKind::Bounds));
    let group = Assignment::to_group("north", "ward", "emergency")
        .expires(START.saturating_add(Duration::from_secs(60)));
    assert_eq!(Hospital::new().commit("owner", &[Change::Assign(group)]), Err(AdminErrorKind::Bounds));
    Hospital::new().commit("owner", &[given(Some(3_600))]).unwrap();
}

/// A service makes changes in a handler, which its runtime may go on with on another thread.
#[test]
fn changes_can_be_made_in_a_handler() {
    async fn handler(admin: Arc<Administration>, who: Principal, grant: Grant) {
        let roles = Administration::roles_of("north");
        let covered = grant.covers(roles).unwrap();
        admin.commit(&who, covered, &[assign("ada", "nurse")]).await.unwrap();
        let broken = admin.break_glass(&who, "emergency", Duration::ZERO, "a drill").await;
        assert_eq!(broken.unwrap_err().kind(), AdminErrorKind::Eligibility);
        let reviewed = admin.review(&who, covered, "ada", "emergency").await;
        assert_eq!(reviewed.unwrap_err().kind(), AdminErrorKind::Eligibility);
    }
    fn movable(future: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> {
        future
    }
    let hospital = Hospital::new();
    let (owner, roles) = (somebody("north", "owner"), Administration::roles_of("north"));
    let decision = now(hospital.authorizer.decide_durably(&owner, Administration::ASSIGN, roles));
    let Decision::Allow(grant) = decision else { panic!("denied") };
    now(movable(handler(Arc::new(hospital.admin), owner, grant)));
}
