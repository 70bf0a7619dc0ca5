//! Why: the rule that decided, or the nearest miss. Computed on demand, never on the road of a decision.

use std::fmt;

use bartizan_core::{Ask, Cause, Owner, Realm, Revision, RuleId, Scope, Verdict};

use crate::{
    Effect, Snapshot,
    condition::{Condition, Test, Truth},
    graph, names,
    policy::{Asked, Compiled, PermissionInfo},
    reach::{Owners, Place, Reach},
    snapshot::{ByCredential, OutOfFrame, framed},
};

/// A rule in words: which role says it, and through which path a held role comes to it.
///
/// Its `Display` reads `admin → staff → allow user:read:all (line 12)`, with `when office-hours` where it has conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    effect: Effect,
    path: Vec<Box<str>>,
    permission: Box<str>,
    scope: Scope,
    written: Box<str>,
    when: Vec<Box<str>>,
    line: Option<u32>,
}

impl Rule {
    /// Whether it gives or takes.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// From the held role, along `inherits`, to the role whose list says it.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|role| &**role)
    }

    /// The permission, without scope.
    #[must_use]
    pub fn permission(&self) -> &str {
        &self.permission
    }

    /// How far it reaches.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The entry as it stands in the file, where it may be a wildcard or an alias.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The names of the conditions that must hold all; none for a rule that always holds.
    pub fn when(&self) -> impl Iterator<Item = &str> {
        self.when.iter().map(|condition| &**condition)
    }

    /// The entry's line in the file, counted from 1, where lines are known: not in JSON.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.line
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.iter().try_for_each(|role| write!(f, "{role} → "))?;
        write!(f, "{} {}:{}", self.effect.as_str(), self.permission, self.scope.as_str())?;
        if !self.when.is_empty() {
            write!(f, " when {}", self.when.join(", "))?;
        }
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// A verdict and why. For operators, not for the asker.
#[derive(Clone, Debug)]
pub struct Explanation {
    verdict: Verdict,
    revision: Revision,
    rule: Option<Rule>,
    miss: Option<Miss>,
}

impl Explanation {
    /// The verdict, the same as `decide` answers.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The revision that answered.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The rule that decided, when one did.
    #[must_use]
    pub const fn rule(&self) -> Option<&Rule> {
        self.rule.as_ref()
    }

    /// What was missing, when no rule decided.
    #[must_use]
    pub const fn miss(&self) -> Option<&Miss> {
        self.miss.as_ref()
    }

    /// What the asker may be told: that it was refused or could not be decided, and whether a fresher or stronger proof of who
    /// they are would help. No role, no rule, no name.
    #[must_use]
    pub fn for_peer(&self) -> &'static str {
        match (&self.verdict, &self.miss) {
            (Verdict::Allow { .. }, _) => "permitted",
            (Verdict::Unknown(_), _) => "it cannot be decided now",
            (
                Verdict::Deny { .. },
                Some(Miss::ConditionNotMet { step_up: true, .. } | Miss::ProofTooOld { .. }),
            ) => "not permitted without a fresher or stronger authentication",
            (Verdict::Deny { .. }, _) => "not permitted",
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.verdict {
            Verdict::Allow { .. } => "allowed",
            Verdict::Deny { .. } => "denied",
            Verdict::Unknown(_) => "undecided",
        };
        match (&self.rule, &self.miss) {
            (Some(rule), _) => write!(f, "{word}: {rule}"),
            (None, Some(miss)) => write!(f, "{word}: {miss}"),
            (None, None) => f.write_str(word),
        }
    }
}

/// What was missing for an allow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Miss {
    /// The principal acts across tenants; the job policy decides for it, not the roles of tenants.
    OtherRealm,
    /// The record is in another tenant. No role changes that.
    OtherTenant,
    /// The catalogue has no such permission, or not with this scope.
    UnknownPermission {
        /// The nearest that it has.
        nearest: Option<Box<str>>,
    },
    /// The permission speaks of another kind of record.
    OtherKind {
        /// The kind that it speaks of.
        speaks_of: Box<str>,
    },
    /// The active roles are more of a dynamic separation of duty than may be active together.
    Separation {
        /// Its name.
        name: Box<str>,
    },
    /// A break-glass role would allow it, but the last authentication by several factors is too old or missing.
    ProofTooOld {
        /// The role.
        role: Box<str>,
    },
    /// A break-glass role allows it, if the use is durable on record first.
    NeedsDurable {
        /// The role.
        role: Box<str>,
    },
    /// The principal's roles grant the permission under conditions that do not hold, or cannot be told.
    ConditionNotMet {
        /// Those that would have had to hold; the shortest list of them, when there are several rules.
        unmet: Vec<Unmet>,
        /// Whether a fresher or stronger authentication alone would help.
        step_up: bool,
        /// Roles that would have allowed it, the least powerful first; at most five.
        would_allow: Vec<Box<str>>,
    },
    /// No role of the principal counts: the credential names none that the policy has and that is assigned.
    NoRole {
        /// Roles that would have allowed it, the least powerful first; at most five.
        would_allow: Vec<Box<str>>,
    },
    /// The principal's roles do not grant the permission at all.
    NotGranted {
        /// Roles that would have allowed it, the least powerful first; at most five.
        would_allow: Vec<Box<str>>,
    },
    /// The principal's roles grant the permission, but not so far.
    TooNarrow {
        /// How far they reach.
        held: Scope,
        /// How far they would have to reach.
        needed: Scope,
        /// Why so far.
        because: Distance,
        /// Roles that would have allowed it, the least powerful first; at most five.
        would_allow: Vec<Box<str>>,
    },
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmet {
    /// Its name in the policy.
    pub condition: Box<str>,
    /// What it asks, in canonical words.
    pub asks: Box<str>,
    /// Why it does not hold.
    pub why: Why,
}

/// Why a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// What it looks at is otherwise.
    False,
    /// What it looks at was not given.
    NotGiven,
    /// What it looks at is out of reach.
    Unavailable,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::False => "does not hold",
            Why::NotGiven => "cannot be told: a fact was not given",
            Why::Unavailable => "cannot be told: a fact is out of reach",
        };
        write!(f, "{} ({}) {why}", self.condition, self.asks)
    }
}

/// Why a record lies beyond a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Distance {
    /// The question itself names a wider scope.
    Asked,
    /// Nobody says whose record it is.
    OwnerUnknown,
    /// The caller says whose record it is, and the permission believes the record's seal only.
    OwnerAsserted,
    /// It is somebody else's record, in none of the principal's teams.
    SomebodyElses,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would_allow = |f: &mut fmt::Formatter<'_>, roles: &[Box<str>]| match roles {
            [] => f.write_str("; no role would allow it"),
            roles => write!(f, "; would be allowed to: {}", roles.join(", ")),
        };
        match self {
            Self::OtherRealm => f.write_str("the principal acts across tenants"),
            Self::Separation { name } => write!(f, "the active roles break the separation of duty {name}"),
            Self::ProofTooOld { role } => {
                write!(f, "{role} breaks the glass only after a fresh authentication by several factors")
            }
            Self::NeedsDurable { role } => {
                write!(f, "{role} breaks the glass only when that is durable on record")
            }
            Self::ConditionNotMet { unmet, would_allow: roles, .. } => {
                for (unmet, at) in unmet.iter().zip(0..) {
                    write!(f, "{}{unmet}", if at == 0 { "" } else { "; " })?;
                }
                would_allow(f, roles)
            }
            Self::OtherTenant => f.write_str("the record is in another tenant"),
            Self::UnknownPermission { nearest: None } => {
                f.write_str("the permission is not in the catalogue")
            }
            Self::UnknownPermission { nearest: Some(nearest) } => {
                write!(f, "the permission is not in the catalogue; the nearest is {nearest}")
            }
            Self::OtherKind { speaks_of } => write!(f, "the permission speaks of {speaks_of} only"),
            Self::NoRole { would_allow: roles } => {
                f.write_str("no role of the principal counts")?;
                would_allow(f, roles)
            }
            Self::NotGranted { would_allow: roles } => {
                f.write_str("no role of the principal grants it")?;
                would_allow(f, roles)
            }
            Self::TooNarrow { held, needed, because, would_allow: roles } => {
                write!(f, "granted for {}, needed for {}: {because}", held.as_str(), needed.as_str())?;
                would_allow(f, roles)
            }
        }
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "the question names that scope",
            Self::OwnerUnknown => "the record's owner is not known",
            Self::OwnerAsserted => "the record's owner is asserted and not sealed",
            Self::SomebodyElses => "the record is somebody else's",
        })
    }
}

pub(crate) fn explain(snapshot: &Snapshot, ask: &Ask<'_>, verdict: Verdict) -> Explanation {
    let policy = &*snapshot.policy.0;
    let (rule, miss) = match &verdict {
        Verdict::Allow { rule, .. } | Verdict::Deny { rule: Some(rule) } => {
            (deciding(policy, ask, *rule), None)
        }
        Verdict::Deny { rule: None } => (None, Some(miss(snapshot, ask, &verdict))),
        Verdict::Unknown(Cause::Unavailable | Cause::NeedsDurable) => {
            (None, Some(miss(snapshot, ask, &verdict)))
        }
        Verdict::Unknown(_) => (None, None),
    };
    Explanation { verdict, revision: snapshot.revision, rule, miss }
}

/// Finds the entry behind a number: the widest that the role has, one without conditions before others, by the shortest path.
pub(crate) fn rule(policy: &Compiled, id: RuleId) -> Option<Rule> {
    let (role, permission, effect) = policy.rights.numbered(id.0)?;
    policy.role(role)?;
    let shape = policy.rights.shape(role, permission);
    let sure = policy.rights.of(role, permission).widest(effect);
    match sure {
        Some(widest) => {
            found(policy, role, permission, effect, |reach, when| (reach, when) == (widest, None))
        }
        None => {
            let widest = shape.may_reach(effect)?;
            found(policy, role, permission, effect, |reach, when| reach == widest && when.is_some())
        }
    }
}

/// The same for a question: an entry that holds for it.
fn deciding(policy: &Compiled, ask: &Ask<'_>, id: RuleId) -> Option<Rule> {
    let (role, permission, effect) = policy.rights.numbered(id.0)?;
    let asked = framed(policy, ask, ask.who.realm()).ok()?.asked;
    let info = policy.permission(asked.permission)?;
    let place = Place::of(ask.who, ask.on, info.owners);
    let needed = match effect {
        Effect::Allow => place.surely.max(asked.at_least),
        Effect::Deny => place.maybe,
    };
    if policy.rights.of(role, permission).widest(effect) >= Some(needed) {
        return rule(policy, id);
    }
    found(policy, role, permission, effect, |reach, when| {
        reach >= needed
            && when.is_some_and(|when| match policy.judge(when, ask, info.owners) {
                Truth::True { .. } => true,
                Truth::Absent => effect == Effect::Deny,
                Truth::False | Truth::Unavailable => false,
            })
    })
}

/// The nearest entry, up the inheritance, whose reach and conditions fit.
fn found(
    policy: &Compiled,
    role: u32,
    permission: u32,
    effect: Effect,
    fits: impl Fn(Reach, Option<u32>) -> bool,
) -> Option<Rule> {
    let info = policy.permission(permission)?;
    let entry_of = |role: u32| {
        let entries = policy.role(role).map(|role| role.entries.as_slice()).unwrap_or_default();
        let fitting = entries.iter().filter(|entry| entry.effect == effect);
        let fitting = fitting.filter_map(|entry| Some((entry.reach_on(info)?, entry)));
        fitting.filter(|(reach, entry)| fits(*reach, entry.when)).max_by_key(|(reach, _)| *reach)
    };
    let parents = |role: u32| policy.role(role).map(|role| role.inherits.clone()).unwrap_or_default();
    let path = graph::path(role, parents, |role| entry_of(role).is_some())?;
    let (reach, entry) = entry_of(*path.last()?)?;
    let when = entry.when.and_then(|when| policy.when.get(when as usize));
    let when = when.into_iter().flatten().filter_map(|id| policy.conditions.get(*id as usize));
    Some(Rule {
        effect,
        path: path.iter().filter_map(|role| policy.role(*role)).map(|role| role.name.clone()).collect(),
        permission: info.name.clone(),
        scope: reach.scope(),
        written: entry.written.clone(),
        when: when.map(|condition| condition.name().into()).collect(),
        line: entry.line,
    })
}

fn miss(snapshot: &Snapshot, ask: &Ask<'_>, verdict: &Verdict) -> Miss {
    let policy = &*snapshot.policy.0;
    let asked = match framed(policy, ask, Realm::Tenant) {
        Ok(found) => found.asked,
        Err(OutOfFrame::OtherRealm) => return Miss::OtherRealm,
        Err(OutOfFrame::OtherTenant) => return Miss::OtherTenant,
        Err(OutOfFrame::UnknownPermission) => {
            let nearest = names::nearest(ask.permission.as_str(), policy.asks.names()).map(Into::into);
            return Miss::UnknownPermission { nearest };
        }
        Err(OutOfFrame::OtherKind) => {
            let asked = policy.asked(ask.permission);
            let info = asked.and_then(|asked| policy.permission(asked.permission));
            return Miss::OtherKind { speaks_of: info.map(|info| info.resource.clone()).unwrap_or_default() };
        }
    };
    let Some(info) = policy.permission(asked.permission) else {
        return Miss::UnknownPermission { nearest: None };
    };
    let roles = ByCredential { snapshot, ask };
    if let Some(name) = policy.constraints.has_dynamic.then(|| snapshot.broken_separation(&roles)).flatten() {
        return Miss::Separation { name: name.into() };
    }
    let place = Place::of(ask.who, ask.on, info.owners);
    let needed = place.surely.max(asked.at_least);
    let would_allow = would_allow(policy, asked.permission, needed, place.maybe);
    let (mut any, mut held, mut glass, mut unmet) = (false, None, None, None::<Vec<Unmet>>);
    snapshot.counting.for_each(ask.who, ask.now, policy, |active| {
        if active.is_idle {
            return;
        }
        any = true;
        let shape = policy.rights.shape(active.role, asked.permission);
        if shape.may_reach(Effect::Allow) >= Some(needed)
            && policy.constraints.glass.contains_key(&active.role)
        {
            glass = Some(active.role);
        }
        held = held.max(shape.may_reach(Effect::Allow));
        let conditional = |one: &&crate::shape::Conditional| match one.effect {
            Effect::Allow => one.reach >= needed,
            Effect::Deny => one.reach >= place.maybe,
        };
        for one in shape.detail.when.iter().filter(conditional) {
            let missing = unmet_of(policy, one.when, ask, info);
            if !missing.is_empty() && unmet.as_ref().is_none_or(|known| missing.len() < known.len()) {
                unmet = Some(missing);
            }
        }
    });
    let name_of = |role: u32| policy.role(role).map(|role| role.name.clone()).unwrap_or_default();
    let is_proven = |role: u32| {
        policy.constraints.glass.get(&role).and_then(|glass| glass.proof_ends(ask.who, ask.now)).is_some()
    };
    match (held, glass, unmet) {
        (Some(_), Some(role), _) if !is_proven(role) => Miss::ProofTooOld { role: name_of(role) },
        (Some(_), Some(role), _) if *verdict == Verdict::Unknown(Cause::NeedsDurable) => {
            Miss::NeedsDurable { role: name_of(role) }
        }
        _ if !any => Miss::NoRole { would_allow },
        (None, _, _) => Miss::NotGranted { would_allow },
        (Some(held), _, Some(unmet)) if held >= needed => {
            let by_proof = |unmet: &Unmet| {
                let condition =
                    policy.conditions.iter().find(|condition| condition.name() == &*unmet.condition);
                condition.is_some_and(|condition| is_met_by_proof(condition, ask, info.owners))
            };
            let step_up = unmet.iter().all(by_proof);
            Miss::ConditionNotMet { unmet, step_up, would_allow }
        }
        (Some(held), _, _) => {
            let because = distance(ask, asked, info, place);
            Miss::TooNarrow { held: held.scope(), needed: needed.scope(), because, would_allow }
        }
    }
}

/// Whether all that a condition lacks is a fresher or stronger authentication.
fn is_met_by_proof(condition: &Condition, ask: &Ask<'_>, owners: Owners) -> bool {
    let mut lacking = condition.each(ask, owners).filter(|(_, truth)| !matches!(truth, Truth::True { .. }));
    lacking.all(|(test, _)| {
        matches!(test, Test::Acr(_) | Test::Amr(_) | Test::AuthenticatedWithin(_) | Test::MfaWithin(_))
    })
}

/// The conditions of a set that do not hold.
fn unmet_of(policy: &Compiled, when: u32, ask: &Ask<'_>, info: &PermissionInfo) -> Vec<Unmet> {
    let set = policy.when.get(when as usize).into_iter().flatten();
    let conditions = set.filter_map(|id| policy.conditions.get(*id as usize));
    let unmet = conditions.filter_map(|condition| {
        let why = match condition.judge(ask, info.owners) {
            Truth::True { .. } => return None,
            Truth::False => Why::False,
            Truth::Absent => Why::NotGiven,
            Truth::Unavailable => Why::Unavailable,
        };
        Some(Unmet { condition: condition.name().into(), asks: condition.to_string().into(), why })
    });
    unmet.collect()
}

fn distance(ask: &Ask<'_>, asked: Asked, info: &PermissionInfo, place: Place) -> Distance {
    match ask.on.owner() {
        _ if asked.at_least > place.surely => Distance::Asked,
        None => Distance::OwnerUnknown,
        Some(owner) if owner.subject().is_empty() => Distance::OwnerUnknown,
        Some(Owner::Asserted(_)) if info.owners == Owners::Sealed => Distance::OwnerAsserted,
        Some(_) => Distance::SomebodyElses,
    }
}

/// The roles that would have allowed it on their own, those with the fewest grants first.
fn would_allow(policy: &Compiled, permission: u32, needed: Reach, maybe: Reach) -> Vec<Box<str>> {
    const SHOWN: usize = 5;
    let allows = |role: &u32| {
        let said = policy.rights.of(*role, permission);
        said.allows(needed) && !said.denies(maybe)
    };
    policy
        .speak_of(permission)
        .iter()
        .filter(|role| allows(role))
        .take(SHOWN)
        .filter_map(|role| policy.role(*role))
        .map(|role| role.name.clone())
        .collect()
}
