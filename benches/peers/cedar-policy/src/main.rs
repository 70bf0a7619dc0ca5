//! Cedar in two shapes. `one-policy`: users are in roles, roles in permissions, and a single policy asks whether the principal
//! is in the permission; the fastest shape that was found. `policy-a-role`: a policy says for each role what it may do, as one
//! would write it first.

use std::{collections::HashSet, error::Error, str::FromStr as _};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicySet,
};
use peer_bench::roles::{Answers, Library, Request, Size, World, run};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [path, "one-policy"] => run::<Cedar<OnePolicy>>(&Answers::read(path)?),
        [path, "policy-a-role"] => run::<Cedar<PolicyARole>>(&Answers::read(path)?),
        _ => Err("usage: peer-cedar-policy FILE one-policy|policy-a-role".into()),
    }
}

struct Cedar<S> {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    types: Types,
    _shape: S,
}

/// The names of types, parsed once.
struct Types {
    user: EntityTypeName,
    role: EntityTypeName,
    permission: EntityTypeName,
    action: EntityTypeName,
}

trait Shape: Default {
    fn policies(world: &World) -> Result<PolicySet, Box<dyn Error>>;
    /// Whether a role is in its permissions.
    const ROLES_HAVE_PARENTS: bool;
}

#[derive(Default)]
struct OnePolicy;

impl Shape for OnePolicy {
    const ROLES_HAVE_PARENTS: bool = true;

    fn policies(_world: &World) -> Result<PolicySet, Box<dyn Error>> {
        Ok(PolicySet::from_str("permit(principal, action, resource) when { principal in resource };")?)
    }
}

#[derive(Default)]
struct PolicyARole;

impl Shape for PolicyARole {
    const ROLES_HAVE_PARENTS: bool = false;

    fn policies(world: &World) -> Result<PolicySet, Box<dyn Error>> {
        let policies = world.roles().iter().enumerate().map(|(at, role)| {
            let permissions: Vec<String> =
                world.allowed_by(at).map(|permission| format!("Permission::\"{permission}\"")).collect();
            Policy::from_str(&format!(
                "@id(\"{role}\") permit(principal in Role::\"{role}\", action, resource) when {{ [{}].contains(resource) }};",
                permissions.join(", ")
            ))
            .map(|policy| policy.new_id(cedar_policy::PolicyId::new(role)))
        });
        Ok(PolicySet::from_policies(policies.collect::<Result<Vec<_>, _>>()?)?)
    }
}

impl Types {
    fn new() -> Result<Self, Box<dyn Error>> {
        let named = EntityTypeName::from_str;
        Ok(Self {
            user: named("User")?,
            role: named("Role")?,
            permission: named("Permission")?,
            action: named("Action")?,
        })
    }

    fn uid(of: &EntityTypeName, name: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(of.clone(), EntityId::new(name))
    }

    fn entities(&self, world: &World, roles_have_parents: bool) -> Vec<Entity> {
        let permissions = world
            .permissions()
            .iter()
            .map(|name| Entity::new_no_attrs(Self::uid(&self.permission, name), HashSet::new()));
        let roles = world.roles().iter().enumerate().map(|(at, name)| {
            let allows = world.allowed_by(at).filter(|_| roles_have_parents);
            let parents = allows.map(|permission| Self::uid(&self.permission, permission));
            Entity::new_no_attrs(Self::uid(&self.role, name), parents.collect())
        });
        let users = world.users().iter().enumerate().map(|(at, name)| {
            let held = world.held_by(at).map(|role| Self::uid(&self.role, role));
            Entity::new_no_attrs(Self::uid(&self.user, name), held.collect())
        });
        permissions.chain(roles).chain(users).collect()
    }
}

impl<S: Shape> Library for Cedar<S> {
    type Request<'r> = cedar_policy::Request;

    fn cannot(size: Size) -> Option<&'static str> {
        (size == Size::Million).then_some("every user would have 1,200 ancestors in memory")
    }

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        let types = Types::new()?;
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: S::policies(world)?,
            entities: Entities::from_entities(types.entities(world, S::ROLES_HAVE_PARENTS), None)?,
            types,
            _shape: S::default(),
        })
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<cedar_policy::Request, Box<dyn Error>> {
        Ok(cedar_policy::Request::new(
            Types::uid(&self.types.user, request.user),
            Types::uid(&self.types.action, "ask"),
            Types::uid(&self.types.permission, request.permission),
            Context::empty(),
            None,
        )?)
    }

    fn allows(&self, request: &cedar_policy::Request) -> Result<bool, Box<dyn Error>> {
        let response = self.authorizer.is_authorized(request, &self.policies, &self.entities);
        match response.diagnostics().errors().next() {
            // Cedar leaves out a policy that fails.
            Some(error) => Err(error.to_string().into()),
            None => Ok(response.decision() == Decision::Allow),
        }
    }
}
