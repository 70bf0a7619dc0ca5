//! Our side, for this bench and for `benches/peers/bartizan-rbac`.

use std::{error::Error, hint::black_box};

use bartizan_bench_worlds::{Request, Size, World};
use bartizan_core::{
    Ask, Attestation, Owner, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource, UnixTime,
    Verdict,
};
use bartizan_rbac::{Assignments, Engine, HeldAssignments, Policy, PolicyBuilder, RoleBuilder, presets};

/// Everybody's.
pub(crate) const TENANT: &str = "north";

/// When everybody asks.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// What the guard has made of a request before anybody decides.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    who: Principal,
    permission: PermissionName<'r>,
    kind: &'r str,
}

impl<'r> Asked<'r> {
    /// Of a user whose token names no role.
    pub(crate) fn new(request: Request<'r>) -> Result<Self, Box<dyn Error>> {
        let facts = PrincipalFacts::new(TENANT, request.user);
        Ok(Self {
            who: Principal::attested(Attestation::Token, facts)?,
            permission: PermissionName::parse(request.permission)?,
            kind: request.parts().0,
        })
    }

    /// Who asks.
    pub(crate) const fn who(&self) -> &Principal {
        &self.who
    }

    /// For what.
    pub(crate) const fn permission(&self) -> PermissionName<'r> {
        self.permission
    }

    /// Reads what a decision may read of it, as the guard just did that made it.
    pub(crate) fn touch(&self) {
        let who = &self.who;
        black_box((
            who.subject().len(),
            who.tenant().len(),
            who.realm(),
            who.expires(),
            who.actor().is_some(),
        ));
        black_box(who.subject().bytes().chain(who.tenant().bytes()).fold(0, u8::wrapping_add));
        black_box((who.roles().iter().count(), who.teams().iter().count(), who.how(), who.issuer()));
        black_box(self.permission.as_str().bytes().chain(self.kind.bytes()).fold(0, u8::wrapping_add));
    }

    /// The question. Everybody asks for their own record, as the guides' policy wants to know it; no other asks for an owner.
    #[inline]
    pub(crate) fn ask(&self) -> Ask<'_> {
        let on = Resource::record(TENANT, self.kind, "1").owned_by(Owner::Asserted(self.who.subject()));
        Ask::new(&self.who, self.permission, on, NOW)
    }
}

/// Whether it is allowed.
#[inline]
pub(crate) fn allows(engine: &impl PolicyEngine, asked: &Asked<'_>) -> bool {
    matches!(engine.decide(&asked.ask()).0, Verdict::Allow { .. })
}

/// The world in an engine, from its names to the first answer. All roles that somebody holds count, whatever their token names:
/// nobody else's engine knows of tokens.
pub(crate) fn engine(world: &World) -> Result<Engine, Box<dyn Error>> {
    Ok(Engine::new(policy(world, &[])?, Assignments::HeldOnly(held(world))))
}

/// What the roles may, and what some may besides, by number and permission.
pub(crate) fn policy(world: &World, besides: &[(usize, &str)]) -> Result<Policy, Box<dyn Error>> {
    if world.size() == Size::Guides {
        return Ok(presets::best_practices());
    }
    let mut policy = PolicyBuilder::new();
    for permission in world.permissions().iter() {
        policy = policy.permission(permission, []);
    }
    for (at, name) in world.roles().iter().enumerate() {
        let role = world.inherited_by(at).fold(RoleBuilder::new(name), RoleBuilder::inherits);
        let more = besides.iter().filter(|(role, _)| *role == at).map(|(_, permission)| *permission);
        policy = policy.role(world.allowed_by(at).chain(more).fold(role, RoleBuilder::allow));
    }
    Ok(policy.build()?)
}

/// Who holds which role.
fn held(world: &World) -> HeldAssignments {
    let users = world.users().iter().enumerate();
    users.flat_map(|(at, user)| world.held_by(at).map(move |role| (TENANT, user, role))).collect()
}
