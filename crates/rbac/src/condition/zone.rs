//! Time zones: when which offset from UTC holds, as a table.
//!
//! The tables come from the IANA time zone database as it is bundled with the `jiff` crate, and are laid out when a policy is
//! read. A decision looks its time up in one: it opens no file, waits for no lock and allocates nothing, and two machines with
//! the same program decide alike whatever zone files they have.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bartizan_core::UnixTime;
use jiff::{Timestamp, tz::TimeZoneDatabase};

use super::{Problem, Truth};
use crate::{
    document::Word,
    names::{nearest, quoted},
};

/// The time zones of one policy, each laid out once.
#[derive(Debug)]
pub(crate) struct Zones {
    database: TimeZoneDatabase,
    known: BTreeMap<Box<str>, Arc<Zone>>,
}

/// A time zone, for all of the time that [`UnixTime`] can tell.
pub(super) struct Zone {
    name: Box<str>,
    /// INVARIANT(from-the-beginning): sorted, and the first starts before any time that can be told.
    spans: Box<[Span]>,
}

/// From this second of Unix time on, clocks are ahead of UTC by so many seconds.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    ahead: i32,
}

/// Names in the database that stand for “not set”.
const NO_ZONES: [&str; 2] = ["Factory", "Etc/Unknown"];

impl Zones {
    pub(crate) fn new() -> Self {
        Self { database: TimeZoneDatabase::bundled(), known: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, word: &Word) -> Result<Arc<Zone>, Problem> {
        let name = word.get_ref().as_str();
        if let Some(zone) = self.known.get(name) {
            return Ok(Arc::clone(zone));
        }
        let zone = Zone::load(name, &self.database).ok_or_else(|| {
            let hint = self.meant(name).map(|near| format!("; did you mean {}?", quoted(&near)));
            let hint =
                hint.unwrap_or_else(|| "; expected is one such as \"Europe/Berlin\" or \"UTC\"".to_owned());
            Problem::new(word, format!("zone {} is no IANA time zone{hint}", quoted(name)))
        })?;
        let zone = Arc::new(zone);
        self.known.insert(name.into(), Arc::clone(&zone));
        Ok(zone)
    }

    /// The zone that the writer may have meant: the same in other letters, the nearest, or the only one of that city.
    fn meant(&self, name: &str) -> Option<String> {
        let all: Vec<_> =
            self.database.available().filter(|known| !NO_ZONES.contains(&known.as_str())).collect();
        let all = || all.iter().map(|known| known.as_str());
        let same = || all().find(|known| known.eq_ignore_ascii_case(name));
        let city = || {
            all()
                .find(|known| known.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(name)))
        };
        same().or_else(city).or_else(|| nearest(name, all())).map(str::to_owned)
    }
}

impl Zone {
    /// SECURITY: jiff finds names in any case; here a name is found as it stands in the database or not at all, so that one zone
    /// has one name in canonical texts.
    fn load(name: &str, database: &TimeZoneDatabase) -> Option<Self> {
        if NO_ZONES.contains(&name) || !database.available().any(|known| known.as_str() == name) {
            return None;
        }
        let zone = database.get(name).ok()?;
        let (first, last) = (UnixTime::from_nanos(i64::MIN).as_secs(), UnixTime::MAX.as_secs());
        let start = Timestamp::from_second(first).ok()?;
        let mut span = Span { from: first, ahead: zone.to_offset(start).seconds() };
        let mut spans = vec![span];
        for change in zone.following(start).take_while(|change| change.timestamp().as_second() <= last) {
            let next = Span { from: change.timestamp().as_second(), ahead: change.offset().seconds() };
            if next.ahead != span.ahead {
                spans.push(next);
                span = next;
            }
        }
        Some(Self { name: name.into(), spans: spans.into() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the clock on the wall shows a time that is `inside`, and until when it will.
    ///
    /// `inside` is given seconds on the wall since 1970-01-01 00:00 there, and says for how many seconds it will stay inside if
    /// clocks are not changed meanwhile; nothing when it is outside.
    pub(super) fn judge(&self, now: UnixTime, inside: impl Fn(i64) -> Option<i64>) -> Truth {
        let now = now.as_secs();
        let next = self.spans.partition_point(|span| span.from <= now);
        let mut at = now;
        let mut following = self.spans.get(next.saturating_sub(1)..).unwrap_or_default().iter().peekable();
        while let Some(span) = following.next() {
            let Some(stays) = inside(at + i64::from(span.ahead)) else {
                break;
            };
            let end = at.saturating_add(stays);
            match following.peek() {
                // Clocks are changed before the end, or at the very end: what they show then decides.
                Some(change) if change.from <= end => at = change.from,
                _ => {
                    at = end;
                    break;
                }
            }
        }
        if at == now { Truth::False } else { Truth::True { until: UnixTime::from_secs(at) } }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({}, {} spans)", self.name, self.spans.len())
    }
}
