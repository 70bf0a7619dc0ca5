//! Which roles of a principal count.

use bartizan_core::{Attestation, Principal, Realm, UnixTime};

use crate::{
    Change, HeldAssignments, graph,
    held::{Entry, Held, Roles},
    policy::Compiled,
};

/// Which roles of a principal count. There is no default: each choice trusts somebody else.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Assignments {
    /// Those that the credential names *and* that are assigned now, or inherited by one that is (the session's active roles,
    /// in the words of INCITS 359). A role that was taken away stops counting at once, whatever the token says; a role that
    /// was given allows from the next credential on. What an assigned role denies or hides holds at once and always: nobody gets
    /// round it by a credential that does not name the role. A break-glass role counts under its own name alone: not under those of
    /// the roles that it inherits.
    Held(HeldAssignments),
    /// All that are assigned now, whatever the credential names: a role that was given or taken away counts so at once. But an API
    /// key ([`Attestation::ApiKey`]) is less than its owner: with one, only roles that it names count, as with
    /// [`Assignments::Held`].
    HeldOnly(HeldAssignments),
    /// Those that a verified token, session or API key of one of these issuers (`iss`, compared byte by byte) names. A role that was
    /// taken away counts until the token ends. Principals that were attested otherwise have no roles.
    TokenOnly(Vec<String>),
}

/// A role that counts, and until when it does so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub(crate) role: u32,
    pub(crate) until: UnixTime,
    /// It is held and not active: it denies and hides, and allows nothing.
    pub(crate) is_idle: bool,
}

/// Assignments, with their roles in the numbers of one policy.
#[derive(Clone, Debug)]
pub(crate) enum Counting {
    Held { held: Held, ids: std::sync::Arc<[u32]>, named: bool },
    TokenOnly(std::sync::Arc<[String]>),
}

/// A role that is assigned and that the policy does not have.
const UNKNOWN: u32 = u32::MAX;

impl Counting {
    pub(crate) fn new(assignments: Assignments, policy: &Compiled) -> Self {
        match assignments {
            Assignments::TokenOnly(issuers) => Self::TokenOnly(issuers.into()),
            Assignments::Held(held) => Self::of(Held::build(held), true, policy),
            Assignments::HeldOnly(held) => Self::of(Held::build(held), false, policy),
        }
    }

    /// The same assignments under another policy.
    pub(crate) fn under(&self, policy: &Compiled) -> Self {
        match self {
            Self::Held { held, named, .. } => Self::of(held.clone(), *named, policy),
            other @ Self::TokenOnly(_) => other.clone(),
        }
    }

    /// Other assignments under this policy, counted in the same way. Where only tokens count there are none to replace.
    pub(crate) fn with(&self, held: HeldAssignments, policy: &Compiled) -> Self {
        match self {
            Self::Held { named, .. } => Self::of(Held::build(held), *named, policy),
            other @ Self::TokenOnly(_) => other.clone(),
        }
    }

    /// After these changes. Where only tokens count nothing changes.
    pub(crate) fn after(&self, changes: &[Change], policy: &Compiled) -> Self {
        match self {
            Self::Held { held, ids, named } => {
                let held = held.apply(changes);
                if held.role_count() as usize == ids.len() {
                    return Self::Held { held, ids: ids.clone(), named: *named };
                }
                Self::of(held, *named, policy)
            }
            other @ Self::TokenOnly(_) => other.clone(),
        }
    }

    /// All roles of a tenant, or of those across tenants, that somebody holds at this time.
    pub(crate) fn held_at(
        &self,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        policy: &Compiled,
    ) -> Vec<Active> {
        let mut active = Vec::new();
        if let Self::Held { held, ids, .. } = self
            && let Some(roles) = held.of(tenant, subject)
        {
            let fits = |id: u32| policy.role(id).is_some_and(|role| role.is_system == tenant.is_empty());
            Counted { roles, ids, now }.for_each(|one| active.extend(fits(one.role).then_some(one)));
        }
        active
    }

    pub(crate) fn held(&self) -> Option<&Held> {
        match self {
            Self::Held { held, .. } => Some(held),
            Self::TokenOnly(_) => None,
        }
    }

    fn of(held: Held, named: bool, policy: &Compiled) -> Self {
        let ids = held.role_names().into_iter();
        let ids = ids.map(|name| policy.role_ids.get(name).copied().unwrap_or(UNKNOWN)).collect();
        Self::Held { held, ids, named }
    }

    /// Calls `each` with every role that counts; one that is held in two ways comes twice. What neither policy nor assignments
    /// know counts nothing, and neither does a role of another realm than the principal's.
    #[inline]
    pub(crate) fn for_each(
        &self,
        who: &Principal,
        now: UnixTime,
        policy: &Compiled,
        mut each: impl FnMut(Active),
    ) {
        let is_system = who.realm() == Realm::System;
        let mut each = |active: Active| {
            if !policy.has_system_roles && !is_system
                || policy.role(active.role).is_some_and(|role| role.is_system == is_system)
            {
                each(active);
            }
        };
        match self {
            Self::TokenOnly(issuers) => {
                if is_vouched_for(who, issuers) {
                    let named = who.roles().iter().filter_map(|role| policy.role_ids.get(role));
                    named.for_each(|role| each(Active { role: *role, until: UnixTime::MAX, is_idle: false }));
                }
            }
            Self::Held { held, ids, named } => {
                let tenant = if is_system { "" } else { who.tenant() };
                let Some(roles) = held.of(tenant, who.subject()) else { return };
                let held = Counted { roles, ids, now };
                // SECURITY: a key is made to do less than its owner may; what it does not name, it must not do.
                let is_named = *named || who.how() == Attestation::ApiKey;
                if is_named { held.named(who, policy, each) } else { held.for_each(each) }
            }
        }
    }
}

/// Tokens of listed issuers, and the sessions and API keys that they vouch for.
fn is_vouched_for(who: &Principal, issuers: &[String]) -> bool {
    matches!(who.how(), Attestation::Token | Attestation::Session | Attestation::ApiKey)
        && who.issuer().is_some_and(|issuer| issuers.iter().any(|trusted| *trusted == *issuer))
}

/// What one subject holds now.
struct Counted<'h> {
    roles: Roles<'h>,
    ids: &'h [u32],
    now: UnixTime,
}

impl Counted<'_> {
    #[inline]
    fn for_each(&self, mut each: impl FnMut(Active)) {
        self.roles.for_each(|Entry { role, bounds, .. }| {
            let role = self.ids.get(role as usize).copied().unwrap_or(UNKNOWN);
            if role != UNKNOWN && bounds.hold_at(self.now) {
                each(Active { role, until: bounds.until(), is_idle: false });
            }
        });
    }

    /// The roles that the credential names and that are held, or that a held one inherits.
    fn named(&self, who: &Principal, policy: &Compiled, mut each: impl FnMut(Active)) {
        let mut below: Option<Vec<Option<UnixTime>>> = None;
        for role in who.roles().iter().filter_map(|role| policy.role_ids.get(role)).copied() {
            let mut until = None;
            self.for_each(|held| {
                if held.role == role {
                    until = until.max(Some(held.until));
                }
            });
            let until = until.or_else(|| {
                let below = below.get_or_insert_with(|| self.inherited(policy));
                below.get(role as usize).copied().flatten()
            });
            if let Some(until) = until {
                each(Active { role, until, is_idle: false });
            }
        }
        // SECURITY: “suspended” must hold also for a credential that was issued before, or that leaves it out.
        if policy.has_restrictions {
            self.for_each(|held| each(Active { is_idle: true, ..held }));
        }
    }

    /// Until when each role is had through one that is held. Only asked when a credential names what is not assigned itself.
    fn inherited(&self, policy: &Compiled) -> Vec<Option<UnixTime>> {
        let mut held = Vec::new();
        self.for_each(|active| {
            // SECURITY: under the name of what it inherits, an emergency role would count without its conditions.
            if !policy.constraints.glass.contains_key(&active.role) {
                held.push((active.until, active.role));
            }
        });
        // The longest lasting first, so that each role is visited once.
        held.sort_unstable_by(|one, two| two.cmp(one));
        let mut had = vec![None; policy.roles.len()];
        for (until, role) in held {
            graph::each_below(role, &policy.roles, |role| match had.get_mut(role as usize) {
                Some(had @ None) => {
                    *had = Some(until);
                    true
                }
                _ => false,
            });
        }
        had
    }
}
