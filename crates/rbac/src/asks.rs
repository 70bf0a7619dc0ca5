//! Every text that may be asked for, laid out for questions: a hash leads to a record, and the record has all that is
//! needed to weigh the question at all.

use std::hash::{BuildHasher, Hasher};

use crate::{
    names::{Seeded, Table},
    policy::{Asked, PermissionInfo},
    reach::{Owners, Reach},
};

/// A table that is never changed: slots of a hash and an offset, and records in one piece of memory. Two reads that a cache may
/// miss, where a general map makes three or four.
///
/// ```text
/// record = permission (4), at least (1), owners (1), length of the text (1), length of the kind (1), text, kind
/// ```
#[derive(Debug)]
pub(crate) struct Asks {
    seeded: Seeded,
    /// The low half is the hash, the high half one more than the offset; zero is free.
    slots: Box<[u64]>,
    records: Box<[u8]>,
}

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) asked: Asked,
    pub(crate) owners: Owners,
    /// The kind of record that the permission speaks of.
    pub(crate) kind: &'a [u8],
    text: &'a [u8],
}

impl<'a> Found<'a> {
    /// What is asked for by another way than a text.
    pub(crate) fn of(asked: Asked, info: &'a PermissionInfo) -> Self {
        Self { asked, owners: info.owners, kind: info.resource.as_bytes(), text: info.name.as_bytes() }
    }
}

const HEAD: usize = 8;

impl Default for Asks {
    fn default() -> Self {
        Self { seeded: Seeded::draw(), slots: Box::new([]), records: Box::new([]) }
    }
}

impl Asks {
    /// INVARIANT(asks-lengths): no text is longer than 200 bytes and no kind than 64, so a byte holds each length.
    pub(crate) fn of(texts: &Table<Asked>, permissions: &[PermissionInfo]) -> Self {
        let mut asks = Self::default();
        let mut slots = vec![0_u64; texts.len() + texts.len() / 2 + 1];
        let mut records = Vec::with_capacity(texts.len() * 32);
        for (text, asked) in texts.entries() {
            let Some(info) = permissions.get(asked.permission as usize) else { continue };
            let start = records.len() as u64 + 1;
            let byte = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
            records.extend_from_slice(&asked.permission.to_le_bytes());
            records.extend([asked.at_least as u8, u8::from(info.owners == Owners::Asserted)]);
            records.extend([byte(text.len()), byte(info.resource.len())]);
            records.extend_from_slice(text.as_bytes());
            records.extend_from_slice(info.resource.as_bytes());
            let hash = asks.hash(text);
            let mut at = home(hash, slots.len());
            while let Some(slot) = slots.get_mut(at) {
                if *slot == 0 {
                    *slot = start << 32 | u64::from(hash);
                    break;
                }
                at = after(at, slots.len());
            }
        }
        asks.slots = slots.into();
        asks.records = records.into();
        asks
    }

    #[inline]
    pub(crate) fn find(&self, text: &str) -> Option<Found<'_>> {
        let hash = self.hash(text);
        let mut at = home(hash, self.slots.len());
        // INVARIANT(asks-free-slot): a third of the slots are free; the count only bounds the walk.
        for _ in 0..self.slots.len() {
            let slot = *self.slots.get(at)?;
            let start = (slot >> 32) as usize;
            if start == 0 {
                return None;
            }
            // SECURITY: the text is compared in full; the hash only finds the place.
            if slot as u32 == hash
                && let Some(found) = self.record(start - 1)
                && found.text == text.as_bytes()
            {
                return Some(found);
            }
            at = after(at, self.slots.len());
        }
        None
    }

    pub(crate) fn get(&self, text: &str) -> Option<Asked> {
        self.find(text).map(|found| found.asked)
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// The text itself, as long as this table lives.
    pub(crate) fn text_of(&self, text: &str) -> Option<&str> {
        str::from_utf8(self.find(text)?.text).ok()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let taken = self.slots.iter().map(|slot| (slot >> 32) as usize).filter(|start| *start > 0);
        taken.filter_map(|start| str::from_utf8(self.record(start - 1)?.text).ok())
    }

    #[inline]
    fn record(&self, start: usize) -> Option<Found<'_>> {
        let (head, rest) = self.records.get(start..)?.split_first_chunk::<HEAD>()?;
        let [p0, p1, p2, p3, at_least, owners, text, kind] = *head;
        let (text, rest) = rest.split_at_checked(usize::from(text))?;
        let at_least = match at_least {
            0 => Reach::Own,
            1 => Reach::Team,
            _ => Reach::Whole,
        };
        let owners = if owners == 1 { Owners::Asserted } else { Owners::Sealed };
        let asked = Asked { permission: u32::from_le_bytes([p0, p1, p2, p3]), at_least };
        Some(Found { asked, owners, kind: rest.get(..usize::from(kind))?, text })
    }

    #[inline]
    fn hash(&self, text: &str) -> u32 {
        let mut hasher = self.seeded.build_hasher();
        hasher.write(text.as_bytes());
        (hasher.finish() >> 32) as u32
    }
}

#[inline]
const fn home(hash: u32, slots: usize) -> usize {
    ((hash as u64 * slots as u64) >> 32) as usize
}

#[inline]
const fn after(at: usize, slots: usize) -> usize {
    if at + 1 == slots { 0 } else { at + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_with_its_permission_and_no_other_is() {
        let info = |n: usize| PermissionInfo {
            name: format!("kind{n}:read").into(),
            resource: format!("kind{n}").into(),
            action: "read".into(),
            scopes: vec![Reach::Whole],
            owners: if n.is_multiple_of(2) { Owners::Sealed } else { Owners::Asserted },
            line: None,
        };
        let permissions: Vec<PermissionInfo> = (0..5_000).map(info).collect();
        let mut texts = Table::new();
        for (info, permission) in permissions.iter().zip(0..) {
            texts.insert(&*info.name, Asked { permission, at_least: Reach::Own });
            texts.insert(format!("{}:all", info.name), Asked { permission, at_least: Reach::Whole });
            texts.insert(format!("read:kind{permission}"), Asked { permission, at_least: Reach::Team });
        }
        let asks = Asks::of(&texts, &permissions);
        assert_eq!(asks.names().count(), 15_000);
        for (text, asked) in texts.entries() {
            let found = asks.find(text).expect("there");
            let info = &permissions[asked.permission as usize];
            assert_eq!(
                (found.asked, found.owners, found.kind),
                (*asked, info.owners, info.resource.as_bytes())
            );
            assert_eq!(asks.text_of(text), Some(text));
        }
        for other in ["", "kind0:read:", "kind0:rea", "kind5000:read", "Kind0:read", "kind0:read:own"] {
            assert!(!asks.contains(other), "{other}");
        }
        assert!(!Asks::default().contains("") && Asks::default().names().next().is_none());
    }
}
