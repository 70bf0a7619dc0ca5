//! Names of tenants, tables, fields, subjects and purposes.

use crate::{Error, ErrorKind};

/// Longest name, in bytes.
pub(crate) const MAX_NAME: usize = 255;

/// Names are bytes: never folded, trimmed or normalised.
pub(crate) const fn check(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Name));
    }
    if name.len() > MAX_NAME {
        return Err(Error::new(ErrorKind::TooLong));
    }
    Ok(())
}

/// A field's name: names that start with `$` are reserved.
pub(crate) fn check_field(name: &str) -> Result<(), Error> {
    if name.starts_with('$') {
        return Err(ErrorKind::Name.into());
    }
    check(name)
}
