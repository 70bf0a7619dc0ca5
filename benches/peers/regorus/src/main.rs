//! regorus: one rule in Rego, compiled for its virtual machine; users and roles are data.

use std::{cell::RefCell, error::Error};

use peer_bench::roles::{Answers, Library, Request, World, run};
use regorus::{Engine, Value, languages::rego::compiler::Compiler, rvm::vm::RegoVM};

const RULE: &str = "
package access
default allow := false
allow if {
    some role in data.users[input.user]
    data.roles[role][input.permission]
}
";

const ENTRY: &str = "data.access.allow";

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the input's path is missing")?;
    run::<Rego>(&Answers::read(&path)?)
}

/// Its machine wants to be borrowed mutably for every request.
struct Rego(RefCell<RegoVM>);

impl Library for Rego {
    type Request<'r> = Value;

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        let mut engine = Engine::new();
        engine.add_policy("access.rego".to_owned(), RULE.to_owned())?;
        let compiled = engine.compile_with_entrypoint(&ENTRY.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine.set_data(data(world)?)?;
        Ok(Self(RefCell::new(machine)))
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<Value, Box<dyn Error>> {
        object([("user", Value::from(request.user)), ("permission", Value::from(request.permission))])
    }

    fn allows(&self, request: &Value) -> Result<bool, Box<dyn Error>> {
        let mut machine = self.0.borrow_mut();
        machine.set_input(request.clone());
        Ok(*machine.execute()?.as_bool()?)
    }
}

/// What every role may, inherited or not, and the roles of every user.
fn data(world: &World) -> Result<Value, Box<dyn Error>> {
    let roles = world.roles().iter().zip(world.closures()).map(|(name, closure)| {
        let permissions = closure.iter().map(|at| (world.permissions().get(*at as usize), Value::from(true)));
        Ok((name, object(permissions)?))
    });
    let roles = object(roles.collect::<Result<Vec<_>, Box<dyn Error>>>()?)?;
    let users = world.users().iter().enumerate().map(|(at, name)| {
        let held = world.held_by(at).map(Value::from);
        (name, Value::from(held.collect::<Vec<_>>()))
    });
    object([("users", object(users)?), ("roles", roles)])
}

fn object<'n>(members: impl IntoIterator<Item = (&'n str, Value)>) -> Result<Value, Box<dyn Error>> {
    let mut object = Value::new_object();
    let map = object.as_object_mut()?;
    for (name, value) in members {
        map.insert(Value::from(name), value);
    }
    Ok(object)
}
