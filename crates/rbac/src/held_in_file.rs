//! The assignments and groups that stand in a policy file.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_core::UnixTime;
use toml::Spanned;

use crate::{
    Assignment, Error, ErrorKind, HeldAssignments, Holder,
    admin::check::{Numbered, may_hold, roles_of},
    catalogue::at_most,
    compile::unknown_role,
    document::{AssignmentEntry, GroupEntry, Lines, Moment, RealmEntry},
    held::Held,
    policy::Compiled,
};

const MAX_ASSIGNMENTS: usize = 200_000;

pub(crate) fn read(
    assignments: Vec<Spanned<AssignmentEntry>>,
    groups: Vec<Spanned<GroupEntry>>,
    policy: &Compiled,
    lines: &Lines,
) -> Result<HeldAssignments, Error> {
    let members: usize = groups.iter().map(|group| group.get_ref().members.len()).sum();
    at_most(assignments.len().saturating_add(members), MAX_ASSIGNMENTS, "assignments and members of groups")?;
    let mut held = HeldAssignments::new();
    let mut seen = BTreeSet::new();
    for entry in assignments {
        let line = lines.of(&entry.span());
        let assignment = assignment(entry.into_inner(), policy, lines, line)?;
        let key = (assignment.tenant.clone(), assignment.holder.clone(), assignment.role.clone());
        if !seen.insert(key) {
            return Err(Error::new(ErrorKind::Duplicate, line, "an assignment stands twice"));
        }
        held = held.with(assignment);
    }
    let mut known: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for entry in groups {
        let line = lines.of(&entry.span());
        let GroupEntry { tenant, name, members } = entry.into_inner();
        let all = [&tenant, &name].into_iter().chain(&members);
        check_names(all.map(String::as_str), line)?;
        let mut unique = BTreeSet::new();
        for member in members {
            if unique.contains(&member) {
                return Err(Error::new(ErrorKind::Duplicate, line, "a member of a group stands twice"));
            }
            held = held.join(tenant.as_str(), name.as_str(), member.as_str());
            unique.insert(member);
        }
        if known.insert((tenant, name), unique).is_some() {
            return Err(Error::new(ErrorKind::Duplicate, line, "a group stands twice"));
        }
    }
    Ok(held)
}

/// Whether what the file assigns keeps to its own constraints. Assignments that end are looked at as if they had not.
pub(crate) fn obey(policy: &Compiled) -> Result<(), Error> {
    let constraints = &policy.constraints;
    if constraints.separations.is_empty()
        && constraints.requires.is_empty()
        && constraints.max_holders.is_empty()
    {
        return Ok(());
    }
    let broken = |detail: String| Err(Error::new(ErrorKind::Constraint, None, detail));
    let held = Held::build(policy.held.clone());
    let numbered = Numbered::of(&held, policy);
    let mut holders: BTreeMap<(&str, u32), u32> = BTreeMap::new();
    for subject in held.subjects() {
        let windows = numbered.windows(Some(subject.roles), UnixTime::EPOCH);
        if let Err(error) = may_hold(policy, &windows) {
            return broken(format!("the assignments of the file break a constraint: {error}"));
        }
        let roles = roles_of(&windows);
        for (limited, most) in &constraints.limited {
            if roles.iter().any(|role| limited.is_had_by(*role)) {
                let count = holders.entry((subject.tenant, limited.role)).or_default();
                *count += 1;
                if *count > *most {
                    let name = policy.role(limited.role).map(|role| &*role.name).unwrap_or_default();
                    return broken(format!("the file gives role {name} to more than may hold it"));
                }
            }
        }
    }
    Ok(())
}

fn assignment(
    entry: AssignmentEntry,
    policy: &Compiled,
    lines: &Lines,
    line: Option<u32>,
) -> Result<Assignment, Error> {
    let wrong = |detail: &str| Err(Error::new(ErrorKind::Assignment, line, detail));
    let name = entry.role.get_ref().as_str();
    let Some((id, role)) = policy.role_ids.get(name).and_then(|id| Some((*id, policy.role(*id)?))) else {
        let detail = unknown_role(name, policy.role_ids.names());
        return Err(Error::new(ErrorKind::UnknownRole, lines.of(&entry.role.span()), detail));
    };
    let texts = [&entry.tenant, &entry.subject, &entry.group, &entry.granted_by];
    check_names(texts.into_iter().flatten().map(String::as_str), line)?;
    let is_system = entry.realm == RealmEntry::System;
    if role.is_system != is_system {
        let detail = format!("role {name} is of another realm than its assignment");
        return Err(Error::new(ErrorKind::Realm, line, detail));
    }
    let mut assignment = match (entry.tenant, entry.subject, entry.group) {
        (None, Some(subject), None) if is_system => Assignment::across_tenants(subject, name),
        (Some(tenant), Some(subject), None) if !is_system => Assignment::new(tenant, subject, name),
        (Some(tenant), None, Some(group)) if !is_system => Assignment::to_group(tenant, group, name),
        _ => {
            return wrong(
                "an assignment says a tenant and a subject or a group; across tenants a subject alone",
            );
        }
    };
    if let (Some(Moment(from)), Some(Moment(end))) = (entry.not_before, entry.expires)
        && end <= from
    {
        return wrong("an assignment ends before it begins");
    }
    // SECURITY: an emergency without end is none, and a group has no second factor.
    if let Some(glass) = policy.constraints.glass.get(&id) {
        let is_short = entry
            .not_before
            .zip(entry.expires)
            .is_some_and(|(Moment(from), Moment(end))| end <= from.saturating_add(glass.at_most));
        if !is_short || !matches!(assignment.holder, Holder::Subject(_)) {
            return wrong(
                "a break-glass role is given to a subject, with a begin and an end within its limit",
            );
        }
    }
    assignment.not_before = entry.not_before.map(|Moment(time)| time);
    assignment.expires = entry.expires.map(|Moment(time)| time);
    assignment.granted_by = entry.granted_by.map(Into::into);
    assignment.reason = entry.reason.map(Into::into);
    Ok(assignment)
}

fn check_names<'a>(mut names: impl Iterator<Item = &'a str>, line: Option<u32>) -> Result<(), Error> {
    match names.any(|name| !bartizan_core::is_name(name)) {
        true => {
            Err(Error::new(ErrorKind::Assignment, line, "a name is empty, unprintable or over 255 bytes"))
        }
        false => Ok(()),
    }
}
