//! Who was given which role: the words of administration.

use std::fmt;

use bartizan_core::{Realm, UnixTime};

/// One role, given to somebody in one tenant.
///
/// There is at most one assignment of a role to a holder: assigning it again replaces bounds and reason.
///
/// ```
/// use bartizan_core::UnixTime;
/// use bartizan_rbac::Assignment;
///
/// let locum = Assignment::new("north", "ada", "doctor")
///     .expires(UnixTime::from_secs(1_800_000_000))
///     .granted_by("florence")
///     .because("covers for Bob");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assignment {
    /// SECURITY: empty for [`Realm::System`], which no tenant's name is: names are never empty.
    pub(crate) tenant: Box<str>,
    pub(crate) holder: Holder,
    pub(crate) role: Box<str>,
    pub(crate) not_before: Option<UnixTime>,
    pub(crate) expires: Option<UnixTime>,
    pub(crate) granted_by: Option<Box<str>>,
    pub(crate) reason: Option<Box<str>>,
}

/// To whom a role is given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// A subject (`sub`): a person or a service.
    Subject(Box<str>),
    /// Everybody who is in this group of the tenant.
    Group(Box<str>),
}

/// One change of who holds what. Changes that are made already change nothing.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Gives a role (INCITS 359: `AssignUser`).
    Assign(Assignment),
    /// Takes a role (`DeassignUser`).
    Revoke {
        /// Where; empty for [`Realm::System`].
        tenant: Box<str>,
        /// From whom.
        holder: Holder,
        /// Which.
        role: Box<str>,
    },
    /// Puts a subject into a group.
    Join {
        /// Where.
        tenant: Box<str>,
        /// Into which.
        group: Box<str>,
        /// Whom.
        subject: Box<str>,
    },
    /// Takes a subject out of a group.
    Leave {
        /// Where.
        tenant: Box<str>,
        /// Out of which.
        group: Box<str>,
        /// Whom.
        subject: Box<str>,
    },
    /// Takes everything that a subject holds in a tenant, and its groups (`DeleteUser`).
    Remove {
        /// Where; empty for [`Realm::System`].
        tenant: Box<str>,
        /// From whom.
        subject: Box<str>,
    },
}

impl Assignment {
    /// `subject` holds `role` in `tenant`, from now on and without end.
    #[must_use]
    pub fn new(tenant: impl Into<Box<str>>, subject: impl Into<Box<str>>, role: impl Into<Box<str>>) -> Self {
        Self::of(tenant.into(), Holder::Subject(subject.into()), role.into())
    }

    /// Everybody in `group` holds `role` in `tenant`.
    #[must_use]
    pub fn to_group(
        tenant: impl Into<Box<str>>,
        group: impl Into<Box<str>>,
        role: impl Into<Box<str>>,
    ) -> Self {
        Self::of(tenant.into(), Holder::Group(group.into()), role.into())
    }

    /// `subject` of [`Realm::System`] holds `role` across tenants.
    #[must_use]
    pub fn across_tenants(subject: impl Into<Box<str>>, role: impl Into<Box<str>>) -> Self {
        Self::of("".into(), Holder::Subject(subject.into()), role.into())
    }

    const fn of(tenant: Box<str>, holder: Holder, role: Box<str>) -> Self {
        Self { tenant, holder, role, not_before: None, expires: None, granted_by: None, reason: None }
    }

    /// Not before this time.
    #[must_use]
    pub const fn not_before(mut self, from: UnixTime) -> Self {
        self.not_before = Some(from);
        self
    }

    /// Only before this time.
    #[must_use]
    pub const fn expires(mut self, at: UnixTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// Given by this subject.
    #[must_use]
    pub fn granted_by(mut self, who: impl Into<Box<str>>) -> Self {
        self.granted_by = Some(who.into());
        self
    }

    /// For this reason, for people to read.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Box<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// In which world.
    #[must_use]
    pub fn realm(&self) -> Realm {
        if self.tenant.is_empty() { Realm::System } else { Realm::Tenant }
    }

    /// In which tenant; empty for [`Realm::System`].
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// To whom.
    #[must_use]
    pub const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Which role.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// From when on it counts.
    #[must_use]
    pub const fn starts(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// From when on it counts no more.
    #[must_use]
    pub const fn ends(&self) -> Option<UnixTime> {
        self.expires
    }

    /// Who gave it.
    #[must_use]
    pub fn granter(&self) -> Option<&str> {
        self.granted_by.as_deref()
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Whether it counts at this time.
    #[must_use]
    pub fn holds_at(&self, now: UnixTime) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.expires.is_none_or(|end| now < end)
    }
}

impl Holder {
    /// The subject's or the group's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Subject(name) | Self::Group(name) => name,
        }
    }
}

/// Subjects are personal data in many services: role and bounds are shown.
impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignment")
            .field("holder", &self.holder)
            .field("role", &self.role)
            .field("not_before", &self.not_before)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject(_) => "Subject",
            Self::Group(_) => "Group",
        })
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assign(assignment) => f.debug_tuple("Assign").field(assignment).finish(),
            Self::Revoke { role, .. } => f.debug_struct("Revoke").field("role", role).finish_non_exhaustive(),
            Self::Join { group, .. } => f.debug_struct("Join").field("group", group).finish_non_exhaustive(),
            Self::Leave { group, .. } => {
                f.debug_struct("Leave").field("group", group).finish_non_exhaustive()
            }
            Self::Remove { .. } => f.debug_struct("Remove").finish_non_exhaustive(),
        }
    }
}
