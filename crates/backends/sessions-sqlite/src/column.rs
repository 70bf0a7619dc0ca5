//! Columns read back and checked.
//!
//! SECURITY: whoever can write the file can put invalid UTF-8, numbers out of range and blobs of any size past the schema's
//! checks. A column that does not read is damage, not a failed statement, and nothing is copied before its length is known.

use bartizan_core::UnixTime;
use bartizan_sessions::{Digest, Error, ErrorKind, from_millis};
use rusqlite::{Row, types::ValueRef};

use crate::error::damaged;

/// The most bytes that any text may have, far beyond what a session needs.
pub(crate) const MAX_TEXT: usize = 16 * 1024;

/// What is longer would be written and never read again.
pub(crate) fn must_fit<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<(), Error> {
    let fits = texts.into_iter().all(|text| text.len() <= MAX_TEXT);
    fits.then_some(()).ok_or_else(|| ErrorKind::Limits.into())
}

/// One row's columns, by their place in the statement.
pub(crate) trait Columns {
    /// This column.
    fn value(&self, at: usize) -> rusqlite::Result<ValueRef<'_>>;

    /// Nothing, where there may be nothing.
    fn is_null(&self, at: usize) -> rusqlite::Result<bool> {
        Ok(matches!(self.value(at)?, ValueRef::Null))
    }

    fn text(&self, at: usize) -> rusqlite::Result<&str> {
        match self.value(at)? {
            ValueRef::Text(text) if text.len() <= MAX_TEXT => {
                std::str::from_utf8(text).map_err(|_| damaged())
            }
            _ => Err(damaged()),
        }
    }

    fn bytes<const N: usize>(&self, at: usize) -> rusqlite::Result<[u8; N]> {
        match self.value(at)? {
            ValueRef::Blob(bytes) => bytes.try_into().map_err(|_| damaged()),
            _ => Err(damaged()),
        }
    }

    fn integer(&self, at: usize) -> rusqlite::Result<i64> {
        match self.value(at)? {
            ValueRef::Integer(number) => Ok(number),
            _ => Err(damaged()),
        }
    }

    fn digest(&self, at: usize) -> rusqlite::Result<Digest> {
        self.bytes(at).map(Digest::from_bytes)
    }

    fn time(&self, at: usize) -> rusqlite::Result<UnixTime> {
        self.integer(at).map(from_millis)
    }

    /// A number that is never negative.
    fn number(&self, at: usize) -> rusqlite::Result<u64> {
        u64::try_from(self.integer(at)?).map_err(|_| damaged())
    }

    fn epoch(&self, at: usize) -> rusqlite::Result<u32> {
        u32::try_from(self.integer(at)?).map_err(|_| damaged())
    }

    /// What this reads, or nothing where there is nothing.
    fn maybe<'c, T>(
        &'c self,
        at: usize,
        read: impl FnOnce(&'c Self, usize) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        if self.is_null(at)? { Ok(None) } else { read(self, at).map(Some) }
    }
}

impl Columns for Row<'_> {
    fn value(&self, at: usize) -> rusqlite::Result<ValueRef<'_>> {
        self.get_ref(at)
    }
}

/// Reads the one row of this statement, or none.
pub(crate) trait OneOf {
    fn one<T>(
        &mut self,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>>;
}

impl OneOf for rusqlite::Statement<'_> {
    fn one<T>(
        &mut self,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.query(parameters)?.next()?.map(read).transpose()
    }
}
