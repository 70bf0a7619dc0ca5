//! Reading entries, and finding some.

use std::{collections::VecDeque, fmt, io, path::Path};

use bartizan_core::{Outcome, UnixTime};
use serde::Deserialize;

use crate::{
    Error, ErrorKind,
    disk::{Access, Disk, read_full_at},
    format::{BLOCK, FrameSum, Head, SegmentHeader, segment_name, segment_number},
    heads::Heads,
    log,
    report::{Damage, Flaw},
    scan::{Frames, Step},
    time,
};

/// Which entries to read. All conditions must hold.
#[derive(Clone, Default)]
pub struct Query {
    from: u64,
    to: Option<u64>,
    limit: Option<usize>,
    event: Option<Box<str>>,
    subject: Option<Box<str>>,
    tenant: Option<Box<str>>,
    outcome: Option<Outcome>,
    since: Option<UnixTime>,
    until: Option<UnixTime>,
}

impl Query {
    /// All entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From this index on. To read on after a limit, give the index after the last entry.
    #[must_use]
    pub fn from(mut self, index: u64) -> Self {
        self.from = index;
        self
    }

    /// Before this index.
    #[must_use]
    pub fn to(mut self, index: u64) -> Self {
        self.to = Some(index);
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, entries: usize) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Of the event with this name, `lower_snake`.
    #[must_use]
    pub fn event(mut self, name: &str) -> Self {
        self.event = Some(name.into());
        self
    }

    /// By this subject, or somebody who claimed to be it.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// In this tenant: that of the target, or where the target has none, that of the subject.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// With this outcome.
    #[must_use]
    pub const fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = Some(outcome);
        self
    }

    /// At this time or later.
    #[must_use]
    pub const fn since(mut self, time: UnixTime) -> Self {
        self.since = Some(time);
        self
    }

    /// Before this time.
    #[must_use]
    pub const fn until(mut self, time: UnixTime) -> Self {
        self.until = Some(time);
        self
    }

    fn has_conditions(&self) -> bool {
        let Self { event, subject, tenant, outcome, since, until, .. } = self;
        event.is_some()
            || subject.is_some()
            || tenant.is_some()
            || outcome.is_some()
            || since.is_some()
            || until.is_some()
    }

    fn matches(&self, json: &str) -> bool {
        if !self.has_conditions() {
            return true;
        }
        let Ok(entry) = serde_json::from_str::<Members<'_>>(json) else {
            return false;
        };
        let at = || entry.at.as_deref().and_then(time::parse);
        let is = |wanted: &Option<Box<str>>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        is(&self.event, entry.event.as_deref())
            && is(&self.subject, entry.subject.as_deref().or(entry.claimed_subject.as_deref()))
            && is(
                &self.tenant,
                entry
                    .tenant
                    .as_deref()
                    .or(entry.subject_tenant.as_deref())
                    .or(entry.claimed_tenant.as_deref()),
            )
            && self.outcome.is_none_or(|outcome| Some(outcome.as_str()) == entry.outcome.as_deref())
            && self.since.is_none_or(|since| at().is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at().is_some_and(|at| at < until))
    }
}

/// The range only: subjects and tenants are personal data in many services.
impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, limit, .. } = self;
        f.debug_struct("Query")
            .field("from", from)
            .field("to", to)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

/// What conditions look at.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    event: Option<Text<'a>>,
    #[serde(borrow)]
    outcome: Option<Text<'a>>,
    #[serde(borrow)]
    at: Option<Text<'a>>,
    #[serde(borrow)]
    subject: Option<Text<'a>>,
    #[serde(borrow)]
    claimed_subject: Option<Text<'a>>,
    #[serde(borrow)]
    tenant: Option<Text<'a>>,
    #[serde(borrow)]
    subject_tenant: Option<Text<'a>>,
    #[serde(borrow)]
    claimed_tenant: Option<Text<'a>>,
}

type Text<'a> = std::borrow::Cow<'a, str>;

/// One entry, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    index: u64,
    json: Box<str>,
}

impl Entry {
    /// Its index.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The stored bytes: one JSON object without a line break. What a peer said is escaped in it; it is not fit for HTML.
    #[must_use]
    pub const fn json(&self) -> &str {
        &self.json
    }

    /// `{"index":…,"fact":{…}}` on one line, without a line break.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{{\"index\":{},\"fact\":{}}}", self.index, self.json)
    }
}

/// The index only: what an entry says does not belong in another log.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("index", &self.index).finish_non_exhaustive()
    }
}

/// Reads the entries of a log, also of one that is being written. It checks frames, not the tree: only
/// [`verify`](crate::verify) says that nothing was changed.
#[derive(Debug)]
pub struct Reader {
    disk: Box<dyn Disk>,
}

impl Reader {
    /// Opens the log of a directory to read only.
    ///
    /// # Errors
    /// [`ErrorKind::Absent`] where there is no log.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Self::open_on(Box::new(log::read_only(directory)?))
    }

    /// The same on any disk.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_on(disk: Box<dyn Disk>) -> Result<Self, Error> {
        let reader = Self { disk };
        reader.head().map(|_| reader)
    }

    /// How many entries are committed at this moment.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when the head does not parse, [`ErrorKind::Storage`].
    pub fn size(&self) -> Result<u64, Error> {
        Ok(self.head()?.size)
    }

    /// The entries that a query asks for, oldest first. An error ends them.
    ///
    /// Entries behind the committed end that a crash left whole come too.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`], [`ErrorKind::Storage`].
    pub fn entries(&self, query: Query) -> Result<Entries<'_>, Error> {
        let head = self.head()?;
        let mut segments: Vec<u64> =
            self.disk.names()?.iter().filter_map(|name| segment_number(name)).collect();
        segments.sort_unstable();
        // The last segment that begins at or before the first wanted entry: found by halves, as first entries only grow.
        let mut failure = None;
        let after = segments.partition_point(|number| match self.header(*number) {
            Ok(Some(header)) => header.first <= query.from,
            Ok(None) => false,
            Err(error) => {
                failure = Some(error);
                false
            }
        });
        if let Some(error) = failure {
            return Err(error.into());
        }
        let segments = segments.split_off(after.saturating_sub(1));
        let left = query.limit.unwrap_or(usize::MAX);
        Ok(Entries {
            reader: self,
            head,
            query,
            segments: segments.into(),
            ready: VecDeque::new(),
            next: None,
            failure: None,
            left,
        })
    }

    fn head(&self) -> Result<Head, Error> {
        let heads = Heads::read(&*self.disk)?;
        match heads.newest() {
            Some(head) => Ok(head.clone()),
            None if heads.is_there
                || self.disk.names()?.iter().any(|name| segment_number(name).is_some()) =>
            {
                Err(Damage { flaw: Flaw::Head, segment: 0, offset: 0, index: 0 }.into())
            }
            None => Err(ErrorKind::Absent.into()),
        }
    }

    fn header(&self, number: u64) -> io::Result<Option<SegmentHeader>> {
        let file = self.disk.open(&segment_name(number), Access::Read)?;
        let mut block = vec![0; BLOCK];
        read_full_at(&*file, &mut block, 0)?;
        Ok(SegmentHeader::parse(&block))
    }
}

/// The entries of one query.
#[derive(Debug)]
pub struct Entries<'r> {
    reader: &'r Reader,
    head: Head,
    query: Query,
    segments: VecDeque<u64>,
    /// Entries of the piece that was read last.
    ready: VecDeque<Entry>,
    /// Where to read on: segment, offset, index.
    next: Option<(u64, u64, u64)>,
    /// Comes after the entries that were read before it.
    failure: Option<Error>,
    left: usize,
}

/// How many matching entries are read ahead.
const AHEAD: usize = 256;

impl Entries<'_> {
    /// Reads on until some entries match or there are no more.
    fn fill(&mut self) -> Result<(), Error> {
        while self.ready.is_empty() && self.failure.is_none() {
            let (number, offset, index) = match self.next.take() {
                Some(next) => next,
                None => match self.segments.pop_front() {
                    Some(number) => self.begin(number)?,
                    None => return Ok(()),
                },
            };
            self.failure = self.read(number, offset, index).err();
        }
        Ok(())
    }

    fn begin(&mut self, number: u64) -> Result<(u64, u64, u64), Error> {
        match self.reader.header(number)? {
            Some(header) if header.number == number && header.log == self.head.log => {
                Ok((number, BLOCK as u64, header.first))
            }
            // What lies beyond the head may be half made.
            _ if number > self.head.segment => {
                self.segments.clear();
                Ok((number, u64::MAX, 0))
            }
            _ => Err(Damage { flaw: Flaw::Header, segment: number, offset: 0, index: 0 }.into()),
        }
    }

    fn read(&mut self, number: u64, offset: u64, mut index: u64) -> Result<(), Error> {
        if offset == u64::MAX {
            return Ok(());
        }
        let file = self.reader.disk.open(&segment_name(number), Access::Read)?;
        let mut frames = Frames::new(&*file, FrameSum::new(self.head.log, number), offset);
        loop {
            let at = frames.offset();
            let damage = |flaw| Damage { flaw, segment: number, offset: at, index };
            if self.ready.len() >= AHEAD.min(self.left + 1) {
                self.next = Some((number, at, index));
                return Ok(());
            }
            let is_committed =
                number < self.head.segment || number == self.head.segment && at < self.head.length;
            match frames.step()? {
                Step::Frame(frame) if frame.index() == index => {
                    if self.query.to.is_some_and(|to| index >= to) {
                        self.segments.clear();
                        return Ok(());
                    }
                    if index >= self.query.from {
                        let json = std::str::from_utf8(frame.payload())
                            .map_err(|_| damage(Flaw::Frame(crate::format::FrameFault::Checksum)))?;
                        if self.query.matches(json) {
                            self.ready.push_back(Entry { index, json: json.into() });
                        }
                    }
                    index += 1;
                }
                Step::Frame(frame) if is_committed => {
                    return Err(damage(Flaw::OtherEntry { found: frame.index() }).into());
                }
                Step::Bad(fault) if is_committed => return Err(damage(Flaw::Frame(fault)).into()),
                Step::End if number == self.head.segment && is_committed => {
                    return Err(Error::truncated(index..self.head.size));
                }
                Step::End | Step::Bad(_) | Step::Frame(_) => return Ok(()),
            }
        }
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let filled = self.fill();
        if let Some(entry) = self.ready.pop_front() {
            return Some(Ok(entry));
        }
        let failure = self.failure.take().or(filled.err())?;
        self.left = 0;
        Some(Err(failure))
    }
}
