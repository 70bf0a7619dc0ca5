//! Where policies and assignments come from, and where they are written to.

mod error;

use std::fmt;

use async_trait::async_trait;
use bartizan_core::Revision;

use crate::{Assignment, Change, Holder, document::MAX_FILE};

pub use error::{SourceError, SourceErrorKind};

/// A place that keeps a policy, and mostly its assignments too.
///
/// A source delivers texts and changes; it compiles nothing and decides nothing. Revisions grow with every change and never
/// come back. What every source does is tested by the suite `bartizan_rbac::conformance` (feature `conformance`).
#[async_trait]
pub trait PolicySource: fmt::Debug + Send + Sync {
    /// All that there is, at one revision: the whole or an error, never a part.
    ///
    /// # Errors
    /// [`SourceErrorKind::Missing`] when there is no policy yet; else [`SourceError`] says whether trying again may help.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    async fn load(&self) -> Result<Loaded, SourceError>;

    /// What changed after `seen`: at once when there is something, else as soon as there is, and [`Changes::Nothing`] after a
    /// while, as a sign that the source is alive.
    ///
    /// # Errors
    /// [`SourceError`] says whether trying again may help.
    ///
    /// # Cancel safety
    /// Dropped before it ends, nothing is lost: the same call answers the same, or that together with what came after it.
    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError>;
}

/// A source whose assignments may be written through it.
///
/// Writes are optimistic: whoever writes says what it has seen. Who may grant what, and the rules of separation, are not its
/// business: they are checked before.
#[async_trait]
pub trait AssignmentStore: PolicySource {
    /// The revision that a write has to expect now; 0 when nothing was ever written.
    ///
    /// # Errors
    /// [`SourceError`] says whether trying again may help.
    async fn revision(&self) -> Result<Revision, SourceError>;

    /// Makes these changes, all of them or none, in this order, and answers their revision: one for all of them, greater than
    /// `expected`. No changes at all have no revision of their own.
    ///
    /// # Errors
    /// [`SourceErrorKind::Conflict`] when something was written since `expected`; [`SourceErrorKind::Unstorable`] as
    /// [`Change::validate`] has it, and for more than [`MAX_COMMIT`] changes; else [`SourceError`] says whether trying again
    /// may help. After [`SourceErrorKind::Unavailable`] the changes may have been made all the same.
    async fn commit(&self, expected: Revision, changes: &[Change]) -> Result<Revision, SourceError>;
}

/// A store whose policy file may be written through it as well.
#[async_trait]
pub trait PolicyStore: AssignmentStore {
    /// Puts this text in the place of the one before, and answers its revision. It is not compiled: try it with
    /// [`Policy::read`](crate::Policy::read) first.
    ///
    /// # Errors
    /// As [`AssignmentStore::commit`]; [`SourceErrorKind::TooLarge`] beyond 16 MiB.
    async fn publish(&self, expected: Revision, policy: &PolicyText) -> Result<Revision, SourceError>;
}

/// The most changes in one commit.
pub const MAX_COMMIT: usize = 10_000;

/// The longest name of a tenant, a subject, a group or a role in an assignment, in bytes.
const MAX_NAME: usize = 255;

/// The longest reason, in bytes.
const MAX_REASON: usize = 4_096;

/// All of a source, at one revision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The policy file's text.
    pub policy: PolicyText,
    /// Who holds what, and who is in which group, beside what the file itself says.
    pub held: Vec<Change>,
    /// At which revision.
    pub revision: Revision,
}

impl Loaded {
    /// A policy and its assignments at one revision.
    #[must_use]
    pub fn new(
        policy: PolicyText,
        assignments: impl IntoIterator<Item = Assignment>,
        revision: Revision,
    ) -> Self {
        Self { policy, held: assignments.into_iter().map(Change::Assign).collect(), revision }
    }

    /// The same, with changes that make up the rest of its state: members of groups above all.
    #[must_use]
    pub fn with(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        self.held.extend(changes);
        self
    }
}

/// The text of a policy, and how it is written.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyText {
    /// TOML.
    Toml(String),
    /// JSON.
    Json(String),
}

impl PolicyText {
    /// Whether a store can keep it: at most 16 MiB, no U+0000.
    ///
    /// # Errors
    /// [`SourceErrorKind::TooLarge`], [`SourceErrorKind::Unstorable`].
    pub fn validate(&self) -> Result<(), SourceError> {
        if self.as_str().len() > MAX_FILE {
            return Err(SourceErrorKind::TooLarge.into());
        }
        if self.as_str().contains('\0') {
            return Err(SourceErrorKind::Unstorable.into());
        }
        Ok(())
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Toml(text) | Self::Json(text) => text,
        }
    }
}

/// The size only: descriptions in a policy may name people.
impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self {
            Self::Toml(_) => "Toml",
            Self::Json(_) => "Json",
        };
        write!(f, "{form}({} bytes)", self.as_str().len())
    }
}

/// What a source has to say since a revision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Changes {
    /// Nothing changed.
    Nothing,
    /// These changes of assignments, in order, lead to this revision. They end where a commit ends.
    These(Vec<Change>, Revision),
    /// The policy itself changed, or changes were missed: everything has to be loaded again.
    Everything,
}

impl Change {
    /// Whether a store can keep it, and every store alike: names of 1 to 255 bytes, reasons of at most 4,096, no U+0000. A
    /// tenant may be empty where a subject of [`Realm::System`](bartizan_core::Realm::System) is meant; groups have a tenant.
    ///
    /// # Errors
    /// [`SourceErrorKind::Unstorable`].
    pub fn validate(&self) -> Result<(), SourceError> {
        let is_storable = match self {
            Self::Assign(assignment) => {
                is_place(assignment.tenant(), assignment.holder())
                    && is_name(assignment.role())
                    && assignment.granter().is_none_or(is_name)
                    && assignment.reason().is_none_or(|reason| is_text(reason, MAX_REASON))
            }
            Self::Revoke { tenant, holder, role } => is_place(tenant, holder) && is_name(role),
            Self::Join { tenant, group, subject } | Self::Leave { tenant, group, subject } => {
                [tenant, group, subject].into_iter().all(|name| is_name(name))
            }
            Self::Remove { tenant, subject } => is_text(tenant, MAX_NAME) && is_name(subject),
        };
        if is_storable { Ok(()) } else { Err(SourceErrorKind::Unstorable.into()) }
    }
}

/// Whether a store may take these in one commit. For implementations of [`AssignmentStore`].
///
/// # Errors
/// [`SourceErrorKind::Unstorable`] as [`Change::validate`] has it, and for more than [`MAX_COMMIT`].
pub fn validate_commit(changes: &[Change]) -> Result<(), SourceError> {
    if changes.len() > MAX_COMMIT {
        return Err(SourceErrorKind::Unstorable.into());
    }
    changes.iter().try_for_each(Change::validate)
}

fn is_place(tenant: &str, holder: &Holder) -> bool {
    let is_tenant = match holder {
        Holder::Subject(_) => is_text(tenant, MAX_NAME),
        Holder::Group(_) => is_name(tenant),
    };
    is_tenant && is_name(holder.name())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && is_text(name, MAX_NAME)
}

fn is_text(text: &str, longest: usize) -> bool {
    // SECURITY: a text that ends at its zero somewhere would be another name there.
    text.len() <= longest && !text.contains('\0')
}
