//! Which parameters a host can afford: on hosts whose speed is known, because their clock is moved by the engine.

use std::{sync::Arc, time::Duration};

use bartizan_core::UnixTime;
use bartizan_passwords::{
    Argon2idEngine, Argon2idInput, EngineFailed, ErrorKind, Params, Tuning, WorkingMemory,
};
use bartizan_testkit::ManualClock;

/// Computes nothing, and takes so long for each block.
#[derive(Debug)]
struct Host {
    clock: Arc<ManualClock>,
    nanos_a_block: u64,
    /// More than so many KiB there are not.
    kib: u32,
}

struct Nothing {
    clock: Arc<ManualClock>,
    nanos_a_block: u64,
}

impl Argon2idEngine for Host {
    fn memory(&self, kib: u32) -> Option<Box<dyn WorkingMemory>> {
        let (clock, nanos_a_block) = (Arc::clone(&self.clock), self.nanos_a_block);
        (kib <= self.kib).then(|| Box::new(Nothing { clock, nanos_a_block }) as Box<dyn WorkingMemory>)
    }
}

impl WorkingMemory for Nothing {
    fn derive(&mut self, input: &Argon2idInput<'_>, _: &mut [u8]) -> Result<(), EngineFailed> {
        self.clock.advance(Duration::from_nanos(input.params.blocks() * self.nanos_a_block));
        Ok(())
    }

    fn wipe(&mut self) {}
}

fn tune(nanos_a_block: u64, target_ms: u64, ceiling_mib: u64) -> Result<Tuning, ErrorKind> {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(0)));
    let host = Host { clock: Arc::clone(&clock), nanos_a_block, kib: u32::MAX };
    Tuning::measure_with(&host, &*clock, Duration::from_millis(target_ms), ceiling_mib << 20)
        .map_err(|error| error.kind())
}

#[test]
fn memory_comes_first_and_then_passes() {
    // 400 ns a block: the floor takes 15.6 ms. 64 MiB and 100 ms: all of the memory, and three passes of 26 ms.
    let tuning = tune(400, 100, 64).unwrap();
    assert_eq!(tuning.params(), Params::new(65_536, 3, 1).unwrap());
    assert!(tuning.meets_target() && tuning.took() <= Duration::from_millis(100));
    // Without a near ceiling the time goes into memory: two passes over what 100 ms are enough for, less an eighth at most.
    let tuning = tune(400, 100, 4_096).unwrap();
    assert_eq!(tuning.params().passes(), 2);
    let kib = u64::from(tuning.params().memory_kib());
    assert!((109_000..=125_000).contains(&kib), "{kib}");
    assert!(tuning.meets_target());
}

#[test]
fn nothing_below_the_floor_is_answered_whatever_the_target() {
    let tuning = tune(400, 5, 64).unwrap();
    assert_eq!(tuning.params(), Params::OWASP);
    assert!(!tuning.meets_target() && tuning.took() > Duration::from_millis(15));
    for nanos in [1, 7, 100, 1_000, 100_000] {
        for (target, ceiling) in [(1, 19), (10, 32), (250, 256), (1_000, 4_096), (60_000, 100_000)] {
            let tuning = tune(nanos, target, ceiling).unwrap();
            let params = tuning.params();
            assert!(Params::new(params.memory_kib(), params.passes(), params.lanes()).is_ok());
            assert!(params.memory_bytes() <= ceiling << 20);
            assert!(tuning.meets_target() || params == Params::OWASP);
            assert!(tuning.trials().len() <= Tuning::MAX_TRIALS);
            assert!(
                tuning.trials().iter().any(|trial| trial.params() == params && trial.took() == tuning.took())
            );
        }
    }
}

#[test]
fn asks_that_cannot_be_met_are_refused() {
    assert_eq!(tune(400, 100, 18).unwrap_err(), ErrorKind::Params);
    assert_eq!(tune(400, 0, 64).unwrap_err(), ErrorKind::Params);
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(0)));
    let small = Host { clock: Arc::clone(&clock), nanos_a_block: 1, kib: 20_000 };
    let error = Tuning::measure_with(&small, &*clock, Duration::from_secs(1), 1 << 30).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
}

#[test]
fn a_clock_that_stands_still_ends_too() {
    let tuning = tune(0, 100, 1_024).unwrap();
    assert_eq!(tuning.params().memory_kib(), 1 << 20);
    assert!(tuning.params().passes() <= Params::CEILING.passes());
}
