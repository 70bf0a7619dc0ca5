//! Changes of who holds what: allowed, within the constraints, on record, and then in force.

mod change;
pub(crate) mod check;
mod cover;
mod error;

use std::{fmt, future::poll_fn, sync::Arc, time::Duration};

use bartizan_audit_events::Event;
use bartizan_core::{
    Authority, Clock, Covered, Delivery, Detail, DetailValue, Fact, Origin, Outcome, Permission, Principal,
    Realm, Recorder, Resource, Revision, Subject, Target, UnixTime,
};

use crate::{Assignment, AssignmentStore, Change, Engine, Holder, Snapshot, SourceErrorKind};

pub use error::{AdminError, AdminErrorKind};

/// How often a change is checked again because somebody else changed something meanwhile.
const TRIES: u32 = 8;

/// Who may change who holds what, and how (INCITS 359: the administrative functions).
///
/// A change takes a grant for [`Administration::ASSIGN`] on the collection of roles of one tenant. It is checked as a whole
/// against the policy's constraints; nobody gives, or takes away, what they do not hold themselves; it is durably on record
/// before it is in force; and it answers the [`Revision`] from which on it counts, which a check on another node may demand
/// ([`Authorizer::decide_since`](bartizan_core::Authorizer::decide_since)).
pub struct Administration {
    service: Box<str>,
    engine: Arc<Engine>,
    authority: Authority,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    store: Option<Arc<dyn AssignmentStore>>,
}

/// What is put on record of a change.
#[derive(Clone, Copy)]
enum Deed<'a> {
    Commit(Covered<'a>, UnixTime),
    Glass { role: &'a str, lasting: Duration, now: UnixTime },
    Review { covered: Covered<'a>, subject: &'a str, role: &'a str, now: UnixTime },
}

/// One use of a break-glass role that nobody has reviewed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlassUse {
    /// Who, when and why: the assignment that they gave themselves. It may have ended.
    pub assignment: Assignment,
}

impl Administration {
    /// What changing assignments takes: `role:assign`, on the collection `role` of the tenant.
    pub const ASSIGN: Permission = Permission::literal("role:assign").critical();

    /// With this permission on the same collection one may give and take what one does not hold.
    pub const ESCALATE: Permission = Permission::literal("role:escalate").critical();

    /// For an engine whose authorizer has this authority: no other's grant changes anything here.
    #[must_use]
    pub fn new(
        service: impl Into<Box<str>>,
        engine: Arc<Engine>,
        authority: Authority,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { service: service.into(), engine, authority, recorder, clock, store: None }
    }

    /// The same, whose changes are kept in a store first: the one that the engine follows.
    #[must_use]
    pub fn kept_in(mut self, store: Arc<dyn AssignmentStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// The collection that a grant for [`Administration::ASSIGN`] is for.
    #[must_use]
    pub const fn roles_of(tenant: &str) -> Resource<'_> {
        Resource::collection(tenant, "role")
    }

    /// Makes these changes, all of them or none. `by` is put down as the one who gave what is given.
    ///
    /// All changes are in the grant's tenant. Each assignment needs a role of the policy (the nearest is named), its
    /// prerequisites, room among its holders, and no broken separation of duty, for everybody whom it reaches through groups
    /// too. A prerequisite has to be held for as long as what requires it, so what would leave somebody without one is refused as
    /// well. A break-glass role is given like this only with an end within its own limit.
    ///
    /// # Errors
    /// [`AdminErrorKind`] says what was refused; nothing is changed then, but for [`AdminErrorKind::Source`], after which the
    /// store may have made the changes all the same. [`AdminErrorKind::Conflict`] may be tried again.
    ///
    /// # Cancel safety
    /// Dropped before it ends, the changes may be on record without being in force: the log says more than happened, never
    /// less. With a store they may come into force later, through the feed.
    ///
    /// # Security
    /// An attempt to give or take what one does not hold goes on record as a privilege escalation. What an emergency role gives,
    /// and what is denied to oneself, is not held in this sense; to take a deny away is to give what it held back; and who acts
    /// for another needs the rights as well. Nobody takes their own emergency off the list of those to review.
    pub async fn commit(
        &self,
        by: &Principal,
        covered: Covered<'_>,
        changes: &[Change],
    ) -> Result<Revision, AdminError> {
        let now = self.clock.wall();
        self.grant_fits(by, covered, now)?;
        let tenant = covered.resource().tenant();
        if let Some(stray) = changes.iter().find(|change| change.tenant() != tenant) {
            let detail = format!("the grant is for another tenant than {}", stray.what());
            return Err(AdminError::new(AdminErrorKind::Grant, detail));
        }
        let changes: Vec<Change> = changes.iter().map(|change| signed(change, by)).collect();
        let may_escalate = |snapshot: &Snapshot, who: &Principal| {
            let ask =
                bartizan_core::Ask::new(who, Self::ESCALATE.name(), Self::roles_of(tenant), now).durable();
            matches!(snapshot.verdict(&ask, Realm::Tenant), bartizan_core::Verdict::Allow { .. })
        };
        let check = |snapshot: &Snapshot| {
            check::changes(snapshot, tenant, &changes, now)?;
            // SECURITY: who acts for another gives what both may give, as they may do what both may do.
            acting(by).try_for_each(|who| {
                check::own_emergency(snapshot, who, &changes)?;
                match may_escalate(snapshot, who) {
                    true => Ok(()),
                    false => cover::changes(snapshot, who, &changes, now),
                }
            })
        };
        match self.in_force(&changes, check, by, Deed::Commit(covered, now)).await {
            Err(refused) if refused.kind() == AdminErrorKind::Escalation => {
                self.escalation(by, covered, now).await?;
                Err(refused)
            }
            done => done,
        }
    }

    /// Gives oneself an emergency role, for a while (“breaking the glass”). Who is eligible, for how long at most, and how fresh the
    /// proof of who they are must be, says the policy. It is critical on record before it counts, and waits for a review.
    ///
    /// # Errors
    /// [`AdminErrorKind::Eligibility`] for a role that is no break-glass role or not for `by`, and when somebody acts for them;
    /// [`AdminErrorKind::Proof`] when the credential has ended, or the last authentication by several factors is too old; [`AdminErrorKind::Bounds`] for an empty reason or a time of nothing or beyond the
    /// limit; else as [`Administration::commit`].
    ///
    /// # Cancel safety
    /// As [`Administration::commit`].
    pub async fn break_glass(
        &self,
        by: &Principal,
        role: &str,
        lasting: Duration,
        reason: &str,
    ) -> Result<Revision, AdminError> {
        let now = self.clock.wall();
        if reason.trim().is_empty() {
            return Err(AdminError::new(AdminErrorKind::Bounds, "breaking the glass takes a reason"));
        }
        // What is not reviewed yet stays to be seen: a second use goes on from the first, with both reasons.
        let open = self.unreviewed(by.tenant()).into_iter().map(|one| one.assignment);
        let open = open.into_iter().find(|one| one.role() == role && one.holder().name() == by.subject());
        let begun = open.as_ref().and_then(Assignment::starts).map_or(now, |begun| begun.min(now));
        let earlier = open.as_ref().and_then(Assignment::reason);
        let reasons = earlier.map_or_else(|| reason.to_owned(), |earlier| format!("{earlier}; {reason}"));
        let assignment = Assignment::new(by.tenant(), by.subject(), role)
            .not_before(begun)
            .expires(now.saturating_add(lasting))
            .granted_by(by.subject())
            .because(reasons);
        let change = Change::Assign(assignment);
        let check = |snapshot: &Snapshot| {
            check::glass(snapshot, by, role, lasting, now)?;
            check::changes(snapshot, by.tenant(), std::slice::from_ref(&change), now)
        };
        let deed = Deed::Glass { role, lasting, now };
        self.in_force(std::slice::from_ref(&change), check, by, deed).await
    }

    /// The uses of break-glass roles in a tenant that nobody has reviewed yet, ended ones too.
    #[must_use]
    pub fn unreviewed(&self, tenant: &str) -> Vec<GlassUse> {
        let snapshot = self.engine.snapshot();
        let policy = &*snapshot.policy.0;
        let Some(held) = snapshot.counting.held() else { return Vec::new() };
        let uses = held.iter().filter(|assignment| {
            let role = policy.role_ids.get(assignment.role());
            assignment.tenant() == tenant
                && role.is_some_and(|role| policy.constraints.glass.contains_key(role))
        });
        uses.map(|assignment| GlassUse { assignment }).collect()
    }

    /// Closes the review of one use: the emergency role ends, if it has not ended by itself, and leaves the list.
    ///
    /// # Errors
    /// [`AdminErrorKind::Eligibility`] when `by` would review themself, or there is no such use; else as
    /// [`Administration::commit`].
    ///
    /// # Cancel safety
    /// As [`Administration::commit`].
    pub async fn review(
        &self,
        by: &Principal,
        covered: Covered<'_>,
        subject: &str,
        role: &str,
    ) -> Result<Revision, AdminError> {
        let now = self.clock.wall();
        self.grant_fits(by, covered, now)?;
        if acting(by).any(|who| who.subject() == subject) {
            return Err(AdminError::new(AdminErrorKind::Eligibility, "nobody reviews their own emergency"));
        }
        let tenant = covered.resource().tenant();
        let is_it =
            |one: &GlassUse| one.assignment.role() == role && one.assignment.holder().name() == subject;
        if !self.unreviewed(tenant).iter().any(is_it) {
            return Err(AdminError::new(AdminErrorKind::Eligibility, "there is no such use to review"));
        }
        let change = Change::Revoke {
            tenant: tenant.into(),
            holder: Holder::Subject(subject.into()),
            role: role.into(),
        };
        let deed = Deed::Review { covered, subject, role, now };
        self.in_force(std::slice::from_ref(&change), |_| Ok(()), by, deed).await
    }

    fn grant_fits(&self, by: &Principal, covered: Covered<'_>, now: UnixTime) -> Result<(), AdminError> {
        let on = covered.resource();
        let fits = covered.authority() == self.authority
            && now < covered.expires()
            && covered.permission().unscoped() == Self::ASSIGN.name().unscoped()
            && on.id().is_none()
            && by.realm() == Realm::Tenant
            && by.tenant() == on.tenant();
        match fits {
            true => Ok(()),
            false => {
                Err(AdminError::new(AdminErrorKind::Grant, "the grant is not for this change, or has ended"))
            }
        }
    }

    /// Checks against what is in force, records, stores, and lets it count: again, when somebody else was faster.
    async fn in_force(
        &self,
        changes: &[Change],
        check: impl Fn(&Snapshot) -> Result<(), AdminError>,
        by: &Principal,
        deed: Deed<'_>,
    ) -> Result<Revision, AdminError> {
        if changes.is_empty() {
            return Ok(self.engine.revision());
        }
        for _ in 0..TRIES {
            let seen = self.engine.snapshot();
            check(&seen)?;
            self.on_record(deed, changes, by, &seen).await?;
            let done = match &self.store {
                None => self.engine.change_if(seen.revision(), changes).map_err(AdminError::of_engine)?,
                Some(store) => match store.commit(seen.revision(), changes).await {
                    Ok(revision) => {
                        // The feed may have brought it already.
                        let _ = self.engine.apply(changes, revision);
                        Some(revision)
                    }
                    Err(error) if error.kind() == SourceErrorKind::Conflict => None,
                    Err(error) => return Err(AdminError::of_source(error)),
                },
            };
            if let Some(revision) = done {
                return Ok(revision);
            }
            if self.store.is_some() {
                break;
            }
        }
        Err(AdminError::new(AdminErrorKind::Conflict, "somebody else changed something meanwhile"))
    }

    /// Durably, before anything of it is in force.
    async fn on_record(
        &self,
        deed: Deed<'_>,
        changes: &[Change],
        by: &Principal,
        snapshot: &Snapshot,
    ) -> Result<(), AdminError> {
        match deed {
            Deed::Commit(covered, now) => {
                for change in changes {
                    self.changed(change, by, covered, snapshot, now).await?;
                }
                Ok(())
            }
            Deed::Glass { role, lasting, now } => {
                let seconds = i64::try_from(lasting.as_secs()).unwrap_or(i64::MAX);
                let details = [Detail { name: "seconds", value: DetailValue::Number(seconds) }];
                let event = &Event::BREAK_GLASS_OPENED;
                let mut fact = self.fact(event, Outcome::Success, by, ("role", role), now).with(&details);
                fact.revision = Some(snapshot.revision());
                self.durable(fact).await
            }
            Deed::Review { covered, subject, role, now } => {
                let details = [Detail { name: "role", value: DetailValue::Text(role) }];
                let (event, whom) = (&Event::BREAK_GLASS_REVIEWED, ("subject", subject));
                let mut fact = self.fact(event, Outcome::Success, by, whom, now).with(&details);
                fact.decision = Some(covered.decision());
                fact.revision = Some(snapshot.revision());
                self.durable(fact).await
            }
        }
    }

    fn fact<'a>(
        &'a self,
        event: &Event,
        outcome: Outcome,
        by: &'a Principal,
        (kind, name): (&'a str, &'a str),
        now: UnixTime,
    ) -> Fact<'a> {
        let origin = Origin::service(&self.service).of(by);
        let target = Target::Resource(Resource::record(by.tenant(), kind, name));
        event.fact(outcome, now, Subject::Principal(by), target, origin).delivered(Delivery::Critical)
    }

    /// Puts one change on record: whose rights, which role or group, and what was done.
    async fn changed(
        &self,
        change: &Change,
        by: &Principal,
        covered: Covered<'_>,
        snapshot: &Snapshot,
        now: UnixTime,
    ) -> Result<(), AdminError> {
        let details = [Detail { name: "role", value: DetailValue::Text(change.role_or_group()) }];
        let mut fact =
            self.fact(&Event::AUTHZ_CHANGE, Outcome::Success, by, change.whom(), now).with(&details);
        fact.permission = Some(Self::ASSIGN.name());
        fact.decision = Some(covered.decision());
        fact.revision = Some(snapshot.revision());
        self.durable(fact.because(change.verb())).await
    }

    async fn escalation(
        &self,
        by: &Principal,
        covered: Covered<'_>,
        now: UnixTime,
    ) -> Result<(), AdminError> {
        let mut fact =
            self.fact(&Event::PRIVILEGE_ESCALATION, Outcome::Denied, by, ("subject", by.subject()), now);
        fact.decision = Some(covered.decision());
        self.durable(fact).await
    }

    async fn durable(&self, fact: Fact<'_>) -> Result<(), AdminError> {
        let ticket = self.recorder.record(&fact).map_err(|_| AdminError::not_recorded())?;
        poll_fn(|cx| self.recorder.poll_durable(ticket, cx)).await.map_err(|_| AdminError::not_recorded())
    }
}

/// The one whose rights are used, and everybody who acts for them.
fn acting(by: &Principal) -> impl Iterator<Item = &Principal> {
    std::iter::successors(Some(by), |who| who.actor())
}

/// The change, with `by` as the one who made it.
fn signed(change: &Change, by: &Principal) -> Change {
    match change {
        Change::Assign(assignment) => Change::Assign(assignment.clone().granted_by(by.subject())),
        other => other.clone(),
    }
}

impl fmt::Debug for Administration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administration")
            .field("service", &self.service)
            .field("engine", &self.engine)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
