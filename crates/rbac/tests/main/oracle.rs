//! The README's four steps, read naively: strings, sets, recursion, and nothing of the engine.

use std::collections::BTreeSet;

use crate::world::{Entry, Known, Permission, Question, Shows, World};

/// The fields that are shown in clear, of those that the world knows; nothing for a deny.
pub(crate) fn decide(world: &World, question: &Question) -> Option<BTreeSet<&'static str>> {
    if question.tenant != question.on_tenant {
        return None;
    }
    let (permission, asked) = world.permissions.iter().find_map(|permission| {
        let name = format!("{}:{}", permission.kind, permission.action);
        let rest = question.permission.strip_prefix(&name)?;
        match rest.strip_prefix(':') {
            None if rest.is_empty() => Some((permission, "own")),
            Some(scope) if permission.scopes.iter().any(|listed| same(listed, scope)) => {
                Some((permission, scope))
            }
            _ => None,
        }
    })?;
    if permission.kind != question.kind {
        return None;
    }
    let assigned: BTreeSet<&String> = world
        .assigned
        .iter()
        .filter(|(tenant, subject, _)| (tenant, subject) == (&question.tenant, &question.subject))
        .map(|(_, _, role)| role)
        .filter(|role| world.roles.contains_key(*role))
        .collect();
    // A session activates what is assigned or inherited by that.
    let may_activate: BTreeSet<&String> = assigned.iter().flat_map(|role| closure(world, role)).collect();
    let held: Vec<&String> = question.roles.iter().filter(|role| may_activate.contains(*role)).collect();
    // What is assigned denies and hides, active or not.
    if assigned.iter().chain(&held).any(|role| denies(world, role, permission, question)) {
        return None;
    }
    let grants_it = |role: &&String| grants(world, role, permission, asked, question);
    if !held.iter().any(grants_it) {
        return None;
    }
    let all_roles: BTreeSet<&String> = held.iter().flat_map(|role| closure(world, role)).collect();
    let contains = |sets: &[(&'static str, Shows)], field: &str| {
        sets.iter().any(|(kind, shows)| *kind == permission.kind && shows.contains(field))
    };
    let shown = |field: &&str| {
        all_roles.iter().any(|role| grants_it(role) && contains(&world.roles[*role].fields, field))
            && !all_roles.iter().chain(&may_activate).any(|role| contains(&world.roles[*role].hide, field))
    };
    Some(World::FIELDS.into_iter().filter(|field| shown(field)).collect())
}

fn closure<'w>(world: &'w World, role: &'w String) -> BTreeSet<&'w String> {
    let inherited = world.roles[role].inherits.iter().flat_map(|parent| closure(world, parent));
    inherited.chain([role]).collect()
}

fn grants(world: &World, role: &String, permission: &Permission, asked: &str, question: &Question) -> bool {
    closure(world, role).into_iter().flat_map(|role| &world.roles[role].allow).any(|entry| {
        let scope = match entry.scope {
            _ if !matches(entry, permission) => return false,
            None => "all",
            Some("*") => permission.scopes.iter().copied().max_by_key(|scope| width(scope)).unwrap(),
            Some(scope) if permission.scopes.iter().any(|listed| same(listed, scope)) => scope,
            Some(_) => return false,
        };
        width(scope) >= width(asked) && lies_within(scope, permission, question)
    })
}

fn denies(world: &World, role: &String, permission: &Permission, question: &Question) -> bool {
    closure(world, role).into_iter().flat_map(|role| &world.roles[role].deny).any(|entry| {
        matches(entry, permission)
            && match entry.scope {
                None | Some("*") => true,
                Some(scope) => may_lie_within(scope, permission, question),
            }
    })
}

fn matches(entry: &Entry, permission: &Permission) -> bool {
    (entry.kind == "*" || entry.kind == permission.kind)
        && (entry.action == "*" || entry.action == permission.action)
}

fn lies_within(scope: &str, permission: &Permission, question: &Question) -> bool {
    let own = owner(permission, question) == Some(question.subject.as_str());
    let team = question.team.as_ref().is_some_and(|team| question.teams.contains(team));
    match scope {
        "own" => own,
        "team" => own || team,
        _ => true,
    }
}

fn may_lie_within(scope: &str, permission: &Permission, question: &Question) -> bool {
    let not_own = owner(permission, question).is_some_and(|owner| owner != question.subject);
    let not_team =
        question.team.as_ref().is_some_and(|team| !team.is_empty() && !question.teams.contains(team));
    match scope {
        "own" => !not_own,
        "team" => !not_own || !not_team,
        _ => true,
    }
}

/// The owner, as far as the permission believes in one.
fn owner<'q>(permission: &Permission, question: &'q Question) -> Option<&'q str> {
    match &question.owner {
        Some((_, owner)) if owner.is_empty() => None,
        Some((Known::Sealed, owner)) => Some(owner),
        Some((Known::Asserted, owner)) if permission.asserted_owner => Some(owner),
        _ => None,
    }
}

fn width(scope: &str) -> u8 {
    match scope {
        "own" => 0,
        "team" => 1,
        _ => 2,
    }
}

fn same(one: &str, two: &str) -> bool {
    width(one) == width(two)
}
