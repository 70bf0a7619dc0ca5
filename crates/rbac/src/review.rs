//! Who may do what: the review functions of INCITS 359, and the questions that go the other way round.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_core::{
    Ask, Attestation, Cause, FieldSet, Permission, PermissionName, Principal, PrincipalFacts, Realm,
    Resource, Scope, UnixTime, Verdict,
};

use crate::{
    Assignment, Effect, Policy, Snapshot,
    assignments::Active,
    document::SeparationKind,
    graph,
    policy::Compiled,
    reach::Reach,
    snapshot::{ByCredential, Facts, Roles},
};

/// One permission that somebody has, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldPermission {
    /// `resource:action`.
    pub permission: Box<str>,
    /// How far it surely reaches; nothing when it only does so under conditions.
    pub surely: Option<Scope>,
    /// How far it may reach when all conditions are met.
    pub at_best: Option<Scope>,
}

/// How surely somebody can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Access {
    /// If conditions are met that look at more than was said.
    UnderConditions,
    /// As things were said.
    Sure,
}

/// Somebody who can do something.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Can {
    /// Who.
    pub subject: Box<str>,
    /// How surely.
    pub access: Access,
}

/// A separation of duty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeparationOfDuty {
    /// Its name.
    pub name: Box<str>,
    /// Whether it is about roles that are active together (dynamic), and not about roles that are held (static).
    pub is_dynamic: bool,
    /// Its roles.
    pub roles: Vec<Box<str>>,
    /// How many of them one may have (`cardinality` in INCITS 359 is one more).
    pub at_most: usize,
}

/// Subjects are personal data in many services: only how surely is shown.
impl std::fmt::Debug for Can {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Can").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Policy {
    /// What a role may do, with all that it inherits (`RolePermissions`); nothing for an unknown role.
    #[doc(alias = "RolePermissions")]
    #[must_use]
    pub fn role_permissions(&self, role: &str) -> Vec<HeldPermission> {
        self.0.role_ids.get(role).map(|role| permissions_of(&self.0, &[*role], &[])).unwrap_or_default()
    }

    /// What a role may do to one kind of record (`RoleOperationsOnObject`).
    #[doc(alias = "RoleOperationsOnObject")]
    #[must_use]
    pub fn role_operations_on(&self, role: &str, kind: &str) -> Vec<HeldPermission> {
        on_kind(self.role_permissions(role), kind)
    }

    /// A role and all that it inherits, the role itself first.
    #[must_use]
    pub fn inherited(&self, role: &str) -> Vec<&str> {
        let Some(role) = self.0.role_ids.get(role) else { return Vec::new() };
        let names = below(&self.0, &[*role]);
        names.into_iter().filter_map(|role| self.0.role(role)).map(|role| &*role.name).collect()
    }

    /// The separations of duty (`SsdRoleSets`, `SsdRoleSetRoles`, `SsdRoleSetCardinality`, and the same for dynamic ones).
    #[doc(alias = "SsdRoleSets")]
    #[doc(alias = "SsdRoleSetRoles")]
    #[doc(alias = "SsdRoleSetCardinality")]
    #[doc(alias = "DsdRoleSets")]
    #[doc(alias = "DsdRoleSetRoles")]
    #[doc(alias = "DsdRoleSetCardinality")]
    #[must_use]
    pub fn separations(&self) -> Vec<SeparationOfDuty> {
        let view = |one: &crate::constraint::Separation| {
            let roles = one.members.iter().filter_map(|member| self.0.role(member.role));
            SeparationOfDuty {
                name: one.name.clone(),
                is_dynamic: one.kind == SeparationKind::Dynamic,
                roles: roles.map(|role| role.name.clone()).collect(),
                at_most: one.at_most,
            }
        };
        self.0.constraints.separations.iter().map(view).collect()
    }
}

impl Snapshot {
    /// Every assignment in a tenant, to subjects and to groups, as it was made: ended ones and those to come too. With the empty
    /// tenant those of [`Realm::System`].
    #[must_use]
    pub fn assignments(&self, tenant: &str) -> Vec<Assignment> {
        let Some(held) = self.counting.held() else { return Vec::new() };
        let mut all: Vec<Assignment> = held.iter().filter(|one| one.tenant() == tenant).collect();
        all.sort_unstable();
        all
    }

    /// Who is in a group of a tenant, sorted.
    #[must_use]
    pub fn members(&self, tenant: &str, group: &str) -> Vec<Box<str>> {
        let Some(held) = self.counting.held() else { return Vec::new() };
        let mut members: Vec<Box<str>> = held.members(tenant, group).map(Into::into).collect();
        members.sort_unstable();
        members
    }

    /// The roles that somebody holds at this time, directly or through groups (`AssignedRoles`), sorted.
    #[doc(alias = "AssignedRoles")]
    #[must_use]
    pub fn assigned_roles(&self, tenant: &str, subject: &str, now: UnixTime) -> Vec<&str> {
        self.names_of(self.roles_at(tenant, subject, now).iter().map(|active| active.role))
    }

    /// The same with all that they inherit (`AuthorizedRoles`): what a session may activate.
    #[doc(alias = "AuthorizedRoles")]
    #[must_use]
    pub fn authorized_roles(&self, tenant: &str, subject: &str, now: UnixTime) -> Vec<&str> {
        let held: Vec<u32> = self.roles_at(tenant, subject, now).iter().map(|active| active.role).collect();
        self.names_of(below(&self.policy.0, &held))
    }

    /// Who holds a role in a tenant at this time, directly or through groups (`AssignedUsers`).
    #[doc(alias = "AssignedUsers")]
    #[must_use]
    pub fn assigned_users(&self, tenant: &str, role: &str, now: UnixTime) -> Vec<Box<str>> {
        self.users(tenant, now, |held| held.contains(&role))
    }

    /// Who holds a role, or one that inherits it (`AuthorizedUsers`).
    #[doc(alias = "AuthorizedUsers")]
    #[must_use]
    pub fn authorized_users(&self, tenant: &str, role: &str, now: UnixTime) -> Vec<Box<str>> {
        let ids = &self.policy.0.role_ids;
        self.users(tenant, now, |held| {
            let held: Vec<u32> = held.iter().filter_map(|name| ids.get(name)).copied().collect();
            ids.get(role).is_some_and(|role| below(&self.policy.0, &held).contains(role))
        })
    }

    /// What somebody may do in a tenant with all roles that they hold (`UserPermissions`).
    #[doc(alias = "UserPermissions")]
    #[must_use]
    pub fn user_permissions(&self, tenant: &str, subject: &str, now: UnixTime) -> Vec<HeldPermission> {
        let held: Vec<u32> = self.roles_at(tenant, subject, now).iter().map(|active| active.role).collect();
        permissions_of(&self.policy.0, &held, &[])
    }

    /// What somebody may do to one kind of record (`UserOperationsOnObject`).
    #[doc(alias = "UserOperationsOnObject")]
    #[must_use]
    pub fn user_operations_on(
        &self,
        tenant: &str,
        subject: &str,
        kind: &str,
        now: UnixTime,
    ) -> Vec<HeldPermission> {
        on_kind(self.user_permissions(tenant, subject, now), kind)
    }

    /// The roles of a principal that are active: what its credential names and what is held, as the engine counts
    /// (`SessionRoles`).
    #[doc(alias = "SessionRoles")]
    #[must_use]
    pub fn session_roles(&self, who: &Principal, now: UnixTime) -> Vec<&str> {
        let active = self.active(who, now);
        self.names_of(active.iter().filter(|active| !active.is_idle).map(|active| active.role))
    }

    /// What a principal may do in its tenant with its active roles (`SessionPermissions`): every permission that
    /// [`PolicyEngine::decide`](bartizan_core::PolicyEngine::decide) could allow, and no other.
    #[doc(alias = "SessionPermissions")]
    #[must_use]
    pub fn what_can(&self, who: &Principal, now: UnixTime) -> Vec<HeldPermission> {
        if who.realm() != Realm::Tenant {
            return Vec::new();
        }
        let roles = self.active(who, now);
        if self.policy.0.constraints.has_dynamic && self.broken_separation(&roles).is_some() {
            return Vec::new();
        }
        let (idle, active): (Vec<Active>, Vec<Active>) = roles.into_iter().partition(|active| active.is_idle);
        let numbers = |roles: Vec<Active>| roles.into_iter().map(|active| active.role).collect::<Vec<_>>();
        permissions_of(&self.policy.0, &numbers(active), &numbers(idle))
    }

    /// Who of a tenant can do this to this record at this time, with all roles that they hold and nothing else known of them: for
    /// sure where [`PolicyEngine::decide`](bartizan_core::PolicyEngine::decide) allows it. Those for whom it takes more (that they
    /// are of the record's team, a recent login, an address) are told apart, and never left out.
    ///
    /// Asks for everybody in the tenant; for reviews, not for requests. Where only tokens count nobody is known.
    #[must_use]
    pub fn who_can(&self, permission: PermissionName<'_>, on: Resource<'_>, now: UnixTime) -> Vec<Can> {
        let Some(held) = self.counting.held() else { return Vec::new() };
        let mut can = Vec::new();
        for subject in held.subjects_in(on.tenant()) {
            let facts = PrincipalFacts::new(on.tenant(), subject.name);
            let Ok(who) = Principal::attested(Attestation::Assertion, facts) else { continue };
            let roles = self.roles_at(on.tenant(), subject.name, now);
            let ask = Ask::new(&who, permission, on, now).durable();
            let allows =
                |facts| matches!(self.verdict_of(&ask, Realm::Tenant, &roles, facts), Verdict::Allow { .. });
            let access = match (allows(Facts::AsAsked), allows(Facts::AtBest)) {
                (true, _) => Access::Sure,
                (false, true) => Access::UnderConditions,
                (false, false) => continue,
            };
            can.push(Can { subject: subject.name.into(), access });
        }
        can.sort_unstable_by(|one, two| one.subject.cmp(&two.subject));
        can
    }

    /// Those of some records that a principal may use a permission on, with the fields in clear: exactly those that
    /// [`PolicyEngine::decide`](bartizan_core::PolicyEngine::decide) allows, each actor of the chain asked too.
    ///
    /// # Errors
    /// The cause, when one of them cannot be decided: a list that silently lacks records is no answer.
    ///
    /// # Security
    /// Nothing is recorded and nothing granted: to open the records take
    /// [`Authorizer::decide_each`](bartizan_core::Authorizer::decide_each).
    pub fn filter<'r>(
        &self,
        who: &Principal,
        permission: Permission,
        candidates: impl IntoIterator<Item = Resource<'r>>,
        now: UnixTime,
    ) -> Result<Vec<(Resource<'r>, FieldSet)>, Cause> {
        let mut allowed = Vec::new();
        for on in candidates {
            match self.verdict_for_chain(&Ask::new(who, permission.name(), on, now)) {
                Verdict::Allow { clear, until, .. } if now < until => allowed.push((on, clear)),
                Verdict::Allow { .. } | Verdict::Deny { .. } => {}
                Verdict::Unknown(cause) => return Err(cause),
            }
        }
        Ok(allowed)
    }

    fn active(&self, who: &Principal, now: UnixTime) -> Vec<Active> {
        // Any permission will do: roles do not depend on it.
        let mut active = Vec::new();
        if let Ok(name) = PermissionName::parse("any:any") {
            let ask = Ask::new(who, name, Resource::collection(who.tenant(), "any"), now);
            ByCredential { snapshot: self, ask: &ask }.for_each(|one| active.push(one));
        }
        active
    }

    /// All roles that somebody of a tenant holds at this time.
    fn roles_at(&self, tenant: &str, subject: &str, now: UnixTime) -> Vec<Active> {
        self.counting.held_at(tenant, subject, now, &self.policy.0)
    }

    fn users(&self, tenant: &str, now: UnixTime, fits: impl Fn(&[&str]) -> bool) -> Vec<Box<str>> {
        let Some(held) = self.counting.held() else { return Vec::new() };
        let subjects = held.subjects_in(tenant).map(|subject| subject.name);
        let mut users: Vec<Box<str>> =
            subjects.filter(|name| fits(&self.assigned_roles(tenant, name, now))).map(Into::into).collect();
        users.sort_unstable();
        users
    }

    fn names_of(&self, roles: impl IntoIterator<Item = u32>) -> Vec<&str> {
        let names = roles.into_iter().filter_map(|role| self.policy.0.role(role)).map(|role| &*role.name);
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// These roles and all that they inherit, each once.
fn below(policy: &Compiled, roles: &[u32]) -> Vec<u32> {
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    for role in roles {
        graph::each_below(*role, &policy.roles, |role| {
            let is_new = seen.insert(role);
            order.extend(is_new.then_some(role));
            is_new
        });
    }
    order
}

/// What roles allow together, less what they and others deny.
fn permissions_of(policy: &Compiled, active: &[u32], idle: &[u32]) -> Vec<HeldPermission> {
    #[derive(Default)]
    struct Said {
        allow: Option<Reach>,
        may_allow: Option<Reach>,
        deny: Option<Reach>,
        may_deny: Option<Reach>,
    }
    let mut all: BTreeMap<u32, Said> = BTreeMap::new();
    for (role, is_idle) in active.iter().map(|role| (role, false)).chain(idle.iter().map(|role| (role, true)))
    {
        for (permission, _) in policy.rights.row(*role) {
            let (shape, said) = (policy.rights.shape(*role, permission), all.entry(permission).or_default());
            if !is_idle {
                // What an emergency gives is not sure.
                if !policy.constraints.glass.contains_key(role) {
                    said.allow = said.allow.max(shape.allow);
                }
                said.may_allow = said.may_allow.max(shape.may_reach(Effect::Allow));
            }
            said.deny = said.deny.max(shape.deny);
            said.may_deny = said.may_deny.max(shape.may_reach(Effect::Deny));
        }
    }
    let held = all.into_iter().filter_map(|(permission, said)| {
        let left = |allow: Option<Reach>, deny: Option<Reach>| {
            allow.filter(|allow| deny.is_none_or(|deny| deny < *allow)).map(Reach::scope)
        };
        let (surely, at_best) = (left(said.allow, said.may_deny), left(said.may_allow, said.deny));
        let name = policy.permission(permission).map(|info| info.name.clone())?;
        at_best.is_some().then_some(HeldPermission { permission: name, surely, at_best })
    });
    held.collect()
}

fn on_kind(all: Vec<HeldPermission>, kind: &str) -> Vec<HeldPermission> {
    let fits =
        |held: &HeldPermission| held.permission.split_once(':').is_some_and(|(resource, _)| resource == kind);
    all.into_iter().filter(fits).collect()
}
