//! Rows as the table has them.

use bartizan_core::UnixTime;
use bartizan_crypto::Lifecycle;
use bartizan_envelope::{Error, ErrorKind, KeyId, KeyRow, MAX_WRAPPED, Scope};
use rusqlite::{Row, types::ValueRef};

/// The columns, in the order of [`Stored::read`].
pub(crate) const COLUMNS: &str = "id, tenant, subject, purpose, version, state, state_at, wrapped, created";

/// A row as it was read: nothing for what this crate would not have written.
///
/// SECURITY: whoever can write the file can put invalid UTF-8, numbers out of range and blobs of any size past the schema's
/// checks. A column that does not read is damage of the row, not a failed statement, and nothing is copied before its length
/// is known.
pub(crate) struct Stored(Option<KeyRow>);

impl Stored {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let column = |at: usize| row.get_ref(at);
        let columns = Columns {
            id: column(0)?,
            tenant: column(1)?,
            subject: column(2)?,
            purpose: column(3)?,
            version: column(4)?,
            state: column(5)?,
            state_at: column(6)?,
            wrapped: column(7)?,
            created: column(8)?,
        };
        Ok(Self(columns.row()))
    }

    /// The key's row.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for what this crate would not have written.
    pub(crate) fn checked(self) -> Result<KeyRow, Error> {
        self.0.ok_or_else(|| ErrorKind::Integrity.into())
    }
}

struct Columns<'r> {
    id: ValueRef<'r>,
    tenant: ValueRef<'r>,
    subject: ValueRef<'r>,
    purpose: ValueRef<'r>,
    version: ValueRef<'r>,
    state: ValueRef<'r>,
    state_at: ValueRef<'r>,
    wrapped: ValueRef<'r>,
    created: ValueRef<'r>,
}

impl Columns<'_> {
    fn row(&self) -> Option<KeyRow> {
        let id = KeyId::from_bytes(self.id.as_blob().ok()?.try_into().ok()?);
        let mut scope = Scope::new(self.tenant.as_str().ok()?, self.purpose.as_str().ok()?).ok()?;
        let subject = self.subject.as_str().ok()?;
        if !subject.is_empty() {
            scope = scope.of_subject(subject).ok()?;
        }
        let version = u32::try_from(self.version.as_i64().ok()?).ok()?;
        let state = state(self.state.as_str().ok()?, self.state_at.as_i64_or_null().ok()?)?;
        let wrapped = self.wrapped.as_blob().ok().filter(|wrapped| wrapped.len() <= MAX_WRAPPED)?;
        let created = UnixTime::from_nanos(self.created.as_i64().ok()?);
        KeyRow::new(id, scope, version, state, wrapped.to_vec(), created).ok()
    }
}

/// A state's word and time.
pub(crate) const fn written(state: Lifecycle) -> (&'static str, Option<i64>) {
    match state {
        Lifecycle::Pending { active_from } => ("pending", Some(active_from.as_nanos())),
        Lifecycle::Active => ("active", None),
        Lifecycle::Retiring { until } => ("retiring", Some(until.as_nanos())),
        Lifecycle::Revoked => ("revoked", None),
    }
}

fn state(word: &str, at: Option<i64>) -> Option<Lifecycle> {
    match (word, at.map(UnixTime::from_nanos)) {
        ("pending", Some(active_from)) => Some(Lifecycle::Pending { active_from }),
        ("active", None) => Some(Lifecycle::Active),
        ("retiring", Some(until)) => Some(Lifecycle::Retiring { until }),
        ("revoked", None) => Some(Lifecycle::Revoked),
        _ => None,
    }
}
