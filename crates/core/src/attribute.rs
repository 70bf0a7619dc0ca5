//! What is known of a resource beside its place: named values, which the conditions of a policy compare.

use std::fmt;

/// One named value of a resource: a column that a policy's conditions may look at. Borrowed and `Copy`.
///
/// ```
/// use bartizan_core::{Attribute, Resource, Value};
///
/// let columns = [Attribute::new("department", Value::Text("oncology")), Attribute::new("public", Value::Flag(false))];
/// let record = Resource::record("north", "patient", "p-17").with_attributes(&columns);
/// assert_eq!(record.attribute("public"), Some(Value::Flag(false)));
/// assert_eq!(record.attribute("Public"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attribute<'a> {
    name: &'a str,
    value: Value<'a>,
}

/// What an attribute holds. Texts are compared byte by byte, never folded, trimmed or normalised.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Several texts; none at all is an answer too.
    Texts(&'a [&'a str]),
    /// There is such a value, but whoever keeps it did not answer. It never helps, and it is no refusal either: where a decision
    /// hangs on it, the decision is indeterminate.
    Unavailable,
}

impl<'a> Attribute<'a> {
    /// A named value.
    #[must_use]
    pub const fn new(name: &'a str, value: Value<'a>) -> Self {
        Self { name, value }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// What it holds.
    #[must_use]
    pub const fn value(&self) -> Value<'a> {
        self.value
    }
}

/// The name; the value shows what it is only.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attribute").field("name", &self.name).field("value", &self.value).finish()
    }
}

/// A record's values are somebody's data: only what kind of value it is is shown.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Number(_) => "Number",
            Self::Flag(_) => "Flag",
            Self::Texts(_) => "Texts",
            Self::Unavailable => "Unavailable",
        })
    }
}
