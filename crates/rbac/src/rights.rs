//! Which role says what about which permission.

use crate::{
    reach::Reach,
    shape::{Detail, Shape, ShapeId, shape},
};

/// Whether an entry gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Gives.
    Allow,
    /// Takes; stronger than any allow.
    Deny,
}

impl Effect {
    /// The word in policy files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// For every role, with what it inherits, what it says about every permission that it speaks of.
///
/// Each role has a small open table of its own. A question reads the role's head and mostly one slot, whether the policy
/// has ten permissions or a hundred thousand; the space is in proportion to what is said.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    permissions: u32,
    heads: Vec<Head>,
    slots: Vec<Slot>,
    pub(crate) details: Box<[Detail]>,
}

/// Where a role's table lies.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    start: u32,
    /// How many slots it has: none, or more than the role has entries.
    slots: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    permission: u32,
    shape: ShapeId,
}

impl Slot {
    const FREE: Self = Self { permission: u32::MAX, shape: ShapeId::NOTHING };
}

/// One role's entries: permissions in order, each once.
pub(crate) type Row = Vec<(u32, ShapeId)>;

impl Rights {
    /// INVARIANT(rights-size): the compiler bounds the entries of all rows, so that their places fit 32 bits.
    pub(crate) fn new(permissions: usize, rows: &[Row], details: Box<[Detail]>) -> Self {
        let mut rights = Self {
            permissions: u32::try_from(permissions).unwrap_or(u32::MAX),
            heads: Vec::with_capacity(rows.len()),
            slots: Vec::with_capacity(rows.iter().map(|row| room(row.len())).sum()),
            details,
        };
        for row in rows {
            let start = rights.slots.len();
            rights.slots.resize(start + room(row.len()), Slot::FREE);
            let Some(table) = rights.slots.get_mut(start..) else { continue };
            for (permission, shape) in row {
                let first = home(*permission, table.len());
                let free = (first..table.len())
                    .chain(0..first)
                    .find(|at| table.get(*at).is_some_and(|slot| slot.permission == Slot::FREE.permission));
                if let Some(slot) = free.and_then(|at| table.get_mut(at)) {
                    *slot = Slot { permission: *permission, shape: *shape };
                }
            }
            let head = Head { start: start as u32, slots: room(row.len()) as u32 };
            rights.heads.push(head);
        }
        rights
    }

    /// What a role says about a permission.
    #[inline]
    pub(crate) fn of(&self, role: u32, permission: u32) -> ShapeId {
        let table = self.table(role);
        let mut at = home(permission, table.len());
        for _ in 0..table.len() {
            match table.get(at) {
                Some(slot) if slot.permission == permission => return slot.shape,
                Some(slot) if slot.permission != Slot::FREE.permission => {}
                _ => break,
            }
            at = if at + 1 == table.len() { 0 } else { at + 1 };
        }
        ShapeId::NOTHING
    }

    /// The same, spread out.
    pub(crate) fn shape(&self, role: u32, permission: u32) -> Shape {
        shape(self.of(role, permission), &self.details)
    }

    /// All that a role says, in no order that means anything.
    pub(crate) fn said(&self, role: u32) -> impl Iterator<Item = (u32, ShapeId)> {
        let taken = self.table(role).iter().filter(|slot| slot.permission != Slot::FREE.permission);
        taken.map(|slot| (slot.permission, slot.shape))
    }

    /// All that a role says, in the order of the permissions.
    pub(crate) fn row(&self, role: u32) -> Row {
        let mut row: Row = self.said(role).collect();
        row.sort_unstable_by_key(|(permission, _)| *permission);
        row
    }

    /// A number for “what this role, with what it inherits, says about this permission”.
    pub(crate) const fn rule(&self, role: u32, permission: u32, effect: Effect) -> u32 {
        // INVARIANT(cells): the compiler allows at most 2^30 pairs of role and permission, so this does not overflow.
        role.saturating_mul(self.permissions)
            .saturating_add(permission)
            .saturating_mul(2)
            .saturating_add(effect as u32)
    }

    /// What [`Rights::rule`] numbered; any number that it never gave yields nothing or a pair of which nothing is said.
    pub(crate) fn numbered(&self, rule: u32) -> Option<(u32, u32, Effect)> {
        let effect = if rule.is_multiple_of(2) { Effect::Allow } else { Effect::Deny };
        let cell = rule / 2;
        Some((cell.checked_div(self.permissions)?, cell.checked_rem(self.permissions)?, effect))
    }

    /// How many permissions and reaches a role has, conditions met: a measure of its power.
    pub(crate) fn grants(&self, role: u32) -> u32 {
        let reach = |shape: ShapeId| {
            let most = crate::shape::shape(shape, &self.details).may_reach(Effect::Allow);
            most.map_or(0, |reach: Reach| reach as u32 + 1)
        };
        self.table(role).iter().map(|slot| reach(slot.shape)).sum()
    }

    #[inline]
    fn table(&self, role: u32) -> &[Slot] {
        let Some(head) = self.heads.get(role as usize) else { return &[] };
        let start = head.start as usize;
        self.slots.get(start..start + head.slots as usize).unwrap_or_default()
    }
}

/// For every permission, the roles that say something of it.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// Where each permission's roles begin, and the end of the last.
    starts: Vec<u32>,
    roles: Vec<u32>,
}

impl Spoken {
    /// The roles of each permission stand in the order in which `roles` names them.
    pub(crate) fn of(rights: &Rights, roles: &[u32], permissions: usize) -> Self {
        let said = |role: &u32| {
            let slots = rights.table(*role).iter().map(|slot| slot.permission);
            slots.filter(|permission| *permission != Slot::FREE.permission)
        };
        let mut starts = vec![0_u32; permissions + 1];
        for permission in roles.iter().flat_map(said) {
            if let Some(count) = starts.get_mut(permission as usize + 1) {
                *count += 1;
            }
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let (mut next, mut all) = (starts.clone(), vec![0; before as usize]);
        for role in roles {
            for permission in said(role) {
                if let Some(at) = next.get_mut(permission as usize) {
                    if let Some(place) = all.get_mut(*at as usize) {
                        *place = *role;
                    }
                    *at += 1;
                }
            }
        }
        Self { starts, roles: all }
    }

    pub(crate) fn of_permission(&self, permission: u32) -> &[u32] {
        let at = permission as usize;
        let (Some(start), Some(end)) = (self.starts.get(at), self.starts.get(at + 1)) else { return &[] };
        self.roles.get(*start as usize..*end as usize).unwrap_or_default()
    }
}

/// Slots for so many entries: five for three, and always one that is free.
const fn room(entries: usize) -> usize {
    if entries == 0 { 0 } else { entries + entries * 2 / 3 + 1 }
}

/// Where a permission is looked for first. Numbers of permissions are dense and nobody's to choose: a fixed multiplier does.
#[inline]
const fn home(permission: u32, slots: usize) -> usize {
    let spread = permission.wrapping_mul(0x9e37_79b1);
    ((spread as u64 * slots as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(allow: Option<Reach>, deny: Option<Reach>) -> ShapeId {
        let shape = Shape { allow, deny, ..Shape::NOTHING };
        crate::shape::Shapes::default().intern(shape).expect("plain")
    }

    #[test]
    fn entries_are_kept_apart_across_roles_and_permissions() {
        let (team, never) = (plain(Some(Reach::Team), None), plain(None, Some(Reach::Whole)));
        let everything: Row = (0..130).map(|permission| (permission, team)).collect();
        let rights =
            Rights::new(130, &[vec![], vec![(64, team), (129, never)], everything.clone()], Box::new([]));
        for permission in 0..130 {
            assert_eq!(rights.of(0, permission), ShapeId::NOTHING);
            let expected = match permission {
                64 => team,
                129 => never,
                _ => ShapeId::NOTHING,
            };
            assert_eq!(rights.of(1, permission), expected);
            assert_eq!(rights.of(2, permission), team);
            assert_eq!(rights.of(9, permission), ShapeId::NOTHING);
        }
        assert_eq!(rights.of(2, 130), ShapeId::NOTHING);
        assert_eq!(rights.row(2), everything);
        assert!(team.allows(Reach::Own) && team.allows(Reach::Team) && !team.allows(Reach::Whole));
        assert!(never.denies(Reach::Own) && never.denies(Reach::Whole) && !never.allows(Reach::Own));
        assert_eq!((rights.grants(2), rights.grants(1), rights.grants(0)), (260, 2, 0));
    }

    #[test]
    fn a_rules_number_reads_back() {
        let rights = Rights::new(70, &[], Box::new([]));
        for role in 0..7 {
            for permission in 0..70 {
                for effect in [Effect::Allow, Effect::Deny] {
                    let rule = rights.rule(role, permission, effect);
                    assert_eq!(rights.numbered(rule), Some((role, permission, effect)));
                }
            }
        }
        assert_eq!(Rights::default().numbered(3), None);
    }
}
