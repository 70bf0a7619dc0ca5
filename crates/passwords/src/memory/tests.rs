use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::{EngineFailed, Params, RustCryptoArgon2id};

const KIB: u64 = 1024;

fn memory(budget: u64, ordinary: u32) -> Memory {
    Memory::new(Arc::new(RustCryptoArgon2id), budget, ordinary)
}

fn total(memory: &Memory) -> u64 {
    let state = memory.state();
    state.free + state.idle.len() as u64 * bytes(memory.ordinary)
}

#[test]
fn what_does_not_fit_is_busy_at_once_and_fits_after_a_return() {
    let memory = memory(20 * KIB, 8);
    let one = memory.lease(8).unwrap();
    let two = memory.lease(8).unwrap();
    assert_eq!(memory.lease(8).err().unwrap().kind(), ErrorKind::Busy);
    assert_eq!(total(&memory), 4 * KIB);
    drop(one);
    drop(memory.lease(8).unwrap());
    drop(two);
    assert_eq!(total(&memory), 20 * KIB);
}

#[test]
fn idle_memory_makes_room_for_a_larger_operation_and_for_a_reservation() {
    let memory = memory(20 * KIB, 8);
    let (one, two) = (memory.lease(8).unwrap(), memory.lease(8).unwrap());
    drop((one, two));
    let larger = memory.lease(20).unwrap();
    assert_eq!(memory.lease(1).err().unwrap().kind(), ErrorKind::Busy);
    assert_eq!(memory.reserve(1).err().unwrap().kind(), ErrorKind::Busy);
    drop(larger);
    assert_eq!(total(&memory), 20 * KIB);
    assert_eq!(memory.lease(21).err().unwrap().kind(), ErrorKind::Busy);
    drop(memory.lease(8).unwrap());
    let reserved = memory.reserve(19 * KIB).unwrap();
    assert_eq!(memory.lease(8).err().unwrap().kind(), ErrorKind::Busy);
    drop(reserved);
    assert_eq!(total(&memory), 20 * KIB);
}

#[test]
fn of_two_hundred_at_once_exactly_those_that_fit_are_served() {
    const CROWD: usize = 200;
    let memory = memory(50 * KIB, 8);
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
    assert_eq!(total(&memory), 50 * KIB);
}

#[test]
fn a_panic_gives_the_memory_back() {
    let memory = memory(8 * KIB, 8);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _lease = memory.lease(8).unwrap();
        panic!("in the middle of an operation");
    }));
    assert!(panicked.is_err());
    assert_eq!(total(&memory), 8 * KIB);
}

/// Counts what is taken from the machine and what is wiped.
#[derive(Debug, Default)]
struct Counted {
    held: Arc<AtomicU64>,
    peak: AtomicU64,
    left_dirty: Arc<AtomicUsize>,
    is_out_of_memory: bool,
}

struct CountedMemory {
    kib: u32,
    is_dirty: bool,
    held: Arc<AtomicU64>,
    left_dirty: Arc<AtomicUsize>,
}

impl Argon2idEngine for Counted {
    fn memory(&self, kib: u32) -> Option<Box<dyn WorkingMemory>> {
        if self.is_out_of_memory {
            return None;
        }
        let held = self.held.fetch_add(bytes(kib), Ordering::SeqCst) + bytes(kib);
        self.peak.fetch_max(held, Ordering::SeqCst);
        let (held, left_dirty) = (Arc::clone(&self.held), Arc::clone(&self.left_dirty));
        Some(Box::new(CountedMemory { kib, is_dirty: false, held, left_dirty }))
    }
}

impl WorkingMemory for CountedMemory {
    fn derive(&mut self, input: &Argon2idInput<'_>, _: &mut [u8]) -> Result<(), EngineFailed> {
        assert!(input.params.memory_kib() <= self.kib && !self.is_dirty);
        self.is_dirty = true;
        Err(EngineFailed)
    }

    fn wipe(&mut self) {
        self.is_dirty = false;
    }
}

impl Drop for CountedMemory {
    fn drop(&mut self) {
        self.left_dirty.fetch_add(usize::from(self.is_dirty), Ordering::SeqCst);
        self.held.fetch_sub(bytes(self.kib), Ordering::SeqCst);
    }
}

#[test]
fn row_30_what_the_machine_gave_is_never_more_than_the_budget_whatever_the_crowd_asks_for() {
    let engine = Arc::new(Counted::default());
    let memory = Memory::new(Arc::<Counted>::clone(&engine), 100 * KIB, 8);
    std::thread::scope(|scope| {
        for one in 0..16_u32 {
            let memory = &memory;
            scope.spawn(move || {
                for round in 0..200 {
                    let kib = if (one + round) % 5 == 0 { 8 + (one * 7 + round) % 90 } else { 8 };
                    let params = Params::danger_weak(8, 1, 1).unwrap();
                    if let Ok(mut lease) = memory.lease(kib) {
                        let error = lease.derive(&Argon2idInput::new(params, b"", &[0; 8]), &mut []);
                        assert_eq!(error.unwrap_err().kind(), ErrorKind::Primitive);
                    }
                    drop(memory.reserve(u64::from(round) * 300));
                }
            });
        }
    });
    assert!(engine.peak.load(Ordering::SeqCst) <= 100 * KIB);
    assert_eq!(total(&memory), 100 * KIB);
    drop(memory);
    assert_eq!((engine.held.load(Ordering::SeqCst), engine.left_dirty.load(Ordering::SeqCst)), (0, 0));
}

#[test]
fn a_machine_without_memory_is_busy_and_the_budget_is_whole() {
    let memory = Memory::new(Arc::new(Counted { is_out_of_memory: true, ..Counted::default() }), 8 * KIB, 8);
    assert_eq!(memory.lease(8).err().unwrap().kind(), ErrorKind::Busy);
    assert_eq!(total(&memory), 8 * KIB);
}
