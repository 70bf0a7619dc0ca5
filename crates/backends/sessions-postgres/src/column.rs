//! Columns read back and checked.

use bartizan_core::UnixTime;
use bartizan_sessions::{Digest, Error, ErrorKind, from_millis};
use sqlx::{Row, postgres::PgRow};

use crate::error::Failure;

/// The most bytes that any text may have, far beyond what a session needs.
pub(crate) const MAX_TEXT: usize = 16 * 1024;

/// What is longer would be written and never read again; and no text of Postgres has a zero in it.
pub(crate) fn must_fit<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<(), Error> {
    let fits = texts.into_iter().all(|text| text.len() <= MAX_TEXT && !text.contains('\0'));
    fits.then_some(()).ok_or_else(|| ErrorKind::Limits.into())
}

/// A row that cannot be read.
pub(crate) fn damaged() -> Failure {
    ErrorKind::Integrity.into()
}

/// One row's columns, by their place in the statement.
pub(crate) trait Columns {
    fn text(&self, at: usize) -> Result<&str, Failure>;
    fn bytes<const N: usize>(&self, at: usize) -> Result<[u8; N], Failure>;
    fn integer(&self, at: usize) -> Result<i64, Failure>;
    fn boolean(&self, at: usize) -> Result<bool, Failure>;
    fn is_null(&self, at: usize) -> Result<bool, Failure>;

    fn digest(&self, at: usize) -> Result<Digest, Failure> {
        self.bytes(at).map(Digest::from_bytes)
    }

    fn time(&self, at: usize) -> Result<UnixTime, Failure> {
        self.integer(at).map(from_millis)
    }

    /// A number that is never negative.
    fn number(&self, at: usize) -> Result<u64, Failure> {
        u64::try_from(self.integer(at)?).map_err(|_| damaged())
    }

    fn epoch(&self, at: usize) -> Result<u32, Failure> {
        u32::try_from(self.integer(at)?).map_err(|_| damaged())
    }

    /// What this reads, or nothing where there is nothing.
    fn maybe<'c, T>(
        &'c self,
        at: usize,
        read: impl FnOnce(&'c Self, usize) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        if self.is_null(at)? { Ok(None) } else { read(self, at).map(Some) }
    }
}

impl Columns for PgRow {
    fn text(&self, at: usize) -> Result<&str, Failure> {
        let text: &str = self.try_get(at)?;
        if text.len() <= MAX_TEXT { Ok(text) } else { Err(damaged()) }
    }

    fn bytes<const N: usize>(&self, at: usize) -> Result<[u8; N], Failure> {
        let bytes: &[u8] = self.try_get(at)?;
        bytes.try_into().map_err(|_| damaged())
    }

    fn integer(&self, at: usize) -> Result<i64, Failure> {
        Ok(self.try_get(at)?)
    }

    fn boolean(&self, at: usize) -> Result<bool, Failure> {
        Ok(self.try_get(at)?)
    }

    fn is_null(&self, at: usize) -> Result<bool, Failure> {
        use sqlx::ValueRef;
        Ok(self.try_get_raw(at)?.is_null())
    }
}
