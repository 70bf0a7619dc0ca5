#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::time::Duration;

use bartizan_core::{Clock, Monotonic, Sleep, UnixTime, os::SystemClock};
use tokio::time::Instant;

/// The clocks of the system, and tokio's timer; paused when tokio's time is.
///
/// Make it inside the runtime that it will be used in: a paused runtime's time is only known there.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    /// One moment on all three clocks. The system's monotonic clock is read before and after tokio's, so that the moment of
    /// tokio's reading lies between the two.
    wall: UnixTime,
    before: Monotonic,
    tokio: Instant,
    after: Monotonic,
}

impl TokioClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        let before = SystemClock.monotonic();
        let tokio = Instant::now();
        let after = SystemClock.monotonic();
        Self { wall: SystemClock.wall(), before, tokio, after }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn wall(&self) -> UnixTime {
        let wall = SystemClock.wall();
        let before = SystemClock.monotonic();
        let tokio = Instant::now().saturating_duration_since(self.tokio);
        let after = SystemClock.monotonic();
        let counted = self.wall.saturating_add(tokio);
        // Tokio does not tell whether its time is paused. While it runs, as much of it has passed as of the system's
        // monotonic time, within the nanoseconds that reading both takes; paused or advanced, it has not, except where the
        // two happen to meet. There the counted time is right as well.
        let runs = before.since(self.after) <= tokio && tokio <= after.since(self.before);
        let was_set = wall.since(counted).max(counted.since(wall)) > TOLERANCE;
        // SECURITY: tokio's time alone would miss the hours that a machine slept, and let tokens live on through them.
        if runs && was_set { wall } else { counted }
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_zero(Instant::now().saturating_duration_since(self.tokio))
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let end = Instant::now().checked_add(duration);
        Box::pin(async move {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                // Beyond what the timer can count: hundreds of years.
                None => std::future::pending().await,
            }
        })
    }
}

/// How far the wall clock and the counted time may differ before the wall clock counts as set.
const TOLERANCE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn paused_time_stands_still_on_both_clocks() {
        let clock = TokioClock::new();
        tokio::time::advance(STEP).await;
        let (wall, monotonic) = (clock.wall(), clock.monotonic());
        // Real time passes: reading the system's clock 10,000 times takes longer than its resolution.
        let real = SystemClock.monotonic();
        for _ in 0..10_000 {
            assert_eq!(clock.wall(), wall);
            assert_eq!(clock.monotonic(), monotonic);
        }
        assert!(SystemClock.monotonic().since(real) > Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn both_clocks_move_by_exactly_what_is_advanced() {
        let clock = TokioClock::new();
        tokio::time::advance(STEP).await;
        let (wall, monotonic) = (clock.wall(), clock.monotonic());
        for steps in 1..=1_000 {
            tokio::time::advance(STEP).await;
            assert_eq!(clock.wall(), wall.saturating_add(STEP * steps));
            assert_eq!(clock.monotonic().since(monotonic), STEP * steps);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_after_its_time_and_not_before() {
        let clock = TokioClock::new();
        let start = clock.monotonic();
        let mut short = clock.sleep(Duration::from_secs(60));
        let long = clock.sleep(Duration::from_secs(3_600));
        assert!(tokio::time::timeout(Duration::from_secs(59), &mut short).await.is_err());
        short.await;
        assert_eq!(clock.monotonic().since(start), Duration::from_secs(60));
        long.await;
        assert_eq!(clock.monotonic().since(start), Duration::from_secs(3_600));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_is_measured_from_the_call() {
        let clock = TokioClock::new();
        let start = clock.monotonic();
        let sleep = clock.sleep(Duration::from_secs(60));
        tokio::time::advance(Duration::from_secs(100)).await;
        sleep.await;
        assert_eq!(clock.monotonic().since(start), Duration::from_secs(100));
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_sleep_does_not_end_and_does_not_panic() {
        let clock = TokioClock::new();
        let century = Duration::from_secs(100 * 365 * 86_400);
        assert!(tokio::time::timeout(Duration::from_secs(86_400), clock.sleep(Duration::MAX)).await.is_err());
        assert!(tokio::time::timeout(Duration::from_secs(86_400), clock.sleep(century)).await.is_err());
    }

    #[tokio::test]
    async fn running_time_is_the_systems_within_a_millisecond() {
        let clock = TokioClock::new();
        for _ in 0..10_000 {
            let before = SystemClock.wall();
            let wall = clock.wall();
            let after = SystemClock.wall();
            assert!(wall >= before.saturating_sub(TOLERANCE), "{before} {wall}");
            assert!(wall <= after.saturating_add(TOLERANCE), "{wall} {after}");
        }
    }

    #[tokio::test]
    async fn time_that_was_paused_and_runs_again_goes_on_from_there() {
        let clock = TokioClock::new();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(3_600)).await;
        let paused = clock.wall();
        assert!(paused.since(SystemClock.wall()) > Duration::from_secs(3_500));
        tokio::time::resume();
        let resumed = clock.wall();
        assert!(paused <= resumed && resumed.since(paused) < Duration::from_secs(60));
    }

    #[tokio::test]
    async fn a_machine_that_slept_wakes_up_in_its_new_time() {
        // Three hours ago on the wall, a moment ago on the monotonic clocks: what a suspended machine looks like.
        let now = TokioClock::new();
        let slept = TokioClock { wall: now.wall.saturating_sub(Duration::from_secs(3 * 3_600)), ..now };
        assert!(slept.wall() >= now.wall.saturating_sub(TOLERANCE));
        let set_back = TokioClock { wall: now.wall.saturating_add(Duration::from_secs(3 * 3_600)), ..now };
        assert!(set_back.wall().since(now.wall) < Duration::from_secs(60));
    }
}
