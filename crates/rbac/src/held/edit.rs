//! Changes of a table of who holds what. Each function answers `None` where there is nothing to change.

use crate::{
    assignment::{Assignment, Change, Holder},
    held::{
        Bounds, Held,
        marks::{self, Marks, NUMBERS, Note, Set, What},
    },
};

impl Held {
    /// One change. The scratch is for the new value of a record, and is anything before and after.
    pub(super) fn change(&mut self, change: &Change, scratch: &mut Vec<u8>) {
        let _unchanged = match change {
            Change::Assign(assignment) => self.assign(assignment, scratch),
            Change::Revoke { tenant, holder: Holder::Subject(subject), role } => {
                let number = self.role_number(role);
                number.and_then(|role| self.take(tenant, subject, What::Role(role), scratch))
            }
            Change::Revoke { tenant, holder: Holder::Group(group), role } => {
                let number = self.role_number(role);
                number.and_then(|role| self.take_from_group(tenant, group, role, scratch))
            }
            Change::Join { tenant, group, subject } => self.join(tenant, group, subject, scratch),
            Change::Leave { tenant, group, subject } => {
                let number = self.group_number(tenant, group);
                number.and_then(|group| self.take(tenant, subject, What::Group(group), scratch))
            }
            Change::Remove { tenant, subject } => self.remove(tenant, subject),
        };
    }

    pub(super) fn assign(&mut self, assignment: &Assignment, scratch: &mut Vec<u8>) -> Option<()> {
        let bounds = Bounds { not_before: assignment.not_before, expires: assignment.expires };
        let note = Note { granted_by: assignment.granter(), reason: assignment.reason() };
        let Assignment { tenant, holder, role, .. } = assignment;
        match holder {
            Holder::Subject(subject) => {
                let role = What::Role(self.role_or_new(role)?);
                self.give(tenant, subject, role, bounds, note, scratch)
            }
            Holder::Group(group) => self.assign_group(tenant, group, role, bounds, note, scratch),
        }
    }

    /// Several roles at once, without bounds or notes: a table is mostly filled subject by subject.
    pub(super) fn assign_all(
        &mut self,
        tenant: &str,
        subject: &str,
        roles: &mut Vec<u32>,
        scratch: &mut Vec<u8>,
    ) -> Option<()> {
        let number = self.tenant_or_new(tenant)?;
        let key = self.key(tenant, number, subject);
        if self.subjects.get(key).is_some() {
            for role in roles {
                self.give(tenant, subject, What::Role(*role), Bounds::NONE, Note::default(), scratch);
            }
            return Some(());
        }
        roles.sort_unstable();
        roles.dedup();
        marks::of_roles(roles, scratch);
        self.subjects.put(key, scratch)?;
        self.assignments += roles.len();
        Some(())
    }

    pub(super) fn join(
        &mut self,
        tenant: &str,
        group: &str,
        subject: &str,
        scratch: &mut Vec<u8>,
    ) -> Option<()> {
        let group = self.group_or_new(tenant, group)?;
        self.give(tenant, subject, What::Group(group), Bounds::NONE, Note::default(), scratch)
    }

    fn give(
        &mut self,
        tenant: &str,
        subject: &str,
        what: What,
        bounds: Bounds,
        note: Note<'_>,
        scratch: &mut Vec<u8>,
    ) -> Option<()> {
        let number = self.tenant_or_new(tenant)?;
        let key = self.key(tenant, number, subject);
        let value = self.subjects.get(key).unwrap_or_default();
        let set = marks::set(value, what, bounds, note, scratch);
        if value == scratch.as_slice() {
            return None;
        }
        self.subjects.put(key, scratch)?;
        self.assignments += usize::from(set == Set::New && matches!(what, What::Role(_)));
        Some(())
    }

    fn take(&mut self, tenant: &str, subject: &str, what: What, scratch: &mut Vec<u8>) -> Option<()> {
        let key = self.key(tenant, self.tenant_number(tenant)?, subject);
        if !marks::unset(self.subjects.get(key)?, what, scratch) {
            return None;
        }
        if scratch.is_empty() {
            self.subjects.remove(key)?;
        } else {
            self.subjects.put(key, scratch)?;
        }
        self.uncount(usize::from(matches!(what, What::Role(_))));
        Some(())
    }

    fn remove(&mut self, tenant: &str, subject: &str) -> Option<()> {
        let key = self.key(tenant, self.tenant_number(tenant)?, subject);
        let marks = Marks::of(self.subjects.get(key)?);
        let roles = marks.filter(|mark| matches!(mark.what, What::Role(_))).count();
        self.subjects.remove(key)?;
        self.uncount(roles);
        Some(())
    }

    fn assign_group(
        &mut self,
        tenant: &str,
        group: &str,
        role: &str,
        bounds: Bounds,
        note: Note<'_>,
        scratch: &mut Vec<u8>,
    ) -> Option<()> {
        let role = self.role_or_new(role)?;
        let group = self.group_or_new(tenant, group)?;
        let (_, _, marks) = self.group(group)?;
        let set = marks::set(marks, What::Role(role), bounds, note, scratch);
        if marks == scratch.as_slice() {
            return None;
        }
        self.put_group(group, scratch)?;
        self.assignments += usize::from(set == Set::New);
        Some(())
    }

    fn take_from_group(&mut self, tenant: &str, group: &str, role: u32, scratch: &mut Vec<u8>) -> Option<()> {
        let group = self.group_number(tenant, group)?;
        let (_, _, marks) = self.group(group)?;
        if !marks::unset(marks, What::Role(role), scratch) {
            return None;
        }
        // A group that holds nothing stays: its members name it.
        self.put_group(group, scratch)?;
        self.uncount(1);
        Some(())
    }

    const fn uncount(&mut self, assignments: usize) {
        self.assignments = self.assignments.saturating_sub(assignments);
    }

    fn put_group(&mut self, group: u32, marks: &[u8]) -> Option<()> {
        let (tenant, name, _) = self.group(group)?;
        let value = group_value(tenant, name, marks)?;
        self.groups.put(self.group_key(group), &value)
    }

    /// The number of a role, a new one if need be. Only here is one made: what is asked for or taken makes none.
    pub(super) fn role_or_new(&mut self, role: &str) -> Option<u32> {
        if let Some(number) = self.role_number(role) {
            return Some(number);
        }
        let number = Some(self.next_role).filter(|number| *number < NUMBERS)?;
        self.roles.put(self.word_key(role), &number.to_le_bytes())?;
        self.next_role = number + 1;
        Some(number)
    }

    fn tenant_or_new(&mut self, tenant: &str) -> Option<u32> {
        if let Some(number) = self.tenant_number(tenant) {
            return Some(number);
        }
        let number = self.next_tenant;
        let next = number.checked_add(1)?;
        self.tenants.put(self.word_key(tenant), &number.to_le_bytes())?;
        if number == 0 {
            self.first_tenant = Some(tenant.into());
        }
        self.next_tenant = next;
        Some(number)
    }

    fn group_or_new(&mut self, tenant: &str, group: &str) -> Option<u32> {
        let tenant_number = self.tenant_or_new(tenant)?;
        if let Some(number) = self.group_number(tenant, group) {
            return Some(number);
        }
        let number = Some(self.next_group).filter(|number| *number < NUMBERS)?;
        self.groups.put(self.group_key(number), &group_value(tenant_number, group, &[])?)?;
        self.group_numbers.put(self.key(tenant, tenant_number, group), &number.to_le_bytes())?;
        self.next_group = number + 1;
        Some(number)
    }
}

fn group_value(tenant: u32, name: &str, marks: &[u8]) -> Option<Vec<u8>> {
    let len = u32::try_from(name.len()).ok()?;
    Some([&tenant.to_le_bytes(), &len.to_le_bytes(), name.as_bytes(), marks].concat())
}
