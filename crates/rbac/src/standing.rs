//! What one principal may do, asked by numbers: for menus, and for long lists of questions to one snapshot.

use bartizan_core::{PermissionName, Principal, Realm, Scope, UnixTime};

use crate::{Effect, Snapshot, assignments::Active, reach::Reach};

/// A permission's number in one policy. In a snapshot of another policy it means nothing, and nothing is what it is granted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PermissionId {
    pub(crate) permission: u32,
    pub(crate) at_least: Reach,
    /// Which policy: numbers of different ones are never taken for each other.
    generation: u32,
}

/// The roles of one principal in one snapshot, looked up once.
#[derive(Debug)]
pub struct Standing<'s> {
    snapshot: &'s Snapshot,
    roles: Vec<Active>,
}

impl Snapshot {
    /// The number of a permission; nothing for a name that the catalogue does not have.
    #[must_use]
    pub fn permission_id(&self, name: PermissionName<'_>) -> Option<PermissionId> {
        let asked = self.policy.0.asked(name)?;
        let generation = self.policy.0.generation;
        Some(PermissionId { permission: asked.permission, at_least: asked.at_least, generation })
    }

    /// The roles of a principal that count at this time: none at all while they break a dynamic separation of duty. Nobody of
    /// [`Realm::System`] has any here.
    #[must_use]
    pub fn standing(&self, who: &Principal, now: UnixTime) -> Standing<'_> {
        let mut roles = Vec::new();
        if who.realm() == Realm::Tenant {
            self.counting.for_each(who, now, &self.policy.0, |active| roles.push(active));
            if self.policy.0.constraints.has_dynamic && self.broken_separation(&roles).is_some() {
                roles.clear();
            }
        }
        Standing { snapshot: self, roles }
    }
}

impl Standing<'_> {
    /// How far the principal surely reaches in its tenant: what no condition could take away, and no break-glass role gives.
    /// Nothing when that is nowhere, or not as far as the permission's name says. A deny for a narrower scope may take a part away.
    ///
    /// # Security
    /// For what is shown in a menu. It records nothing and grants nothing: a record is opened by a decision alone.
    #[must_use]
    #[inline]
    pub fn reach(&self, permission: PermissionId) -> Option<Scope> {
        let policy = &*self.snapshot.policy.0;
        if permission.generation != policy.generation {
            return None;
        }
        let (mut allow, mut deny) = (None, None);
        for active in &self.roles {
            let said = policy.rights.of(active.role, permission.permission);
            let is_glass =
                policy.constraints.has_glass && policy.constraints.glass.contains_key(&active.role);
            if !active.is_idle && !is_glass {
                allow = allow.max(said.widest(Effect::Allow));
            }
            deny = deny.max(match said.has_detail() {
                // SECURITY: what may be denied is not sure.
                true => policy.rights.shape(active.role, permission.permission).may_reach(Effect::Deny),
                false => said.widest(Effect::Deny),
            });
        }
        let reach =
            allow.filter(|reach| *reach >= permission.at_least && deny.is_none_or(|deny| deny < *reach))?;
        Some(reach.scope())
    }

    /// The names of the roles that count; one that is held in two ways comes twice.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let active = self.roles.iter().filter(|active| !active.is_idle);
        active.filter_map(|active| self.snapshot.policy.0.role(active.role)).map(|role| &*role.name)
    }
}
