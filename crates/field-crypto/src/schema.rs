//! What a table's records consist of.

use bartizan_core::{Basic, Health, Pan, PiiClass, Sensitive, Sensitivity};
use bartizan_envelope::{Bucket, Type};

/// How grave a sealed field is, and with it what of it may be shown to somebody who may not see it.
///
/// The masks are the vault's own; no implementation of [`Sealed`](crate::Sealed) can bring another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// Name, address, e-mail: masked whole.
    Basic,
    /// National ids and account numbers: the last four characters of a text of at least eight letters and
    /// digits show.
    Sensitive,
    /// Health data: masked whole.
    Health,
    /// Card numbers: the first six and last four digits show (PCI DSS 3.4.1).
    Pan,
}

impl Class {
    /// How grave.
    #[must_use]
    pub const fn sensitivity(self) -> Sensitivity {
        match self {
            Self::Basic => Basic::SENSITIVITY,
            Self::Sensitive => Sensitive::SENSITIVITY,
            Self::Health => Health::SENSITIVITY,
            Self::Pan => Pan::SENSITIVITY,
        }
    }

    /// Whether the mask shows a part of the value, which must then be opened to be masked.
    pub(crate) const fn shows_a_part(self) -> bool {
        matches!(self, Self::Sensitive | Self::Pan)
    }

    /// The mask of a text.
    pub(crate) fn mask(self, text: &str) -> String {
        match self {
            Self::Basic => Basic::mask(text),
            Self::Sensitive => Sensitive::mask(text),
            Self::Health => Health::mask(text),
            Self::Pan => Pan::mask(text),
        }
    }
}

/// A field that is sealed. Its name is what is stored: renaming the Rust field must not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
    pub(crate) class: Class,
    pub(crate) bucket: Bucket,
}

impl Field {
    /// A sealed field. Values are padded to multiples of `bucket`; choose it so that one bucket holds the longest value.
    #[must_use]
    pub const fn new(name: &'static str, kind: Type, class: Class, bucket: Bucket) -> Self {
        Self { name, kind, class, bucket }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type of its values.
    #[must_use]
    pub const fn kind(&self) -> Type {
        self.kind
    }

    /// How grave it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }
}

/// A field that is stored in clear and signed by the record seal, so that nobody changes it unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClearField {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
}

impl ClearField {
    /// A signed clear field.
    #[must_use]
    pub const fn new(name: &'static str, kind: Type) -> Self {
        Self { name, kind }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The type of its values.
    #[must_use]
    pub const fn kind(&self) -> Type {
        self.kind
    }
}

/// What a table's records consist of: a constant of the program.
///
/// ```
/// use bartizan_envelope::{Bucket, Type};
/// use bartizan_field_crypto::{Class, ClearField, Field, Schema};
///
/// const PATIENTS: Schema = Schema::new("patients", "patient", Type::Text)
///     .sealed(&[
///         Field::new("ssn", Type::Text, Class::Sensitive, Bucket::literal(16)),
///         Field::new("medicalRecord", Type::Text, Class::Health, Bucket::literal(1024)),
///     ])
///     .clear(&[ClearField::new("owner", Type::Text)])
///     .owner("owner");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    pub(crate) table: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) row: Type,
    pub(crate) sealed: &'static [Field],
    pub(crate) clear: &'static [ClearField],
    pub(crate) owner: Option<&'static str>,
    pub(crate) team: Option<&'static str>,
}

impl Schema {
    /// A table; `kind` is the first segment of the permissions that speak of its records, and `row` the type of its ids:
    /// text, UUID or a number.
    #[must_use]
    pub const fn new(table: &'static str, kind: &'static str, row: Type) -> Self {
        Self { table, kind, row, sealed: &[], clear: &[], owner: None, team: None }
    }

    /// Its sealed fields.
    #[must_use]
    pub const fn sealed(mut self, fields: &'static [Field]) -> Self {
        self.sealed = fields;
        self
    }

    /// Its signed clear fields.
    #[must_use]
    pub const fn clear(mut self, fields: &'static [ClearField]) -> Self {
        self.clear = fields;
        self
    }

    /// Which signed clear text says whose the record is.
    #[must_use]
    pub const fn owner(mut self, field: &'static str) -> Self {
        self.owner = Some(field);
        self
    }

    /// Which signed clear text says in which team the record is.
    #[must_use]
    pub const fn team(mut self, field: &'static str) -> Self {
        self.team = Some(field);
        self
    }

    /// Whether a field of this name is sealed, in a class of this graveness.
    pub(crate) fn seals(&self, name: &str, graveness: Sensitivity) -> bool {
        self.sealed.iter().any(|field| field.name == name && field.class.sensitivity() == graveness)
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &'static str {
        self.table
    }

    /// The kind of record that permissions speak of.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The sealed fields.
    #[must_use]
    pub const fn sealed_fields(&self) -> &'static [Field] {
        self.sealed
    }

    /// The signed clear fields.
    #[must_use]
    pub const fn clear_fields(&self) -> &'static [ClearField] {
        self.clear
    }
}
