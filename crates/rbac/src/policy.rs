//! A policy, compiled: what every role may do to what, in dense numbers.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bartizan_core::{Ask, PermissionCatalogue, PermissionName, UnixTime};

use crate::{
    Error, ErrorKind, HeldAssignments, Matrix, Permissions, PolicyText, TestOutcome,
    asks::{Asks, Found},
    compile,
    condition::{Condition, Truth},
    constraint::Constraints,
    document::{Document, Lines, MAX_FILE},
    json,
    names::Table,
    pattern::Entry,
    reach::{Owners, Reach},
    rights::{Rights, Spoken},
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
    /// Of this policy alone, in this program.
    pub(crate) generation: u32,
    pub(crate) roles: Vec<Role>,
    /// Role numbers, the least powerful first.
    pub(crate) by_power: Vec<u32>,
    pub(crate) role_ids: Table<u32>,
    pub(crate) permissions: Vec<PermissionInfo>,
    /// Every text that may be asked for: catalogue names with and without scope, and aliases that have the form of a name.
    pub(crate) asks: Asks,
    /// The program's own catalogue, and the permission that each of its numbers stands for.
    pub(crate) typed: Option<Typed>,
    pub(crate) aliases: Table<Box<str>>,
    /// Sorted by name.
    pub(crate) conditions: Vec<Condition>,
    pub(crate) when: Vec<WhenSet>,
    pub(crate) constraints: Constraints,
    pub(crate) has_system_roles: bool,
    /// Some role denies or hides something.
    pub(crate) has_restrictions: bool,
    pub(crate) rights: Rights,
    /// Made by those who ask the other way round: which roles speak of a permission.
    pub(crate) spoken: OnceLock<Spoken>,
    pub(crate) shown: Shown,
    /// What the file itself assigns.
    pub(crate) held: HeldAssignments,
    pub(crate) cases: Vec<Case>,
}

/// The numbers of the conditions of a rule, sorted: all of them must hold.
pub(crate) type WhenSet = Box<[u32]>;

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: Box<str>,
    pub(crate) inherits: Vec<u32>,
    pub(crate) entries: Vec<Entry>,
    /// Counts for those who act across tenants, and for nobody else.
    pub(crate) is_system: bool,
    pub(crate) line: Option<u32>,
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
    pub(crate) line: Option<u32>,
}

/// A program's catalogue, and the permission that each of its numbers stands for.
pub(crate) type Typed = (&'static PermissionCatalogue, Box<[u32]>);

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) permission: u32,
    /// At least that far; `Own` when no scope was said, since every grant reaches that far.
    pub(crate) at_least: Reach,
}

impl Policy {
    /// Reads, checks and compiles a policy file (TOML), and asks the questions of its own tests. The README has the format.
    ///
    /// Limits: 16 MiB, 100,000 roles, 200,000 permissions, 50,000 aliases, 10,000 conditions, 10,000 tests, 1,073,741,824 pairs of
    /// role and permission of which at most 8,388,608 are said or inherited, names of 64 bytes a segment. Time and memory are
    /// bounded by them; roles may inherit to any depth.
    ///
    /// # Errors
    /// [`ErrorKind`] says what is wrong and [`Error::line`] where: the first mistake that is found. A file with any
    /// mistake, and one whose own tests fail ([`ErrorKind::TestFailed`]), yields no policy at all.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_untested(text)?.tested()
    }

    /// The same from JSON, whose structure is the same. Only mistakes of form have a line there.
    ///
    /// # Errors
    /// As [`Policy::parse`]. Members that stand twice, null and fractions are refused.
    pub fn parse_json(text: &str) -> Result<Self, Error> {
        Self::parse_json_untested(text)?.tested()
    }

    /// The same from either.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn read(text: &PolicyText) -> Result<Self, Error> {
        match text {
            PolicyText::Toml(text) => Self::parse(text),
            PolicyText::Json(text) => Self::parse_json(text),
        }
    }

    /// [`Policy::parse_for`], and the same from JSON.
    ///
    /// # Errors
    /// As [`Policy::parse_for`].
    pub fn read_for<P: Permissions>(text: &PolicyText) -> Result<Self, Error> {
        match text {
            PolicyText::Toml(text) => Self::parse_for::<P>(text),
            PolicyText::Json(text) => {
                not_too_large(text)?;
                let document = Document::read(&json::to_toml(text)?, &Lines::none())?;
                Self::compile(document, &Lines::none(), Some(P::CATALOGUE))?.tested()
            }
        }
    }

    /// A policy whose own tests were not asked: for tools that show all that fail, by [`Policy::run_tests`].
    ///
    /// # Errors
    /// As [`Policy::parse`], but for the tests.
    pub fn parse_untested(text: &str) -> Result<Self, Error> {
        Self::from_toml(text, None)
    }

    /// A policy file (TOML) for a program whose permissions are an enum: it has exactly these permissions, with these scopes and
    /// owners, or leaves `[permissions]` out and takes them from the enum. Questions by the enum hash nothing.
    ///
    /// # Errors
    /// As [`Policy::parse`], and [`ErrorKind::Catalogue`] where file and program differ.
    pub fn parse_for<P: Permissions>(text: &str) -> Result<Self, Error> {
        Self::from_toml(text, Some(P::CATALOGUE))?.tested()
    }

    fn from_toml(text: &str, program: Option<&'static PermissionCatalogue>) -> Result<Self, Error> {
        not_too_large(text)?;
        let lines = Lines::in_text(text);
        Self::compile(Document::read(text, &lines)?, &lines, program)
    }

    /// The same from JSON.
    ///
    /// # Errors
    /// As [`Policy::parse_json`], but for the tests.
    pub fn parse_json_untested(text: &str) -> Result<Self, Error> {
        not_too_large(text)?;
        let document = Document::read(&json::to_toml(text)?, &Lines::none())?;
        Self::compile(document, &Lines::none(), None)
    }

    pub(crate) fn compile(
        document: Document,
        lines: &Lines,
        program: Option<&'static PermissionCatalogue>,
    ) -> Result<Self, Error> {
        compile::compile(document, lines, program).map(|compiled| Self(Arc::new(compiled)))
    }

    /// This policy, if its own tests pass.
    ///
    /// # Errors
    /// [`ErrorKind::TestFailed`] names the first that does not.
    pub fn tested(self) -> Result<Self, Error> {
        match self.run_tests().into_iter().find(|test| !test.passed()) {
            None => Ok(self),
            Some(failed) => Err(Error::new(ErrorKind::TestFailed, failed.line(), failed.in_words())),
        }
    }

    /// The assignments and groups that stand in the file itself; for [`Assignments::Held`](crate::Assignments::Held).
    #[must_use]
    pub fn assignments(&self) -> HeldAssignments {
        self.0.held.clone()
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
            None => self.0.asks.text_of(text)?,
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

    /// What a name asks for. One of the program's own catalogue is found by its number, any other by its text.
    #[inline]
    pub(crate) fn find(&self, name: PermissionName<'_>) -> Option<Found<'_>> {
        match &self.typed {
            None => self.asks.find(name.as_str()),
            Some(typed) => self.find_typed(name, typed),
        }
    }

    pub(crate) fn asked(&self, name: PermissionName<'_>) -> Option<Asked> {
        self.find(name).map(|found| found.asked)
    }

    fn find_typed(&self, name: PermissionName<'_>, (catalogue, ids): &Typed) -> Option<Found<'_>> {
        let Some(index) = name.index_in(catalogue) else { return self.asks.find(name.as_str()) };
        let permission = *ids.get(index as usize)?;
        let info = self.permission(permission)?;
        // INVARIANT(typed-scope): a name of a catalogue has no scope but one that the catalogue lists for it, and the policy was
        // bound to the catalogue, scopes and all.
        let at_least = name.scope().map_or(Reach::Own, Reach::from);
        Some(Found::of(Asked { permission, at_least }, info))
    }

    /// Whether all conditions of a set hold. What is surely false decides; then what cannot be told.
    pub(crate) fn judge(&self, when: u32, ask: &Ask<'_>, owners: Owners) -> Truth {
        let set = self.when.get(when as usize);
        let each = set.into_iter().flatten().map(|id| match self.conditions.get(*id as usize) {
            Some(condition) => condition.judge(ask, owners),
            None => Truth::Absent,
        });
        each.fold(Truth::True { until: UnixTime::MAX }, Truth::and)
    }

    /// The roles that say something of a permission, the least powerful first. The first call builds the list for all.
    pub(crate) fn speak_of(&self, permission: u32) -> &[u32] {
        let spoken =
            self.spoken.get_or_init(|| Spoken::of(&self.rights, &self.by_power, self.permissions.len()));
        spoken.of_permission(permission)
    }

    pub(crate) fn permission(&self, id: u32) -> Option<&PermissionInfo> {
        self.permissions.get(id as usize)
    }
}

pub(crate) fn not_too_large(text: &str) -> Result<(), Error> {
    if text.len() > MAX_FILE {
        return Err(Error::new(ErrorKind::TooLarge, None, "the policy file is larger than 16 MiB"));
    }
    Ok(())
}

impl Default for Compiled {
    fn default() -> Self {
        Self {
            generation: 0,
            roles: Vec::new(),
            by_power: Vec::new(),
            role_ids: Table::new(),
            permissions: Vec::new(),
            asks: Asks::default(),
            typed: None,
            aliases: Table::new(),
            conditions: Vec::new(),
            when: Vec::new(),
            constraints: Constraints::default(),
            has_system_roles: false,
            has_restrictions: false,
            rights: Rights::default(),
            spoken: OnceLock::new(),
            shown: Shown::default(),
            held: HeldAssignments::new(),
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
