//! The policy, with accounts that come while the clinic runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use bartizan::{
    core::{Ask, PolicyEngine, Revision, Verdict},
    rbac::{Assignments, Engine, HeldAssignments, Policy},
};

/// An engine that is exchanged for another one when somebody is assigned a role. Requests never wait for it.
#[derive(Debug)]
pub struct LivePolicy {
    policy: Policy,
    roles: Mutex<Roles>,
    engine: ArcSwap<Engine>,
}

#[derive(Debug)]
struct Roles {
    held: HeldAssignments,
    /// The one role of each account, by tenant and user.
    of: HashMap<(String, String), String>,
    revision: Revision,
}

/// Everybody who works here may also act as no more than staff: for an API key that is to do little.
pub(crate) const STAFF: &str = "staff";

/// The roles that inherit it in the policy.
const WORKING: [&str; 3] = ["doctor", "nurse", "admin"];

impl LivePolicy {
    pub(crate) fn new(policy: Policy, roles: &[(String, String, String)]) -> Self {
        let held = roles
            .iter()
            .fold(HeldAssignments::new(), |held, (tenant, user, role)| assigned(held, tenant, user, role));
        let of = roles.iter().map(|(tenant, user, role)| ((tenant.clone(), user.clone()), role.clone()));
        let engine = Engine::new(policy.clone(), Assignments::Held(held.clone()));
        let roles = Roles { held, of: of.collect(), revision: Revision(0) };
        Self { policy, roles: Mutex::new(roles), engine: ArcSwap::from_pointee(engine) }
    }

    /// From now on `user` holds `role`.
    pub(crate) fn assign(&self, tenant: &str, user: &str, role: &str) {
        let mut roles = self.roles();
        roles.held = assigned(std::mem::take(&mut roles.held), tenant, user, role);
        roles.of.insert((tenant.to_owned(), user.to_owned()), role.to_owned());
        roles.revision = Revision(roles.revision.0 + 1);
        let engine = Engine::new(self.policy.clone(), Assignments::Held(roles.held.clone()));
        self.engine.store(Arc::new(engine.with_revision(roles.revision)));
    }

    /// The role that `user` holds now.
    pub(crate) fn role_of(&self, tenant: &str, user: &str) -> Option<String> {
        self.roles().of.get(&(tenant.to_owned(), user.to_owned())).cloned()
    }

    /// Whether an API key of somebody of this role may have this scope.
    pub(crate) fn may_scope(role: &str, scope: &str) -> bool {
        scope == role || (scope == STAFF && WORKING.contains(&role))
    }

    fn roles(&self) -> MutexGuard<'_, Roles> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PolicyEngine for LivePolicy {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        self.engine.load().decide(ask)
    }
}

fn assigned(held: HeldAssignments, tenant: &str, user: &str, role: &str) -> HeldAssignments {
    let held = held.assign(tenant, user, role);
    if WORKING.contains(&role) { held.assign(tenant, user, STAFF) } else { held }
}
