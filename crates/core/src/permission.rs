//! `resource:action[:scope]`: what somebody may do to what.

use std::fmt;

use crate::{Error, ErrorKind};

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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PermissionName<'a> {
    text: &'a str,
    resource: usize,
    action: usize,
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
    const fn parsed(text: &'a str) -> Option<Self> {
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
            1 => Some(Self { text, resource: ends[0], action: bytes.len(), scope: None }),
            2 => match Scope::from_word(text.split_at(ends[1] + 1).1) {
                Some(scope) => Some(Self { text, resource: ends[0], action: ends[1], scope: Some(scope) }),
                None => None,
            },
            _ => None,
        }
    }

    /// The whole name as it was given.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The first segment.
    #[must_use]
    pub fn resource(&self) -> &'a str {
        self.text.get(..self.resource).unwrap_or_default()
    }

    /// The second segment.
    #[must_use]
    pub fn action(&self) -> &'a str {
        self.text.get(self.resource + 1..self.action).unwrap_or_default()
    }

    /// `resource:action`, without the scope.
    #[must_use]
    pub fn unscoped(&self) -> &'a str {
        self.text.get(..self.action).unwrap_or_default()
    }

    /// The narrowest scope that is asked for, when one was written.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        self.scope
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
    use super::*;

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
