//! All of a table of who holds what, for review and export. Each of these walks the whole table; none has an order that means
//! anything.

use std::{fmt, rc::Rc};

use crate::{
    assignment::{Assignment, Change, Holder},
    held::{
        Held, Roles,
        marks::{Marks, What},
        names,
        shard::Record,
        text,
    },
};

/// One subject of one tenant, and what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'h> {
    /// Empty for [`Realm::System`](bartizan_core::Realm).
    pub(crate) tenant: &'h str,
    pub(crate) name: &'h str,
    pub(crate) roles: Roles<'h>,
}

/// As [`Roles`]: nobody's name.
impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl Held {
    /// Every assignment, to subjects and to groups, as it was made. Who is in which group is in [`joins`](Self::joins).
    pub(crate) fn iter(&self) -> impl Iterator<Item = Assignment> {
        let roles = Rc::new(self.role_names());
        let to_subjects = self
            .subjects()
            .map(|subject| (subject.tenant, Holder::Subject(subject.name.into()), subject.roles.marks));
        let to_groups = self.groups().map(|(tenant, group)| {
            let marks = self.of_group(tenant, group).map(|roles| roles.marks).unwrap_or_default();
            (tenant, Holder::Group(group.into()), marks)
        });
        to_subjects.chain(to_groups).flat_map(move |(tenant, holder, marks)| {
            let roles = Rc::clone(&roles);
            Marks::of(marks).with_notes().filter_map(move |(mark, note)| {
                let What::Role(role) = mark.what else { return None };
                Some(Assignment {
                    tenant: tenant.into(),
                    holder: holder.clone(),
                    role: (*roles.get(role as usize)?).into(),
                    not_before: mark.bounds.not_before,
                    expires: mark.bounds.expires,
                    granted_by: note.granted_by.map(Into::into),
                    reason: note.reason.map(Into::into),
                })
            })
        })
    }

    /// Everybody's membership in every group: with [`iter`](Self::iter) all that there is.
    pub(crate) fn joins(&self) -> impl Iterator<Item = Change> {
        self.subjects().flat_map(|subject| {
            subject.roles.groups().map(move |group| Change::Join {
                tenant: subject.tenant.into(),
                group: group.into(),
                subject: subject.name.into(),
            })
        })
    }

    /// Everybody who holds anything or is in any group.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = Subject<'_>> {
        let tenants = self.tenant_names();
        self.subjects.records().filter_map(move |record| {
            let tenant = tenants.get(record.space as usize)?;
            Some(self.subject(tenant, record))
        })
    }

    /// Everybody in this tenant who holds anything or is in any group.
    pub(crate) fn subjects_in<'h>(&'h self, tenant: &'h str) -> impl Iterator<Item = Subject<'h>> {
        let number = self.tenant_number(tenant);
        let records = number
            .into_iter()
            .flat_map(|number| self.subjects.records().filter(move |record| record.space == number));
        records.map(move |record| self.subject(tenant, record))
    }

    /// Tenant and name of every group that was ever given a role or joined.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&str, &str)> {
        let tenants = self.tenant_names();
        self.group_numbers
            .records()
            .filter_map(move |record| Some((*tenants.get(record.space as usize)?, text(record.name))))
    }

    /// The subjects in a group.
    pub(crate) fn members<'h>(&'h self, tenant: &'h str, group: &str) -> impl Iterator<Item = &'h str> {
        let group = self.group_number(tenant, group).map(What::Group);
        self.subjects_in(tenant)
            .filter(move |subject| {
                group.is_some_and(|group| Marks::of(subject.roles.marks).any(|mark| mark.what == group))
            })
            .map(|subject| subject.name)
    }

    fn subject<'h>(&'h self, tenant: &'h str, record: Record<'h>) -> Subject<'h> {
        Subject { tenant, name: text(record.name), roles: Roles { held: self, marks: record.value } }
    }

    fn tenant_names(&self) -> Vec<&str> {
        names(self.tenants.records(), self.next_tenant)
    }
}
