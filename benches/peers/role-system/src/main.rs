//! role-system, with its cache, which it has by default and without which every request copies the roles.

use std::{error::Error, thread, time::Duration};

use peer_bench::roles::{Answers, Library, Request, Size, World, run};
use role_system::{MemoryStorage, Permission, Resource, Role, RoleSystem, Subject};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the input's path is missing")?;
    after_an_inheritance_was_removed()?;
    after_an_elevation_ended()?;
    run::<Roles>(&Answers::read(&path)?)
}

struct Roles(RoleSystem<MemoryStorage>);

impl Library for Roles {
    type Request<'r> = (Subject, &'r str, Resource);

    fn cannot(size: Size) -> Option<&'static str> {
        (size == Size::Million)
            .then_some("it builds for twenty seconds, and what is not in its cache takes 0.1 ms")
    }

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        let mut system = RoleSystem::new();
        for (at, name) in world.roles().iter().enumerate() {
            let mut role = Role::new(name);
            for permission in world.allowed_by(at) {
                let (kind, action) = permission.split_once(':').unwrap_or((permission, ""));
                role = role.add_permission(Permission::try_new(action, kind)?);
            }
            system.register_role(role)?;
            for parent in world.inherited_by(at) {
                system.add_role_inheritance(name, parent)?;
            }
        }
        for (at, name) in world.users().iter().enumerate() {
            let user = Subject::user(name);
            for role in world.held_by(at) {
                system.assign_role(&user, role)?;
            }
        }
        Ok(Self(system))
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<Self::Request<'r>, Box<dyn Error>> {
        let (kind, action) = request.parts();
        Ok((Subject::user(request.user), action, Resource::new_checked("1", kind)?))
    }

    fn allows(&self, (user, action, resource): &Self::Request<'_>) -> Result<bool, Box<dyn Error>> {
        Ok(self.0.check_permission(user, action, resource)?)
    }
}

/// A nurse who inherits what staff may, asked before and after that ends.
fn after_an_inheritance_was_removed() -> Result<(), Box<dyn Error>> {
    let mut system = hospital()?;
    system.add_role_inheritance("nurse", "staff")?;
    let florence = Subject::user("florence");
    system.assign_role(&florence, "nurse")?;
    let record = Resource::new("1", "record");
    if !system.check_permission(&florence, "read", &record)? {
        return Err("an inherited right is denied".into());
    }
    system.remove_role_inheritance("nurse", "staff")?;
    if system.check_permission(&florence, "read", &record)? {
        println!(
            "NOTE it goes on granting an inherited right after the inheritance was removed, for as long as its cache"
        );
    }
    Ok(())
}

/// Somebody who is staff for a millisecond, asked before and after that.
fn after_an_elevation_ended() -> Result<(), Box<dyn Error>> {
    let mut system = hospital()?;
    let florence = Subject::user("florence");
    let record = Resource::new("1", "record");
    system.elevate_role(&florence, "staff", Some(Duration::from_millis(50)))?;
    if !system.check_permission(&florence, "read", &record)? {
        return Err("an elevation grants nothing".into());
    }
    thread::sleep(Duration::from_millis(60));
    if system.check_permission(&florence, "read", &record)? {
        println!("NOTE it goes on granting after an elevation ended, for as long as its cache");
    }
    Ok(())
}

fn hospital() -> Result<RoleSystem<MemoryStorage>, Box<dyn Error>> {
    let mut system = RoleSystem::new();
    system.register_role(Role::new("staff").add_permission(Permission::try_new("read", "record")?))?;
    system.register_role(Role::new("nurse"))?;
    Ok(system)
}
