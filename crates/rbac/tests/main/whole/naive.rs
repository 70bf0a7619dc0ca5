//! The README, read naively: lists, strings and recursion, and nothing of the engine.

use std::collections::BTreeSet;

use bartizan_core::{Cause, Verdict};

use super::world::{FIELDS, Mode, PERMISSIONS, Question, Role, Rule, Status, World, holds};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Allow(BTreeSet<&'static str>),
    Deny,
    Unavailable,
    NeedsDurable,
}

impl Answer {
    pub(crate) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Allow { clear, .. } => {
                Self::Allow(FIELDS.into_iter().filter(|field| clear.contains(field)).collect())
            }
            Verdict::Deny { .. } => Self::Deny,
            Verdict::Unknown(Cause::Unavailable) => Self::Unavailable,
            Verdict::Unknown(Cause::NeedsDurable) => Self::NeedsDurable,
            Verdict::Unknown(cause) => panic!("{cause}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Truth {
    Yes,
    No,
    Untold,
    OutOfReach,
}

pub(crate) fn decide(world: &World, question: &Question) -> Answer {
    if question.tenant != question.on_tenant {
        return Answer::Deny;
    }
    let (active, idle) = roles(world, question);
    let has = |role: usize| active.iter().any(|one| world.closure(*one).contains(&role));
    if world.apart.is_some_and(|(one, two)| has(one) && has(two)) {
        return Answer::Deny;
    }
    let said = |roles: &BTreeSet<usize>| -> Vec<(usize, &Rule)> {
        let below =
            roles.iter().flat_map(|role| world.closure(*role).into_iter().map(move |one| (*role, one)));
        below.flat_map(|(role, one)| world.roles[one].rules.iter().map(move |rule| (role, rule))).collect()
    };
    let about =
        |rule: &&(usize, &Rule), allows| rule.1.permission == question.permission && rule.1.allows == allows;
    let all: BTreeSet<usize> = active.union(&idle).copied().collect();
    let denies: Vec<Truth> = said(&all)
        .iter()
        .filter(|rule| about(rule, false) && may_lie(rule.1.scope, question))
        .map(|rule| holds_when(rule.1, question))
        .collect();
    if denies.iter().any(|truth| matches!(truth, Truth::Yes | Truth::Untold)) {
        return Answer::Deny;
    }
    let wide_enough = |rule: &Rule| {
        let asked = question.asks.is_none_or(|asked| width(rule.scope) >= width(asked));
        asked && surely_lies(rule.scope, question)
    };
    let said = said(&active);
    let allows: Vec<(usize, &Rule, Truth)> = said
        .iter()
        .filter(|rule| about(rule, true) && wide_enough(rule.1))
        .map(|rule| (rule.0, rule.1, holds_when(rule.1, question)))
        .collect();
    let is_glass = |role: usize| world.roles[role].is_glass;
    let proven = question.login == Some(true);
    let counts = |role: usize| !is_glass(role) || proven && question.durable;
    let granted: Vec<&(usize, &Rule, Truth)> =
        allows.iter().filter(|(role, _, truth)| *truth == Truth::Yes && counts(*role)).collect();
    if granted.is_empty() {
        let in_need = |(role, _, truth): &(usize, &Rule, Truth)| {
            is_glass(*role) && proven && !question.durable && *truth == Truth::Yes
        };
        let out_of_reach = |(role, _, truth): &(usize, &Rule, Truth)| {
            *truth == Truth::OutOfReach && (!is_glass(*role) || proven)
        };
        return match () {
            () if allows.iter().any(in_need) => Answer::NeedsDurable,
            () if allows.iter().any(out_of_reach) => Answer::Unavailable,
            () => Answer::Deny,
        };
    }
    if denies.contains(&Truth::OutOfReach) {
        return Answer::Unavailable;
    }
    let lists = |list: fn(&Role) -> &Vec<&'static str>, roles: &BTreeSet<usize>, field: &str| {
        roles.iter().flat_map(|role| world.closure(*role)).any(|one| list(&world.roles[one]).contains(&field))
    };
    let is_doc = PERMISSIONS[question.permission].0.starts_with("doc:");
    let shown = |field: &&str| {
        // A role's fields count where a rule of its own, or one that it inherits, grants.
        let by_grant = granted.iter().any(|(held, rule, _)| {
            world.closure(*held).into_iter().any(|one| {
                world.roles[one].fields.contains(field)
                    && world
                        .closure(one)
                        .into_iter()
                        .any(|below| world.roles[below].rules.iter().any(|other| std::ptr::eq(other, *rule)))
            })
        });
        is_doc && by_grant && !lists(|role| &role.hide, &all, field)
    };
    Answer::Allow(FIELDS.into_iter().filter(shown).collect())
}

/// The roles that are active, and those that are held and only deny and hide.
fn roles(world: &World, question: &Question) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let number = |name: &str| {
        name.strip_prefix('r')?.parse().ok().filter(|number: &usize| *number < world.roles.len())
    };
    let named: BTreeSet<usize> = question.named.iter().filter_map(|name| number(name)).collect();
    let joins: Vec<_> = world.assigned.iter().collect();
    // The last assignment of a role to a holder counts.
    let mut last: Vec<&bartizan_rbac::Change> = Vec::new();
    for change in &world.assigned {
        if let bartizan_rbac::Change::Assign(one) = change {
            last.retain(|known| {
                !matches!(known, bartizan_rbac::Change::Assign(other)
                    if (other.tenant(), other.holder(), other.role()) == (one.tenant(), one.holder(), one.role()))
            });
        }
        last.push(change);
    }
    let held: BTreeSet<usize> = last
        .iter()
        .filter_map(|change| holds(change, question, &joins))
        .filter_map(|name| number(&name))
        .collect();
    match world.mode {
        Mode::TokenOnly => (named, BTreeSet::new()),
        Mode::HeldOnly => (held, BTreeSet::new()),
        Mode::Held => {
            // A role for emergencies counts under its own name alone.
            let lent = |role: &usize| match world.roles[*role].is_glass {
                true => [*role].into(),
                false => world.closure(*role),
            };
            let may: BTreeSet<usize> = held.iter().flat_map(lent).collect();
            (named.intersection(&may).copied().collect(), held)
        }
    }
}

fn holds_when(rule: &Rule, question: &Question) -> Truth {
    let one = |condition: &&str| match *condition {
        "inside" => told(question.address),
        "recent" => told(question.login),
        _ => match question.status {
            Status::Open => Truth::Yes,
            Status::Closed => Truth::No,
            Status::Missing => Truth::Untold,
            Status::Unavailable => Truth::OutOfReach,
        },
    };
    let all: Vec<Truth> = rule.when.iter().map(one).collect();
    let first = [Truth::No, Truth::OutOfReach, Truth::Untold].into_iter().find(|truth| all.contains(truth));
    first.unwrap_or(Truth::Yes)
}

fn told(fact: Option<bool>) -> Truth {
    match fact {
        Some(true) => Truth::Yes,
        Some(false) => Truth::No,
        None => Truth::Untold,
    }
}

fn owner(question: &Question) -> Option<&str> {
    let believes = PERMISSIONS[question.permission].2;
    question.owner.filter(|(sealed, _)| *sealed || believes).map(|(_, owner)| owner)
}

fn surely_lies(scope: &str, question: &Question) -> bool {
    let own = owner(question) == Some(question.subject);
    let team = question.in_team && question.team == Some(true);
    scope == "all" || own || scope == "team" && team
}

fn may_lie(scope: &str, question: &Question) -> bool {
    let own = owner(question).is_none_or(|owner| owner == question.subject);
    let team = question.team.is_none_or(|ours| ours && question.in_team);
    scope == "all" || own || scope == "team" && team
}

fn width(scope: &str) -> usize {
    ["own", "team", "all"].iter().position(|known| *known == scope).unwrap()
}
