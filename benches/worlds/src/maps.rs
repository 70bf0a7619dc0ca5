//! What one writes by hand, and what nothing can be faster than.

use std::collections::HashMap;

use crate::{
    World,
    world::{at, number},
};

/// Two hash maps, from user to roles and from permission to bit, and a bit for each role and permission. The maps are std's,
/// whose hashes are seeded: names come from outside.
#[derive(Debug)]
pub struct Maps {
    users: HashMap<Box<str>, Box<[u32]>>,
    permissions: HashMap<Box<str>, u32>,
    bits: Bits,
}

/// A row of bits for each role.
#[derive(Clone, Debug)]
pub struct Bits {
    words_per_row: usize,
    words: Vec<u64>,
}

impl Maps {
    /// With all that inherited roles allow worked out.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let owned = |(place, name): (usize, &str)| (name.into(), number(place));
        Self {
            users: world
                .users()
                .iter()
                .enumerate()
                .map(|(at, name)| (name.into(), world.held(at).into()))
                .collect(),
            permissions: world.permissions().iter().enumerate().map(owned).collect(),
            bits: Bits::new(world),
        }
    }

    /// Whether one of the user's roles allows it.
    #[must_use]
    #[inline]
    pub fn allow(&self, user: &str, permission: &str) -> bool {
        let Some(roles) = self.users.get(user) else { return false };
        let Some(permission) = self.permissions.get(permission) else { return false };
        roles.iter().any(|role| self.bits.has(*role, *permission))
    }

    /// Gives a user one more role.
    pub fn assign(&mut self, user: &str, role: u32) {
        let roles = self.users.entry(user.into()).or_default();
        if !roles.contains(&role) {
            *roles = roles.iter().copied().chain([role]).collect();
        }
    }

    /// Takes it again.
    pub fn revoke(&mut self, user: &str, role: u32) {
        if let Some(roles) = self.users.get_mut(user) {
            *roles = roles.iter().copied().filter(|held| *held != role).collect();
        }
    }
}

impl Bits {
    /// With all that inherited roles allow worked out.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let words_per_row = world.permissions().len().div_ceil(64);
        let mut bits = Self { words_per_row, words: vec![0; words_per_row * world.roles().len()] };
        for (role, closure) in world.closures().into_iter().enumerate() {
            for permission in closure {
                let place = role * words_per_row + at(permission / 64);
                if let Some(word) = bits.words.get_mut(place) {
                    *word |= 1 << (permission % 64);
                }
            }
        }
        bits
    }

    /// Whether this role, by number, allows this permission.
    #[must_use]
    #[inline]
    pub fn has(&self, role: u32, permission: u32) -> bool {
        let word = self.words.get(at(role) * self.words_per_row + at(permission / 64));
        word.is_some_and(|word| word >> (permission % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;

    #[test]
    fn maps_answer_as_the_sets_do() {
        for size in [Size::Guides, Size::Small, Size::Medium] {
            let world = World::new(size);
            let mut maps = Maps::new(&world);
            for request in [world.hot(), world.rotating(2_000)].iter().flat_map(|requests| requests.iter()) {
                assert_eq!(maps.allow(request.user, request.permission), request.allowed, "{request:?}");
            }
            assert!(!maps.allow("nobody", world.permissions().get(0)));
            maps.assign("nobody", 0);
            assert!(maps.allow("nobody", world.permissions().get(0)));
            maps.revoke("nobody", 0);
            assert!(!maps.allow("nobody", world.permissions().get(0)));
        }
    }
}
