//! The only place where grants are made.

use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    Ask, Authority, Cause, Clock, Decision, DecisionId, Decisions, Delivery, Denial, Entropy, Error, Fact,
    FieldSet, Grant, Importance, JobPolicy, Origin, Outcome, Permission, PolicyEngine, Principal, Realm,
    Recorder, Resource, Revision, RuleId, Subject, Target, Ticket, UnixTime, Verdict, code, fact::Reason,
    names, place::Place,
};

/// The longest life of a grant.
pub const MAX_GRANT_LIFE: Duration = Duration::from_secs(60);

/// The most records of one [`Authorizer::decide_each`].
pub const MAX_PAGE: usize = 1_000;

/// Decides, records, and grants: in that order, always all three.
///
/// Its engines are constructor arguments and no method adds one later; the [`Authority`] that its grants carry is drawn at
/// random, so what another authorizer in the same program grants opens nothing in a vault built for this one.
pub struct Authorizer {
    service: Box<str>,
    authority: Authority,
    policy: Box<dyn PolicyEngine>,
    jobs: JobPolicy,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    run: [u8; 8],
    decisions: AtomicU64,
}

/// What is asked of an answer beside the question.
#[derive(Clone, Copy, Default)]
struct Terms {
    at_least: Revision,
    /// The record is durable before the grant is used.
    durable: bool,
}

/// A verdict with the reason that goes on record.
struct Answer {
    verdict: Verdict,
    /// The engine's, when one was asked.
    revision: Option<Revision>,
    reason: Reason,
}

impl Authorizer {
    /// An authorizer for the service of this name, with a new authority.
    ///
    /// `policy` decides for principals of a tenant and `jobs` for those of [`Realm::System`].
    ///
    /// # Errors
    /// [`ErrorKind::Name`](crate::ErrorKind::Name) for an unprintable service name,
    /// [`ErrorKind::Entropy`](crate::ErrorKind::Entropy) when no randomness can be had.
    pub fn new(
        service: &str,
        policy: impl PolicyEngine + 'static,
        jobs: JobPolicy,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Result<Self, Error> {
        names::check(service)?;
        let mut run = [0; 8];
        entropy.fill(&mut run)?;
        Ok(Self {
            service: service.into(),
            authority: Authority::draw(entropy)?,
            policy: Box::new(policy),
            jobs,
            recorder,
            clock,
            run,
            decisions: AtomicU64::new(0),
        })
    }

    /// Whose grants these are; a vault is built for one.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.authority
    }

    /// The service's name, as it stands in records.
    #[must_use]
    pub const fn service(&self) -> &str {
        &self.service
    }

    /// The same as [`Authorizer::decide`], answered by this revision of the policy or a later one: what reads its own revoke
    /// on another node. An older policy answers [`Cause::Stale`].
    pub fn decide_since(
        &self,
        revision: Revision,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
    ) -> Decision {
        if needs_durable(who, permission) {
            return Decision::Indeterminate(Cause::NeedsDurable);
        }
        self.decide_recorded(who, permission, on, Terms { at_least: revision, durable: false }).0
    }

    /// Decides one question and queues its record. A permission whose first segment is not the resource's kind is denied without
    /// asking an engine.
    ///
    /// Answers [`Cause::NeedsDurable`] for a critical permission and for every principal of [`Realm::System`].
    pub fn decide(&self, who: &Principal, permission: Permission, on: Resource<'_>) -> Decision {
        if needs_durable(who, permission) {
            return Decision::Indeterminate(Cause::NeedsDurable);
        }
        self.decide_recorded(who, permission, on, Terms::default()).0
    }

    /// Decides one question for each record of a page of one tenant and kind, and queues one record for all of them.
    ///
    /// Answers [`Cause::NeedsDurable`] throughout for a critical permission, [`Cause::Malformed`] throughout when the page has
    /// over [`MAX_PAGE`] records, a collection, or records of more than one tenant or kind, and [`Cause::Stale`] throughout
    /// when the policy was replaced meanwhile: no page is decided by two states of it.
    ///
    /// The record names the first decision's id; those of the other records of the page follow on it, in their order.
    pub fn decide_each<'r>(
        &self,
        who: &Principal,
        permission: Permission,
        on: impl IntoIterator<Item = Resource<'r>>,
    ) -> Decisions {
        let page: Vec<Resource<'r>> = on.into_iter().take(MAX_PAGE + 1).collect();
        let throughout = |cause| Decisions(page.iter().map(|_| Decision::Indeterminate(cause)).collect());
        let Some(first) = page.first() else {
            return Decisions(Vec::new());
        };
        if needs_durable(who, permission) {
            return throughout(Cause::NeedsDurable);
        }
        if page.len() > MAX_PAGE
            || page.iter().any(|on| on.id().is_none())
            || page.iter().any(|on| (on.tenant(), on.kind()) != (first.tenant(), first.kind()))
        {
            return throughout(Cause::Malformed);
        }
        let (now, first_decision) = (self.clock.wall(), self.take_decisions(page.len() as u64));
        let mut allowed = Vec::with_capacity(page.len());
        let (mut denied, mut unknown, mut revision, mut replaced) = (0, 0, None, false);
        let mut decisions: Vec<Decision> = (first_decision..)
            .zip(&page)
            .map(|(count, on)| {
                let answer = self.answer(who, permission, *on, now, Terms::default());
                replaced |= answer.revision.is_some_and(|it| revision.is_some_and(|first| first != it));
                revision = revision.or(answer.revision);
                match answer.verdict {
                    Verdict::Allow { .. } => allowed.extend(on.id()),
                    Verdict::Deny { .. } => denied += 1,
                    Verdict::Unknown(_) => unknown += 1,
                }
                self.decision(answer, who, permission, *on, self.decision_id(count), now)
            })
            .collect();
        if replaced {
            allowed.clear();
            (denied, unknown) = (0, page.len());
            decisions = throughout(Cause::Stale).0;
        }
        let target = Target::Page { tenant: first.tenant(), kind: first.kind(), allowed: &allowed, denied };
        let outcome = match (allowed.len(), unknown) {
            (0, 0) => Outcome::Denied,
            (_, 0) => Outcome::Success,
            _ => Outcome::Unknown,
        };
        let decision = self.decision_id(first_decision);
        let mut fact = self.fact(code::PAGE_DECIDED, outcome, now, who, permission, target, decision);
        fact.revision = Some(revision.unwrap_or_default());
        fact.reason = replaced.then_some(Cause::Stale.as_str());
        match self.recorder.record(&fact) {
            Ok(_) => Decisions(decisions),
            Err(_) => throughout(Cause::NotRecorded),
        }
    }

    /// Decides one question; an allow is answered only once its record is durable.
    ///
    /// # Cancel safety
    /// Dropped before it ends, the decision may be on record without a grant: it says more than happened, never less.
    pub async fn decide_durably(
        &self,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
    ) -> Decision {
        self.decide_durably_since(Revision::default(), who, permission, on).await
    }

    /// Both in one: durable, and answered by this revision of the policy or a later one.
    ///
    /// # Cancel safety
    /// As [`Authorizer::decide_durably`].
    pub async fn decide_durably_since(
        &self,
        revision: Revision,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
    ) -> Decision {
        let terms = Terms { durable: true, at_least: revision };
        let (decision, ticket) = self.decide_recorded(who, permission, on, terms);
        let (Decision::Allow(_), Some(ticket)) = (&decision, ticket) else {
            return decision;
        };
        match poll_fn(|cx| self.recorder.poll_durable(ticket, cx)).await {
            Ok(()) => decision,
            Err(_) => Decision::Indeterminate(Cause::NotRecorded),
        }
    }

    fn decide_recorded(
        &self,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
        terms: Terms,
    ) -> (Decision, Option<Ticket>) {
        let (now, decision) = (self.clock.wall(), self.decision_id(self.take_decisions(1)));
        let answer = self.answer(who, permission, on, now, terms);
        let (code, outcome, rule) = match &answer.verdict {
            Verdict::Allow { rule, .. } => (code::PERMISSION_GRANTED, Outcome::Success, Some(*rule)),
            Verdict::Deny { rule } => (code::PERMISSION_DENIED, Outcome::Denied, *rule),
            Verdict::Unknown(_) => (code::PERMISSION_UNDECIDED, Outcome::Unknown, None),
        };
        let mut fact = self.fact(code, outcome, now, who, permission, Target::Resource(on), decision);
        fact.delivery = if terms.durable { Delivery::Critical } else { Delivery::Standard };
        fact.rule = rule;
        fact.revision = Some(answer.revision.unwrap_or_default());
        fact.reason = Some(match &answer.verdict {
            Verdict::Unknown(cause) => cause.as_str(),
            _ => answer.reason.as_str(),
        });
        match self.recorder.record(&fact) {
            Ok(ticket) => (self.decision(answer, who, permission, on, decision, now), Some(ticket)),
            Err(_) => (Decision::Indeterminate(Cause::NotRecorded), None),
        }
    }

    /// What tenant, expiry and engines say, before anything is recorded.
    fn answer(
        &self,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
        now: UnixTime,
        terms: Terms,
    ) -> Answer {
        if !on.is_well_formed() {
            return Answer::of(Verdict::Unknown(Cause::Malformed), None, Reason::NothingAllows);
        }
        let mut answer = self.answer_for_one(who, permission, on, now, terms);
        let mut actor = who.actor();
        while let Some(one) = actor {
            answer = answer.and(self.answer_for_one(one, permission, on, now, terms));
            actor = one.actor();
        }
        answer
    }

    fn answer_for_one(
        &self,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
        now: UnixTime,
        terms: Terms,
    ) -> Answer {
        let deny = Verdict::Deny { rule: None };
        if who.realm() == Realm::Tenant && who.tenant() != on.tenant() {
            return Answer::of(deny, None, Reason::OtherTenant);
        }
        if who.expires().is_some_and(|expires| expires <= now) {
            return Answer::of(deny, None, Reason::CredentialExpired);
        }
        // SECURITY: a vault asks a grant for its kind and not for its permission. Engines say this too; one that forgets it must
        // not open patients to whoever may read invoices.
        if permission.name().resource() != on.kind() {
            return Answer::of(deny, None, Reason::NothingAllows);
        }
        let mut ask = Ask::new(who, permission.name(), on, now).at_least(terms.at_least);
        ask.durable = terms.durable;
        let (verdict, revision) = match who.realm() {
            Realm::Tenant => self.policy.decide(&ask),
            Realm::System => self.jobs.decide(&ask),
        };
        let revision = Some(revision);
        let reason = match &verdict {
            Verdict::Deny { rule: None } => Reason::NothingAllows,
            _ => Reason::Rule,
        };
        // An engine's allow that has already ended is no allow.
        match verdict {
            Verdict::Allow { until, .. } if until <= now => Answer::of(deny, revision, Reason::NothingAllows),
            verdict => Answer::of(verdict, revision, reason),
        }
    }

    fn decision(
        &self,
        answer: Answer,
        who: &Principal,
        permission: Permission,
        on: Resource<'_>,
        decision: DecisionId,
        now: UnixTime,
    ) -> Decision {
        match answer.verdict {
            Verdict::Allow { clear, until, .. } => Decision::Allow(Grant {
                authority: self.authority,
                decision,
                permission: permission.name(),
                on: Place::of(on),
                clear,
                expires: until.min(now.saturating_add(MAX_GRANT_LIFE)).min(end_of_credentials(who)),
            }),
            Verdict::Deny { rule } => {
                let revision = answer.revision.unwrap_or_default();
                Decision::Deny(Denial { decision, rule, revision, reason: answer.reason })
            }
            Verdict::Unknown(cause) => Decision::Indeterminate(cause),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each is one mandatory part of a fact")]
    fn fact<'a>(
        &'a self,
        code: crate::EventCode,
        outcome: Outcome,
        at: UnixTime,
        who: &'a Principal,
        permission: Permission,
        target: Target<'a>,
        decision: DecisionId,
    ) -> Fact<'a> {
        let origin = Origin::service(&self.service).of(who);
        let mut fact = Fact::new(code, outcome, at, Subject::Principal(who), target, origin);
        fact.permission = Some(permission.name());
        fact.decision = Some(decision);
        fact
    }

    /// The first of so many numbers that nobody else is given.
    fn take_decisions(&self, many: u64) -> u64 {
        self.decisions.fetch_add(many, Ordering::Relaxed)
    }

    /// Eight random bytes of this authorizer and a count: unique without a draw for each decision.
    fn decision_id(&self, count: u64) -> DecisionId {
        let mut id = [0; 16];
        let (run, end) = id.split_at_mut(8);
        run.copy_from_slice(&self.run);
        end.copy_from_slice(&count.to_be_bytes());
        DecisionId(id)
    }
}

impl Answer {
    const fn of(verdict: Verdict, revision: Option<Revision>, reason: Reason) -> Self {
        Self { verdict, revision, reason }
    }

    /// What both may do. A definite deny wins over an unknown, and an unknown over an allow.
    fn and(self, other: Self) -> Self {
        match (self.verdict, other.verdict) {
            (Verdict::Deny { rule }, _) => Self { verdict: Verdict::Deny { rule }, ..self },
            (_, Verdict::Deny { rule }) => Self { verdict: Verdict::Deny { rule }, ..other },
            (Verdict::Unknown(cause), _) | (_, Verdict::Unknown(cause)) => {
                Self { verdict: Verdict::Unknown(cause), revision: self.revision, reason: self.reason }
            }
            (
                Verdict::Allow { rule, clear, until },
                Verdict::Allow { rule: _, clear: other_clear, until: other_until },
            ) => {
                let verdict = both(rule, &clear, &other_clear, until.min(other_until));
                Self { verdict, revision: self.revision, reason: self.reason }
            }
        }
    }
}

fn both(rule: RuleId, one: &FieldSet, two: &FieldSet, until: UnixTime) -> Verdict {
    Verdict::Allow { rule, clear: one.intersection(two), until }
}

/// When the first credential of the chain ends: the subject's, or that of somebody who acts for it.
fn end_of_credentials(who: &Principal) -> UnixTime {
    std::iter::successors(Some(who), |who| who.actor())
        .filter_map(Principal::expires)
        .min()
        .unwrap_or(UnixTime::MAX)
}

fn needs_durable(who: &Principal, permission: Permission) -> bool {
    permission.importance() == Importance::Critical
        || who.realm() == Realm::System
        || std::iter::successors(who.actor(), |actor| actor.actor())
            .any(|actor| actor.realm() == Realm::System)
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer")
            .field("service", &self.service)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
