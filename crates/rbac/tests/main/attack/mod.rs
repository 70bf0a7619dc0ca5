//! Attempts to gain what the README says is refused. Each test is named after the attempt.

mod admin;
mod classes;
mod engine;
mod work;

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bartizan_core::{
    Attestation, Authorizer, Decision, JobPolicy, Permission, Principal, PrincipalFacts, Resource, Revision,
    UnixTime,
};
use bartizan_rbac::{
    AdminErrorKind, Administration, Assignment, Assignments, Change, Engine, HeldAssignments, Holder, Policy,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};

pub(crate) const START: UnixTime = UnixTime::from_secs(1_700_000_000);

/// A whole house: engine, authorizer and administration, in which everything that is assigned counts.
struct House {
    engine: Arc<Engine>,
    authorizer: Authorizer,
    admin: Administration,
    clock: Arc<ManualClock>,
}

impl House {
    fn new(policy: &str, assignments: Assignments) -> Self {
        let policy = Policy::parse(policy).unwrap_or_else(|error| panic!("{error}\n{policy}"));
        let engine = Arc::new(Engine::new(policy, assignments));
        let (recorder, clock) = (Arc::new(MemoryRecorder::default()), Arc::new(ManualClock::at(START)));
        let authorizer = Authorizer::new(
            "house",
            Arc::clone(&engine),
            JobPolicy::none(),
            recorder.clone(),
            clock.clone(),
            &SeededEntropy::new(1),
        )
        .unwrap();
        let authority = authorizer.authority();
        let admin = Administration::new("house", engine.clone(), authority, recorder, clock.clone());
        Self { engine, authorizer, admin, clock }
    }

    fn held(policy: &str, held: &[(&str, &str)]) -> Self {
        Self::new(policy, Assignments::HeldOnly(assigned(held)))
    }

    fn commit(&self, by: &Principal, changes: &[Change]) -> Result<Revision, AdminErrorKind> {
        let on = Administration::roles_of("north");
        let Decision::Allow(grant) = now(self.authorizer.decide_durably(by, Administration::ASSIGN, on))
        else {
            panic!("no grant for role:assign")
        };
        now(self.admin.commit(by, grant.covers(on).unwrap(), changes)).map_err(|error| error.kind())
    }

    fn break_glass(&self, by: &Principal, role: &str) -> Result<Revision, AdminErrorKind> {
        now(self.admin.break_glass(by, role, Duration::from_secs(600), "fire")).map_err(|error| error.kind())
    }

    fn allows(&self, who: &Principal, permission: &'static str) -> bool {
        let permission = Permission::literal(permission);
        let on = Resource::record("north", permission.name().resource(), "x");
        match now(self.authorizer.decide_durably(who, permission, on)) {
            Decision::Allow(_) => true,
            Decision::Deny(_) => false,
            other => panic!("{other:?}"),
        }
    }
}

fn assigned(held: &[(&str, &str)]) -> HeldAssignments {
    held.iter().fold(HeldAssignments::new(), |all, (who, role)| all.assign("north", *who, *role))
}

fn somebody(subject: &str) -> Principal {
    Principal::attested(Attestation::Assertion, PrincipalFacts::new("north", subject)).unwrap()
}

/// Somebody on whose behalf another acts.
fn through(subject: &str, actor: &Principal) -> Principal {
    let mut facts = proven(subject, START);
    facts.actor = Some(actor.clone());
    Principal::attested(Attestation::Assertion, facts).unwrap()
}

/// What is known of somebody who has just proven who they are, by several factors.
fn proven(subject: &str, at: UnixTime) -> PrincipalFacts {
    let mut facts = PrincipalFacts::new("north", subject).with_amr(["pwd", "mfa"]);
    facts.authenticated = Some(at);
    facts
}

fn fresh(subject: &str) -> Principal {
    Principal::attested(Attestation::Assertion, proven(subject, START)).unwrap()
}

fn naming(subject: &str, roles: &[&str]) -> Principal {
    let facts = proven(subject, START).with_roles(roles.iter().copied());
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

fn leave(group: &str, subject: &str) -> Change {
    Change::Leave { tenant: "north".into(), group: group.into(), subject: subject.into() }
}

fn remove(subject: &str) -> Change {
    Change::Remove { tenant: "north".into(), subject: subject.into() }
}

fn later(seconds: u64) -> UnixTime {
    START.saturating_add(Duration::from_secs(seconds))
}

/// Nothing here waits for anything.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}
