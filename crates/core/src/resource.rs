//! What is acted upon.

use std::fmt;

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
}

impl<'a> Resource<'a> {
    /// One record. `kind` is the first segment of the permissions that speak of it, for example `patient`.
    #[must_use]
    pub const fn record(tenant: &'a str, kind: &'a str, id: &'a str) -> Self {
        Self { tenant, kind, id: Some(id), owner: None, team: None }
    }

    /// No record in particular: to create one, to list them. A grant for it opens no record.
    #[must_use]
    pub const fn collection(tenant: &'a str, kind: &'a str) -> Self {
        Self { tenant, kind, id: None, owner: None, team: None }
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

    pub(crate) fn is_well_formed(&self) -> bool {
        let fits = crate::names::is_name;
        fits(self.tenant) && fits(self.kind) && self.id.is_none_or(fits)
    }
}
