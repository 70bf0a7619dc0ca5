//! What a policy says beside rights: each is a limit, and some are stricter than others.

use std::{collections::BTreeSet, fmt};

use crate::{constraint::Required, document::SeparationKind, policy::Compiled};

/// A limit. Roles stand with those that have them by inheritance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    Together {
        is_dynamic: bool,
        at_most: usize,
        members: BTreeSet<Member>,
    },
    Requires(Member),
    Holders(u32),
    /// Both in seconds.
    Glass {
        at_most: u64,
        within: u64,
    },
    Eligible(BTreeSet<Member>),
}

/// A role, and all that inherit it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    role: Box<str>,
    heirs: BTreeSet<Box<str>>,
}

impl Limit {
    /// Whether whoever keeps this one keeps the other too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Together { is_dynamic, at_most, members },
                Self::Together { is_dynamic: other_is, at_most: other_most, members: others },
            ) => {
                is_dynamic == other_is
                    && at_most <= other_most
                    && others.iter().all(|other| members.iter().any(|one| one.holds_all_of(other)))
            }
            // Whom fewer roles satisfy is the stricter one.
            (Self::Requires(one), Self::Requires(other)) => other.holds_all_of(one),
            (Self::Holders(one), Self::Holders(other)) => one <= other,
            (Self::Glass { at_most, within }, Self::Glass { at_most: other_most, within: other_within }) => {
                at_most <= other_most && within <= other_within
            }
            (Self::Eligible(some), Self::Eligible(others)) => {
                some.iter().all(|one| others.iter().any(|other| other.holds_all_of(one)))
            }
            _ => false,
        }
    }

    /// The same without roles that another policy does not have; nothing when what is left cannot be broken.
    pub(super) fn among(&self, has: impl Fn(&str) -> bool) -> Option<Self> {
        let Self::Together { is_dynamic, at_most, members } = self else { return Some(self.clone()) };
        let known = members.iter().filter(|member| has(&member.role)).map(|member| Member {
            role: member.role.clone(),
            heirs: member.heirs.iter().filter(|heir| has(heir)).cloned().collect(),
        });
        let members: BTreeSet<Member> = known.collect();
        let breakable = members.len() > *at_most;
        breakable.then_some(Self::Together { is_dynamic: *is_dynamic, at_most: *at_most, members })
    }
}

impl Member {
    fn holds_all_of(&self, other: &Self) -> bool {
        self.role == other.role && other.heirs.is_subset(&self.heirs)
    }
}

/// Every limit of a policy, with the role that it is about; no role for what is about all.
pub(super) fn limits(policy: &Compiled) -> BTreeSet<(Box<str>, Limit)> {
    let constraints = &policy.constraints;
    let ids = 0..policy.roles.len() as u32;
    let name = |role: u32| policy.role(role).map(|role| role.name.clone()).unwrap_or_default();
    let member = |one: &Required| Member {
        role: name(one.role),
        heirs: ids.clone().filter(|role| *role != one.role && one.is_had_by(*role)).map(name).collect(),
    };
    let mut limits = BTreeSet::new();
    for one in &constraints.separations {
        let is_dynamic = one.kind == SeparationKind::Dynamic;
        let members = one.members.iter().map(member).collect();
        limits.insert(("".into(), Limit::Together { is_dynamic, at_most: one.at_most, members }));
    }
    for required in constraints.requires.values() {
        for role in ids.clone().filter(|role| required.of.is_had_by(*role)) {
            limits.extend(required.needs.iter().map(|one| (name(role), Limit::Requires(member(one)))));
        }
    }
    for (role, most) in &constraints.max_holders {
        limits.insert((name(*role), Limit::Holders(*most)));
    }
    for (role, glass) in &constraints.glass {
        let (at_most, within) = (glass.at_most.as_secs(), glass.mfa_within.as_secs());
        limits.insert((name(*role), Limit::Glass { at_most, within }));
        limits.insert((name(*role), Limit::Eligible(glass.eligible.iter().map(member).collect())));
    }
    limits
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |members: &BTreeSet<Member>| {
            members.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
        };
        match self {
            Self::Together { is_dynamic, at_most, members } => {
                let how = if *is_dynamic { "active" } else { "held" };
                write!(f, "at most {at_most} {how} together of {}", list(members))
            }
            Self::Requires(member) => write!(f, "requires {member}"),
            Self::Holders(most) => write!(f, "held by at most {most}"),
            Self::Glass { at_most, within } => {
                write!(f, "for emergencies alone: {at_most} s at most, several factors within {within} s")
            }
            Self::Eligible(members) => write!(f, "for emergencies of {} alone", list(members)),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.role)?;
        for (heir, before) in self.heirs.iter().zip([" (also "].into_iter().chain(std::iter::repeat(", "))) {
            write!(f, "{before}{heir}")?;
        }
        if self.heirs.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}
