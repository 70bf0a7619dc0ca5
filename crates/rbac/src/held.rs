//! Who holds what, now: a compact table that changes by copying little.
//!
//! A [`Held`] never changes: [`apply`](Held::apply) makes another one that shares all but one part in 4,096 of each table that
//! it touched. What a subject holds lies in one piece (tenant, name, marks), so that asking for somebody who was not asked for
//! lately waits for memory twice: for the slot and for the record. Roles, tenants and groups have numbers of this table's own,
//! which stay the same from one `Held` to all that are made from it.
//!
//! It refuses nothing and knows no policy: roles of any name are kept.
//!
//! | table | key | value |
//! |---|---|---|
//! | roles | name | number |
//! | tenants | name | number |
//! | subjects | tenant's number, name | marks: roles and groups |
//! | group numbers | tenant's number, name | number |
//! | groups | number | tenant's number, name, marks: roles |
//!
//! So a role that a group is given or loses counts for its members without a touch on theirs.

mod builder;
mod edit;
mod marks;
mod review;
mod shard;
mod tree;

use std::{
    fmt,
    hash::{BuildHasher, Hasher},
    sync::Arc,
};

use bartizan_core::UnixTime;

use crate::{
    assignment::Change,
    held::{
        marks::{Marks, What},
        shard::{Key, Record, Shard},
        tree::Tree,
    },
    names::Seeded,
};

pub use builder::HeldAssignments;

/// Who holds what. A clone shares everything.
#[derive(Clone)]
pub(crate) struct Held {
    seeded: Seeded,
    /// In one shard: they are few, and looked up for every assignment that is put in.
    roles: Shard,
    tenants: Tree,
    subjects: Tree,
    group_numbers: Tree,
    groups: Tree,
    /// The name of tenant 0. Many services have one tenant only: its number is known without a look into the table.
    first_tenant: Option<Arc<str>>,
    next_role: u32,
    next_tenant: u32,
    next_group: u32,
    assignments: usize,
}

/// What one subject, or one group, holds.
#[derive(Clone, Copy)]
pub(crate) struct Roles<'h> {
    held: &'h Held,
    marks: &'h [u8],
}

/// One role that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The number of the role here: [`Held::role_names`] has its name.
    pub(crate) role: u32,
    /// When it counts.
    pub(crate) bounds: Bounds,
    /// The number of the group that it comes through: [`Held::group_name`] has its name.
    pub(crate) group: Option<u32>,
}

/// When an assignment counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// From then on.
    pub(crate) not_before: Option<UnixTime>,
    /// Only before then.
    pub(crate) expires: Option<UnixTime>,
}

impl Held {
    /// Nobody holds anything.
    pub(crate) fn new() -> Self {
        Self {
            seeded: Seeded::draw(),
            roles: Shard::default(),
            tenants: Tree::new(),
            subjects: Tree::new(),
            group_numbers: Tree::new(),
            groups: Tree::new(),
            first_tenant: None,
            next_role: 0,
            next_tenant: 0,
            next_group: 0,
            assignments: 0,
        }
    }

    /// What was gathered, without the room that gathering took.
    pub(crate) fn build(assignments: HeldAssignments) -> Self {
        let mut held = assignments.into_held();
        held.roles.compact();
        for table in [&mut held.tenants, &mut held.subjects, &mut held.group_numbers, &mut held.groups] {
            table.compact();
        }
        held
    }

    /// The same after these changes, in order. Changes that are made already change nothing.
    pub(crate) fn apply(&self, changes: &[Change]) -> Self {
        let mut held = self.clone();
        let mut scratch = Vec::new();
        for change in changes {
            held.change(change, &mut scratch);
        }
        held
    }

    /// What this subject holds in this tenant, directly and through groups. [`Realm::System`](bartizan_core::Realm) is the
    /// tenant `""`.
    #[inline]
    pub(crate) fn of<'h>(&'h self, tenant: &str, subject: &str) -> Option<Roles<'h>> {
        // One hash goes on where the other stopped, so that the subject's place is known without waiting for the tenant's number.
        let mut hasher = self.seeded.build_hasher();
        hasher.write(tenant.as_bytes());
        let hash = hasher.finish();
        hasher.write(subject.as_bytes());
        let tenant = match &self.first_tenant {
            Some(first) if **first == *tenant => 0,
            _ => number(self.tenants.get(Key { hash, space: 0, name: tenant.as_bytes() })?)?,
        };
        let key = Key { hash: hasher.finish(), space: tenant, name: subject.as_bytes() };
        Some(Roles { held: self, marks: self.subjects.get(key)? })
    }

    /// What everybody in this group of this tenant holds.
    pub(crate) fn of_group<'h>(&'h self, tenant: &str, group: &str) -> Option<Roles<'h>> {
        let (_, _, marks) = self.group(self.group_number(tenant, group)?)?;
        Some(Roles { held: self, marks })
    }

    /// The roles' names, by their numbers here. Gathered by walking over them.
    pub(crate) fn role_names(&self) -> Vec<&str> {
        names(self.roles.records(), self.next_role)
    }

    /// How many roles have a number here: as long as it is the same, [`role_names`](Self::role_names) is.
    pub(crate) const fn role_count(&self) -> u32 {
        self.next_role
    }

    /// The number here of a role. None: nobody ever held it.
    pub(crate) fn role_number(&self, role: &str) -> Option<u32> {
        number(self.roles.get(self.word_key(role))?)
    }

    /// A group's name.
    pub(crate) fn group_name(&self, group: u32) -> Option<&str> {
        self.group(group).map(|(_, name, _)| name)
    }

    /// How many assignments there are, to subjects and to groups.
    pub(crate) const fn len(&self) -> usize {
        self.assignments
    }

    fn tenant_number(&self, tenant: &str) -> Option<u32> {
        number(self.tenants.get(self.word_key(tenant))?)
    }

    fn group_number(&self, tenant: &str, group: &str) -> Option<u32> {
        number(self.group_numbers.get(self.key(tenant, self.tenant_number(tenant)?, group))?)
    }

    /// A group: its tenant's number, its name, its marks.
    #[inline]
    fn group(&self, group: u32) -> Option<(u32, &str, &[u8])> {
        let (head, rest) = self.groups.get(self.group_key(group))?.split_first_chunk::<8>()?;
        let [t0, t1, t2, t3, n0, n1, n2, n3] = *head;
        let (name, marks) = rest.split_at_checked(u32::from_le_bytes([n0, n1, n2, n3]) as usize)?;
        Some((u32::from_le_bytes([t0, t1, t2, t3]), str::from_utf8(name).ok()?, marks))
    }

    /// The key of a role or a tenant.
    fn word_key<'a>(&self, name: &'a str) -> Key<'a> {
        Key { hash: self.hash(&[name.as_bytes()]), space: 0, name: name.as_bytes() }
    }

    fn key<'a>(&self, tenant: &str, number: u32, name: &'a str) -> Key<'a> {
        let hash = self.hash(&[tenant.as_bytes(), name.as_bytes()]);
        Key { hash, space: number, name: name.as_bytes() }
    }

    #[inline]
    fn group_key(&self, group: u32) -> Key<'static> {
        Key { hash: self.hash(&[&group.to_le_bytes()]), space: group, name: &[] }
    }

    #[inline]
    fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = self.seeded.build_hasher();
        parts.iter().for_each(|part| hasher.write(part));
        hasher.finish()
    }
}

impl<'h> Roles<'h> {
    /// Calls `each` with every role that is held, whether it counts now or not; with one that is held in several ways, several
    /// times.
    #[inline]
    pub(crate) fn for_each(self, mut each: impl FnMut(Entry)) {
        for mark in Marks::of(self.marks) {
            match mark.what {
                What::Role(role) => each(Entry { role, bounds: mark.bounds, group: None }),
                What::Group(group) => {
                    let Some((_, _, marks)) = self.held.group(group) else { continue };
                    for mark in Marks::of(marks) {
                        if let What::Role(role) = mark.what {
                            each(Entry { role, bounds: mark.bounds, group: Some(group) });
                        }
                    }
                }
            }
        }
    }

    /// The names of the groups that the subject is in.
    pub(crate) fn groups(self) -> impl Iterator<Item = &'h str> {
        let held = self.held;
        Marks::of(self.marks).filter_map(move |mark| match mark.what {
            What::Role(_) => None,
            What::Group(group) => held.group_name(group),
        })
    }
}

impl Bounds {
    /// Always.
    pub(crate) const NONE: Self = Self { not_before: None, expires: None };

    /// Whether it counts at this time.
    #[inline]
    pub(crate) fn hold_at(self, now: UnixTime) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.expires.is_none_or(|end| now < end)
    }

    /// Until when, if it counts now.
    #[inline]
    pub(crate) fn until(self) -> UnixTime {
        self.expires.unwrap_or(UnixTime::MAX)
    }
}

/// Subjects are personal data in many services: only the number of assignments is shown.
impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.assignments)
    }
}

impl fmt::Debug for Roles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roles({})", Marks::of(self.marks).count())
    }
}

#[inline]
fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The names in a table from names to numbers, by number.
fn names<'h>(records: impl Iterator<Item = Record<'h>>, count: u32) -> Vec<&'h str> {
    let mut names = vec![""; count as usize];
    for record in records {
        let place = number(record.value).and_then(|number| names.get_mut(number as usize));
        if let Some(name) = place {
            *name = text(record.name);
        }
    }
    names
}

/// Only texts are put in.
fn text(name: &[u8]) -> &str {
    str::from_utf8(name).unwrap_or_default()
}

#[cfg(test)]
mod tests;
