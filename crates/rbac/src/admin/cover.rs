//! Nobody gives or takes what they do not hold.

use std::collections::BTreeMap;

use bartizan_core::{FieldSet, Principal, UnixTime};

use crate::{
    Assignment, Change, Effect, Holder, Snapshot,
    admin::{AdminError, AdminErrorKind},
    assignments::Active,
    held::{Bounds, Held, Roles},
    policy::Compiled,
    reach::Reach,
    shape::Shape,
    shown::EVERYTHING,
};

/// Whether somebody's own rights cover every role that these changes give or take, for as long as they give it, and all that
/// was denied to somebody whom they free of a deny.
pub(super) fn changes(
    snapshot: &Snapshot,
    by: &Principal,
    changes: &[Change],
    now: UnixTime,
) -> Result<(), AdminError> {
    let Some(before) = snapshot.counting.held() else { return Ok(()) };
    let giver = Giver::of(snapshot, by, now);
    let after = before.apply(changes);
    for change in changes {
        for (role, until) in giver.moved(before, change)? {
            giver.has(role, until)?;
        }
        giver.may_free(before, &after, change, now)?;
    }
    Ok(())
}

/// What the one who makes a change has.
struct Giver<'s> {
    policy: &'s Compiled,
    roles: Vec<Active>,
}

impl<'s> Giver<'s> {
    fn of(snapshot: &'s Snapshot, by: &Principal, now: UnixTime) -> Self {
        let policy = &*snapshot.policy.0;
        let mut roles = Vec::new();
        snapshot.counting.for_each(by, now, policy, |active| roles.push(active));
        Self { policy, roles }
    }

    /// What they may give for so long. What is held for a while is not given for longer, and what an emergency gives is not given
    /// on at all.
    fn lasting(&self, until: UnixTime) -> impl Iterator<Item = u32> {
        let glass = &self.policy.constraints.glass;
        let lasts = move |one: &&Active| !one.is_idle && one.until >= until && !glass.contains_key(&one.role);
        self.roles.iter().filter(lasts).map(|one| one.role)
    }

    /// Whether they have all that a role gives.
    fn has(&self, role: u32, until: UnixTime) -> Result<(), AdminError> {
        let lacks = |(permission, _): &(u32, _)| {
            !self.covers(*permission, &self.policy.rights.shape(role, *permission), until)
        };
        if let Some((permission, _)) = self.policy.rights.row(role).into_iter().find(lacks) {
            let (name, permission) = (self.name(role), self.permission(permission));
            return escalation(format!(
                "role {name} has {permission}, which they do not have themselves for as long"
            ));
        }
        // SECURITY: who may break a glass is as good as who has broken it.
        for (glass, terms) in &self.policy.constraints.glass {
            let is_eligible = |role: u32| terms.eligible.iter().any(|one| one.is_had_by(role));
            if is_eligible(role) && !self.lasting(until).any(is_eligible) {
                let (name, glass) = (self.name(role), self.name(*glass));
                return escalation(format!("role {name} may break the glass of {glass}, and they may not"));
            }
        }
        Ok(())
    }

    /// Whether they may lift what a change lifts: a deny, or what hides a field.
    ///
    /// SECURITY: who takes a deny away gives what it held back, to others or to themself.
    fn may_free(
        &self,
        before: &Held,
        after: &Held,
        change: &Change,
        now: UnixTime,
    ) -> Result<(), AdminError> {
        let (lifted, freed) = self.lifted(before, change, now);
        if lifted.is_empty() {
            return Ok(());
        }
        let names = after.role_names();
        let mut left: BTreeMap<u32, UnixTime> = BTreeMap::new();
        for subject in freed {
            let Some(roles) = after.of(change.tenant(), &subject) else { continue };
            roles.for_each(|entry| {
                let role = names.get(entry.role as usize).and_then(|name| self.policy.role_ids.get(name));
                if let Some(role) = role.filter(|_| entry.bounds.expires.is_none_or(|end| now < end)) {
                    let until = left.entry(*role).or_insert(UnixTime::EPOCH);
                    *until = (*until).max(entry.bounds.until());
                }
            });
        }
        for restricting in lifted {
            for (permission, _) in self.restricted(restricting) {
                let allows =
                    left.iter().map(|(role, until)| (self.policy.rights.shape(*role, permission), *until));
                let mut allows = allows.filter(|(shape, _)| shape.may_reach(Effect::Allow).is_some());
                if !allows.all(|(shape, until)| self.covers(permission, &shape, until)) {
                    let (name, permission) = (self.name(restricting), self.permission(permission));
                    return escalation(format!(
                        "role {name} holds back {permission}, which they do not have themselves for as long"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The roles that deny or hide and that a change takes from somebody, and from whom.
    fn lifted(&self, before: &Held, change: &Change, now: UnixTime) -> (Vec<u32>, Vec<String>) {
        let restricting = |name: &str| {
            let role = self.policy.role_ids.get(name).copied();
            role.filter(|role| self.restricted(*role).next().is_some())
        };
        let holders = |tenant: &str, holder: &Holder| match holder {
            Holder::Subject(subject) => vec![subject.to_string()],
            Holder::Group(group) => before.members(tenant, group).map(str::to_owned).collect(),
        };
        match change {
            Change::Revoke { tenant, holder, role } => match restricting(role) {
                Some(role) => (vec![role], holders(tenant, holder)),
                None => (Vec::new(), Vec::new()),
            },
            Change::Assign(assignment) => match restricting(assignment.role()) {
                Some(role) if is_narrowed(before, assignment, now) => {
                    (vec![role], holders(assignment.tenant(), assignment.holder()))
                }
                _ => (Vec::new(), Vec::new()),
            },
            Change::Leave { tenant, group, subject } => {
                let names = before.role_names();
                let mut lifted = Vec::new();
                if let Some(roles) = before.of_group(tenant, group) {
                    roles.for_each(|entry| {
                        lifted.extend(names.get(entry.role as usize).and_then(|name| restricting(name)));
                    });
                }
                (lifted, vec![subject.to_string()])
            }
            // Who holds nothing any more is freed for nothing.
            Change::Join { .. } | Change::Remove { .. } => (Vec::new(), Vec::new()),
        }
    }

    /// What a role denies, or hides a field of.
    fn restricted(&self, role: u32) -> impl Iterator<Item = (u32, Shape)> {
        let row = self.policy.rights.row(role).into_iter();
        let row = row.map(move |(permission, _)| (permission, self.policy.rights.shape(role, permission)));
        row.filter(|(_, shape)| shape.may_reach(Effect::Deny).is_some() || shape.detail.visible != EVERYTHING)
    }

    /// The roles that a change gives or takes, and until when. Taking has no end: who has it for a while may take it.
    fn moved(&self, before: &Held, change: &Change) -> Result<Vec<(u32, UnixTime)>, AdminError> {
        let id = |name: &str| self.policy.role_ids.get(name).copied();
        let names = before.role_names();
        let all = |roles: Option<Roles<'_>>| {
            let mut all = Vec::new();
            if let Some(roles) = roles {
                roles.for_each(|entry| {
                    let name = names.get(entry.role as usize).copied().unwrap_or_default();
                    all.push((name, entry.bounds.until()));
                });
            }
            all
        };
        let known = |name: &str, until: UnixTime| id(name).map(|role| (role, until));
        let taken = |roles: Vec<(&str, UnixTime)>| {
            roles.into_iter().filter_map(|(name, _)| known(name, UnixTime::EPOCH)).collect()
        };
        Ok(match change {
            Change::Assign(assignment) => {
                known(assignment.role(), assignment.ends().unwrap_or(UnixTime::MAX)).into_iter().collect()
            }
            Change::Revoke { role, .. } => known(role, UnixTime::EPOCH).into_iter().collect(),
            Change::Join { tenant, group, .. } => {
                let roles = all(before.of_group(tenant, group));
                // SECURITY: what the policy does not know today it may know tomorrow.
                if roles.iter().any(|(name, _)| id(name).is_none()) {
                    return escalation(format!("group {group} has a role that the policy does not know"));
                }
                roles.into_iter().filter_map(|(name, until)| known(name, until)).collect()
            }
            Change::Leave { tenant, group, .. } => taken(all(before.of_group(tenant, group))),
            Change::Remove { tenant, subject } => taken(all(before.of(tenant, subject))),
        })
    }

    /// Whether they have a permission as far, in as many fields, and under no more conditions.
    fn covers(&self, permission: u32, given: &Shape, until: UnixTime) -> bool {
        let shape = |role: u32| self.policy.rights.shape(role, permission);
        let active: Vec<Shape> = self.lasting(until).map(shape).collect();
        // SECURITY: what is denied or hidden now is not given, also where the deny ends before the gift does.
        let all: Vec<Shape> = self.roles.iter().map(|one| shape(one.role)).collect();
        covers(self.policy, &active, &all, given)
    }

    fn name(&self, role: u32) -> &'s str {
        self.policy.role(role).map(|role| &*role.name).unwrap_or_default()
    }

    fn permission(&self, permission: u32) -> &'s str {
        self.policy.permission(permission).map(|info| &*info.name).unwrap_or_default()
    }
}

fn escalation<T>(detail: String) -> Result<T, AdminError> {
    Err(AdminError::new(AdminErrorKind::Escalation, detail))
}

/// Whether an assignment takes the place of one that counts for longer.
fn is_narrowed(before: &Held, assignment: &Assignment, now: UnixTime) -> bool {
    let tenant = assignment.tenant();
    let (roles, own_only) = match assignment.holder() {
        Holder::Subject(subject) => (before.of(tenant, subject), true),
        Holder::Group(group) => (before.of_group(tenant, group), false),
    };
    let number = before.role_number(assignment.role());
    let (Some(roles), Some(number)) = (roles, number) else { return false };
    let narrows = |known: Bounds| {
        let begins = assignment.starts().is_none_or(|from| from <= known.not_before.unwrap_or(now).max(now));
        let lasts = assignment.ends().is_none_or(|end| known.until() <= end);
        known.expires.is_none_or(|end| now < end) && !(begins && lasts)
    };
    let mut narrowed = false;
    roles.for_each(|entry| {
        let is_it = entry.role == number && !(own_only && entry.group.is_some());
        narrowed |= is_it && narrows(entry.bounds);
    });
    narrowed
}

fn covers(policy: &Compiled, active: &[Shape], all: &[Shape], given: &Shape) -> bool {
    let denied = all.iter().filter_map(|shape| shape.may_reach(Effect::Deny)).max();
    let set = |id| policy.shown.set(id);
    let visible = all.iter().fold(FieldSet::everything(), |set_so_far, shape| {
        set_so_far.intersection(&set(shape.detail.visible))
    });
    // What the giver shows surely at a reach, and under at most the conditions of `when`.
    let shown = |reach: Reach, when: Option<u32>| {
        let mut clear = FieldSet::nothing();
        for shape in active {
            if shape.allow >= Some(reach) {
                clear = clear.union(&set(shape.detail.clear_at(reach)));
            }
            let weaker = |one: &&crate::shape::Conditional| {
                one.effect == Effect::Allow && one.reach >= reach && is_weaker(policy, one.when, when)
            };
            for one in shape.detail.when.iter().filter(weaker) {
                clear = clear.union(&set(one.clear));
            }
        }
        clear.intersection(&visible)
    };
    let reaches = |reach: Reach, when: Option<u32>| {
        denied.is_none_or(|denied| denied < reach)
            && active.iter().any(|shape| {
                shape.allow >= Some(reach)
                    || shape.detail.when.iter().any(|one| {
                        one.effect == Effect::Allow && one.reach >= reach && is_weaker(policy, one.when, when)
                    })
            })
    };
    let within = |small: &FieldSet, large: &FieldSet| small.intersection(large) == *small;
    let hidden = set(given.detail.visible);
    let sure = Reach::ALL.into_iter().filter(|reach| given.allow >= Some(*reach)).all(|reach| {
        reaches(reach, None)
            && within(&set(given.detail.clear_at(reach)).intersection(&hidden), &shown(reach, None))
    });
    sure && given.detail.when.iter().filter(|one| one.effect == Effect::Allow).all(|one| {
        Reach::ALL.into_iter().filter(|reach| *reach <= one.reach).all(|reach| reaches(reach, Some(one.when)))
            && within(&set(one.clear).intersection(&hidden), &shown(one.reach, Some(one.when)))
    })
}

/// Whether a set of conditions asks no more than another: all of its conditions are among the other's.
fn is_weaker(policy: &Compiled, one: u32, than: Option<u32>) -> bool {
    let set = |when: u32| policy.when.get(when as usize).map(|set| &**set).unwrap_or_default();
    than.is_some_and(|than| set(one).iter().all(|condition| set(than).contains(condition)))
}
