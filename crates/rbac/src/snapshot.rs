//! One state of policy and assignments, and its answers: one pass over the roles that count.

use std::fmt;

use bartizan_core::{
    Ask, Cause, PermissionName, PolicyEngine, Principal, Realm, Resource, Revision, RuleId, UnixTime, Verdict,
};

use crate::{
    Effect, Error, ErrorKind, Explanation, Policy, Rule,
    asks::Found,
    assignments::{Active, Counting},
    condition::Truth,
    document::SeparationKind,
    explain,
    policy::Compiled,
    reach::{Owners, Place, Reach},
    shape::{self, Detail, ShapeId},
    shown::{EVERYTHING, Merged, NOTHING, SetId},
};

/// Policy and assignments at one revision. Nothing in it ever changes: all that one snapshot says agrees with itself.
///
/// It denies whatever nothing allows: what is unknown (role, permission, scope, kind of record, owner), what is in another
/// tenant, and every principal of [`Realm::System`]. A deny beats every allow. Order and repeats of roles mean nothing.
///
/// A decision is a plain function of the question: no I/O, no lock, no cache, and no allocation but for the field set when
/// roles with different ones come together.
pub struct Snapshot {
    pub(crate) policy: Policy,
    pub(crate) counting: Counting,
    pub(crate) revision: Revision,
}

/// Why a question is not even weighed: nothing can allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutOfFrame {
    OtherRealm,
    OtherTenant,
    UnknownPermission,
    OtherKind,
}

/// What the roles of a principal say together.
#[derive(Debug)]
struct Tally {
    /// The first role, by name, that denies.
    denies: Option<u32>,
    /// A deny stands or falls with a fact that is out of reach.
    may_deny: bool,
    /// The first role, by name, that allows.
    allows: Option<u32>,
    /// An allow stands or falls with a fact that is out of reach.
    may_allow: bool,
    /// A break-glass role would allow it, on record.
    glass: bool,
    /// The first end of all that allows: what one role shows may end before what another allows.
    until: UnixTime,
    clear: Merged,
    visible: Merged,
}

/// One question, in numbers.
#[derive(Clone, Copy)]
struct Weighing<'q> {
    ask: &'q Ask<'q>,
    owners: Owners,
    /// How far an allow must reach.
    needed: Reach,
    /// How far a deny must reach.
    maybe: Reach,
    facts: Facts,
}

/// What is taken for true of the facts that conditions look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facts {
    /// What the question says.
    AsAsked,
    /// The best for the asker: what could be, for reviews. No decision is ever made so.
    AtBest,
}

/// The roles that a verdict is of.
pub(crate) trait Roles {
    fn for_each(&self, each: impl FnMut(Active));
}

/// Those that the asker's credential brings.
pub(crate) struct ByCredential<'q> {
    pub(crate) snapshot: &'q Snapshot,
    pub(crate) ask: &'q Ask<'q>,
}

impl Roles for ByCredential<'_> {
    #[inline]
    fn for_each(&self, each: impl FnMut(Active)) {
        let Self { snapshot, ask } = self;
        snapshot.counting.for_each(ask.who, ask.now, &snapshot.policy.0, each);
    }
}

impl Roles for [Active] {
    fn for_each(&self, each: impl FnMut(Active)) {
        self.iter().copied().for_each(each);
    }
}

impl Roles for Vec<Active> {
    fn for_each(&self, each: impl FnMut(Active)) {
        self.iter().copied().for_each(each);
    }
}

impl Snapshot {
    /// The revision.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy.clone()
    }

    /// What a rule's number means, in words; nothing for a number that no verdict of this policy bears.
    #[must_use]
    pub fn rule(&self, rule: RuleId) -> Option<Rule> {
        explain::rule(&self.policy.0, rule)
    }

    /// The same verdict as [`PolicyEngine::decide`], and why: the rule with its path of roles, or the nearest miss.
    ///
    /// # Security
    /// For operators. To the asker it would tell what roles there are: [`Explanation::for_peer`] does not.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>) -> Explanation {
        explain::explain(self, ask, self.decide(ask).0)
    }

    /// Whether at least one of the permissions is granted: to the principal, and to everybody who acts for it, while none of
    /// their credentials has ended. The fields of all that are granted are in clear together.
    ///
    /// # Errors
    /// [`ErrorKind::EmptySet`] when there are none.
    pub fn decide_any(
        &self,
        who: &Principal,
        permissions: &[PermissionName<'_>],
        on: Resource<'_>,
        now: UnixTime,
    ) -> Result<(Verdict, Revision), Error> {
        let verdicts = permissions.iter().map(|name| self.verdict_for_chain(&Ask::new(who, *name, on, now)));
        let any = verdicts.reduce(|one, two| match (one, two) {
            (
                Verdict::Allow { rule, clear, until },
                Verdict::Allow { rule: _, clear: other_clear, until: other_until },
            ) => Verdict::Allow { rule, clear: clear.union(&other_clear), until: until.min(other_until) },
            (allow @ Verdict::Allow { .. }, _) | (_, allow @ Verdict::Allow { .. }) => allow,
            (unknown @ Verdict::Unknown(_), _) | (_, unknown @ Verdict::Unknown(_)) => unknown,
            (deny, _) => deny,
        });
        any.map(|verdict| (verdict, self.revision)).ok_or_else(empty_set)
    }

    /// Whether every one of the permissions is granted: to the principal, and to everybody who acts for it, while none of
    /// their credentials has ended. The fields that each of them shows are in clear.
    ///
    /// # Errors
    /// [`ErrorKind::EmptySet`] when there are none: “all of nothing” is no permission.
    pub fn decide_all(
        &self,
        who: &Principal,
        permissions: &[PermissionName<'_>],
        on: Resource<'_>,
        now: UnixTime,
    ) -> Result<(Verdict, Revision), Error> {
        let verdicts = permissions.iter().map(|name| self.verdict_for_chain(&Ask::new(who, *name, on, now)));
        let all = verdicts.reduce(both);
        all.map(|verdict| (verdict, self.revision)).ok_or_else(empty_set)
    }

    /// SECURITY: for `decide` and `explain` the authorizer asks for each of those who act, and looks at the ends of their
    /// credentials. Nobody does so for a set of permissions, which has no other caller than the service itself.
    pub(crate) fn verdict_for_chain(&self, ask: &Ask<'_>) -> Verdict {
        let chain = std::iter::successors(Some(ask.who), |who| who.actor());
        let verdicts = chain.map(|who| match who.expires() {
            Some(expires) if expires <= ask.now => Verdict::Deny { rule: None },
            _ => {
                let mut of_one = *ask;
                of_one.who = who;
                self.verdict(&of_one, Realm::Tenant)
            }
        });
        verdicts.reduce(both).unwrap_or(Verdict::Deny { rule: None })
    }

    /// The verdict of the roles of one realm.
    #[inline]
    pub(crate) fn verdict(&self, ask: &Ask<'_>, realm: Realm) -> Verdict {
        self.verdict_of(ask, realm, &ByCredential { snapshot: self, ask }, Facts::AsAsked)
    }

    /// The same for these roles, whatever the credential names.
    #[inline]
    pub(crate) fn verdict_of(
        &self,
        ask: &Ask<'_>,
        realm: Realm,
        roles: &impl Roles,
        facts: Facts,
    ) -> Verdict {
        let policy = &*self.policy.0;
        let Ok(Found { asked, owners, .. }) = framed(policy, ask, realm) else {
            return Verdict::Deny { rule: None };
        };
        if policy.constraints.has_dynamic && self.broken_separation(roles).is_some() {
            return Verdict::Deny { rule: None };
        }
        let place = Place::of(ask.who, ask.on, owners);
        let mut needed = place.surely.max(asked.at_least);
        if facts == Facts::AtBest && ask.on.team().is_some_and(|team| !team.is_empty()) {
            needed = place.surely.min(Reach::Team).max(asked.at_least);
        }
        let weighing = Weighing { ask, owners, needed, maybe: place.maybe, facts };
        let tally = self.tally(asked.permission, weighing, roles);
        let rule = |role, effect| RuleId(policy.rights.rule(role, asked.permission, effect));
        match (tally.denies, tally.allows) {
            (Some(role), _) => Verdict::Deny { rule: Some(rule(role, Effect::Deny)) },
            (None, Some(_)) if tally.may_deny => Verdict::Unknown(Cause::Unavailable),
            (None, Some(role)) => {
                let clear = tally.clear.into_set(&policy.shown);
                let clear = match tally.visible {
                    Merged::One(EVERYTHING) => clear,
                    visible => clear.intersection(&visible.into_set(&policy.shown)),
                };
                Verdict::Allow { rule: rule(role, Effect::Allow), clear, until: tally.until }
            }
            (None, None) if tally.glass => Verdict::Unknown(Cause::NeedsDurable),
            (None, None) if tally.may_allow => Verdict::Unknown(Cause::Unavailable),
            (None, None) => Verdict::Deny { rule: None },
        }
    }

    /// The name of the first dynamic separation of duty that the active roles break.
    pub(crate) fn broken_separation(&self, roles: &impl Roles) -> Option<&str> {
        let mut active = Vec::new();
        roles.for_each(|one| active.extend((!one.is_idle).then_some(one.role)));
        self.policy.0.constraints.broken(SeparationKind::Dynamic, &active).map(|separation| &*separation.name)
    }

    /// One pass over the roles that count: who denies, who allows, which fields.
    #[inline]
    fn tally(&self, permission: u32, weighing: Weighing<'_>, roles: &impl Roles) -> Tally {
        let policy = &*self.policy.0;
        let mut tally = Tally {
            denies: None,
            may_deny: false,
            allows: None,
            may_allow: false,
            glass: false,
            until: UnixTime::MAX,
            clear: Merged::One(NOTHING),
            visible: Merged::One(EVERYTHING),
        };
        roles.for_each(|active| {
            let said = policy.rights.of(active.role, permission);
            if said != ShapeId::NOTHING {
                tally.add(policy, active, said, weighing);
            }
        });
        tally
    }
}

impl Tally {
    #[inline]
    fn add(&mut self, policy: &Compiled, active: Active, said: ShapeId, weighing: Weighing<'_>) {
        let mut glass = Glass::None;
        if policy.constraints.has_glass {
            glass = Glass::of(policy, active.role, weighing);
        }
        if said.denies(weighing.maybe) {
            self.deny(active.role);
        }
        let allows = !active.is_idle && said.allows(weighing.needed);
        match shape::detail(said, &policy.rights.details) {
            None if allows => self.allow(policy, active, glass, NOTHING, UnixTime::MAX),
            None => {}
            Some(detail) => {
                // A role that does not grant at this reach shows nothing there; what it hides, it hides all the same.
                self.visible.intersection(&policy.shown, detail.visible);
                if allows {
                    self.allow(policy, active, glass, detail.clear_at(weighing.needed), UnixTime::MAX);
                }
                self.weigh(policy, active, glass, detail, weighing);
            }
        }
    }

    /// The rules that hold under conditions.
    fn weigh(
        &mut self,
        policy: &Compiled,
        active: Active,
        glass: Glass,
        detail: &Detail,
        weighing: Weighing<'_>,
    ) {
        let Weighing { ask, owners, needed, maybe, facts } = weighing;
        if facts == Facts::AtBest && !active.is_idle {
            let best = detail.when.iter().filter(|one| one.effect == Effect::Allow && one.reach >= needed);
            best.for_each(|one| self.allow(policy, active, glass, one.clear, UnixTime::MAX));
        }
        if facts == Facts::AtBest {
            return;
        }
        for one in &detail.when {
            match one.effect {
                // SECURITY: a deny whose condition cannot be told holds. What is unknown never helps.
                Effect::Deny if one.reach >= maybe => match policy.judge(one.when, ask, owners) {
                    Truth::True { .. } | Truth::Absent => self.deny(active.role),
                    Truth::Unavailable => self.may_deny = true,
                    Truth::False => {}
                },
                Effect::Allow if !active.is_idle && one.reach >= needed => {
                    match policy.judge(one.when, ask, owners) {
                        Truth::True { until } => self.allow(policy, active, glass, one.clear, until),
                        Truth::Unavailable => self.may_allow |= glass != Glass::Shut,
                        Truth::Absent | Truth::False => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn deny(&mut self, role: u32) {
        self.denies = Some(self.denies.map_or(role, |first| first.min(role)));
    }

    #[inline]
    fn allow(&mut self, policy: &Compiled, active: Active, glass: Glass, clear: SetId, until: UnixTime) {
        match glass {
            Glass::None => {}
            Glass::Broken { until } => self.until = self.until.min(until),
            Glass::OnRecordOnly => {
                self.glass = true;
                return;
            }
            Glass::Shut => return,
        }
        self.allows = Some(self.allows.map_or(active.role, |first| first.min(active.role)));
        self.until = self.until.min(until).min(active.until);
        self.clear.union(&policy.shown, clear);
    }
}

/// What is with a role for emergencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Glass {
    /// It is none.
    None,
    /// It counts until the proof of who it is grows old.
    Broken { until: UnixTime },
    /// It would count, if the use were durable on record first.
    OnRecordOnly,
    /// The last proof of who it is, by several factors, is too old or missing.
    Shut,
}

impl Glass {
    fn of(policy: &Compiled, role: u32, weighing: Weighing<'_>) -> Self {
        let (ask, is_review) = (weighing.ask, weighing.facts == Facts::AtBest);
        let Some(glass) = policy.constraints.glass.get(&role).filter(|_| !is_review) else {
            return Self::None;
        };
        match glass.proof_ends(ask.who, ask.now) {
            None => Self::Shut,
            Some(_) if !ask.durable => Self::OnRecordOnly,
            Some(until) => Self::Broken { until },
        }
    }
}

impl PolicyEngine for Snapshot {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        if ask.at_least > self.revision {
            return (Verdict::Unknown(Cause::Stale), self.revision);
        }
        (self.verdict(ask, Realm::Tenant), self.revision)
    }
}

/// What is asked, if the question is one that a role of this realm could grant at all.
#[inline]
pub(crate) fn framed<'p>(policy: &'p Compiled, ask: &Ask<'_>, realm: Realm) -> Result<Found<'p>, OutOfFrame> {
    if ask.who.realm() != realm {
        return Err(OutOfFrame::OtherRealm);
    }
    // SECURITY: the authorizer checks this too. An engine that is asked directly must not answer across tenants either.
    if realm == Realm::Tenant && ask.who.tenant() != ask.on.tenant() {
        return Err(OutOfFrame::OtherTenant);
    }
    let found = policy.find(ask.permission).ok_or(OutOfFrame::UnknownPermission)?;
    if found.kind != ask.on.kind().as_bytes() {
        return Err(OutOfFrame::OtherKind);
    }
    Ok(found)
}

/// What both allow.
pub(crate) fn both(one: Verdict, two: Verdict) -> Verdict {
    match (one, two) {
        (deny @ Verdict::Deny { .. }, _) | (_, deny @ Verdict::Deny { .. }) => deny,
        (unknown @ Verdict::Unknown(_), _) | (_, unknown @ Verdict::Unknown(_)) => unknown,
        (
            Verdict::Allow { rule, clear, until },
            Verdict::Allow { rule: _, clear: other_clear, until: other_until },
        ) => Verdict::Allow { rule, clear: clear.intersection(&other_clear), until: until.min(other_until) },
    }
}

fn empty_set() -> Error {
    Error::new(ErrorKind::EmptySet, None, "a set of permissions is empty")
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("policy", &self.policy)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
