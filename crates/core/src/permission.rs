//! `resource:action[:scope]`: what somebody may do to what.

use std::{
    fmt,
    hash::{Hash, Hasher},
    ptr,
};

use crate::{Error, ErrorKind, PermissionCatalogue};

/// How far a permission reaches. Each scope implies the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Records whose owner is the principal.
    Own,
    /// Records of one of the principal's teams.
    Team,
    /// All records of the principal's tenant.
    Tenant,
    /// The same as [`Scope::Tenant`]: no scope ever leaves the principal's tenant.
    All,
}

impl Scope {
    /// From the standard word.
    #[must_use]
    pub const fn from_word(word: &str) -> Option<Self> {
        match word.as_bytes() {
            b"own" => Some(Self::Own),
            b"team" => Some(Self::Team),
            b"tenant" => Some(Self::Tenant),
            b"all" => Some(Self::All),
            _ => None,
        }
    }

    /// The standard word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Team => "team",
            Self::Tenant => "tenant",
            Self::All => "all",
        }
    }
}

/// A permission's name, taken apart. Any lifetime, so that policies and commands can name permissions at run time.
///
/// Two names are equal when their texts are. Where a name comes from ([`PermissionName::index_in`]) is a short cut for engines and
/// no part of its meaning.
#[derive(Clone, Copy)]
pub struct PermissionName<'a> {
    text: &'a str,
    /// INVARIANT(catalogued-text): where there is a catalogue, `text` was taken from its entry at `index`.
    catalogue: Option<&'static PermissionCatalogue>,
    index: u32,
    /// Where the first segment ends, and where the second: at most 64 and 129.
    resource: u8,
    action: u8,
    scope: Option<Scope>,
}

/// Longest segment of a permission name, in bytes.
const MAX_SEGMENT: usize = 64;

impl<'a> PermissionName<'a> {
    /// Takes `resource:action[:scope]` apart. Each segment is `[a-z][a-z0-9_-]*` of at most 64 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] for anything else; wildcards belong to policies, not to names.
    pub const fn parse(text: &'a str) -> Result<Self, Error> {
        match Self::parsed(text) {
            Some(name) => Ok(name),
            None => Err(Error::new(ErrorKind::Permission)),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a const fn has no get(); every index is below text.len()")]
    pub(crate) const fn parsed(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (mut ends, mut colons, mut start, mut at) = ([0; 2], 0, 0, 0);
        while at <= bytes.len() {
            if at == bytes.len() || bytes[at] == b':' {
                if at == start || at - start > MAX_SEGMENT {
                    return None;
                }
                if at < bytes.len() {
                    if colons == 2 {
                        return None;
                    }
                    ends[colons] = at;
                    colons += 1;
                }
                start = at + 1;
            } else {
                let fits = match bytes[at] {
                    b'a'..=b'z' => true,
                    b'0'..=b'9' | b'_' | b'-' => at > start,
                    _ => false,
                };
                if !fits {
                    return None;
                }
            }
            at += 1;
        }
        match colons {
            1 => Some(Self::at(text, ends[0], bytes.len(), None)),
            2 => match Scope::from_word(text.split_at(ends[1] + 1).1) {
                Some(scope) => Some(Self::at(text, ends[0], ends[1], Some(scope))),
                None => None,
            },
            _ => None,
        }
    }

    /// Both ends are at most `2 * MAX_SEGMENT + 1`, which a byte holds.
    const fn at(text: &'a str, resource: usize, action: usize, scope: Option<Scope>) -> Self {
        Self { text, catalogue: None, index: 0, resource: resource as u8, action: action as u8, scope }
    }

    /// The whole name as it was given.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The first segment.
    #[must_use]
    pub fn resource(&self) -> &'a str {
        self.text.get(..self.resource.into()).unwrap_or_default()
    }

    /// The second segment.
    #[must_use]
    pub fn action(&self) -> &'a str {
        self.text.get(usize::from(self.resource) + 1..self.action.into()).unwrap_or_default()
    }

    /// `resource:action`, without the scope.
    #[must_use]
    pub fn unscoped(&self) -> &'a str {
        self.text.get(..self.action.into()).unwrap_or_default()
    }

    /// The narrowest scope that is asked for, when one was written.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        self.scope
    }

    /// Whether this is the other name, which has no scope, with a scope behind it.
    #[expect(clippy::indexing_slicing, reason = "A const fn has no get(); the index is below both lengths.")]
    pub(crate) const fn is_scoped_form_of(&self, other: &PermissionName<'_>) -> bool {
        let (text, base) = (self.text.as_bytes(), other.text.as_bytes());
        if self.scope.is_none() || self.action as usize != base.len() {
            return false;
        }
        let mut at = 0;
        while at < base.len() {
            if text[at] != base[at] {
                return false;
            }
            at += 1;
        }
        true
    }

    /// The number of this permission's entry in this very catalogue, if the name was taken from there ([`Permission::of`]).
    ///
    /// An engine that has looked up a catalogue's names once answers by this number and hashes nothing. The scope is not part of the
    /// entry: see [`PermissionName::scope`]. A name that was parsed has no number, and neither has one of an equal catalogue at
    /// another place in memory; their text says what they mean.
    #[must_use]
    #[inline]
    pub fn index_in(&self, catalogue: &'static PermissionCatalogue) -> Option<u32> {
        self.catalogue.is_some_and(|own| ptr::eq(own, catalogue)).then_some(self.index)
    }
}

impl PartialEq for PermissionName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PermissionName<'_> {}

impl Hash for PermissionName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for PermissionName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text, f)
    }
}

impl fmt::Display for PermissionName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Whether a use of a permission must be on record before it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Importance {
    /// The record is queued before the grant exists.
    Standard,
    /// The record is durable before the grant exists: [`Authorizer::decide_durably`](crate::Authorizer::decide_durably).
    Critical,
}

/// A permission that a program asks for, fixed at compile time.
///
/// ```
/// use bartizan_core::Permission;
///
/// const READ: Permission = Permission::literal("patient:read");
/// const ERASE: Permission = Permission::literal("patient:erase").critical();
/// assert_eq!(READ.name().action(), "read");
/// ```
///
/// A misspelt name does not compile:
///
/// ```compile_fail
/// const READ: bartizan_core::Permission = bartizan_core::Permission::literal("Patient.read");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permission {
    name: PermissionName<'static>,
    importance: Importance,
}

impl Permission {
    /// A permission from its literal name.
    ///
    /// # Panics
    /// When the name is malformed: in a `const` that is a compile error. Use [`Permission::parse`] for run-time names.
    #[must_use]
    #[expect(clippy::panic, reason = "evaluated at compile time, where a panic is the error message")]
    pub const fn literal(name: &'static str) -> Self {
        match PermissionName::parsed(name) {
            Some(name) => Self { name, importance: Importance::Standard },
            None => panic!("a permission is resource:action[:scope] in lower-case ASCII"),
        }
    }

    /// A permission from its name.
    ///
    /// # Errors
    /// [`ErrorKind::Permission`] when the name is malformed.
    pub const fn parse(name: &'static str) -> Result<Self, Error> {
        match PermissionName::parse(name) {
            Ok(name) => Ok(Self { name, importance: Importance::Standard }),
            Err(error) => Err(error),
        }
    }

    /// A permission of a catalogue, by its number there; importance as the entry says.
    ///
    /// The text always comes from the catalogue, so number and name cannot disagree. `#[derive(Permissions)]` of `bartizan-rbac`
    /// writes the catalogue and this call.
    ///
    /// # Panics
    /// When the catalogue has no such number: in a `const` that is a compile error. Use [`PermissionCatalogue::get`] for run-time
    /// numbers.
    #[must_use]
    #[expect(clippy::panic, reason = "Meant for constants, where a panic is the compiler's message.")]
    pub const fn of(catalogue: &'static PermissionCatalogue, index: usize) -> Self {
        match catalogue.get(index) {
            Some(permission) => permission,
            None => panic!("the catalogue has no permission of this number"),
        }
    }

    /// INVARIANT(catalogued-text): only the catalogue calls this, with a name of its entry at this index.
    pub(crate) const fn catalogued(
        mut name: PermissionName<'static>,
        importance: Importance,
        catalogue: &'static PermissionCatalogue,
        index: u32,
    ) -> Self {
        name.catalogue = Some(catalogue);
        name.index = index;
        Self { name, importance }
    }

    /// The same permission of the same catalogue, asking for at least this scope: `patient:read` becomes `patient:read:all`.
    ///
    /// ```
    /// use bartizan_core::{CatalogueEntry, Permission, PermissionCatalogue, Scope};
    ///
    /// static CLINIC: PermissionCatalogue = PermissionCatalogue::new(&[
    ///     CatalogueEntry::new("patient:read").scoped(&["patient:read:own", "patient:read:all"]),
    /// ]);
    /// const READ_ALL: Permission = Permission::of(&CLINIC, 0).at_least(Scope::All);
    /// assert_eq!(READ_ALL.name().as_str(), "patient:read:all");
    /// ```
    ///
    /// # Panics
    /// When the permission is of no catalogue, or its entry does not list the scope: in a `const` that is a compile error.
    #[must_use]
    #[expect(clippy::panic, reason = "Meant for constants, where a panic is the compiler's message.")]
    pub const fn at_least(self, scope: Scope) -> Self {
        let scoped = match self.name.catalogue {
            Some(catalogue) => catalogue.scoped(self.name.index, scope, self.importance),
            None => None,
        };
        match scoped {
            Some(permission) => permission,
            None => panic!("the permission's catalogue does not list this scope for it"),
        }
    }

    /// The same permission, whose every use must be durable on record first.
    #[must_use]
    pub const fn critical(self) -> Self {
        Self { name: self.name, importance: Importance::Critical }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> PermissionName<'static> {
        self.name
    }

    /// Whether its use must be durable on record first.
    #[must_use]
    pub const fn importance(&self) -> Importance {
        self.importance
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.text)
    }
}

#[cfg(test)]
mod tests {
    use std::{hash::BuildHasher, mem::size_of};

    use super::*;

    #[test]
    fn a_name_stays_small() {
        // Every question carries one by value.
        assert!(size_of::<PermissionName<'_>>() <= 32, "{}", size_of::<PermissionName<'_>>());
        assert!(size_of::<Permission>() <= 40, "{}", size_of::<Permission>());
    }

    #[test]
    fn the_longest_segments_are_taken_apart() {
        let text = format!("{}:{}:tenant", "r".repeat(64), "a".repeat(64));
        let name = PermissionName::parse(&text).unwrap();
        assert_eq!((name.resource(), name.action()), (&*"r".repeat(64), &*"a".repeat(64)));
        assert_eq!((name.unscoped().len(), name.scope()), (129, Some(Scope::Tenant)));
    }

    #[test]
    fn the_text_alone_tells_names_apart() {
        use crate::CatalogueEntry;
        static ONE: PermissionCatalogue =
            PermissionCatalogue::new(&[CatalogueEntry::new("user:read"), CatalogueEntry::new("user:erase")]);
        static TWO: PermissionCatalogue =
            PermissionCatalogue::new(&[CatalogueEntry::new("user:erase"), CatalogueEntry::new("user:read")]);
        let (parsed, one, two) =
            (Permission::literal("user:read"), Permission::of(&ONE, 0), Permission::of(&TWO, 1));
        let hasher = std::hash::RandomState::new();
        for other in [one, two] {
            assert_eq!(parsed, other);
            assert_eq!(hasher.hash_one(parsed), hasher.hash_one(other));
            assert_eq!(format!("{parsed:?} {:?}", parsed.name()), format!("{other:?} {:?}", other.name()));
        }
        assert_ne!(one, Permission::of(&TWO, 0));
        assert_ne!(one, one.critical());
    }

    #[test]
    fn a_name_is_taken_apart() {
        let name = PermissionName::parse("user:read:own").unwrap();
        assert_eq!((name.resource(), name.action(), name.scope()), ("user", "read", Some(Scope::Own)));
        assert_eq!(name.unscoped(), "user:read");
        let name = PermissionName::parse("system:manage-secrets").unwrap();
        assert_eq!((name.resource(), name.action(), name.scope()), ("system", "manage-secrets", None));
    }

    #[test]
    fn near_misses_are_refused() {
        let long = format!("{}:read", "a".repeat(65));
        for bad in [
            "",
            ":",
            "user",
            "user:",
            ":read",
            "user::own",
            "user:read:",
            "user:read:mine",
            "user:read:own:x",
            "User:read",
            "user:réad",
            "user:read ",
            " user:read",
            "user:read\n",
            "user:\0",
            "*:read",
            "user:*",
            "1user:read",
            "user:-read",
            "\u{212a}:read",
            &long,
        ] {
            assert!(PermissionName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn scopes_widen() {
        assert!(Scope::Own < Scope::Team && Scope::Team < Scope::Tenant && Scope::Tenant < Scope::All);
    }
}
