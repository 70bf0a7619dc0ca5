//! The seam to a program's own records.

use std::fmt;

use bartizan_core::{Pii, PiiClass, Sensitivity};
use bartizan_envelope::Value;
use zeroize::Zeroize;

use crate::{Error, Opened, Schema};

/// A record of a program. It says what it consists of, hands its values over for sealing, and makes a view of what the
/// vault opened. What may be seen is decided by the vault and by nothing in here.
pub trait Sealed: Sized {
    /// What an opened record looks like: each sealed field is a [`Shown`](crate::Shown).
    type View;

    /// What its table's records consist of.
    fn schema() -> &'static Schema;

    /// Where it stands.
    fn place(&self) -> Place<'_>;

    /// Hands over the value of every sealed and every signed clear field, each once.
    fn fields<'a>(&'a self, to: &mut Fields<'a>);

    /// A view of what the vault opened.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) when it asks for a field that there is not, or in another type or class.
    fn view(opened: &mut Opened<'_>) -> Result<Self::View, Error>;
}

/// Where a record stands: its tenant and the id of its row. Ids are made by the program, before sealing.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) row: Value<'a>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) version: u64,
}

impl<'a> Place<'a> {
    /// A row of a tenant; `-` in a service that has one only.
    #[must_use]
    pub const fn new(tenant: &'a str, row: Value<'a>) -> Self {
        Self { tenant, row, subject: None, version: 1 }
    }

    /// The same, sealed under a key of this subject alone, so that the subject's data can be shredded by itself.
    #[must_use]
    pub const fn of_subject(mut self, subject: &'a str) -> Self {
        self.subject = Some(subject);
        self
    }

    /// The same, as this version of the row; 1 unless said.
    #[must_use]
    pub const fn at_version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The values of a record, on their way into the vault.
pub struct Fields<'a> {
    values: Vec<(&'a str, Option<Value<'a>>)>,
    /// The classes of those that came as personal data.
    classes: Vec<(&'a str, Sensitivity)>,
}

impl<'a> Fields<'a> {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new(), classes: Vec::new() }
    }

    /// The value of a field; `None` is null.
    pub fn put(&mut self, name: &'a str, value: impl Into<Option<Value<'a>>>) -> &mut Self {
        self.values.push((name, value.into()));
        self
    }

    /// Personal data of a sealed field, as text. Data of another class than the field's is refused when it is sealed.
    pub fn put_pii<T, C>(&mut self, name: &'a str, value: &'a Pii<T, C>) -> &mut Self
    where
        T: Zeroize + AsRef<str>,
        C: PiiClass,
    {
        self.classes.push((name, C::SENSITIVITY));
        self.put(name, Value::Text(value.danger_expose_uncovered().as_ref()))
    }

    pub(crate) fn as_slice(&self) -> &[(&'a str, Option<Value<'a>>)] {
        &self.values
    }

    pub(crate) fn classes(&self) -> &[(&'a str, Sensitivity)] {
        &self.classes
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(name, _)| name)).finish()
    }
}

/// New values for some fields of a stored record.
#[derive(Default)]
pub struct Changes<'a>(Vec<(&'a str, Option<Value<'a>>)>);

impl<'a> Changes<'a> {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// A new value for a sealed or signed clear field; `None` is null.
    #[must_use]
    pub fn set(mut self, name: &'a str, value: impl Into<Option<Value<'a>>>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    pub(crate) fn as_slice(&self) -> &[(&'a str, Option<Value<'a>>)] {
        &self.0
    }
}

impl fmt::Debug for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
