//! What is acted upon.

use std::fmt;

use crate::{Attribute, Value};

/// Who owns a record, and how that is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner<'a> {
    /// The record's own seal says so, and it was checked: the vault's `attest` makes these.
    Sealed(&'a str),
    /// The caller says so, for instance from a column in clear. A policy says which rules accept that.
    Asserted(&'a str),
}

impl<'a> Owner<'a> {
    /// The owner's subject.
    #[must_use]
    pub const fn subject(&self) -> &'a str {
        match self {
            Self::Sealed(subject) | Self::Asserted(subject) => subject,
        }
    }
}

/// Subjects are personal data in many services: only how the owner is known is shown.
impl fmt::Debug for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sealed(_) => "Sealed",
            Self::Asserted(_) => "Asserted",
        })
    }
}

/// One record, or a whole kind of them, in one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource<'a> {
    tenant: &'a str,
    kind: &'a str,
    id: Option<&'a str>,
    owner: Option<Owner<'a>>,
    team: Option<&'a str>,
    attributes: &'a [Attribute<'a>],
}

impl<'a> Resource<'a> {
    /// One record. `kind` is the first segment of the permissions that speak of it, for example `patient`.
    #[must_use]
    pub const fn record(tenant: &'a str, kind: &'a str, id: &'a str) -> Self {
        Self { tenant, kind, id: Some(id), owner: None, team: None, attributes: &[] }
    }

    /// No record in particular: to create one, to list them. A grant for it opens no record.
    #[must_use]
    pub const fn collection(tenant: &'a str, kind: &'a str) -> Self {
        Self { tenant, kind, id: None, owner: None, team: None, attributes: &[] }
    }

    /// The same, with its owner.
    #[must_use]
    pub const fn owned_by(mut self, owner: Owner<'a>) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The same, in a team.
    #[must_use]
    pub const fn in_team(mut self, team: &'a str) -> Self {
        self.team = Some(team);
        self
    }

    /// The same, with what a policy's conditions may look at. What is not given here is unknown to them, and what is unknown never
    /// helps. A name that stands here twice is unknown too.
    #[must_use]
    pub const fn with_attributes(mut self, attributes: &'a [Attribute<'a>]) -> Self {
        self.attributes = attributes;
        self
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &'a str {
        self.tenant
    }

    /// The kind of record.
    #[must_use]
    pub const fn kind(&self) -> &'a str {
        self.kind
    }

    /// The record's id; nothing for a whole collection.
    #[must_use]
    pub const fn id(&self) -> Option<&'a str> {
        self.id
    }

    /// The owner, if one is known.
    #[must_use]
    pub const fn owner(&self) -> Option<Owner<'a>> {
        self.owner
    }

    /// The team, if there is one.
    #[must_use]
    pub const fn team(&self) -> Option<&'a str> {
        self.team
    }

    /// What a policy's conditions may look at.
    #[must_use]
    pub const fn attributes(&self) -> &'a [Attribute<'a>] {
        self.attributes
    }

    /// The one attribute of this name, byte by byte; nothing when there is none, or more than one.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value<'a>> {
        let mut found = self.attributes.iter().filter(|attribute| attribute.name() == name);
        let one = found.next()?.value();
        // SECURITY: which of two would count depends on who put them there, and in which order.
        found.next().is_none().then_some(one)
    }

    pub(crate) fn is_well_formed(&self) -> bool {
        let fits = crate::names::is_name;
        fits(self.tenant) && fits(self.kind) && self.id.is_none_or(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_found_by_its_exact_name_and_only_once() {
        let columns = [
            Attribute::new("status", Value::Text("open")),
            Attribute::new("Status", Value::Text("closed")),
            Attribute::new("ward", Value::Number(1)),
            Attribute::new("ward", Value::Number(1)),
        ];
        let record = Resource::record("north", "patient", "p-1");
        assert_eq!(record.attribute("status"), None);
        let record = record.with_attributes(&columns);
        assert_eq!(record.attribute("status"), Some(Value::Text("open")));
        for unknown in ["ward", "statu", "status ", "STATUS", ""] {
            assert_eq!(record.attribute(unknown), None, "{unknown}");
        }
        assert!(size_of::<Resource<'_>>() <= 104, "it is copied at every decision");
    }

    #[test]
    fn debug_shows_no_value() {
        let (list, canary) = (["canary-list"], 47_114_711);
        let columns = [
            Attribute::new("a", Value::Text("canary-text")),
            Attribute::new("b", Value::Number(canary)),
            Attribute::new("c", Value::Texts(&list)),
            Attribute::new("d", Value::Flag(true)),
        ];
        let shown = format!("{:?}", Resource::record("north", "patient", "p-1").with_attributes(&columns));
        assert!(
            !shown.contains("canary") && !shown.contains("47114711") && !shown.contains("true"),
            "{shown}"
        );
        assert!(shown.contains("\"a\""), "{shown}");
    }
}
