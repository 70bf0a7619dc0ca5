//! A record as it is stored.

use std::{borrow::Cow, fmt};

use bartizan_envelope::{Type, Value};

use crate::{Error, ErrorKind};

/// A record as it is stored: a cell for each sealed field, the signed clear fields, the record seal and the version.
///
/// Store all of it, each cell as bytes of any length (a BLOB column), and build it again from what you read. Nothing in here
/// is believed before the vault has verified it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRow {
    tenant: Box<str>,
    subject: Option<Box<str>>,
    row: OwnedValue,
    id: Box<str>,
    version: u64,
    cells: Vec<(Name, Vec<u8>)>,
    clear: Vec<(Name, Option<OwnedValue>)>,
    record_seal: Vec<u8>,
}

impl SealedRow {
    /// A row of a tenant, without fields yet.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for an id that is not text, a UUID or a number, and for an empty one: rows without an id would all
    /// stand in one place.
    pub fn new(tenant: &str, row: Value<'_>, version: u64) -> Result<Self, Error> {
        Ok(Self {
            tenant: tenant.into(),
            subject: None,
            row: OwnedValue::new(row)?,
            id: id_text(row)?,
            version,
            cells: Vec::new(),
            clear: Vec::new(),
            record_seal: Vec::new(),
        })
    }

    /// The same, of this subject: for records that are sealed under a key of their subject.
    #[must_use]
    pub fn of_subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The same with the cell of a sealed field.
    #[must_use]
    pub fn with_cell(self, name: &str, cell: impl Into<Vec<u8>>) -> Self {
        self.with(name.to_owned().into(), cell.into())
    }

    /// The same with a signed clear field; `None` is null.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a value that is not canonical.
    pub fn with_clear<'v>(mut self, name: &str, value: impl Into<Option<Value<'v>>>) -> Result<Self, Error> {
        let value = value.into().map(OwnedValue::new).transpose()?;
        self.clear.push((name.to_owned().into(), value));
        Ok(self)
    }

    /// The same with the record seal.
    #[must_use]
    pub fn with_record_seal(mut self, seal: impl Into<Vec<u8>>) -> Self {
        self.record_seal = seal.into();
        self
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The subject, when the record is sealed under a key of its own subject.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The row's id as text, as permissions and grants name it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version; each update counts one up. Store it, and update `WHERE version = ` the old one.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The cell of a sealed field.
    #[must_use]
    pub fn cell(&self, name: &str) -> Option<&[u8]> {
        self.cells.iter().find(|(field, _)| **field == *name).map(|(_, cell)| cell.as_slice())
    }

    /// All cells by name.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.cells.iter().map(|(name, cell)| (&**name, cell.as_slice()))
    }

    /// The value of a clear field; nothing when it is null or there is no such field. Not verified: the vault does that.
    #[must_use]
    pub fn clear(&self, name: &str) -> Option<Value<'_>> {
        let (_, value) = self.clear.iter().find(|(field, _)| **field == *name)?;
        value.as_ref()?.value()
    }

    /// The record seal.
    #[must_use]
    pub fn record_seal(&self) -> &[u8] {
        &self.record_seal
    }

    pub(crate) fn with(mut self, name: Name, cell: Vec<u8>) -> Self {
        self.cells.push((name, cell));
        self
    }

    pub(crate) fn with_clear_field(
        mut self,
        name: &'static str,
        value: Option<Value<'_>>,
    ) -> Result<Self, Error> {
        self.clear.push((name.into(), value.map(OwnedValue::new).transpose()?));
        Ok(self)
    }

    pub(crate) fn row(&self) -> Option<Value<'_>> {
        self.row.value()
    }

    pub(crate) fn clear_fields(&self) -> &[(Name, Option<OwnedValue>)] {
        &self.clear
    }
}

/// A stored row may hold personal data in its clear fields and id: only counts are shown.
impl fmt::Debug for SealedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRow")
            .field("version", &self.version)
            .field("cells", &self.cells.len())
            .field("clear", &self.clear.len())
            .finish_non_exhaustive()
    }
}

/// A field's name: a schema's costs nothing to keep.
type Name = Cow<'static, str>;

/// A value that owns its canonical bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OwnedValue {
    kind: Type,
    bytes: Vec<u8>,
}

impl OwnedValue {
    fn new(value: Value<'_>) -> Result<Self, Error> {
        Ok(Self { kind: value.kind(), bytes: std::mem::take(&mut *value.to_canonical_bytes()?) })
    }

    /// INVARIANT(owned-value): the bytes are canonical for the type, so this is never nothing.
    pub(crate) fn value(&self) -> Option<Value<'_>> {
        Value::from_canonical_bytes(self.kind, &self.bytes).ok()
    }

    pub(crate) const fn kind(&self) -> Type {
        self.kind
    }
}

/// The id as permissions name it: text as it is, a UUID in lower-case groups, a number in decimal digits.
fn id_text(row: Value<'_>) -> Result<Box<str>, Error> {
    Ok(match row {
        Value::Text(text) if !text.is_empty() => text.into(),
        Value::I64(n) => n.to_string().into(),
        Value::U64(n) => n.to_string().into(),
        Value::Uuid(bytes) => uuid_text(&bytes).into(),
        _ => return Err(ErrorKind::Value.into()),
    })
}

fn uuid_text(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_permissions_name_them() {
        let uuid = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8];
        for (row, id) in [
            (Value::Text("p-1"), "p-1"),
            (Value::I64(-7), "-7"),
            (Value::U64(u64::MAX), "18446744073709551615"),
            (Value::Uuid(uuid), "01234567-89ab-cdef-0102-030405060708"),
        ] {
            assert_eq!(SealedRow::new("north", row, 1).unwrap().id(), id);
        }
        for row in
            [Value::Bool(true), Value::Bytes(b"p"), Value::Decimal("1"), Value::Json("1"), Value::Date(1)]
        {
            assert_eq!(SealedRow::new("north", row, 1).unwrap_err().kind(), ErrorKind::Value);
        }
    }

    #[test]
    fn debug_shows_counts_alone() {
        let row = SealedRow::new("canary-tenant", Value::Text("canary-id"), 3)
            .unwrap()
            .with_clear("canary-name", Value::Text("canary-value"))
            .unwrap();
        let shown = format!("{row:?} {row:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
