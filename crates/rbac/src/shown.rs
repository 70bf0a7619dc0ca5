//! Which fields every role shows in clear, and which it hides.
//!
//! A role's own field set counts where that role, with what it inherits, grants the permission on the record at hand. So a
//! role that reads its own records in full and all others by name shows no more than names of the others.

use std::collections::HashMap;

use bartizan_core::FieldSet;

use crate::reach::Reach;

/// Most field names that are computed with, all sets together.
const MAX_NAMES: usize = 1 << 20;

/// Up to how many distinct sets every union is worked out beforehand.
const MAX_JOINED: usize = 64;

/// Most pairs of a role and a permission whose kind of record has fields.
const MAX_ROWS: usize = 1 << 20;

/// Most rows that are handed down, from one role to another under one permission.
const MAX_INHERITED: usize = 1 << 23;

/// Most names of two sets whose union is worked out beforehand, unless it was needed anyway.
const MAX_JOINED_NAMES: usize = 1 << 8;

/// A field set's number.
///
/// INVARIANT(set-ids): different numbers mean different sets; 0 is nothing and 1 is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SetId(u32);

pub(crate) const NOTHING: SetId = SetId(0);
pub(crate) const EVERYTHING: SetId = SetId(1);

/// The policy has more fields than are computed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooMany;

/// For every role and every permission whose records have fields, what is shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    sets: Vec<FieldSet>,
    /// The union of every two of the first `joined_width` sets, if it is one of the sets.
    joined: Vec<Option<SetId>>,
    joined_width: usize,
    /// For each permission its column, if its kind of record has fields at all.
    columns: Vec<Option<u32>>,
    width: usize,
    rows: Vec<Row>,
}

/// What one role, with what it inherits, shows under one permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// In clear, for a record at each reach.
    clear: [SetId; 3],
    /// All that is not hidden.
    visible: SetId,
}

impl Row {
    const NONE: Self = Self { clear: [NOTHING; 3], visible: EVERYTHING };
}

impl Shown {
    /// What one role shows of a record at this reach; what it does not hide.
    #[inline]
    pub(crate) fn of(&self, role: u32, column: u32, at: Reach) -> (SetId, SetId) {
        let row = self.rows.get(role as usize * self.width + column as usize).unwrap_or(&Row::NONE);
        let [own, team, whole] = row.clear;
        let clear = match at {
            Reach::Own => own,
            Reach::Team => team,
            Reach::Whole => whole,
        };
        (clear, row.visible)
    }

    #[inline]
    pub(crate) fn column(&self, permission: u32) -> Option<u32> {
        self.columns.get(permission as usize).copied().flatten()
    }

    fn joined(&self, one: SetId, two: SetId) -> Option<SetId> {
        let (one, two) = (one.0 as usize, two.0 as usize);
        let within = one < self.joined_width && two < self.joined_width;
        within.then(|| self.joined.get(one * self.joined_width + two).copied().flatten()).flatten()
    }

    pub(crate) fn set(&self, id: SetId) -> FieldSet {
        self.sets.get(id.0 as usize).cloned().unwrap_or(FieldSet::nothing())
    }
}

/// Fills a [`Shown`], role by role, what is inherited first.
#[derive(Debug)]
pub(crate) struct ShownBuilder {
    shown: Shown,
    sets: Sets,
    inherited: usize,
}

impl ShownBuilder {
    /// For so many roles, and for permissions that have fields or not.
    pub(crate) fn new(roles: usize, has_fields: impl Iterator<Item = bool>) -> Result<Self, TooMany> {
        let mut width = 0;
        let columns = has_fields
            .map(|has| {
                width += u32::from(has);
                has.then(|| width - 1)
            })
            .collect();
        let width = width as usize;
        let rows = roles.checked_mul(width).filter(|rows| *rows <= MAX_ROWS).ok_or(TooMany)?;
        let rows = vec![Row::NONE; rows];
        let shown = Shown { columns, width, rows, ..Shown::default() };
        Ok(Self { shown, sets: Sets::new(), inherited: 0 })
    }

    pub(crate) fn intern(&mut self, set: FieldSet, names: usize) -> Result<SetId, TooMany> {
        self.sets.intern(set, names)
    }

    /// Gives `role` what `parent` shows and hides.
    pub(crate) fn inherit(&mut self, role: u32, parent: u32) -> Result<(), TooMany> {
        self.inherited = self.inherited.saturating_add(self.shown.width);
        if self.inherited > MAX_INHERITED {
            return Err(TooMany);
        }
        // Permissions side by side are mostly alike.
        let mut last = (Row::NONE, Row::NONE, Row::NONE);
        for column in 0..self.shown.width {
            let at = |role: u32| role as usize * self.shown.width + column;
            let from = self.shown.rows.get(at(parent)).copied().unwrap_or(Row::NONE);
            if let Some(to) = self.shown.rows.get_mut(at(role)) {
                if (last.0, last.1) != (*to, from) {
                    last = (*to, from, self.sets.merged(*to, from)?);
                }
                *to = last.2;
            }
        }
        Ok(())
    }

    pub(crate) fn show(&mut self, role: u32, permission: u32, at: Reach, set: SetId) -> Result<(), TooMany> {
        let Some(column) = self.shown.column(permission) else { return Ok(()) };
        if let Some(row) = self.shown.rows.get_mut(role as usize * self.shown.width + column as usize)
            && let Some(clear) = row.clear.get_mut(at.index())
        {
            *clear = self.sets.union(*clear, set)?;
        }
        Ok(())
    }

    pub(crate) fn keep_visible(&mut self, role: u32, permission: u32, visible: SetId) -> Result<(), TooMany> {
        let Some(column) = self.shown.column(permission) else { return Ok(()) };
        if let Some(row) = self.shown.rows.get_mut(role as usize * self.shown.width + column as usize) {
            row.visible = self.sets.intersection(row.visible, visible)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Shown {
        self.shown.joined_width = self.sets.close_under_union();
        for (one, two) in self.sets.pairs(self.shown.joined_width) {
            self.shown.joined.push(self.sets.known_union(one, two));
        }
        self.shown.sets = self.sets.sets;
        self.shown
    }
}

/// What several roles show together, without an allocation while they agree.
#[derive(Debug)]
pub(crate) enum Merged {
    One(SetId),
    Many(FieldSet),
}

impl Merged {
    pub(crate) fn union(&mut self, shown: &Shown, id: SetId) {
        match self {
            Self::One(one) if *one == id || id == NOTHING => {}
            Self::One(one) if *one == NOTHING => *one = id,
            Self::One(one) => match shown.joined(*one, id) {
                Some(both) => *one = both,
                None => *self = Self::Many(shown.set(*one).union(&shown.set(id))),
            },
            Self::Many(set) => *set = set.union(&shown.set(id)),
        }
    }

    pub(crate) fn intersection(&mut self, shown: &Shown, id: SetId) {
        match self {
            Self::One(one) if *one == id || id == EVERYTHING => {}
            Self::One(one) if *one == EVERYTHING => *one = id,
            Self::One(one) => *self = Self::Many(shown.set(*one).intersection(&shown.set(id))),
            Self::Many(set) => *set = set.intersection(&shown.set(id)),
        }
    }

    pub(crate) fn into_set(self, shown: &Shown) -> FieldSet {
        match self {
            Self::One(id) => shown.set(id),
            Self::Many(set) => set,
        }
    }
}

/// Every distinct field set of a policy, once.
#[derive(Debug)]
struct Sets {
    sets: Vec<FieldSet>,
    /// At most how many names each set holds.
    sizes: Vec<usize>,
    ids: HashMap<FieldSet, SetId>,
    unions: HashMap<(SetId, SetId), SetId>,
    intersections: HashMap<(SetId, SetId), SetId>,
    names: usize,
}

impl Sets {
    fn new() -> Self {
        let sets = vec![FieldSet::nothing(), FieldSet::everything()];
        Self {
            ids: sets.iter().cloned().zip([NOTHING, EVERYTHING]).collect(),
            sets,
            sizes: vec![0, 0],
            unions: HashMap::new(),
            intersections: HashMap::new(),
            names: 0,
        }
    }

    fn intern(&mut self, set: FieldSet, names: usize) -> Result<SetId, TooMany> {
        // Work is counted, not only what is kept: sets that come out alike were computed all the same.
        self.names = self.names.saturating_add(names);
        if self.names > MAX_NAMES {
            return Err(TooMany);
        }
        if let Some(known) = self.ids.get(&set) {
            return Ok(*known);
        }
        let id = SetId(u32::try_from(self.sets.len()).map_err(|_| TooMany)?);
        self.ids.insert(set.clone(), id);
        self.sets.push(set);
        self.sizes.push(names);
        Ok(id)
    }

    fn union(&mut self, one: SetId, two: SetId) -> Result<SetId, TooMany> {
        if one == two || two == NOTHING {
            return Ok(one);
        }
        if one == NOTHING {
            return Ok(two);
        }
        let pair = (one.min(two), one.max(two));
        if let Some(known) = self.unions.get(&pair) {
            return Ok(*known);
        }
        let id = self.intern(self.get(one).union(&self.get(two)), self.size(one) + self.size(two))?;
        self.unions.insert(pair, id);
        Ok(id)
    }

    /// A row with what it inherits from another.
    fn merged(&mut self, mut to: Row, from: Row) -> Result<Row, TooMany> {
        for (to, from) in to.clear.iter_mut().zip(from.clear) {
            *to = self.union(*to, from)?;
        }
        to.visible = self.intersection(to.visible, from.visible)?;
        Ok(to)
    }

    /// Adds unions of what is there until nothing is missing or there are many; says how many sets pair up.
    fn close_under_union(&mut self) -> usize {
        let mut known = 0;
        while known < self.sets.len() && self.sets.len() <= MAX_JOINED {
            known = self.sets.len();
            for (one, two) in self.pairs(known) {
                if self.sets.len() > MAX_JOINED || self.union(one, two).is_err() {
                    break;
                }
            }
        }
        self.sets.len().min(MAX_JOINED)
    }

    fn known_union(&self, one: SetId, two: SetId) -> Option<SetId> {
        if let Some(known) = self.unions.get(&(one.min(two), one.max(two))) {
            return Some(*known);
        }
        if self.size(one) + self.size(two) > MAX_JOINED_NAMES {
            return None;
        }
        self.ids.get(&self.get(one).union(&self.get(two))).copied()
    }

    /// Every pair of the first `width` sets, row by row.
    fn pairs(&self, width: usize) -> Vec<(SetId, SetId)> {
        let ids = 0..u32::try_from(width).unwrap_or_default();
        ids.clone().flat_map(|one| ids.clone().map(move |two| (SetId(one), SetId(two)))).collect()
    }

    fn intersection(&mut self, one: SetId, two: SetId) -> Result<SetId, TooMany> {
        if one == two || two == EVERYTHING {
            return Ok(one);
        }
        if one == EVERYTHING {
            return Ok(two);
        }
        let pair = (one.min(two), one.max(two));
        if let Some(known) = self.intersections.get(&pair) {
            return Ok(*known);
        }
        let id = self.intern(self.get(one).intersection(&self.get(two)), self.size(one) + self.size(two))?;
        self.intersections.insert(pair, id);
        Ok(id)
    }

    fn get(&self, id: SetId) -> FieldSet {
        self.sets.get(id.0 as usize).cloned().unwrap_or(FieldSet::nothing())
    }

    fn size(&self, id: SetId) -> usize {
        self.sizes.get(id.0 as usize).copied().unwrap_or_default()
    }
}
