//! gatehouse, which keeps neither users nor roles: they stand in hash maps beside it. `rbac-policy` is its own policy for roles;
//! `predicate` is a predicate over the same two hash maps and bits that are the yardstick, so what it takes beyond the yardstick
//! is gatehouse's own.

use std::{collections::HashMap, error::Error, sync::Arc};

use gatehouse::{EvaluationSession, PermissionChecker, PolicyBuilder, PolicyDomain, RbacPolicy};
use peer_bench::roles::{Answers, Library, Maps, Request, World, run};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [path, "rbac-policy"] => run::<OwnPolicy>(&Answers::read(path)?),
        [path, "predicate"] => run::<Predicate>(&Answers::read(path)?),
        _ => Err("usage: peer-gatehouse FILE rbac-policy|predicate".into()),
    }
}

/// Subject and resource are names, as they come in with a request.
struct Names;

impl PolicyDomain for Names {
    type Subject = Box<str>;
    type Action = ();
    type Resource = Box<str>;
    type Context = ();
}

struct Gate {
    checker: PermissionChecker<Names>,
    session: EvaluationSession,
}

impl Gate {
    fn allows(&self, (user, permission): &(Box<str>, Box<str>)) -> bool {
        let bound = self.checker.bind(&self.session, user, &(), &());
        pollster::block_on(bound.check(permission)).is_granted()
    }
}

fn owned(request: Request<'_>) -> (Box<str>, Box<str>) {
    (request.user.into(), request.permission.into())
}

struct OwnPolicy(Gate);

impl Library for OwnPolicy {
    type Request<'r> = (Box<str>, Box<str>);

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        let mut needed: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        for (role, closure) in world.closures().into_iter().enumerate() {
            for permission in closure {
                let name = world.permissions().get(permission as usize);
                needed.entry(name.into()).or_default().push(role as u32);
            }
        }
        let held: HashMap<Box<str>, Vec<u32>> = world
            .users()
            .iter()
            .enumerate()
            .map(|(at, name)| (name.into(), world.held(at).to_vec()))
            .collect();
        let mut checker = PermissionChecker::new();
        checker.add_policy(RbacPolicy::<Names, _, _>::new(
            move |_: &(), permission: &Box<str>| needed.get(permission).cloned().unwrap_or_default(),
            move |user: &Box<str>| held.get(user).cloned().unwrap_or_default(),
        ));
        Ok(Self(Gate { checker, session: EvaluationSession::empty() }))
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<Self::Request<'r>, Box<dyn Error>> {
        Ok(owned(request))
    }

    fn allows(&self, request: &Self::Request<'_>) -> Result<bool, Box<dyn Error>> {
        Ok(self.0.allows(request))
    }
}

struct Predicate(Gate);

impl Library for Predicate {
    type Request<'r> = (Box<str>, Box<str>);

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        let maps = Arc::new(Maps::new(world));
        let mut checker = PermissionChecker::new();
        checker.add_policy(
            PolicyBuilder::<Names>::new("roles")
                .when(move |user, (), permission, ()| maps.allow(user, permission))
                .build(),
        );
        Ok(Self(Gate { checker, session: EvaluationSession::empty() }))
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<Self::Request<'r>, Box<dyn Error>> {
        Ok(owned(request))
    }

    fn allows(&self, request: &Self::Request<'_>) -> Result<bool, Box<dyn Error>> {
        Ok(self.0.allows(request))
    }
}
