//! Whether everybody may hold what they would hold after a change.

use std::{collections::BTreeSet, time::Duration};

use bartizan_core::{Principal, Realm, UnixTime};

use crate::{
    Change, Holder, Snapshot,
    admin::{AdminError, AdminErrorKind},
    compile::unknown_role,
    document::SeparationKind,
    held::{Held, Roles},
    policy::Compiled,
};

/// A role that somebody holds or will hold, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    role: u32,
    from: UnixTime,
    until: UnixTime,
}

/// What is held, by the policy's numbers.
#[derive(Debug)]
pub(crate) struct Numbered<'h> {
    held: &'h Held,
    ids: Vec<Option<u32>>,
}

/// The constraints of the policy, after these changes of one tenant.
pub(super) fn changes(
    snapshot: &Snapshot,
    tenant: &str,
    changes: &[Change],
    now: UnixTime,
) -> Result<(), AdminError> {
    let policy = &*snapshot.policy.0;
    let Some(before) = snapshot.counting.held() else {
        return Err(AdminError::new(
            AdminErrorKind::TokenOnly,
            "only tokens count: there are no assignments to change",
        ));
    };
    let mut roles = BTreeSet::new();
    for change in changes {
        change.validate().map_err(AdminError::of_source)?;
        if let Change::Assign(assignment) = change {
            let name = assignment.role();
            let Some((id, role)) = policy.role_ids.get(name).and_then(|id| Some((*id, policy.role(*id)?)))
            else {
                let detail = unknown_role(name, policy.role_ids.names());
                return Err(AdminError::new(AdminErrorKind::UnknownRole, detail));
            };
            if role.is_system {
                let detail = format!("role {name} is for those who act across tenants");
                return Err(AdminError::new(AdminErrorKind::UnknownRole, detail));
            }
            if let Some(glass) = policy.constraints.glass.get(&id) {
                let limit = now.saturating_add(glass.at_most);
                if assignment.ends().is_none_or(|end| end > limit)
                    || matches!(assignment.holder(), Holder::Group(_))
                {
                    let detail = format!("role {name} is given to one person, with an end within its limit");
                    return Err(AdminError::new(AdminErrorKind::Bounds, detail));
                }
            }
            roles.insert(id);
        }
    }
    let after = before.apply(changes);
    let numbered = Numbered::of(&after, policy);
    for subject in touched(&after, before, tenant, changes) {
        let held = numbered.windows(after.of(tenant, &subject), now);
        may_hold(policy, &held)?;
        roles.extend(held.iter().map(|one| one.role));
    }
    for (limited, most) in &policy.constraints.limited {
        if !roles.iter().any(|role| limited.is_had_by(*role)) {
            continue;
        }
        let has = |roles| numbered.windows(Some(roles), now).iter().any(|one| limited.is_had_by(one.role));
        let holders = after.subjects_in(tenant).filter(|subject| has(subject.roles)).count();
        if holders > *most as usize {
            let name = policy.role(limited.role).map(|role| &*role.name).unwrap_or_default();
            let detail = format!("role {name} would have {holders} holders, and may have {most}");
            return Err(AdminError::new(AdminErrorKind::Holders, detail));
        }
    }
    Ok(())
}

/// Nobody takes their own emergency off the list of those that wait for a review.
pub(super) fn own_emergency(
    snapshot: &Snapshot,
    by: &Principal,
    changes: &[Change],
) -> Result<(), AdminError> {
    let policy = &*snapshot.policy.0;
    let Some(held) = snapshot.counting.held().filter(|_| policy.constraints.has_glass) else { return Ok(()) };
    let is_open = |tenant: &str, name: Option<&str>| {
        let windows = Numbered::of(held, policy).windows(held.of(tenant, by.subject()), UnixTime::EPOCH);
        windows.iter().any(|one| {
            policy.constraints.glass.contains_key(&one.role)
                && name.is_none_or(|name| policy.role_ids.get(name) == Some(&one.role))
        })
    };
    let is_by = |holder: &Holder| matches!(holder, Holder::Subject(subject) if **subject == *by.subject());
    let touches = changes.iter().any(|change| match change {
        Change::Assign(one) => is_by(one.holder()) && is_open(one.tenant(), Some(one.role())),
        Change::Revoke { tenant, holder, role } => is_by(holder) && is_open(tenant, Some(role)),
        Change::Remove { tenant, subject } => **subject == *by.subject() && is_open(tenant, None),
        Change::Join { .. } | Change::Leave { .. } => false,
    });
    match touches {
        true => {
            let detail = "nobody takes their own emergency off the list of those to review";
            Err(AdminError::new(AdminErrorKind::Eligibility, detail))
        }
        false => Ok(()),
    }
}

/// Whether somebody may break this glass now.
pub(super) fn glass(
    snapshot: &Snapshot,
    by: &Principal,
    role: &str,
    lasting: Duration,
    now: UnixTime,
) -> Result<(), AdminError> {
    let policy = &*snapshot.policy.0;
    let refused = |kind, detail: &str| Err(AdminError::new(kind, detail));
    let Some(glass) = policy.role_ids.get(role).and_then(|id| policy.constraints.glass.get(id)) else {
        return refused(AdminErrorKind::Eligibility, "the policy has no break-glass role of this name");
    };
    if by.actor().is_some() || by.realm() != Realm::Tenant {
        return refused(AdminErrorKind::Eligibility, "nobody breaks the glass for somebody else");
    }
    let mut eligible = false;
    snapshot.counting.for_each(by, now, policy, |active| {
        // SECURITY: an emergency role mostly inherits who is eligible. It must neither prolong itself nor open the next.
        let counts = !active.is_idle && !policy.constraints.glass.contains_key(&active.role);
        eligible |= counts && glass.eligible.iter().any(|one| one.is_had_by(active.role));
    });
    if !eligible {
        return refused(AdminErrorKind::Eligibility, "none of their roles may break this glass");
    }
    // SECURITY: no decision is asked, which would have looked at the credential's end.
    if by.expires().is_some_and(|end| end <= now) || glass.proof_ends(by, now).is_none() {
        return refused(AdminErrorKind::Proof, "a fresh authentication by several factors is needed");
    }
    if lasting.is_zero() || lasting > glass.at_most {
        return refused(
            AdminErrorKind::Bounds,
            "the glass is broken for some time, and not for longer than the policy says",
        );
    }
    Ok(())
}

/// Everybody whose roles a change may change.
fn touched(after: &Held, before: &Held, tenant: &str, changes: &[Change]) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    for change in changes {
        match change {
            Change::Assign(assignment) => match assignment.holder() {
                Holder::Subject(subject) => {
                    touched.insert(subject.to_string());
                }
                Holder::Group(group) => touched.extend(after.members(tenant, group).map(str::to_owned)),
            },
            Change::Revoke { holder: Holder::Group(group), .. } => {
                touched.extend(before.members(tenant, group).map(str::to_owned));
            }
            Change::Revoke { holder: Holder::Subject(subject), .. }
            | Change::Join { subject, .. }
            | Change::Leave { subject, .. }
            | Change::Remove { subject, .. } => {
                touched.insert(subject.to_string());
            }
        }
    }
    touched
}

impl<'h> Numbered<'h> {
    pub(crate) fn of(held: &'h Held, policy: &Compiled) -> Self {
        let ids = held.role_names().into_iter().map(|name| policy.role_ids.get(name).copied()).collect();
        Self { held, ids }
    }

    /// What somebody holds now or will hold. What has ended is absent.
    pub(crate) fn windows(&self, roles: Option<Roles<'_>>, now: UnixTime) -> Vec<Window> {
        let mut windows = Vec::new();
        if let Some(roles) = roles {
            roles.for_each(|entry| {
                let role = self.ids.get(entry.role as usize).copied().flatten();
                if let Some(role) = role.filter(|_| entry.bounds.expires.is_none_or(|end| now < end)) {
                    let from = entry.bounds.not_before.unwrap_or(now).max(now);
                    windows.push(Window { role, from, until: entry.bounds.until() });
                }
            });
        }
        windows
    }

    /// The roles that somebody holds now or will hold.
    pub(crate) fn roles(&self, tenant: &str, subject: &str, now: UnixTime) -> Vec<u32> {
        roles_of(&self.windows(self.held.of(tenant, subject), now))
    }
}

/// Each once, sorted.
pub(crate) fn roles_of(windows: &[Window]) -> Vec<u32> {
    let mut roles: Vec<u32> = windows.iter().map(|one| one.role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// Whether somebody may hold these roles together.
pub(crate) fn may_hold(policy: &Compiled, held: &[Window]) -> Result<(), AdminError> {
    let roles = roles_of(held);
    if let Some(broken) = policy.constraints.broken(SeparationKind::Static, &roles) {
        let names = broken.had_by(&roles).filter_map(|role| policy.role(role)).map(|role| &*role.name);
        let names = names.collect::<Vec<_>>().join(", ");
        let detail = format!(
            "separation {} allows {} of its roles, and not {names} together",
            broken.name, broken.at_most
        );
        return Err(AdminError::new(AdminErrorKind::Separation, detail));
    }
    if policy.constraints.requires.is_empty() {
        return Ok(());
    }
    for one in held {
        // SECURITY: a prerequisite that begins later, or ends before, is none meanwhile.
        let lasts = |other: &&Window| other.from <= one.from && one.until <= other.until;
        let lasting: Vec<u32> = held.iter().filter(lasts).map(|other| other.role).collect();
        if let Some(missing) = policy.constraints.missing(one.role, &lasting) {
            let name = |role: u32| policy.role(role).map(|role| &*role.name).unwrap_or_default();
            let detail = format!("role {} requires {}, for as long", name(one.role), name(missing));
            return Err(AdminError::new(AdminErrorKind::Prerequisite, detail));
        }
    }
    Ok(())
}
