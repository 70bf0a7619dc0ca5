//! casbin with its own model for roles, as its benchmark has it: `plain` reads the rules for every request, `cached` keeps the
//! answers of the last 200 requests.

use std::error::Error;

use casbin::{CachedEnforcer, CoreApi, DefaultModel, Enforcer, MgmtApi};
use peer_bench::roles::{Answers, Library, Request, Size, World, run};

const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [path, "plain"] => run::<Casbin<Enforcer>>(&Answers::read(path)?),
        [path, "cached"] => run::<Casbin<CachedEnforcer>>(&Answers::read(path)?),
        _ => Err("usage: peer-casbin FILE plain|cached".into()),
    }
}

struct Casbin<E>(E);

impl<E: CoreApi + MgmtApi> Library for Casbin<E> {
    type Request<'r> = [&'r str; 3];

    fn cannot(size: Size) -> Option<&'static str> {
        (size == Size::Million).then_some("every request would read a million rules")
    }

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let mut enforcer = E::new(DefaultModel::from_str(MODEL).await?, ()).await?;
            // Once for all of them, as its own benchmark does it.
            enforcer.enable_auto_build_role_links(false);
            enforcer.add_policies(rules(world)).await?;
            enforcer.add_grouping_policies(holders(world)).await?;
            enforcer.build_role_links()?;
            Ok(Self(enforcer))
        })
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<[&'r str; 3], Box<dyn Error>> {
        let (kind, action) = request.parts();
        Ok([request.user, kind, action])
    }

    fn allows(&self, [user, kind, action]: &[&str; 3]) -> Result<bool, Box<dyn Error>> {
        Ok(self.0.enforce((*user, *kind, *action))?)
    }
}

fn rules(world: &World) -> Vec<Vec<String>> {
    let rules = world.roles().iter().enumerate().flat_map(|(at, role)| {
        world.allowed_by(at).map(move |permission| {
            let (kind, action) = permission.split_once(':').unwrap_or((permission, ""));
            [role, kind, action].map(str::to_owned).to_vec()
        })
    });
    rules.collect()
}

fn holders(world: &World) -> Vec<Vec<String>> {
    let holders = world
        .users()
        .iter()
        .enumerate()
        .flat_map(|(at, user)| world.held_by(at).map(move |role| vec![user.to_owned(), role.to_owned()]));
    holders.collect()
}
