//! What can go wrong in this crate.

use std::fmt;

use bartizan_core::Fault;

/// A policy was refused, or a question to the engine made no sense. It names what the operator wrote, with its line.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    line: Option<u32>,
    detail: Box<str>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is no TOML, or has a key or a value that the format does not know.
    #[error("the text is no policy")]
    Syntax,
    /// The file says another format version than 1.
    #[error("the format version is unknown")]
    Version,
    /// The text, or something in it, is beyond the limits of [`Policy::parse`](crate::Policy::parse).
    #[error("the policy is beyond its limits")]
    TooLarge,
    /// A name is not lower-case ASCII, or too long.
    #[error("a name is malformed")]
    Name,
    /// An entry names a permission that the catalogue does not have, or a wildcard matches nothing.
    #[error("a permission is unknown")]
    UnknownPermission,
    /// An entry names a role that the file does not have.
    #[error("a role is unknown")]
    UnknownRole,
    /// A field set names a kind of record that no permission speaks of.
    #[error("a kind of record is unknown")]
    UnknownKind,
    /// A scope is no scope, is not in the catalogue, or is left open where it must be said.
    #[error("a scope is missing or unknown")]
    Scope,
    /// Roles inherit from each other in a circle.
    #[error("roles inherit in a circle")]
    Cycle,
    /// The same thing is said twice.
    #[error("an entry stands twice")]
    Duplicate,
    /// An alias hides a permission, leads to none, or says another scope than it has.
    #[error("an alias is unusable")]
    Alias,
    /// The permissions of the policy and those of the program differ.
    #[error("the policy's catalogue and the program's differ")]
    Catalogue,
    /// A condition is malformed, or a rule names one that the file does not have.
    #[error("a condition is malformed or unknown")]
    Condition,
    /// A separation of duty, a prerequisite, a number of holders or a break-glass role is impossible or malformed.
    #[error("a constraint is impossible")]
    Constraint,
    /// A role is used in another realm than its own.
    #[error("a role is of another realm")]
    Realm,
    /// An assignment of the file is incomplete or breaks a constraint.
    #[error("an assignment is unusable")]
    Assignment,
    /// A test of the file did not come out as it says: nothing is wrong with its form.
    #[error("a policy test failed")]
    TestFailed,
    /// A policy test is incomplete.
    #[error("a policy test is incomplete")]
    Test,
    /// A source's revision is not newer than what is there.
    #[error("a revision is not newer")]
    Revision,
    /// “Any of” or “all of” was asked about no permission at all.
    #[error("a set of permissions is empty")]
    EmptySet,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, line: Option<u32>, detail: impl Into<Box<str>>) -> Self {
        Self { kind, line, detail: detail.into() }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The line of the policy file that is meant, counted from 1.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.line
    }

    /// Who has to act: always the caller, who wrote the policy or the question.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        Fault::Caller
    }

    /// Whether the same call may succeed a little later: never.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        false
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Error {}
