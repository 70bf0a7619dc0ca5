//! Columns read back and checked.

use bartizan_core::{Revision, UnixTime};
use bartizan_rbac::SourceErrorKind;
use sqlx::{Row, postgres::PgRow};

use crate::error::Failure;

/// A row that cannot be read.
pub(crate) fn damaged() -> Failure {
    SourceErrorKind::Integrity.into()
}

/// Which commit a revision is: after a backup was put back, the same number may be another one.
pub(crate) type Mark = [u8; 16];

/// One row's columns, by their place in the statement.
pub(crate) trait Columns {
    fn text(&self, at: usize) -> Result<&str, Failure>;
    fn maybe_text(&self, at: usize) -> Result<Option<&str>, Failure>;
    fn maybe_time(&self, at: usize) -> Result<Option<UnixTime>, Failure>;
    fn maybe_mark(&self, at: usize) -> Result<Option<Mark>, Failure>;
    fn maybe_number(&self, at: usize) -> Result<Option<u64>, Failure>;
    fn boolean(&self, at: usize) -> Result<bool, Failure>;

    fn mark(&self, at: usize) -> Result<Mark, Failure> {
        self.maybe_mark(at)?.ok_or_else(damaged)
    }

    fn number(&self, at: usize) -> Result<u64, Failure> {
        self.maybe_number(at)?.ok_or_else(damaged)
    }

    fn revision(&self, at: usize) -> Result<Revision, Failure> {
        self.number(at).map(Revision)
    }
}

impl Columns for PgRow {
    fn text(&self, at: usize) -> Result<&str, Failure> {
        Ok(self.try_get(at)?)
    }

    fn maybe_text(&self, at: usize) -> Result<Option<&str>, Failure> {
        Ok(self.try_get(at)?)
    }

    fn maybe_time(&self, at: usize) -> Result<Option<UnixTime>, Failure> {
        let nanos: Option<i64> = self.try_get(at)?;
        Ok(nanos.map(UnixTime::from_nanos))
    }

    fn maybe_mark(&self, at: usize) -> Result<Option<Mark>, Failure> {
        let bytes: Option<&[u8]> = self.try_get(at)?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| damaged())).transpose()
    }

    /// Never negative.
    fn maybe_number(&self, at: usize) -> Result<Option<u64>, Failure> {
        let number: Option<i64> = self.try_get(at)?;
        number.map(|number| u64::try_from(number).map_err(|_| damaged())).transpose()
    }

    fn boolean(&self, at: usize) -> Result<bool, Failure> {
        Ok(self.try_get(at)?)
    }
}
