//! What a change says of itself, for checks and records.

use crate::{Change, Holder};

impl Change {
    /// In which tenant; empty for those who act across tenants.
    #[must_use]
    pub fn tenant(&self) -> &str {
        match self {
            Self::Assign(assignment) => assignment.tenant(),
            Self::Revoke { tenant, .. }
            | Self::Join { tenant, .. }
            | Self::Leave { tenant, .. }
            | Self::Remove { tenant, .. } => tenant,
        }
    }

    /// The word in records.
    pub(super) const fn verb(&self) -> &'static str {
        match self {
            Self::Assign(_) => "assign",
            Self::Revoke { .. } => "revoke",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Remove { .. } => "remove",
        }
    }

    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Assign(_) | Self::Revoke { .. } => "that of an assignment",
            Self::Join { .. } | Self::Leave { .. } => "that of a group",
            Self::Remove { .. } => "that of a subject",
        }
    }

    /// What stands in records as the target: names of roles and groups are no personal data.
    pub(super) fn role_or_group(&self) -> &str {
        match self {
            Self::Assign(assignment) => assignment.role(),
            Self::Revoke { role, .. } => role,
            Self::Join { group, .. } | Self::Leave { group, .. } => group,
            Self::Remove { .. } => "all",
        }
    }

    /// Whom it concerns, for records.
    pub(super) fn whom(&self) -> (&'static str, &str) {
        fn of(holder: &Holder) -> (&'static str, &str) {
            match holder {
                Holder::Subject(name) => ("subject", &**name),
                Holder::Group(name) => ("group", &**name),
            }
        }
        match self {
            Self::Assign(assignment) => of(assignment.holder()),
            Self::Revoke { holder, .. } => of(holder),
            Self::Join { subject, .. } | Self::Leave { subject, .. } | Self::Remove { subject, .. } => {
                ("subject", subject)
            }
        }
    }
}
