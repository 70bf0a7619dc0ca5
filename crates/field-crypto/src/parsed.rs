//! A stored row beside its schema: the same fields, no more and no fewer.

use bartizan_envelope::{Cell, Context, Record, Scope, Value};

use crate::{ClearField, Error, ErrorKind, Field, Schema, SealedRow};

/// The purpose of the keys that seal fields.
pub(crate) const PURPOSE: &str = "fields";

/// A stored row, taken apart. Nothing of it is verified yet.
pub(crate) struct Parsed<'r> {
    pub(crate) scope: Scope<'r>,
    pub(crate) context: Context<'r>,
    pub(crate) seal: Cell<'r>,
    /// In the order of the schema.
    pub(crate) cells: Vec<(&'static Field, Cell<'r>)>,
    pub(crate) clear: Vec<(&'static ClearField, Option<Value<'r>>)>,
    version: u64,
}

impl<'r> Parsed<'r> {
    /// Takes a row apart.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for a row without a record seal, with a missing or extra cell or clear field, or with one that
    /// is no cell; [`ErrorKind::Schema`] when the program gave an id or value of another type than the schema's.
    pub(crate) fn of(schema: &'static Schema, row: &'r SealedRow) -> Result<Self, Error> {
        let id = row.row().ok_or(ErrorKind::Primitive)?;
        let (scope, context) = place(schema, row.tenant(), id, row.subject())?;
        let all_there =
            row.cells().count() == schema.sealed.len() && row.clear_fields().len() == schema.clear.len();
        if !all_there {
            return Err(ErrorKind::Integrity.into());
        }
        let seal = Cell::parse(row.record_seal()).map_err(Error::stored)?;
        let cells = schema.sealed.iter().map(|field| {
            let bytes = row.cell(field.name).ok_or(ErrorKind::Integrity)?;
            Ok((field, Cell::parse(bytes).map_err(Error::stored)?))
        });
        let clear = schema.clear.iter().map(|field| Ok((field, clear_value(field, row)?)));
        Ok(Self {
            scope,
            context,
            seal,
            cells: cells.collect::<Result<_, Error>>()?,
            clear: clear.collect::<Result<_, Error>>()?,
            version: row.version(),
        })
    }

    /// All that the record seal covers.
    pub(crate) fn record(&self) -> Result<Record<'r>, Error> {
        let mut record = Record::new(self.version);
        for (field, cell) in &self.cells {
            record.cell(field.name, *cell)?;
        }
        for (field, value) in &self.clear {
            record.clear(field.name, field.kind, *value)?;
        }
        Ok(record)
    }

    /// A signed clear text, such as the owner.
    pub(crate) fn clear_text(&self, name: Option<&str>) -> Result<Option<&'r str>, Error> {
        let Some(name) = name else {
            return Ok(None);
        };
        match self.clear.iter().find(|(field, _)| field.name == name) {
            Some((_, None)) => Ok(None),
            Some((_, Some(Value::Text(text)))) => Ok(Some(text)),
            _ => Err(ErrorKind::Schema.into()),
        }
    }
}

/// Whose key seals a row, and where it stands.
pub(crate) fn place<'a>(
    schema: &'static Schema,
    tenant: &'a str,
    row: Value<'a>,
    subject: Option<&'a str>,
) -> Result<(Scope<'a>, Context<'a>), Error> {
    if row.kind() != schema.row {
        return Err(ErrorKind::Schema.into());
    }
    let mut scope = Scope::new(tenant, PURPOSE)?;
    if let Some(subject) = subject {
        scope = scope.of_subject(subject)?;
    }
    Ok((scope, Context::new(tenant, schema.table, row)?))
}

fn clear_value<'r>(field: &'static ClearField, row: &'r SealedRow) -> Result<Option<Value<'r>>, Error> {
    let (_, value) =
        row.clear_fields().iter().find(|(name, _)| **name == *field.name).ok_or(ErrorKind::Integrity)?;
    let Some(value) = value else {
        return Ok(None);
    };
    if value.kind() != field.kind {
        return Err(ErrorKind::Schema.into());
    }
    value.value().map(Some).ok_or_else(|| ErrorKind::Primitive.into())
}
