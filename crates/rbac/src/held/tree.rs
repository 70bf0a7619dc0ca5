//! A table of 4,096 shards below three levels of 16: who changes a record copies one shard and three arrays, and shares the rest.
//!
//! Copying an array means counting one owner more of each thing in it, mostly in memory that nobody touched lately. Three times
//! 16 are 48 such counts; two times 64, 128.

use std::{array, sync::Arc};

use crate::held::shard::{Key, Record, Shard};

const FAN: usize = 16;

type Twig = [Shard; FAN];
type Branch = [Arc<Twig>; FAN];

/// Cloned by sharing. All that is empty is shared too, so that a small table is small.
#[derive(Clone)]
pub(super) struct Tree(Arc<[Arc<Branch>; FAN]>);

impl Tree {
    pub(super) fn new() -> Self {
        let twig: Arc<Twig> = Arc::default();
        let branch: Arc<Branch> = Arc::new(array::from_fn(|_| Arc::clone(&twig)));
        Self(Arc::new(array::from_fn(|_| Arc::clone(&branch))))
    }

    #[inline]
    pub(super) fn get(&self, key: Key<'_>) -> Option<&[u8]> {
        let [branch, twig, shard] = path(key.hash);
        self.0.get(branch)?.get(twig)?.get(shard)?.get(key)
    }

    /// Puts a value there, or in place of what was there. `None`: its shard would outgrow 4 GiB, and nothing changed.
    pub(super) fn put(&mut self, key: Key<'_>, value: &[u8]) -> Option<()> {
        self.shard(key)?.put(key, value)
    }

    pub(super) fn remove(&mut self, key: Key<'_>) -> Option<()> {
        self.shard(key)?.remove(key)
    }

    /// All records, in no order that means anything.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let twigs = self.0.iter().flat_map(|branch| branch.iter());
        twigs.flat_map(|twig| twig.iter()).flat_map(Shard::records)
    }

    /// Gives back all room that is not needed to find what is there.
    pub(super) fn compact(&mut self) {
        for branch in Arc::make_mut(&mut self.0) {
            if branch.iter().all(|twig| is_empty(twig)) {
                continue;
            }
            for twig in Arc::make_mut(branch).iter_mut().filter(|twig| !is_empty(twig)) {
                Arc::make_mut(twig).iter_mut().for_each(Shard::compact);
            }
        }
    }

    fn shard(&mut self, key: Key<'_>) -> Option<&mut Shard> {
        let [branch, twig, shard] = path(key.hash);
        let branch = Arc::make_mut(&mut self.0).get_mut(branch)?;
        let twig = Arc::make_mut(branch).get_mut(twig)?;
        Arc::make_mut(twig).get_mut(shard)
    }
}

/// Which way to the shard: the highest bits, which choose no place in it.
#[inline]
const fn path(hash: u64) -> [usize; 3] {
    [(hash >> 60) as usize % FAN, (hash >> 56) as usize % FAN, (hash >> 52) as usize % FAN]
}

fn is_empty(twig: &Twig) -> bool {
    twig.iter().all(Shard::is_empty)
}

#[cfg(test)]
impl Tree {
    pub(super) fn shares_all_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many shards are not the same memory in both.
    pub(super) fn shards_apart_from(&self, other: &Self) -> usize {
        self.shards().zip(other.shards()).filter(|(one, two)| !one.is_same_as(two)).count()
    }

    /// The memory of all shards, without the levels above.
    pub(super) fn bytes(&self) -> usize {
        self.shards().map(Shard::memory).sum()
    }

    fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.0.iter().flat_map(|branch| branch.iter()).flat_map(|twig| twig.iter())
    }
}
