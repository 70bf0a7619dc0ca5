//! What changes mean, in the plainest way. No store's code is in here.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, Violation, hold};
use crate::{Assignment, Change, Holder, Loaded, PolicyText};

/// Who holds what, and who is in which group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    assigned: BTreeMap<(String, Holder, String), Assignment>,
    members: BTreeSet<(String, String, String)>,
}

impl Model {
    pub(super) fn of(loaded: &Loaded) -> Self {
        let mut model = Self::default();
        loaded.held.iter().for_each(|change| model.apply(change));
        model
    }

    pub(super) fn with(mut self, changes: &[Change]) -> Self {
        changes.iter().for_each(|change| self.apply(change));
        self
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Assign(assignment) => {
                let (tenant, role) = (assignment.tenant().to_owned(), assignment.role().to_owned());
                self.assigned.insert((tenant, assignment.holder().clone(), role), assignment.clone());
            }
            Change::Revoke { tenant, holder, role } => {
                self.assigned.remove(&(tenant.to_string(), holder.clone(), role.to_string()));
            }
            Change::Join { tenant, group, subject } => {
                self.members.insert((tenant.to_string(), group.to_string(), subject.to_string()));
            }
            Change::Leave { tenant, group, subject } => {
                self.members.remove(&(tenant.to_string(), group.to_string(), subject.to_string()));
            }
            Change::Remove { tenant, subject } => {
                let held: Vec<_> = self.assigned.keys().cloned().collect();
                for key in held {
                    if *key.0 == **tenant && key.1 == Holder::Subject(subject.clone()) {
                        self.assigned.remove(&key);
                    }
                }
                let members: Vec<_> = self.members.iter().cloned().collect();
                for key in members {
                    if *key.0 == **tenant && *key.2 == **subject {
                        self.members.remove(&key);
                    }
                }
            }
        }
    }

    pub(super) fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assigned.values()
    }

    /// Demands that this is what was loaded.
    pub(super) fn must_be(&self, loaded: &Loaded, what: &str) -> Outcome {
        hold(*self == Self::of(loaded), what)
    }
}

/// A policy with another text for each number.
pub(super) fn policy(number: u32) -> PolicyText {
    PolicyText::Toml(format!("version = 1\n# {number}\n"))
}

pub(super) fn assign(subject: &str, role: &str) -> Change {
    Change::Assign(Assignment::new("north", subject, role))
}

pub(super) fn revoke(subject: &str, role: &str) -> Change {
    Change::Revoke { tenant: "north".into(), holder: Holder::Subject(subject.into()), role: role.into() }
}

pub(super) fn join(group: &str, subject: &str) -> Change {
    Change::Join { tenant: "north".into(), group: group.into(), subject: subject.into() }
}

pub(super) fn leave(group: &str, subject: &str) -> Change {
    Change::Leave { tenant: "north".into(), group: group.into(), subject: subject.into() }
}

pub(super) fn remove(tenant: &str, subject: &str) -> Change {
    Change::Remove { tenant: tenant.into(), subject: subject.into() }
}

/// An answer that must be one of the others.
pub(super) fn wrong<T>(what: &str) -> Result<T, Violation> {
    Err(Violation::new(what))
}
