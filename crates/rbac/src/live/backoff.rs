//! How long to wait after a failure: pure.

use std::time::Duration;

/// The longest waits double from a quarter of a second to half a minute; each wait is between half of its longest and all of
/// it, so that nodes that failed together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff {
    seed: u64,
    draws: u64,
    failures: u32,
}

const FIRST: Duration = Duration::from_millis(250);

const LONGEST: Duration = Duration::from_secs(30);

impl Backoff {
    /// Nothing failed yet. Nodes with other seeds wait differently.
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, draws: 0, failures: 0 }
    }

    /// Something succeeded.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Something failed: how long to wait.
    pub(super) fn failed(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(0.5 + 0.5 * self.draw())
    }

    /// Failures since the last success.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// A number from 0 to 1 (SplitMix64, whose constants these are).
    fn draw(&mut self) -> f64 {
        self.draws = self.draws.wrapping_add(1);
        let mut z = self.seed.wrapping_add(self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default();
        f64::from(top) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_within_bounds_and_begin_again() {
        let mut backoff = Backoff::new(7);
        for doublings in 0..40 {
            let longest = FIRST.saturating_mul(1 << doublings.min(16)).min(LONGEST);
            let wait = backoff.failed();
            assert!(wait >= longest / 2 && wait <= longest, "{doublings}: {wait:?}");
        }
        assert_eq!(backoff.failures(), 40);
        backoff.succeeded();
        assert!(backoff.failures() == 0 && backoff.failed() <= FIRST);
    }

    #[test]
    fn nodes_do_not_wait_alike() {
        let waits = |seed| -> Vec<Duration> {
            let mut backoff = Backoff::new(seed);
            (0..8).map(|_| backoff.failed()).collect()
        };
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }
}
