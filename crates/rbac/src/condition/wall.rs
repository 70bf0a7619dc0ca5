//! When: what the clock and the calendar on a wall somewhere show.
//!
//! Each test looks at the clock alone: it holds while the clock shows a time within the window. When clocks are put forward over a
//! window, it does not happen that day; when they are put back into it, it goes on for as long as they show it again.

use std::{fmt, sync::Arc};

use bartizan_core::UnixTime;

use super::{
    Problem, Truth,
    entry::{TimeEntry, WeekdaysEntry},
    words,
    zone::{Zone, Zones},
};
use crate::{
    document::Word,
    names::{quoted, suggestion},
};

const DAY: i64 = 86_400;

/// From a time of the day, including it, to another, excluding it; over midnight when the first is the later one.
#[derive(Debug)]
pub(crate) struct Window {
    /// Seconds from midnight.
    from: i64,
    to: i64,
    zone: Arc<Zone>,
}

/// Some days of the week, as the calendar there shows them.
#[derive(Debug)]
pub(crate) struct Weekdays {
    /// Bit 0 is Monday.
    days: u8,
    zone: Arc<Zone>,
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// 1970-01-01 was a Thursday.
const FIRST_WEEKDAY: i64 = 3;

impl Window {
    pub(super) fn read(entry: &TimeEntry, zones: &mut Zones) -> Result<Self, Problem> {
        let (from, to) = (time_of_day("from", &entry.from)?, time_of_day("to", &entry.to)?);
        if from == to {
            let detail = "time begins and ends at the same minute; leave it away for the whole day";
            return Err(Problem::new(&entry.to, detail));
        }
        Ok(Self { from, to, zone: zones.get(&entry.zone)? })
    }

    pub(super) fn judge(&self, now: UnixTime) -> Truth {
        // Seconds since the window's start, on a clock that starts there: a window over midnight is one like any other.
        let length = (self.to - self.from).rem_euclid(DAY);
        self.zone.judge(now, |local| {
            let passed = (local - self.from).rem_euclid(DAY);
            (passed < length).then_some(length - passed)
        })
    }
}

/// `HH:MM`, from 00:00 to 23:59.
fn time_of_day(key: &str, word: &Word) -> Result<i64, Problem> {
    let two = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i64::from((tens - b'0') * 10 + (ones - b'0')))
    };
    let read = match *word.get_ref().as_bytes() {
        [h, hh, b':', m, mm] => two(h, hh).zip(two(m, mm)),
        _ => None,
    };
    let read = read.filter(|(hours, minutes)| *hours < 24 && *minutes < 60);
    read.map(|(hours, minutes)| (hours * 60 + minutes) * 60).ok_or_else(|| {
        let detail = format!("time {key} {} is not HH:MM from 00:00 to 23:59", quoted(word.get_ref()));
        Problem::new(word, detail)
    })
}

impl Weekdays {
    pub(super) fn read(entry: &WeekdaysEntry, zones: &mut Zones) -> Result<Self, Problem> {
        let days = words::each("weekdays", &entry.days, weekday)?;
        let days = days.iter().fold(0, |days, day| days | 1 << day);
        Ok(Self { days, zone: zones.get(&entry.zone)? })
    }

    pub(super) fn judge(&self, now: UnixTime) -> Truth {
        if self.days == ALL_DAYS {
            return Truth::ALWAYS;
        }
        self.zone.judge(now, |local| {
            let today = (local.div_euclid(DAY) + FIRST_WEEKDAY).rem_euclid(7);
            let two_weeks = i64::from(self.days) << 7 | i64::from(self.days);
            let in_a_row = i64::from((two_weeks >> today).trailing_ones());
            (in_a_row > 0).then_some(in_a_row * DAY - local.rem_euclid(DAY))
        })
    }

    const fn has(&self, day: i64) -> bool {
        self.days >> day & 1 == 1
    }
}

const ALL_DAYS: u8 = 0b111_1111;

fn weekday(text: &str) -> Result<u32, String> {
    let found = (0..).zip(NAMES).find(|(_, name)| *name == text);
    found.map(|(day, _)| day).ok_or_else(|| {
        let hint = suggestion(text, NAMES.into_iter());
        format!("weekday {} is not one of mon, tue, wed, thu, fri, sat, sun{hint}", quoted(text))
    })
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |seconds: i64| (seconds / 3_600, seconds % 3_600 / 60);
        let ((h, m), (hh, mm)) = (clock(self.from), clock(self.to));
        let zone = self.zone.name();
        write!(f, "{{ from = \"{h:02}:{m:02}\", to = \"{hh:02}:{mm:02}\", zone = \"{zone}\" }}")
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ days = [")?;
        let days = (0..).zip(NAMES).filter(|(day, _)| self.has(*day));
        for (at, (_, name)) in days.enumerate() {
            write!(f, "{}\"{name}\"", if at == 0 { "" } else { ", " })?;
        }
        write!(f, "], zone = \"{}\" }}", self.zone.name())
    }
}
