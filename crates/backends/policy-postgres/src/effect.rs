//! What a list of changes comes to: pure.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_rbac::{Assignment, Change, Holder, SourceErrorKind};

use crate::error::Failure;

/// Done in this order, it comes to the same as the changes one after the other: first everything of the removed subjects goes,
/// then each role of each holder, and each member of each group, becomes what the last change of it says.
#[derive(Debug, Default)]
pub(crate) struct Effect<'c> {
    /// By tenant and subject.
    pub(crate) removed: BTreeSet<(&'c str, &'c str)>,
    /// By tenant, name, whether it is a group, and role. No assignment: it is taken.
    pub(crate) assigned: BTreeMap<(&'c str, &'c str, bool, &'c str), Option<&'c Assignment>>,
    /// By tenant, subject and group: whether it is a member.
    pub(crate) members: BTreeMap<(&'c str, &'c str, &'c str), bool>,
}

impl<'c> Effect<'c> {
    pub(crate) fn of(changes: &'c [Change]) -> Result<Self, Failure> {
        let mut effect = Self::default();
        for change in changes {
            match change {
                Change::Assign(new) => {
                    let key = (new.tenant(), new.holder().name(), is_group(new.holder()), new.role());
                    effect.assigned.insert(key, Some(new));
                }
                Change::Revoke { tenant, holder, role } => {
                    effect.assigned.insert((tenant, holder.name(), is_group(holder), role), None);
                }
                Change::Join { tenant, group, subject } => {
                    effect.members.insert((tenant, subject, group), true);
                }
                Change::Leave { tenant, group, subject } => {
                    effect.members.insert((tenant, subject, group), false);
                }
                Change::Remove { tenant, subject } => {
                    let (tenant, subject) = (&**tenant, &**subject);
                    let of_it = |at: &(&str, &str, bool, &str)| at.0 == tenant && at.1 == subject && !at.2;
                    effect.assigned.retain(|key, _| !of_it(key));
                    effect.members.retain(|key, _| !(key.0 == tenant && key.1 == subject));
                    effect.removed.insert((tenant, subject));
                }
                // Written by a later version of the domain: not known how, so not at all.
                _ => return Err(SourceErrorKind::Unstorable.into()),
            }
        }
        Ok(effect)
    }
}

pub(crate) const fn is_group(holder: &Holder) -> bool {
    matches!(holder, Holder::Group(_))
}
