//! How many, in what time, and how many at once.

use std::{fmt, time::Duration};

use crate::{Error, ErrorKind};

/// So many in a window of time, and so many at once.
///
/// A key that was quiet may be used `burst` times at once. Each use comes back after `window / limit`. In no stretch of time
/// as long as the window are more than `burst + limit` admitted: GCRA has no window that starts, so it has no edge at which
/// twice the quota passes at once, but a full bucket may be emptied while it fills again. Whoever needs the sum to stay below
/// the quota takes a smaller burst and a smaller limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    limit: u32,
    window: u64,
    burst: u32,
    interval: u64,
}

impl Quota {
    /// The guides' general limit: 100 in 15 minutes.
    pub const GENERAL: Self = Self { limit: 100, window: 900_000_000, burst: 100, interval: 9_000_000 };

    /// The guides' limit for logins: 5 in 15 minutes.
    pub const LOGIN: Self = Self { limit: 5, window: 900_000_000, burst: 5, interval: 180_000_000 };

    /// Guesses at one account from wherever: 100 in a day. NIST SP 800-63B-4 §3.2.2 asks for no more than 100 failures in a row.
    pub const ACCOUNT: Self = Self { limit: 100, window: 86_400_000_000, burst: 100, interval: 864_000_000 };

    /// `limit` in each `window`, all of them at once if they like.
    ///
    /// Time is counted in whole microseconds, so that every store counts alike. A window that the limit does not divide is
    /// rounded to the stricter side.
    ///
    /// # Errors
    /// [`ErrorKind::Quota`] for a limit of 0, a window shorter than a millisecond or longer than 366 days, and where the
    /// rounding would take away more than a hundredth.
    pub fn per(limit: u32, window: Duration) -> Result<Self, Error> {
        let window = u64::try_from(window.as_micros()).map_err(|_| ErrorKind::Quota)?;
        if limit == 0 || !(MIN_WINDOW..=MAX_WINDOW).contains(&window) {
            return Err(ErrorKind::Quota.into());
        }
        let interval = window.div_ceil(u64::from(limit));
        let rounded = interval * u64::from(limit) - window;
        if rounded > window / 100 {
            return Err(ErrorKind::Quota.into());
        }
        Self { limit, window, burst: limit, interval }.checked()
    }

    /// One, and the next no sooner than `pause` later: a minimum time between steps.
    ///
    /// # Errors
    /// As [`Quota::per`].
    pub fn one_each(pause: Duration) -> Result<Self, Error> {
        Self::per(1, pause)
    }

    /// At most so many at once; less or more than the limit.
    ///
    /// # Errors
    /// [`ErrorKind::Quota`] for 0, and when a key that used them all would take longer than 400 days to be as new.
    pub fn with_burst(self, burst: u32) -> Result<Self, Error> {
        if burst == 0 {
            return Err(ErrorKind::Quota.into());
        }
        Self { burst, ..self }.checked()
    }

    const fn checked(self) -> Result<Self, Error> {
        if self.depth() > MAX_DEPTH {
            return Err(Error::new(ErrorKind::Quota));
        }
        Ok(self)
    }

    /// How many in a window.
    #[must_use]
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// The window.
    #[must_use]
    pub const fn window(self) -> Duration {
        Duration::from_micros(self.window)
    }

    /// How many at once.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// After how many microseconds one comes back: GCRA's emission interval.
    #[must_use]
    pub const fn interval_micros(self) -> u64 {
        self.interval
    }

    /// How many microseconds a key that used all at once takes to be as new. At most 400 days.
    #[must_use]
    pub const fn depth(self) -> u64 {
        // INVARIANT(depth-fits): interval ≤ 366 days < 2^45 µs and burst < 2^32, which is below u64::MAX once saturated; a
        // value above MAX_DEPTH never leaves a constructor.
        self.interval.saturating_mul(self.burst as u64)
    }
}

/// `5 in 900 s, 5 at once`.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.window().as_secs_f64();
        write!(f, "{} in {seconds} s, {} at once", self.limit, self.burst)
    }
}

const MIN_WINDOW: u64 = 1_000;
const MAX_WINDOW: u64 = 366 * 86_400 * 1_000_000;

/// Now and the depth together stay below 2^53 until the year 2254, so that doubles hold them exactly.
const MAX_DEPTH: u64 = 400 * 86_400 * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_what_their_constructor_makes() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(Quota::per(100, minutes(15)).unwrap(), Quota::GENERAL);
        assert_eq!(Quota::per(5, minutes(15)).unwrap(), Quota::LOGIN);
        assert_eq!(Quota::per(100, minutes(24 * 60)).unwrap(), Quota::ACCOUNT);
    }

    #[test]
    fn a_window_that_does_not_divide_is_rounded_to_the_stricter_side() {
        let quota = Quota::per(7, Duration::from_secs(1)).unwrap();
        assert_eq!(quota.interval_micros(), 142_858);
        assert!(quota.interval_micros() * 7 >= 1_000_000);
    }

    #[test]
    fn quotas_out_of_bounds_are_refused() {
        for (limit, window) in [
            (0, Duration::from_secs(1)),
            (1, Duration::ZERO),
            (1, Duration::from_micros(999)),
            (1, Duration::from_secs(367 * 86_400)),
            (1, Duration::MAX),
            // One microsecond for what should be two thirds of one.
            (1_500, Duration::from_millis(1)),
            (3_000_000, Duration::from_secs(1)),
        ] {
            let refused = Quota::per(limit, window).map_err(|error| error.kind());
            assert_eq!(refused, Err(ErrorKind::Quota), "{limit} in {window:?}");
        }
        assert!(Quota::per(1_000_000, Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn a_burst_that_takes_too_long_to_come_back_is_refused() {
        let daily = Quota::one_each(Duration::from_secs(86_400)).unwrap();
        assert!(daily.with_burst(400).is_ok());
        assert!(daily.with_burst(401).is_err());
        assert!(daily.with_burst(0).is_err());
        assert!(Quota::per(1, Duration::from_secs(366 * 86_400)).unwrap().with_burst(u32::MAX).is_err());
    }
}
