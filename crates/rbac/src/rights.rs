//! Which role reaches how far on which permission: one bit a question.

use crate::reach::Reach;

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

/// 64 permissions of one role, all that a decision reads of them side by side.
///
/// INVARIANT(cumulative): a bit in `allow[reach]` or `deny[reach]` means “at least that far”, so what is set for a wider
/// reach is set for the narrower ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    allow: [u64; 3],
    deny: [u64; 3],
}

/// For every role, with what it inherits, how far it reaches on every permission.
#[derive(Debug)]
pub(crate) struct Rights {
    width: usize,
    permissions: u32,
    words: Vec<Word>,
}

impl Rights {
    pub(crate) fn none(roles: usize, permissions: usize) -> Self {
        let width = permissions.div_ceil(64);
        let words = vec![Word::default(); roles.saturating_mul(width)];
        Self { width, permissions: u32::try_from(permissions).unwrap_or(u32::MAX), words }
    }

    pub(crate) fn add(&mut self, role: u32, permission: u32, effect: Effect, reach: Reach) {
        let place = self.place(role, permission);
        let Some(word) = self.words.get_mut(place) else { return };
        let planes = match effect {
            Effect::Allow => &mut word.allow,
            Effect::Deny => &mut word.deny,
        };
        for plane in planes.iter_mut().take(reach.index() + 1) {
            *plane |= bit(permission);
        }
    }

    /// Gives `role` all that `parent` has.
    pub(crate) fn inherit(&mut self, role: u32, parent: u32) {
        for column in 0..self.width {
            let at = |role: u32| role as usize * self.width + column;
            let from = self.words.get(at(parent)).copied().unwrap_or_default();
            if let Some(to) = self.words.get_mut(at(role)) {
                let planes = to.allow.iter_mut().chain(&mut to.deny);
                planes.zip(from.allow.into_iter().chain(from.deny)).for_each(|(to, from)| *to |= from);
            }
        }
    }

    /// The words of one role and permission, and the permission's bit in them.
    pub(crate) fn cell(&self, role: u32, permission: u32) -> Cell {
        Cell {
            word: self.words.get(self.place(role, permission)).copied().unwrap_or_default(),
            bit: bit(permission),
        }
    }

    /// A number for “what this role, with what it inherits, says about this permission”.
    pub(crate) const fn rule(&self, role: u32, permission: u32, effect: Effect) -> u32 {
        // INVARIANT(cells): the compiler allows at most 2^24 pairs of role and permission, so this does not overflow.
        role.saturating_mul(self.permissions)
            .saturating_add(permission)
            .saturating_mul(2)
            .saturating_add(effect as u32)
    }

    /// What [`Rights::rule`] numbered; any number that it never gave yields nothing or an empty cell.
    pub(crate) fn numbered(&self, rule: u32) -> Option<(u32, u32, Effect)> {
        let effect = if rule.is_multiple_of(2) { Effect::Allow } else { Effect::Deny };
        let cell = rule / 2;
        Some((cell.checked_div(self.permissions)?, cell.checked_rem(self.permissions)?, effect))
    }

    /// How many permissions and reaches a role has: a measure of its power.
    pub(crate) fn grants(&self, role: u32) -> u32 {
        let start = role as usize * self.width;
        let words = self.words.get(start..start + self.width).unwrap_or_default();
        words.iter().flat_map(|word| word.allow).map(u64::count_ones).sum()
    }

    const fn place(&self, role: u32, permission: u32) -> usize {
        role as usize * self.width + permission as usize / 64
    }
}

/// How far one role reaches on one permission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    word: Word,
    bit: u64,
}

impl Cell {
    #[inline]
    pub(crate) const fn allows(&self, at_least: Reach) -> bool {
        pick(self.word.allow, at_least) & self.bit != 0
    }

    #[inline]
    pub(crate) const fn denies(&self, at_least: Reach) -> bool {
        pick(self.word.deny, at_least) & self.bit != 0
    }

    /// The widest reach of an effect.
    pub(crate) fn widest(&self, effect: Effect) -> Option<Reach> {
        let reaches = |reach: &Reach| match effect {
            Effect::Allow => self.allows(*reach),
            Effect::Deny => self.denies(*reach),
        };
        Reach::ALL.into_iter().rev().find(reaches)
    }
}

const fn pick([own, team, whole]: [u64; 3], reach: Reach) -> u64 {
    match reach {
        Reach::Own => own,
        Reach::Team => team,
        Reach::Whole => whole,
    }
}

const fn bit(permission: u32) -> u64 {
    1 << (permission % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_kept_apart_across_words_roles_and_effects() {
        let mut rights = Rights::none(3, 130);
        rights.add(1, 64, Effect::Allow, Reach::Team);
        rights.add(1, 129, Effect::Deny, Reach::Whole);
        rights.inherit(2, 1);
        for role in 0..3 {
            for permission in 0..130 {
                let cell = rights.cell(role, permission);
                let expected = |at: u32, reach| (role > 0 && permission == at).then_some(reach);
                assert_eq!(cell.widest(Effect::Allow), expected(64, Reach::Team));
                assert_eq!(cell.widest(Effect::Deny), expected(129, Reach::Whole));
            }
        }
        assert_eq!(rights.cell(9, 0).widest(Effect::Allow), None);
    }

    #[test]
    fn a_rules_number_reads_back() {
        let rights = Rights::none(7, 70);
        for role in 0..7 {
            for permission in 0..70 {
                for effect in [Effect::Allow, Effect::Deny] {
                    let rule = rights.rule(role, permission, effect);
                    assert_eq!(rights.numbered(rule), Some((role, permission, effect)));
                }
            }
        }
        assert_eq!(Rights::none(0, 0).numbered(3), None);
    }
}
