//! What the vault hands to a record's view.

use std::fmt;

use bartizan_core::{Covered, Pii, PiiClass};
use bartizan_envelope::{Plain, Value};

use crate::{Error, ErrorKind, Field, FromValue, Schema, SealedRow, Shown};

/// An opened record: every sealed field in clear or masked, as the grant says, and the clear fields, verified.
///
/// It holds nothing in clear that the grant does not show, so no view made from it can.
pub struct Opened<'o> {
    covered: Covered<'o>,
    schema: &'static Schema,
    row: &'o SealedRow,
    fields: Vec<(&'static Field, Option<Content>)>,
}

/// What there is of a field.
pub(crate) enum Content {
    Clear(Plain),
    Masked(Box<str>),
}

impl<'o> Opened<'o> {
    pub(crate) const fn new(
        covered: Covered<'o>,
        schema: &'static Schema,
        row: &'o SealedRow,
        fields: Vec<(&'static Field, Option<Content>)>,
    ) -> Self {
        Self { covered, schema, row, fields }
    }

    /// Takes a sealed field out; each can be taken once.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] for a field that there is not or was taken, of another type or another class.
    pub fn take<T: FromValue, C: PiiClass>(&mut self, name: &str) -> Result<Shown<T, C>, Error> {
        let (field, content) =
            self.fields.iter_mut().find(|(field, _)| field.name == name).ok_or(ErrorKind::Schema)?;
        if !T::fits(field.kind) || C::SENSITIVITY != field.class.sensitivity() {
            return Err(ErrorKind::Schema.into());
        }
        match content.take().ok_or(ErrorKind::Schema)? {
            Content::Masked(mask) => Ok(Shown::Masked(mask)),
            Content::Clear(plain) => match plain.value() {
                Some(value) => {
                    let value = T::from_value(value).ok_or(ErrorKind::Schema)?;
                    Ok(Shown::Clear(Pii::opened(value, self.covered)))
                }
                None => Ok(Shown::Null),
            },
        }
    }

    /// A signed clear field; nothing for null.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] for a field that there is not.
    pub fn clear(&self, name: &str) -> Result<Option<Value<'o>>, Error> {
        if !self.schema.clear.iter().any(|field| field.name == name) {
            return Err(ErrorKind::Schema.into());
        }
        Ok(self.row.clear(name))
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &'o str {
        self.row.tenant()
    }

    /// The row's id as text.
    #[must_use]
    pub fn id(&self) -> &'o str {
        self.row.id()
    }

    /// The row's version.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.row.version()
    }
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("table", &self.schema.table).finish_non_exhaustive()
    }
}
