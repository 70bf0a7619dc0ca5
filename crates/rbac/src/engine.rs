//! The engine: a policy, the assignments that count, and one pass over a principal's roles.

use std::fmt;

use bartizan_core::{
    Ask, PermissionName, PolicyEngine, Principal, Realm, Resource, Revision, RuleId, UnixTime, Verdict,
};

use crate::{
    Assignments, Effect, Error, ErrorKind, Explanation, Policy, Rule,
    assignments::Counting,
    explain,
    policy::{Asked, Compiled, PermissionInfo},
    reach::{Place, Reach},
    shown::{EVERYTHING, Merged, NOTHING},
};

/// A compiled policy that answers. Give it to [`Authorizer::new`](bartizan_core::Authorizer::new).
///
/// It denies whatever nothing allows: what is unknown (role, permission, scope, kind of record, owner), what is in another
/// tenant, and every principal of [`Realm::System`]. A deny beats every allow. Order and repeats of roles mean nothing.
///
/// A decision is a plain function of the question: no I/O, no lock, no cache, and no allocation but for the field set when
/// roles with different ones come together.
pub struct Engine {
    pub(crate) policy: Policy,
    pub(crate) counting: Counting,
    revision: Revision,
}

/// Why a question is not even weighed: nothing can allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutOfFrame {
    SystemRealm,
    OtherTenant,
    UnknownPermission,
    OtherKind,
}

/// What the roles of a principal say together.
#[derive(Debug)]
pub(crate) struct Tally {
    /// The first role, by name, that denies.
    denies: Option<u32>,
    /// The first role, by name, that allows.
    allows: Option<u32>,
    clear: Merged,
    visible: Merged,
}

impl Engine {
    /// An engine for this policy and these assignments, at revision 1.
    #[must_use]
    pub fn new(policy: Policy, assignments: Assignments) -> Self {
        let counting = Counting::new(assignments, &policy.0);
        Self { policy, counting, revision: Revision(1) }
    }

    /// The same, answering at this revision. It stands in every record; let it grow with every change.
    #[must_use]
    pub fn with_revision(mut self, revision: Revision) -> Self {
        self.revision = revision;
        self
    }

    /// The revision that answers.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The policy that answers.
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
    /// For operators. To the asker it would tell what roles there are.
    #[must_use]
    pub fn explain(&self, ask: &Ask<'_>) -> Explanation {
        let (verdict, revision) = self.decide(ask);
        explain::explain(self, ask, verdict, revision)
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
            ) => Verdict::Allow { rule, clear: clear.union(&other_clear), until: until.max(other_until) },
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
    fn verdict_for_chain(&self, ask: &Ask<'_>) -> Verdict {
        let chain = std::iter::successors(Some(ask.who), |who| who.actor());
        let verdicts = chain.map(|who| match who.expires() {
            Some(expires) if expires <= ask.now => Verdict::Deny { rule: None },
            _ => self.verdict(&Ask::new(who, ask.permission, ask.on, ask.now)),
        });
        verdicts.reduce(both).unwrap_or(Verdict::Deny { rule: None })
    }

    fn verdict(&self, ask: &Ask<'_>) -> Verdict {
        let policy = &*self.policy.0;
        let Ok((asked, permission)) = framed(policy, ask) else {
            return Verdict::Deny { rule: None };
        };
        let place = Place::of(ask.who, ask.on, permission.owners);
        let needed = place.surely.max(asked.at_least);
        let tally = self.tally(ask.who, asked.permission, needed, place.maybe);
        let rule = |role, effect| RuleId(policy.rights.rule(role, asked.permission, effect));
        match (tally.denies, tally.allows) {
            (Some(role), _) => Verdict::Deny { rule: Some(rule(role, Effect::Deny)) },
            (None, None) => Verdict::Deny { rule: None },
            (None, Some(role)) => {
                let clear = tally.clear.into_set(&policy.shown);
                let clear = match tally.visible {
                    Merged::One(EVERYTHING) => clear,
                    visible => clear.intersection(&visible.into_set(&policy.shown)),
                };
                Verdict::Allow { rule: rule(role, Effect::Allow), clear, until: UnixTime::MAX }
            }
        }
    }

    /// One pass over the roles that count: who denies, who allows, which fields.
    fn tally(&self, who: &Principal, permission: u32, needed: Reach, maybe: Reach) -> Tally {
        let policy = &*self.policy.0;
        let column = policy.shown.column(permission);
        let mut tally = Tally {
            denies: None,
            allows: None,
            clear: Merged::One(NOTHING),
            visible: Merged::One(EVERYTHING),
        };
        let first = |known: Option<u32>, role: u32| Some(known.map_or(role, |known| known.min(role)));
        self.counting.for_each(who, policy, |role| {
            let cell = policy.rights.cell(role, permission);
            if cell.denies(maybe) {
                tally.denies = first(tally.denies, role);
            }
            if cell.allows(needed) {
                tally.allows = first(tally.allows, role);
            }
            if let Some(column) = column {
                // A role that does not grant at this reach shows nothing there; what it hides, it hides all the same.
                let (clear, visible) = policy.shown.of(role, column, needed);
                tally.clear.union(&policy.shown, clear);
                tally.visible.intersection(&policy.shown, visible);
            }
        });
        tally
    }
}

impl PolicyEngine for Engine {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        (self.verdict(ask), self.revision)
    }
}

/// What is asked, if the question is one that a role could grant at all.
pub(crate) fn framed<'p>(
    policy: &'p Compiled,
    ask: &Ask<'_>,
) -> Result<(Asked, &'p PermissionInfo), OutOfFrame> {
    if ask.who.realm() == Realm::System {
        return Err(OutOfFrame::SystemRealm);
    }
    // SECURITY: the authorizer checks this too. An engine that is asked directly must not answer across tenants either.
    if ask.who.tenant() != ask.on.tenant() {
        return Err(OutOfFrame::OtherTenant);
    }
    let asked = policy.asks.get(ask.permission.as_str()).copied().ok_or(OutOfFrame::UnknownPermission)?;
    let permission = policy.permission(asked.permission).ok_or(OutOfFrame::UnknownPermission)?;
    if *permission.resource != *ask.on.kind() {
        return Err(OutOfFrame::OtherKind);
    }
    Ok((asked, permission))
}

/// What both allow.
fn both(one: Verdict, two: Verdict) -> Verdict {
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

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("policy", &self.policy)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
