//! What a policy says and hardly means.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use bartizan_core::UnixTime;

use crate::{
    Effect, Policy, Snapshot, admin::check::Numbered, assignment::Holder, document::SeparationKind,
    pattern::Entry, policy::Compiled, rights::Row,
};

/// Something in a policy, or in who holds what, that somebody should look at. Its `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    line: Option<u32>,
    lint: Lint,
    detail: Box<str>,
}

/// What is strange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// No role allows a permission.
    UnusedPermission,
    /// No rule names a condition.
    UnusedCondition,
    /// Nobody holds a role, and no role inherits it.
    UnusedRole,
    /// A rule adds nothing: the role has it without it.
    Shadowed,
    /// A rule allows what the same role denies.
    Denied,
    /// A deny takes what nobody is given.
    DeadDeny,
    /// An allow reaches over all kinds of records.
    BroadWildcard,
    /// Two roles are the same in all that they may do.
    DuplicateRoles,
    /// Somebody holds a role that the policy does not have, or one of another realm.
    OrphanAssignment,
    /// An assignment has ended and is still there.
    ExpiredAssignment,
    /// A separation of duty is broken, or one could get round it.
    Separation,
    /// A role may give itself and others whatever it wants.
    SelfGranting,
}

impl Lint {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::UnusedPermission,
        Self::UnusedCondition,
        Self::UnusedRole,
        Self::Shadowed,
        Self::Denied,
        Self::DeadDeny,
        Self::BroadWildcard,
        Self::DuplicateRoles,
        Self::OrphanAssignment,
        Self::ExpiredAssignment,
        Self::Separation,
        Self::SelfGranting,
    ];

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|lint| lint.as_str() == name)
    }

    /// The name, for reports and for leaving one out: `dead-deny`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnusedPermission => "unused-permission",
            Self::UnusedCondition => "unused-condition",
            Self::UnusedRole => "unused-role",
            Self::Shadowed => "shadowed",
            Self::Denied => "denied",
            Self::DeadDeny => "dead-deny",
            Self::BroadWildcard => "broad-wildcard",
            Self::DuplicateRoles => "duplicate-roles",
            Self::OrphanAssignment => "orphan-assignment",
            Self::ExpiredAssignment => "expired-assignment",
            Self::Separation => "separation",
            Self::SelfGranting => "self-granting",
        }
    }
}

impl Finding {
    /// What is strange.
    #[must_use]
    pub const fn lint(&self) -> Lint {
        self.lint
    }

    /// Where in the file, counted from 1, where that is known.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.line
    }

    /// In words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.lint.as_str(), self.detail)
    }
}

impl Policy {
    /// What is strange in the policy itself, in the order of its lines.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let policy = &*self.0;
        let mut found = Vec::new();
        unused(policy, &mut found);
        for (role, id) in policy.roles.iter().zip(0_u32..) {
            for (entry, at) in role.entries.iter().zip(0..) {
                rule(policy, id, at, entry, &mut found);
            }
        }
        duplicates(policy, &mut found);
        around_separations(policy, &mut found);
        self_granting(policy, &mut found);
        found.sort();
        found
    }
}

impl Snapshot {
    /// What is strange in the policy, and in who holds what at this time.
    ///
    /// # Security
    /// For operators: the findings name subjects.
    #[must_use]
    pub fn lint(&self, now: UnixTime) -> Vec<Finding> {
        let policy = &*self.policy.0;
        let mut found = self.policy.lint();
        let Some(held) = self.counting.held() else { return found };
        let mut used: BTreeSet<u32> =
            policy.roles.iter().flat_map(|role| role.inherits.iter().copied()).collect();
        for assignment in held.iter() {
            let role = policy.role_ids.get(assignment.role());
            used.extend(role);
            let whom = match assignment.holder() {
                Holder::Subject(name) => format!("{name} of {}", assignment.tenant()),
                Holder::Group(name) => format!("group {name} of {}", assignment.tenant()),
            };
            let fits = role.and_then(|role| policy.role(*role)).map(|role| role.is_system);
            if fits != Some(assignment.tenant().is_empty()) {
                let detail = format!("{whom} holds {}, which is no role there", assignment.role());
                push(&mut found, None, Lint::OrphanAssignment, detail);
            } else if let Some(end) = assignment.ends().filter(|end| *end <= now) {
                let detail = format!("{whom} held {} until {end}", assignment.role());
                push(&mut found, None, Lint::ExpiredAssignment, detail);
            }
        }
        for (role, id) in policy.roles.iter().zip(0_u32..) {
            if !used.contains(&id) && !policy.constraints.glass.contains_key(&id) {
                let detail = format!("nobody holds {}, and no role inherits it", role.name);
                push(&mut found, role.line, Lint::UnusedRole, detail);
            }
        }
        let numbered = Numbered::of(held, policy);
        for subject in held.subjects().filter(|_| !policy.constraints.separations.is_empty()) {
            let roles = numbered.roles(subject.tenant, subject.name, now);
            for one in policy.constraints.separations.iter().filter(|one| one.is_broken_by(&roles)) {
                let verb = match one.kind {
                    SeparationKind::Static => "breaks",
                    SeparationKind::Dynamic => "could in turn do all that is kept apart by",
                };
                let detail = format!("{} of {} {verb} separation {}", subject.name, subject.tenant, one.name);
                push(&mut found, None, Lint::Separation, detail);
            }
        }
        found.sort();
        found
    }
}

fn push(found: &mut Vec<Finding>, line: Option<u32>, lint: Lint, detail: String) {
    found.push(Finding { line, lint, detail: detail.into() });
}

fn unused(policy: &Compiled, found: &mut Vec<Finding>) {
    for (info, id) in policy.permissions.iter().zip(0_u32..) {
        let allows = |role: &u32| policy.rights.shape(*role, id).may_reach(Effect::Allow).is_some();
        if !policy.speak_of(id).iter().any(allows) {
            push(found, info.line, Lint::UnusedPermission, format!("no role allows {}", info.name));
        }
    }
    let named: BTreeSet<u32> = policy.when.iter().flatten().copied().collect();
    for (condition, id) in policy.conditions.iter().zip(0_u32..) {
        if !named.contains(&id) {
            let detail = format!("no rule names condition {}", condition.name());
            push(found, None, Lint::UnusedCondition, detail);
        }
    }
}

/// What is strange about one entry of a role.
fn rule(policy: &Compiled, role: u32, at: usize, entry: &Entry, found: &mut Vec<Finding>) {
    let Some(own) = policy.role(role) else { return };
    let candidates = match entry.pattern.exact().and_then(|name| policy.asks.get(&name)) {
        Some(asked) => asked.permission..asked.permission + 1,
        None => 0..policy.permissions.len() as u32,
    };
    let spoken_of: Vec<u32> = candidates
        .filter(|id| policy.permission(*id).is_some_and(|info| entry.reach_on(info).is_some()))
        .collect();
    let all = |test: &dyn Fn(u32) -> bool| !spoken_of.is_empty() && spoken_of.iter().all(|id| test(*id));
    let mut words = format!("{}: {} {}", own.name, entry.effect.as_str(), entry.written);
    if let Some(set) = entry.when.and_then(|when| policy.when.get(when as usize)) {
        let names = set.iter().filter_map(|id| policy.conditions.get(*id as usize)).map(|one| one.name());
        words.push_str(" when ");
        words.push_str(&names.collect::<Vec<&str>>().join(", "));
    }
    let reach = |id: u32| policy.permission(id).and_then(|info| entry.reach_on(info));
    // Whether something else of the role, its other entries or what it inherits, says at least as much without conditions.
    let elsewhere = |id: u32| {
        let others = own.entries.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
        let others = others.filter(|other| other.effect == entry.effect && other.when.is_none());
        let info = policy.permission(id);
        let here = others.filter_map(|other| info.and_then(|info| other.reach_on(info))).max();
        let inherited =
            own.inherits.iter().map(|parent| policy.rights.of(*parent, id).widest(entry.effect)).max();
        here.max(inherited.flatten()) >= reach(id)
    };
    if all(&elsewhere) {
        push(
            found,
            entry.line,
            Lint::Shadowed,
            format!("{words} adds nothing to what the role has without it"),
        );
    }
    match entry.effect {
        Effect::Allow => {
            if all(&|id| policy.rights.of(role, id).widest(Effect::Deny) >= reach(id)) {
                push(found, entry.line, Lint::Denied, format!("{words} is denied by the same role"));
            }
            if entry.pattern.resource.is_none() {
                let detail =
                    format!("{words} reaches over all kinds of records: {} permissions", spoken_of.len());
                push(found, entry.line, Lint::BroadWildcard, detail);
            }
        }
        Effect::Deny => {
            let given = |id: u32| {
                let allows = |role: &u32| policy.rights.shape(*role, id).may_reach(Effect::Allow).is_some();
                policy.speak_of(id).iter().any(allows)
            };
            if !spoken_of.is_empty() && !spoken_of.iter().any(|id| given(*id)) {
                push(found, entry.line, Lint::DeadDeny, format!("{words} takes what no role gives"));
            }
        }
    }
}

/// Roles whose rows are the same.
fn duplicates(policy: &Compiled, found: &mut Vec<Finding>) {
    let mut known: HashMap<(bool, Row), u32> = HashMap::new();
    for (role, id) in policy.roles.iter().zip(0_u32..) {
        let row = policy.rights.row(id);
        if row.is_empty() || policy.constraints.glass.contains_key(&id) {
            continue;
        }
        match known.get(&(role.is_system, row.clone())).and_then(|first| policy.role(*first)) {
            Some(first) => {
                let detail = format!("{} may do exactly what {} may", role.name, first.name);
                push(found, role.line, Lint::DuplicateRoles, detail);
            }
            None => {
                known.insert((role.is_system, row), id);
            }
        }
    }
}

/// Roles outside a separation that have alone what it keeps apart.
fn around_separations(policy: &Compiled, found: &mut Vec<Finding>) {
    for separation in &policy.constraints.separations {
        let members: Vec<u32> = separation.members.iter().map(|member| member.role).collect();
        let rows: BTreeMap<u32, Row> = members.iter().map(|role| (*role, policy.rights.row(*role))).collect();
        for (role, id) in policy.roles.iter().zip(0_u32..).filter(|(_, id)| !members.contains(id)) {
            let covers = |row: &Row| {
                !row.is_empty()
                    && row.iter().all(|(permission, shape)| {
                        policy.rights.of(id, *permission).widest(Effect::Allow) >= shape.widest(Effect::Allow)
                    })
            };
            let covered = rows.values().filter(|row| covers(row)).count();
            if covered > separation.at_most {
                let detail =
                    format!("{} may alone do what separation {} keeps apart", role.name, separation.name);
                push(found, role.line, Lint::Separation, detail);
            }
        }
    }
}

fn self_granting(policy: &Compiled, found: &mut Vec<Finding>) {
    let of = |name: &str| policy.asks.get(name).map(|asked| asked.permission);
    let (Some(assign), Some(escalate)) = (of("role:assign"), of("role:escalate")) else { return };
    for (role, id) in policy.roles.iter().zip(0_u32..) {
        let may = |permission| {
            let said = policy.rights.shape(id, permission);
            said.may_reach(Effect::Allow) > said.deny
        };
        if may(assign) && may(escalate) {
            let detail = format!("{} may give anybody, and itself, any role", role.name);
            push(found, role.line, Lint::SelfGranting, detail);
        }
    }
}
