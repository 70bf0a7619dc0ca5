//! Who holds what, as a program says it.

use std::fmt;

use crate::{
    assignment::{Assignment, Change},
    held::Held,
};

/// Who holds which role in which tenant, and who is in which group, now.
///
/// Roles that the policy does not have are kept and count nothing. There is at most one assignment of a role to a holder: the
/// last one stands.
///
/// It is as compact while it is filled as it is afterwards: a subject of four roles takes some 40 bytes beside its name. Names and
/// notes may have any length. At most 2²⁸ different roles and as many groups are kept, and 4 GiB of what one subject holds;
/// what is beyond is not. A clone shares all memory until one of the two is changed.
///
/// ```
/// use bartizan_core::UnixTime;
/// use bartizan_rbac::{Assignment, HeldAssignments};
///
/// let held = HeldAssignments::new()
///     .assign("north", "ada", "doctor")
///     .with(Assignment::new("north", "bob", "nurse").expires(UnixTime::from_secs(1_800_000_000)))
///     .with(Assignment::to_group("north", "ward-1", "nurse"))
///     .join("north", "ward-1", "florence");
/// assert_eq!(format!("{held:?}"), "HeldAssignments(3)");
/// ```
#[derive(Clone)]
pub struct HeldAssignments {
    held: Held,
    scratch: Vec<u8>,
}

impl HeldAssignments {
    /// Nobody holds anything.
    #[must_use]
    pub fn new() -> Self {
        Self { held: Held::new(), scratch: Vec::new() }
    }

    /// The same, and `subject` holds `role` in `tenant`.
    #[must_use]
    pub fn assign(
        mut self,
        tenant: impl AsRef<str>,
        subject: impl AsRef<str>,
        role: impl AsRef<str>,
    ) -> Self {
        self.extend([(tenant, subject, role)]);
        self
    }

    /// The same, and this assignment.
    #[must_use]
    pub fn with(mut self, assignment: Assignment) -> Self {
        self.extend([assignment]);
        self
    }

    /// The same, and `subject` is in `group` of `tenant`.
    #[must_use]
    pub fn join(mut self, tenant: impl AsRef<str>, group: impl AsRef<str>, subject: impl AsRef<str>) -> Self {
        let _unchanged = self.held.join(tenant.as_ref(), group.as_ref(), subject.as_ref(), &mut self.scratch);
        self
    }

    /// Whether nothing is assigned to anybody, nor to any group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.iter().next().is_none()
    }

    /// Makes one change.
    pub fn apply(&mut self, change: &Change) {
        self.held.change(change, &mut self.scratch);
    }

    fn assign_all(&mut self, tenant: &str, subject: &str, roles: &mut Vec<u32>) {
        let _unchanged = self.held.assign_all(tenant, subject, roles, &mut self.scratch);
        roles.clear();
    }

    pub(super) fn into_held(self) -> Held {
        self.held
    }
}

#[cfg(test)]
impl HeldAssignments {
    pub(super) const fn held(&self) -> &Held {
        &self.held
    }
}

impl Default for HeldAssignments {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: AsRef<str>, S: AsRef<str>, R: AsRef<str>> FromIterator<(T, S, R)> for HeldAssignments {
    /// From triples of tenant, subject and role.
    fn from_iter<I: IntoIterator<Item = (T, S, R)>>(triples: I) -> Self {
        let mut held = Self::new();
        held.extend(triples);
        held
    }
}

impl<T: AsRef<str>, S: AsRef<str>, R: AsRef<str>> Extend<(T, S, R)> for HeldAssignments {
    /// With triples of tenant, subject and role: fastest where all roles of a subject come one after the other.
    fn extend<I: IntoIterator<Item = (T, S, R)>>(&mut self, triples: I) {
        let mut roles = Vec::new();
        let mut last: Option<(T, S)> = None;
        for (tenant, subject, role) in triples {
            if let Some((last_tenant, last_subject)) = &last
                && (last_tenant.as_ref() != tenant.as_ref() || last_subject.as_ref() != subject.as_ref())
            {
                self.assign_all(last_tenant.as_ref(), last_subject.as_ref(), &mut roles);
            }
            roles.extend(self.held.role_or_new(role.as_ref()));
            last = Some((tenant, subject));
        }
        if let Some((tenant, subject)) = last {
            self.assign_all(tenant.as_ref(), subject.as_ref(), &mut roles);
        }
    }
}

impl FromIterator<Assignment> for HeldAssignments {
    fn from_iter<I: IntoIterator<Item = Assignment>>(assignments: I) -> Self {
        let mut held = Self::new();
        held.extend(assignments);
        held
    }
}

impl Extend<Assignment> for HeldAssignments {
    fn extend<I: IntoIterator<Item = Assignment>>(&mut self, assignments: I) {
        for assignment in assignments {
            let _unchanged = self.held.assign(&assignment, &mut self.scratch);
        }
    }
}

impl FromIterator<Change> for HeldAssignments {
    /// What these changes, in order, make of nothing.
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        let mut held = Self::new();
        held.extend(changes);
        held
    }
}

impl Extend<Change> for HeldAssignments {
    /// Makes these changes, in order.
    fn extend<I: IntoIterator<Item = Change>>(&mut self, changes: I) {
        for change in changes {
            self.apply(&change);
        }
    }
}

/// Subjects are personal data in many services: only the number of assignments is shown.
impl fmt::Debug for HeldAssignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldAssignments({})", self.held.len())
    }
}
