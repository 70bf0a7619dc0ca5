//! Requests, with the answers that are right.

use std::{cell::Cell, hint::black_box};

use crate::Names;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'r> {
    /// Who asks.
    pub user: &'r str,
    /// For what: `kind:action`.
    pub permission: &'r str,
    /// Whether it has to be allowed.
    pub allowed: bool,
    /// The role, by number, that allows it; where none does, the first that the user holds.
    pub role: u32,
    /// The permission, by number.
    pub number: u32,
}

impl<'r> Request<'r> {
    /// Reads it all, so that it is near.
    pub fn touch(&self) {
        black_box(self.user.bytes().chain(self.permission.bytes()).fold(0, u8::wrapping_add));
    }

    /// The permission's two parts.
    #[must_use]
    pub fn parts(&self) -> (&'r str, &'r str) {
        self.permission.split_once(':').unwrap_or((self.permission, ""))
    }
}

/// Requests in the order in which they are asked. Their texts lie in that order too, as those of a request that just came in
/// are near: what misses the caches is what an engine looks up.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    users: Names,
    permissions: Names,
    answers: Vec<(bool, u32, u32)>,
}

/// Places in a list, again and again.
#[derive(Debug)]
pub struct Turns {
    at: Cell<usize>,
    end: usize,
}

impl Turns {
    /// The places of a list of this length.
    #[must_use]
    pub const fn of(end: usize) -> Self {
        Self { at: Cell::new(0), end }
    }

    /// So many that come next, without going on.
    pub fn coming(&self, count: usize) -> impl Iterator<Item = usize> {
        let at = self.at.get();
        (at..at + count).map(|place| place.checked_rem(self.end).unwrap_or_default())
    }

    /// The next one.
    #[inline]
    pub fn next(&self) -> usize {
        let at = self.at.get();
        self.at.set(if at + 1 < self.end { at + 1 } else { 0 });
        at
    }
}

impl Requests {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The one with this number; empty and denied when there is none.
    #[must_use]
    #[inline]
    pub fn get(&self, number: usize) -> Request<'_> {
        let (allowed, role, permission) = self.answers.get(number).copied().unwrap_or_default();
        Request {
            user: self.users.get(number),
            permission: self.permissions.get(number),
            allowed,
            role,
            number: permission,
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Request<'_>> {
        (0..self.len()).map(|number| self.get(number))
    }
}

impl<'r> FromIterator<Request<'r>> for Requests {
    fn from_iter<I: IntoIterator<Item = Request<'r>>>(requests: I) -> Self {
        let mut all = Self::default();
        for request in requests {
            all.users.push(request.user);
            all.permissions.push(request.permission);
            all.answers.push((request.allowed, request.role, request.number));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coming_is_what_comes_next() {
        let turns = Turns::of(3);
        turns.next();
        let coming: Vec<usize> = turns.coming(4).collect();
        assert_eq!(coming, [1, 2, 0, 1]);
        assert_eq!(coming, [turns.next(), turns.next(), turns.next(), turns.next()]);
    }
}
