//! The engine: the snapshot that answers now, and how another takes its place.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use bartizan_core::{
    Ask, Cause, PermissionName, PolicyEngine, Principal, Realm, Resource, Revision, RuleId, UnixTime, Verdict,
};

use crate::{
    Assignments, Change, Error, ErrorKind, Explanation, HeldAssignments, Policy, Rule, Snapshot,
    assignments::Counting, explain,
};

/// A policy and its assignments, which can be replaced while they answer. Give it, or an `Arc` of it, to
/// [`Authorizer::new`](bartizan_core::Authorizer::new).
///
/// Whoever asks reads one [`Snapshot`]; a change makes the next and swaps it in. Readers never wait, and no decision mixes two
/// states. There is no cache of decisions.
pub struct Engine {
    current: ArcSwap<Snapshot>,
    /// Snapshots that somebody may still read. They are dropped by the next writer: never by a reader in a decision.
    retired: Mutex<Vec<Arc<Snapshot>>>,
    /// When the source last said that nothing changed, in nanoseconds; or never.
    confirmed: AtomicI64,
    stale_after: Option<Duration>,
}

impl Engine {
    /// An engine for this policy and these assignments, at revision 1.
    #[must_use]
    pub fn new(policy: Policy, assignments: Assignments) -> Self {
        let counting = Counting::new(assignments, &policy.0);
        Self {
            current: ArcSwap::from_pointee(Snapshot { policy, counting, revision: Revision(1) }),
            retired: Mutex::new(Vec::new()),
            confirmed: AtomicI64::new(i64::MIN),
            stale_after: None,
        }
    }

    /// The same, answering at this revision. It stands in every record; it grows with every change.
    #[must_use]
    pub fn with_revision(self, revision: Revision) -> Self {
        let now = self.current.load();
        let (policy, counting) = (now.policy.clone(), now.counting.clone());
        self.current.store(Arc::new(Snapshot { policy, counting, revision }));
        self
    }

    /// The same, answering [`Cause::Stale`] once nobody has said [`Engine::confirm`] for so long. An engine that nobody ever
    /// confirmed is stale from the start.
    ///
    /// # Security
    /// Without it, a service that lost its source goes on granting what was taken away long ago.
    #[must_use]
    pub const fn stale_after(mut self, span: Duration) -> Self {
        self.stale_after = Some(span);
        self
    }

    /// What answers now: for many questions to one state, and for reviews. It stays what it is while the engine goes on.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// The revision that answers.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.current.load().revision
    }

    /// The policy that answers.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.current.load().policy.clone()
    }

    /// Says that at this time the source had nothing newer.
    pub fn confirm(&self, now: UnixTime) {
        self.confirmed.fetch_max(now.as_nanos(), Ordering::Release);
    }

    /// Says that what is here must not be decided by any more, until the source is heard again. An engine without
    /// [`Engine::stale_after`] goes on.
    pub fn withdraw(&self) {
        self.confirmed.store(i64::MIN, Ordering::Release);
    }

    /// How long the source may be silent, if that matters.
    #[must_use]
    pub const fn silence_allowed(&self) -> Option<Duration> {
        self.stale_after
    }

    /// When the source was last heard, if ever.
    #[must_use]
    pub fn confirmed(&self) -> Option<UnixTime> {
        let nanos = self.confirmed.load(Ordering::Acquire);
        (nanos != i64::MIN).then(|| UnixTime::from_nanos(nanos))
    }

    /// Makes these changes, all at once, under the next revision. Costs microseconds, whatever there is.
    ///
    /// # Errors
    /// [`ErrorKind::Assignment`] where only tokens count: there is nothing to change.
    ///
    /// # Security
    /// No constraint is looked at, and nothing is recorded: that is what an [`Administration`](crate::Administration) is for.
    pub fn change(&self, changes: &[Change]) -> Result<Revision, Error> {
        self.publish(|now| {
            let counting = now.counting.after(changes, &now.policy.0);
            Ok(Snapshot { policy: now.policy.clone(), counting, revision: next(now) })
        })
    }

    /// The same, if the engine is still at this revision; nothing when somebody else was faster.
    pub(crate) fn change_if(&self, seen: Revision, changes: &[Change]) -> Result<Option<Revision>, Error> {
        let mut overtaken = false;
        let done = self.publish(|now| {
            overtaken = now.revision != seen;
            if overtaken {
                return Err(Error::new(ErrorKind::Revision, None, "the engine has gone on"));
            }
            let counting = now.counting.after(changes, &now.policy.0);
            Ok(Snapshot { policy: now.policy.clone(), counting, revision: next(now) })
        });
        if overtaken { Ok(None) } else { done.map(Some) }
    }

    /// Makes the changes that lead to a source's revision.
    ///
    /// # Errors
    /// As [`Engine::change`], and [`ErrorKind::Revision`] when the engine has this revision or a later one already.
    pub fn apply(&self, changes: &[Change], revision: Revision) -> Result<Revision, Error> {
        self.publish(|now| {
            let counting = now.counting.after(changes, &now.policy.0);
            Ok(Snapshot { policy: now.policy.clone(), counting, revision: newer(now, revision)? })
        })
    }

    /// Lets another policy answer under the next revision, with the assignments that there are.
    pub fn replace(&self, policy: Policy) -> Revision {
        let done = self.publish_any(|now| {
            let counting = now.counting.under(&policy.0);
            Ok(Snapshot { policy, counting, revision: next(now) })
        });
        done.unwrap_or_default()
    }

    /// Lets another policy and other assignments answer: the whole of a source, at its revision. It is taken at its word, also when
    /// the revision is an older one: the source was restored from a backup. Where only tokens count, the assignments are left
    /// aside.
    pub fn load(&self, policy: Policy, held: HeldAssignments, revision: Revision) {
        let done = self.publish_any(|now| {
            let counting = now.counting.with(held, &policy.0);
            Ok(Snapshot { policy, counting, revision })
        });
        // INVARIANT(load-never-fails): only what the closure answers can be an error, and it answers none.
        let _ = done;
    }

    /// [`Engine::load`], unless what answers is of a later revision: an administrator of this node may have been faster.
    ///
    /// # Errors
    /// [`ErrorKind::Revision`].
    pub(crate) fn load_unless_behind(
        &self,
        policy: Policy,
        held: HeldAssignments,
        revision: Revision,
    ) -> Result<Revision, Error> {
        self.publish_any(|now| {
            // The same revision may come again: a source loads everything whenever it doubts what it has.
            let revision = if revision == now.revision { revision } else { newer(now, revision)? };
            let counting = now.counting.with(held, &policy.0);
            Ok(Snapshot { policy, counting, revision })
        })
    }

    /// What a rule's number means, in words; nothing for a number that no verdict of the present policy bears.
    #[must_use]
    pub fn rule(&self, rule: RuleId) -> Option<Rule> {
        self.current.load().rule(rule)
    }

    /// [`Snapshot::explain`] of what answers now.
    ///
    /// # Security
    /// For operators. To the asker it would tell what roles there are.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>) -> Explanation {
        let snapshot = self.current.load();
        match self.stale_after.is_some() && self.is_stale(ask.now) {
            true => explain::explain(&snapshot, ask, Verdict::Unknown(Cause::Stale)),
            false => snapshot.explain(ask),
        }
    }

    /// [`Snapshot::decide_any`] of what answers now.
    ///
    /// # Errors
    /// [`ErrorKind::EmptySet`] when there are no permissions.
    pub fn decide_any(
        &self,
        who: &Principal,
        permissions: &[PermissionName<'_>],
        on: Resource<'_>,
        now: UnixTime,
    ) -> Result<(Verdict, Revision), Error> {
        let snapshot = self.current.load();
        if self.is_stale(now) {
            return Ok((Verdict::Unknown(Cause::Stale), snapshot.revision));
        }
        snapshot.decide_any(who, permissions, on, now)
    }

    /// [`Snapshot::decide_all`] of what answers now.
    ///
    /// # Errors
    /// [`ErrorKind::EmptySet`] when there are no permissions.
    pub fn decide_all(
        &self,
        who: &Principal,
        permissions: &[PermissionName<'_>],
        on: Resource<'_>,
        now: UnixTime,
    ) -> Result<(Verdict, Revision), Error> {
        let snapshot = self.current.load();
        if self.is_stale(now) {
            return Ok((Verdict::Unknown(Cause::Stale), snapshot.revision));
        }
        snapshot.decide_all(who, permissions, on, now)
    }

    /// Whether the source has been silent for too long at this time.
    #[must_use]
    pub fn is_stale(&self, now: UnixTime) -> bool {
        let Some(span) = self.stale_after else { return false };
        self.confirmed().is_none_or(|confirmed| confirmed.saturating_add(span) < now)
    }

    fn answer(&self, ask: &Ask<'_>, realm: Realm) -> (Verdict, Revision) {
        let snapshot = self.current.load();
        if ask.at_least > snapshot.revision || self.stale_after.is_some() && self.is_stale(ask.now) {
            return (Verdict::Unknown(Cause::Stale), snapshot.revision);
        }
        (snapshot.verdict(ask, realm), snapshot.revision)
    }

    fn publish(&self, next: impl FnOnce(&Snapshot) -> Result<Snapshot, Error>) -> Result<Revision, Error> {
        self.publish_any(|now| match now.counting {
            Counting::TokenOnly(_) => {
                let detail = "only tokens count: there are no assignments to change";
                Err(Error::new(ErrorKind::Assignment, None, detail))
            }
            Counting::Held { .. } => next(now),
        })
    }

    fn publish_any(
        &self,
        next: impl FnOnce(&Snapshot) -> Result<Snapshot, Error>,
    ) -> Result<Revision, Error> {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next(&self.current.load())?;
        let revision = next.revision;
        retired.push(self.current.swap(Arc::new(next)));
        retired.retain(|old| Arc::strong_count(old) > 1);
        Ok(revision)
    }
}

/// The last revision that there is has no next one. It never starts again at none.
const fn next(now: &Snapshot) -> Revision {
    Revision(now.revision.0.saturating_add(1))
}

fn newer(now: &Snapshot, revision: Revision) -> Result<Revision, Error> {
    if revision > now.revision {
        return Ok(revision);
    }
    let detail = format!("revision {} is there already: the engine is at {}", revision.0, now.revision.0);
    Err(Error::new(ErrorKind::Revision, None, detail))
}

impl PolicyEngine for Engine {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        self.answer(ask, Realm::Tenant)
    }
}

/// The roles of those who act across tenants, for [`JobPolicy::with_roles`](bartizan_core::JobPolicy::with_roles).
///
/// Only roles with `realm = "system"` count, assigned by [`Assignment::across_tenants`](crate::Assignment::across_tenants).
/// Nobody across tenants owns a record or is in a team: `own` and `team` let them do nothing. Every allow is critical: an
/// authorizer grants it durably or not at all.
#[derive(Clone, Debug)]
pub struct SystemRoles(Arc<Engine>);

impl SystemRoles {
    /// The same engine, asked about principals of [`Realm::System`].
    #[must_use]
    pub const fn of(engine: Arc<Engine>) -> Self {
        Self(engine)
    }
}

impl PolicyEngine for SystemRoles {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        self.0.answer(ask, Realm::System)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.current.load(), f)
    }
}
