//! A policy, compiled: what every role may do to what, in dense numbers.

use std::{fmt, sync::Arc};

use bartizan_core::PermissionName;

use crate::{
    Error, ErrorKind, Matrix, TestOutcome, compile,
    document::{Document, Lines, MAX_FILE},
    names::Table,
    pattern::Entry,
    reach::{Owners, Reach},
    rights::Rights,
    shown::Shown,
    suite::{self, Case},
};

/// A policy that was read, checked as a whole, and compiled. Cheap to clone; the default one denies everything.
///
/// ```
/// use bartizan_rbac::Policy;
///
/// let policy = Policy::parse(r#"
///     version = 1
///     [permissions]
///     "note:read" = { scopes = ["own", "all"] }
///     [roles.reader]
///     allow = ["note:raed:all"]
/// "#);
/// assert_eq!(
///     policy.unwrap_err().to_string(),
///     r#"line 6: permission "note:raed:all" is not in the catalogue; did you mean "note:read:all"?"#,
/// );
/// ```
#[derive(Clone, Default)]
pub struct Policy(pub(crate) Arc<Compiled>);

/// INVARIANT(dense-ids): role and permission numbers are positions in `roles` and `permissions`, which are sorted by name;
/// so nothing depends on the order of the file.
pub(crate) struct Compiled {
    pub(crate) roles: Vec<Role>,
    /// Role numbers, the least powerful first.
    pub(crate) by_power: Vec<u32>,
    pub(crate) role_ids: Table<u32>,
    pub(crate) permissions: Vec<PermissionInfo>,
    /// Every text that may be asked for: catalogue names with and without scope, and aliases that have the form of a name.
    pub(crate) asks: Table<Asked>,
    pub(crate) aliases: Table<Box<str>>,
    pub(crate) rights: Rights,
    pub(crate) shown: Shown,
    pub(crate) cases: Vec<Case>,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: Box<str>,
    pub(crate) inherits: Vec<u32>,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct PermissionInfo {
    /// `resource:action`.
    pub(crate) name: Box<str>,
    pub(crate) resource: Box<str>,
    pub(crate) action: Box<str>,
    /// Sorted, without repeats, not empty.
    pub(crate) scopes: Vec<Reach>,
    pub(crate) owners: Owners,
}

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) permission: u32,
    /// At least that far; `Own` when no scope was said, since every grant reaches that far.
    pub(crate) at_least: Reach,
}

impl Policy {
    /// Reads, checks and compiles a policy file (TOML). The README has the format.
    ///
    /// Limits: 1 MiB, 10,000 roles, 50,000 permissions, 50,000 aliases, 10,000 tests, 16,777,216 pairs of role and
    /// permission, 8,388,608 times that one role inherits the fields of another under one permission, names of 64 bytes a
    /// segment. Time and memory are bounded by them; roles may inherit to any depth.
    ///
    /// # Errors
    /// [`ErrorKind`] says what is wrong and [`Error::line`] where: the first mistake that is found. A file with any
    /// mistake yields no policy at all.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_FILE {
            return Err(Error::new(ErrorKind::TooLarge, None, "the policy file is larger than 1 MiB"));
        }
        let lines = Lines::in_text(text);
        let document = Document::read(text, &lines)?;
        compile::compile(document, &lines).map(|compiled| Self(Arc::new(compiled)))
    }

    /// The names of all roles, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(|role| &*role.name)
    }

    /// The names of all permissions, without scopes, sorted.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.0.permissions.iter().map(|permission| &*permission.name)
    }

    /// The canonical name of a permission, a scoped permission, or an alias; nothing for any other text.
    #[must_use]
    pub fn resolve(&self, text: &str) -> Option<PermissionName<'_>> {
        let name = match self.0.aliases.get(text) {
            Some(target) => target,
            None => self.0.asks.entry_of(text)?.0,
        };
        PermissionName::parse(name).ok()
    }

    /// Who may do what, as a table for people: `to_string()` is Markdown.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        Matrix::of(self)
    }

    /// Asks the questions of the file's `[[tests]]` through a real engine, in the order of the file.
    #[must_use]
    pub fn run_tests(&self) -> Vec<TestOutcome> {
        suite::run(self)
    }
}

impl Compiled {
    pub(crate) fn role(&self, id: u32) -> Option<&Role> {
        self.roles.get(id as usize)
    }

    pub(crate) fn permission(&self, id: u32) -> Option<&PermissionInfo> {
        self.permissions.get(id as usize)
    }
}

impl Default for Compiled {
    fn default() -> Self {
        Self {
            roles: Vec::new(),
            by_power: Vec::new(),
            role_ids: Table::new(),
            permissions: Vec::new(),
            asks: Table::new(),
            aliases: Table::new(),
            rights: Rights::none(0, 0),
            shown: Shown::default(),
            cases: Vec::new(),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("roles", &self.0.roles.len())
            .field("permissions", &self.0.permissions.len())
            .finish_non_exhaustive()
    }
}
