//! The memory that hashing may take, all operations together.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Error, ErrorKind,
    engine::{Argon2idEngine, Argon2idInput, WorkingMemory},
};

/// A budget and the wiped memory of earlier operations, which costs the next ones no page faults.
///
/// INVARIANT(budget): free bytes, idle memory, leases and reservations together are the budget, at every moment that the lock
/// is free.
pub(crate) struct Memory {
    engine: Arc<dyn Argon2idEngine>,
    /// KiB of one ordinary operation; only memory of this size is kept.
    ordinary: u32,
    budget: u64,
    state: Mutex<State>,
}

struct State {
    free: u64,
    idle: Vec<Box<dyn WorkingMemory>>,
}

impl Memory {
    pub(crate) fn new(engine: Arc<dyn Argon2idEngine>, budget: u64, ordinary: u32) -> Self {
        Self { engine, ordinary, budget, state: Mutex::new(State { free: budget, idle: Vec::new() }) }
    }

    /// The same budget, with another engine and nothing idle.
    pub(crate) fn with_engine(self, engine: Arc<dyn Argon2idEngine>) -> Self {
        Self::new(engine, self.budget, self.ordinary)
    }

    pub(crate) const fn budget(&self) -> u64 {
        self.budget
    }

    /// Memory for one operation of at least this many KiB, or [`ErrorKind::Busy`] at once.
    pub(crate) fn lease(&self, kib: u32) -> Result<Lease<'_>, Error> {
        let kib = kib.max(self.ordinary);
        if kib == self.ordinary
            && let Some(working) = self.state().idle.pop()
        {
            return Ok(Lease { from: self, kib, working: Some(working) });
        }
        let reserved = self.reserve(bytes(kib))?;
        // From the machine, outside the lock.
        let working = self.engine.memory(kib).ok_or(ErrorKind::Busy)?;
        reserved.becomes_a_lease();
        Ok(Lease { from: self, kib, working: Some(working) })
    }

    /// So many bytes of the budget, for something that takes its memory from elsewhere; or [`ErrorKind::Busy`] at once.
    pub(crate) fn reserve(&self, wanted: u64) -> Result<Reservation<'_>, Error> {
        let mut state = self.state();
        while state.free < wanted
            && let Some(working) = state.idle.pop()
        {
            // Back to the machine first, under the lock, so that nobody has what the machine still gives to us.
            drop(working);
            state.free += bytes(self.ordinary);
        }
        state.free = state.free.checked_sub(wanted).ok_or(ErrorKind::Busy)?;
        Ok(Reservation { from: self, bytes: wanted })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("engine", &self.engine)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// A part of the budget. Given back when dropped, also when the operation panics.
pub(crate) struct Reservation<'m> {
    from: &'m Memory,
    bytes: u64,
}

impl Reservation<'_> {
    fn becomes_a_lease(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.from.state().free += self.bytes;
    }
}

/// The memory of one operation. Given back, wiped, when dropped, also when the operation panics.
pub(crate) struct Lease<'m> {
    from: &'m Memory,
    kib: u32,
    /// Some, until it is dropped.
    working: Option<Box<dyn WorkingMemory>>,
}

impl Lease<'_> {
    pub(crate) fn derive(&mut self, input: &Argon2idInput<'_>, tag: &mut [u8]) -> Result<(), Error> {
        let working = self.working.as_mut().ok_or(ErrorKind::Primitive)?;
        working.derive(input, tag).map_err(|_| ErrorKind::Primitive)?;
        Ok(())
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Declared first, dropped last: the budget is given back after the memory is, also when an engine panics as it wipes it.
        let reserved = Reservation { from: self.from, bytes: bytes(self.kib) };
        let Some(mut working) = self.working.take() else { return };
        working.wipe();
        if self.kib == self.from.ordinary {
            reserved.becomes_a_lease();
            self.from.state().idle.push(working);
        }
    }
}

const fn bytes(kib: u32) -> u64 {
    kib as u64 * 1024
}

#[cfg(test)]
mod tests;
