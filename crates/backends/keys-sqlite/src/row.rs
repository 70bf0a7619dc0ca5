//! Rows as the table has them.

use bartizan_core::UnixTime;
use bartizan_crypto::Lifecycle;
use bartizan_envelope::{Error, ErrorKind, KeyId, KeyRow, Scope};
use rusqlite::Row;

/// The columns, in the order of [`Stored::read`].
pub(crate) const COLUMNS: &str = "id, tenant, subject, purpose, version, state, state_at, wrapped, created";

/// A row as it was read; nothing of it is checked.
pub(crate) struct Stored {
    id: Vec<u8>,
    tenant: String,
    subject: String,
    purpose: String,
    version: u32,
    state: String,
    state_at: Option<i64>,
    wrapped: Vec<u8>,
    created: i64,
}

impl Stored {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            tenant: row.get(1)?,
            subject: row.get(2)?,
            purpose: row.get(3)?,
            version: row.get(4)?,
            state: row.get(5)?,
            state_at: row.get(6)?,
            wrapped: row.get(7)?,
            created: row.get(8)?,
        })
    }

    /// The key's row.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for what this crate would not have written.
    pub(crate) fn checked(self) -> Result<KeyRow, Error> {
        self.row().ok_or_else(|| ErrorKind::Integrity.into())
    }

    fn row(self) -> Option<KeyRow> {
        let id = KeyId::from_bytes(self.id.try_into().ok()?);
        let mut scope = Scope::new(&self.tenant, &self.purpose).ok()?;
        if !self.subject.is_empty() {
            scope = scope.of_subject(&self.subject).ok()?;
        }
        let state = state(&self.state, self.state_at)?;
        KeyRow::new(id, scope, self.version, state, self.wrapped, UnixTime::from_nanos(self.created)).ok()
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
