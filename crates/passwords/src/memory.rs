//! The memory that hashing may take, all operations together.

use std::{
    fmt, mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use argon2::Block;
use zeroize::Zeroize;

use crate::{Error, ErrorKind};

/// A budget and the wiped memory of earlier operations, which costs the next ones no page faults.
///
/// INVARIANT(budget): free bytes, idle memory and leases together are the budget, at every moment that the lock is free.
pub(crate) struct Memory {
    /// Blocks of one ordinary operation; only memory of this size is kept.
    ordinary: usize,
    budget: u64,
    state: Mutex<State>,
}

struct State {
    free: u64,
    idle: Vec<Vec<Block>>,
}

impl Memory {
    pub(crate) const fn new(budget: u64, ordinary: usize) -> Self {
        Self { ordinary, budget, state: Mutex::new(State { free: budget, idle: Vec::new() }) }
    }

    pub(crate) const fn budget(&self) -> u64 {
        self.budget
    }

    /// Memory for one operation of at least this many blocks, or [`ErrorKind::Busy`] at once.
    pub(crate) fn lease(&self, blocks: usize) -> Result<Lease<'_>, Error> {
        let blocks = blocks.max(self.ordinary);
        {
            let mut state = self.state();
            if blocks == self.ordinary
                && let Some(memory) = state.idle.pop()
            {
                return Ok(Lease { from: self, memory });
            }
            let wanted = bytes(blocks);
            while state.free < wanted
                && let Some(memory) = state.idle.pop()
            {
                state.free += bytes(memory.len());
            }
            state.free = state.free.checked_sub(wanted).ok_or(ErrorKind::Busy)?;
        }
        let mut memory = Vec::new();
        if memory.try_reserve_exact(blocks).is_err() {
            self.state().free += bytes(blocks);
            return Err(ErrorKind::Busy.into());
        }
        memory.resize(blocks, Block::new());
        Ok(Lease { from: self, memory })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("budget", &self.budget).finish_non_exhaustive()
    }
}

/// The memory of one operation. Given back, wiped, when dropped, also when the operation panics.
pub(crate) struct Lease<'m> {
    from: &'m Memory,
    memory: Vec<Block>,
}

impl Lease<'_> {
    pub(crate) fn blocks(&mut self) -> &mut [Block] {
        &mut self.memory
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // SECURITY: the blocks let a reader test guesses of the password without the cost of the hash.
        self.memory.iter_mut().for_each(Zeroize::zeroize);
        let memory = mem::take(&mut self.memory);
        let mut state = self.from.state();
        if memory.len() == self.from.ordinary {
            state.idle.push(memory);
        } else {
            state.free += bytes(memory.len());
        }
    }
}

const fn bytes(blocks: usize) -> u64 {
    blocks as u64 * Block::SIZE as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u64 = 1024;

    fn total(memory: &Memory) -> u64 {
        let state = memory.state();
        state.free + state.idle.iter().map(|memory| bytes(memory.len())).sum::<u64>()
    }

    #[test]
    fn what_does_not_fit_is_busy_at_once_and_fits_after_a_return() {
        let memory = Memory::new(20 * BLOCK, 8);
        let one = memory.lease(8).unwrap();
        let two = memory.lease(8).unwrap();
        assert_eq!(memory.lease(8).err().unwrap().kind(), ErrorKind::Busy);
        assert_eq!(total(&memory), 4 * BLOCK);
        drop(one);
        drop(memory.lease(8).unwrap());
        drop(two);
        assert_eq!(total(&memory), 20 * BLOCK);
    }

    #[test]
    fn idle_memory_makes_room_for_a_larger_operation() {
        let memory = Memory::new(20 * BLOCK, 8);
        let (one, two) = (memory.lease(8).unwrap(), memory.lease(8).unwrap());
        drop((one, two));
        let larger = memory.lease(20).unwrap();
        assert_eq!(memory.lease(1).err().unwrap().kind(), ErrorKind::Busy);
        drop(larger);
        assert_eq!(total(&memory), 20 * BLOCK);
        assert_eq!(memory.lease(21).err().unwrap().kind(), ErrorKind::Busy);
    }

    #[test]
    fn of_two_hundred_at_once_exactly_those_that_fit_are_served() {
        const CROWD: usize = 200;
        let memory = Memory::new(50 * BLOCK, 8);
        let barrier = std::sync::Barrier::new(CROWD);
        let served = std::thread::scope(|scope| {
            let crowd: Vec<_> = (0..CROWD)
                .map(|_| {
                    scope.spawn(|| {
                        let lease = memory.lease(8);
                        barrier.wait();
                        lease.is_ok()
                    })
                })
                .collect();
            crowd.into_iter().filter_map(|one| one.join().ok()).filter(|served| *served).count()
        });
        assert_eq!(served, 6);
        assert_eq!(total(&memory), 50 * BLOCK);
    }

    #[test]
    fn what_comes_back_is_wiped() {
        let memory = Memory::new(8 * BLOCK, 8);
        let mut lease = memory.lease(8).unwrap();
        for block in lease.blocks() {
            block.as_mut().fill(0x5f1d_5f1d_5f1d_5f1d);
        }
        drop(lease);
        let state = memory.state();
        assert_eq!(state.idle.len(), 1);
        assert!(state.idle.iter().flatten().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[test]
    fn a_panic_gives_the_memory_back() {
        let memory = Memory::new(8 * BLOCK, 8);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = memory.lease(8).unwrap();
            panic!("in the middle of an operation");
        }));
        assert!(panicked.is_err());
        assert_eq!(total(&memory), 8 * BLOCK);
    }
}
