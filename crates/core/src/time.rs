//! A point in time, UTC.

use std::{fmt, time::Duration};

/// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Reaches from the year 1677 to 2262. All arithmetic saturates: a far future stays a far future and never wraps
/// round to the past.
///
/// ```
/// use std::time::Duration;
/// use bartizan_core::UnixTime;
///
/// let issued = UnixTime::from_secs(1_700_000_000);
/// assert_eq!(issued.saturating_add(Duration::from_secs(900)).as_secs(), 1_700_000_900);
/// assert_eq!(issued.to_string(), "2023-11-14T22:13:20Z");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

const NANOS: i64 = 1_000_000_000;

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The latest time that can be told.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds since the epoch, saturating.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(NANOS))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(NANOS)
    }

    /// This time and then some.
    #[must_use]
    pub fn saturating_add(self, more: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(more.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// This time less some.
    #[must_use]
    pub fn saturating_sub(self, less: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(less.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }

    /// Year, month, day, hour, minute, second and nanosecond, UTC.
    fn civil(self) -> (i64, i64, i64, i64, i64, i64, i64) {
        let (secs, nanos) = (self.as_secs(), self.0.rem_euclid(NANOS));
        let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        // Days since 0000-03-01 in eras of 400 years (146,097 days), so that the leap day ends a year.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day, rest / 3_600, rest % 3_600 / 60, rest % 60, nanos)
    }
}

/// RFC 3339 in UTC, with as many decimals as are needed (0, 3, 6 or 9).
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second, nanos) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match nanos {
            0 => f.write_str("Z"),
            n if n % 1_000_000 == 0 => write!(f, ".{:03}Z", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, ".{:06}Z", n / 1_000),
            n => write!(f, ".{n:09}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_read_as_rfc_3339() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime::from_secs(secs).to_string(), text);
        }
        assert_eq!(UnixTime::from_nanos(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(UnixTime::from_nanos(1_500_000_000).to_string(), "1970-01-01T00:00:01.500Z");
    }

    #[test]
    fn arithmetic_saturates_and_never_wraps() {
        assert_eq!(UnixTime::from_secs(i64::MAX), UnixTime::MAX);
        assert_eq!(UnixTime::MAX.saturating_add(Duration::from_secs(1)), UnixTime::MAX);
        assert_eq!(UnixTime::EPOCH.since(UnixTime::MAX), Duration::ZERO);
        assert!(UnixTime::from_nanos(i64::MIN).saturating_sub(Duration::MAX) < UnixTime::EPOCH);
    }
}
