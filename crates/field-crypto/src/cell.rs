//! One cell by itself: for tools that learn table and field at run time and hold no whole row.

use std::fmt;

use bartizan_core::{Covered, Pii};
use bartizan_envelope::{Attempt, Bucket, Cell, Context, Keyring, Scope, Type, Value};

use crate::{Error, ErrorKind, FromValue, Shown, Vault, parsed::PURPOSE, shown::MASK};

/// Where one cell stands: tenant, table, row and field. The row's id is text, and the kind of record that a grant must be for
/// is the table's name.
#[derive(Clone, Copy)]
pub struct CellPlace<'a> {
    tenant: &'a str,
    table: &'a str,
    row: &'a str,
    field: &'a str,
}

impl<'a> CellPlace<'a> {
    /// A field of a row of a table of a tenant; `-` in a service that has one tenant only.
    #[must_use]
    pub const fn new(tenant: &'a str, table: &'a str, row: &'a str, field: &'a str) -> Self {
        Self { tenant, table, row, field }
    }

    /// Seals one value by itself: a write of one cell, ordinal 0, without a record seal. The first cell of a tenant makes its
    /// key. Sealing shows nothing and so needs no grant.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a name or row that is empty or reserved and a value that is not canonical, [`ErrorKind::TooLong`] for
    /// a name over 255 bytes and a value over 65,536 bytes when padded; what key store and key management answer.
    pub async fn seal(&self, keyring: &Keyring, value: Value<'_>, bucket: Bucket) -> Result<Vec<u8>, Error> {
        let (scope, context) = (self.scope()?, self.context()?);
        let key = keyring.active(&scope).await?;
        let mut write = keyring.sealer().write(&key, &context)?;
        write.field(self.field, value.kind(), Some(value), bucket)?;
        let cells = write.seal()?;
        Ok(cells.cell(self.field).ok_or(ErrorKind::Primitive)?.to_vec())
    }

    fn scope(&self) -> Result<Scope<'a>, Error> {
        Ok(Scope::new(self.tenant, PURPOSE)?)
    }

    fn context(&self) -> Result<Context<'a>, Error> {
        if self.row.is_empty() {
            return Err(ErrorKind::Value.into());
        }
        Ok(Context::new(self.tenant, self.table, Value::Text(self.row))?)
    }
}

/// A row's id may be a person's name: nothing is shown.
impl fmt::Debug for CellPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CellPlace").finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens one cell for the holder of a grant for its record, whose field set names its field. For any other field the
    /// answer is a mask, and nothing is opened.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignAuthority`], [`ErrorKind::GrantExpired`], [`ErrorKind::OtherRecord`] when the grant is not for this
    /// vault, time or record; [`ErrorKind::Schema`] when values of type `kind` cannot be had as `T`;
    /// [`ErrorKind::Integrity`] for a cell of another place or type, and for altered bytes; what key store and key management
    /// answer.
    ///
    /// # Security
    /// The row's other cells are not at hand, so its record seal is not checked: an older cell of the same place opens too.
    /// There is no schema either, so the grant's kind is compared with the table's name. Where whole rows are at hand, open
    /// them with [`Vault::open`].
    pub async fn danger_open_cell<T: FromValue>(
        &self,
        covered: Covered<'_>,
        at: CellPlace<'_>,
        kind: Type,
        cell: &[u8],
    ) -> Result<Shown<T>, Error> {
        // As for rows, the grant is looked at again after every wait for a key.
        self.until_done(|| self.try_cell(covered, at, kind, cell)).await
    }

    fn try_cell<T: FromValue>(
        &self,
        covered: Covered<'_>,
        at: CellPlace<'_>,
        kind: Type,
        cell: &[u8],
    ) -> Result<Attempt<Shown<T>>, Error> {
        self.check(covered, at.tenant, at.table, at.row)?;
        if !T::fits(kind) {
            return Err(ErrorKind::Schema.into());
        }
        if !covered.clear().contains(at.field) {
            return Ok(Attempt::Done(Shown::Masked(MASK.into())));
        }
        let cell = Cell::parse(cell).map_err(Error::stored)?;
        let (scope, context) = (at.scope()?, at.context()?);
        let key = match self.keyring().try_key(&scope, cell.key_id())? {
            Attempt::Done(key) => key,
            Attempt::NeedsKey(needs) => return Ok(Attempt::NeedsKey(needs)),
        };
        let opener = self.keyring().sealer().opener(&key, &context, &cell).map_err(Error::stored)?;
        let plain = opener
            .prepared(|opening| opening.danger_open_uncovered(&cell, at.field, kind))
            .map_err(Error::stored)?;
        let Some(value) = plain.value() else {
            return Ok(Attempt::Done(Shown::Null));
        };
        let value = T::from_value(value).ok_or(ErrorKind::Schema)?;
        Ok(Attempt::Done(Shown::Clear(Pii::opened(value, covered))))
    }
}
