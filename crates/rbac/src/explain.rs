//! Why: the rule that decided, or the nearest miss. Computed on demand, never on the road of a decision.

use std::fmt;

use bartizan_core::{Ask, Owner, Revision, RuleId, Scope, Verdict};

use crate::{
    Effect, Engine,
    engine::{OutOfFrame, framed},
    graph, names,
    policy::{Asked, Compiled, PermissionInfo},
    reach::{Owners, Place, Reach},
};

/// A rule in words: which role says it, and through which path a held role comes to it.
///
/// Its `Display` reads `admin → staff → allow user:read:all (line 12)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    effect: Effect,
    path: Vec<Box<str>>,
    permission: Box<str>,
    scope: Scope,
    written: Box<str>,
    line: u32,
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

    /// The entry's line in the file, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.iter().try_for_each(|role| write!(f, "{role} → "))?;
        write!(f, "{} {}:{} (line {})", self.effect.as_str(), self.permission, self.scope.as_str(), self.line)
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
    /// The principal acts across tenants; the job policy decides for it, not this engine.
    SystemRealm,
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
            Self::SystemRealm => f.write_str("the principal acts across tenants"),
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

pub(crate) fn explain(engine: &Engine, ask: &Ask<'_>, verdict: Verdict, revision: Revision) -> Explanation {
    let policy = &*engine.policy.0;
    let rule_of = |id: RuleId| rule(policy, id);
    let (rule, miss) = match &verdict {
        Verdict::Allow { rule, .. } | Verdict::Deny { rule: Some(rule) } => (rule_of(*rule), None),
        Verdict::Deny { rule: None } => (None, Some(miss(engine, ask))),
        Verdict::Unknown(_) => (None, None),
    };
    Explanation { verdict, revision, rule, miss }
}

/// Finds the entry behind a number: the widest that the role has, by the shortest path.
pub(crate) fn rule(policy: &Compiled, id: RuleId) -> Option<Rule> {
    let (role, permission, effect) = policy.rights.numbered(id.0)?;
    policy.role(role)?;
    let widest = policy.rights.cell(role, permission).widest(effect)?;
    let info = policy.permission(permission)?;
    let entry_of = |role: u32| {
        let entries = policy.role(role).map(|role| role.entries.as_slice()).unwrap_or_default();
        entries.iter().find(|entry| entry.effect == effect && entry.reach_on(info) == Some(widest))
    };
    let parents = |role: u32| policy.role(role).map(|role| role.inherits.clone()).unwrap_or_default();
    let path = graph::path(role, parents, |role| entry_of(role).is_some())?;
    let entry = entry_of(*path.last()?)?;
    Some(Rule {
        effect,
        path: path.iter().filter_map(|role| policy.role(*role)).map(|role| role.name.clone()).collect(),
        permission: info.name.clone(),
        scope: widest.scope(),
        written: entry.written.clone(),
        line: entry.line,
    })
}

fn miss(engine: &Engine, ask: &Ask<'_>) -> Miss {
    let policy = &*engine.policy.0;
    let (asked, info) = match framed(policy, ask) {
        Ok(framed) => framed,
        Err(OutOfFrame::SystemRealm) => return Miss::SystemRealm,
        Err(OutOfFrame::OtherTenant) => return Miss::OtherTenant,
        Err(OutOfFrame::UnknownPermission) => {
            let nearest = names::nearest(ask.permission.as_str(), policy.asks.names()).map(Into::into);
            return Miss::UnknownPermission { nearest };
        }
        Err(OutOfFrame::OtherKind) => {
            let asked = policy.asks.get(ask.permission.as_str());
            let info = asked.and_then(|asked| policy.permission(asked.permission));
            return Miss::OtherKind { speaks_of: info.map(|info| info.resource.clone()).unwrap_or_default() };
        }
    };
    let place = Place::of(ask.who, ask.on, info.owners);
    let needed = place.surely.max(asked.at_least);
    let would_allow = would_allow(policy, asked.permission, needed, place.maybe);
    let (mut any, mut held) = (false, None);
    engine.counting.for_each(ask.who, policy, |role| {
        any = true;
        held = held.max(policy.rights.cell(role, asked.permission).widest(Effect::Allow));
    });
    match held {
        _ if !any => Miss::NoRole { would_allow },
        None => Miss::NotGranted { would_allow },
        Some(held) => {
            let because = distance(ask, asked, info, place);
            Miss::TooNarrow { held: held.scope(), needed: needed.scope(), because, would_allow }
        }
    }
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
        let cell = policy.rights.cell(*role, permission);
        cell.allows(needed) && !cell.denies(maybe)
    };
    policy
        .by_power
        .iter()
        .filter(|role| allows(role))
        .take(SHOWN)
        .filter_map(|role| policy.role(*role))
        .map(|role| role.name.clone())
        .collect()
}
