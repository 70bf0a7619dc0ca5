//! One pass over a log's files: what opening, verifying and reading have in common.

use std::{collections::BTreeSet, io, ops::Range};

use bartizan_crypto::Hash;

use crate::{
    Error, ErrorKind,
    checkpoint::{Checkpoint, TrustedKeys},
    disk::{Access, Disk, DiskFile, read_full_at},
    format::{BLOCK, FrameSum, Head, LogId, SegmentHeader, State, segment_name, segment_number},
    heads::Heads,
    merkle::Tree,
    report::{Anchor, Damage, Flaw, Tail, Verdict},
    scan::{Frames, Step},
};

/// Most bytes that one commit writes, and so that an interrupted one can leave torn: a full batch and one frame more.
pub(crate) const MAX_COMMIT: usize = (1 << 20) + (64 << 10);

/// Where a walk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// At the first entry.
    FirstSegment,
    /// At the segment that the head names: what opening takes.
    LastSegment,
}

/// What a walk needs.
#[derive(Debug)]
pub(crate) struct Walker<'w> {
    pub(crate) disk: &'w dyn Disk,
    pub(crate) hash: HashRef<'w>,
    pub(crate) keys: &'w TrustedKeys,
    pub(crate) held: Option<&'w Checkpoint>,
    pub(crate) slots: Slots,
}

/// What a damaged head slot means when the other one agrees with everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slots {
    /// Damage.
    Both,
    /// Nothing that keeps a writer from going on; it puts it on record and writes the slot again.
    Either,
}

/// A hash function that shows nothing of itself.
#[derive(Clone, Copy)]
pub(crate) struct HashRef<'w>(pub(crate) &'w dyn Hash);

impl std::fmt::Debug for HashRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) verdict: Verdict,
    pub(crate) heads: Heads,
    pub(crate) tree: Tree,
    pub(crate) segments: u64,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) tail: Tail,
    /// The last segment that has a header, and where its last whole frame ends.
    pub(crate) last: (u64, u64),
    /// A segment whose making was interrupted: it holds nothing.
    pub(crate) unfinished: Option<u64>,
}

impl Walker<'_> {
    /// Walks. Nothing where there is neither a head nor a segment.
    pub(crate) fn walk(&self, from: From) -> Result<Option<Walked>, Error> {
        let heads = Heads::read(self.disk)?;
        let numbers: BTreeSet<u64> =
            self.disk.names()?.iter().filter_map(|name| segment_number(name)).collect();
        if !heads.is_there && numbers.is_empty() {
            return Ok(None);
        }
        let mut pass = Pass {
            walker: self,
            walked: Walked {
                verdict: Verdict::ConsistentUnanchored,
                heads,
                tree: Tree::new(),
                segments: 0,
                checkpoint: None,
                tail: Tail::default(),
                last: (0, 0),
                unfinished: None,
            },
            marks: Vec::new(),
            signed: Vec::new(),
            agreed: 0,
        };
        match pass.run(from, &numbers) {
            Ok(()) => {}
            Err(Stop::Found(verdict)) => pass.walked.verdict = verdict,
            Err(Stop::Failed(error)) => return Err(error),
        }
        Ok(Some(pass.walked))
    }
}

/// Why a pass ends early.
enum Stop {
    Found(Verdict),
    Failed(Error),
}

impl std::convert::From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A root that somebody says the first `size` entries have.
struct Mark {
    size: u64,
    root: [u8; 32],
    by: By,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Head,
    OwnCheckpoint,
    HeldCheckpoint,
}

struct Pass<'p> {
    walker: &'p Walker<'p>,
    walked: Walked,
    marks: Vec<Mark>,
    /// Checkpoints whose signatures are still to be checked, and where each stands.
    signed: Vec<(Checkpoint, Damage)>,
    /// Entries before this one agree with a checkpoint.
    agreed: u64,
}

/// One segment's place in a pass.
struct Segment {
    number: u64,
    file: Box<dyn DiskFile>,
    header: SegmentHeader,
}

impl Pass<'_> {
    fn run(&mut self, from: From, numbers: &BTreeSet<u64>) -> Result<(), Stop> {
        let Some(head) = self.walked.heads.newest().cloned() else {
            return Err(self.corrupt(Flaw::Head, 0, 0));
        };
        self.note_marks(&head)?;
        let mut next = match from {
            From::FirstSegment => self.open_segment(0, &head)?,
            From::LastSegment => self.start_late(&head)?,
        };
        let mut walked_to = 0;
        while let Some(segment) = next {
            walked_to = segment.number;
            next = self.segment(&segment, &head)?;
        }
        if let Some(foreign) = numbers.range(walked_to + 1..).find(|n| Some(**n) != self.walked.unfinished) {
            return Err(self.corrupt(Flaw::Surplus, *foreign, 0));
        }
        if head.state == State::Closed && self.walked.unfinished.is_some() {
            return Err(self.corrupt(Flaw::Surplus, walked_to + 1, 0));
        }
        self.conclude(&head)
    }

    /// What the head and the held checkpoint say of roots.
    fn note_marks(&mut self, head: &Head) -> Result<(), Stop> {
        self.marks.push(Mark { size: head.size, root: head.root, by: By::Head });
        let place = Damage { flaw: Flaw::Checkpoint, segment: head.segment, offset: 0, index: head.size };
        let own = Checkpoint::parse(&head.note).ok().filter(|own| own.log() == head.log);
        let Some(own) = own else {
            return Err(Stop::Found(Verdict::Corrupt(place)));
        };
        self.marks.push(Mark { size: own.size(), root: *own.root(), by: By::OwnCheckpoint });
        self.signed.push((own.clone(), Damage { index: own.size(), ..place }));
        if let Some(held) = self.walker.held {
            let is_trusted = held.is_signed_by(self.walker.keys, self.walker.hash.0);
            if !is_trusted || held.origin() != own.origin() {
                return Err(Stop::Failed(ErrorKind::Checkpoint.into()));
            }
            if held.log() != head.log {
                return Err(Stop::Found(Verdict::Forked { from: 0, to: held.size() }));
            }
            self.marks.push(Mark { size: held.size(), root: *held.root(), by: By::HeldCheckpoint });
        }
        self.walked.checkpoint = Some(own);
        Ok(())
    }

    /// Begins at the head's segment with the tree that its header gives.
    fn start_late(&mut self, head: &Head) -> Result<Option<Segment>, Stop> {
        let segment = self.open_segment(head.segment, head)?;
        let peaks = segment.as_ref().map(|segment| (segment.header.first, &*segment.header.peaks));
        if let Some(tree) = peaks.and_then(|(first, peaks)| Tree::from_peaks(first, peaks)) {
            self.walked.tree = tree;
        }
        // A checkpoint older than the header was checked when the header was written: its root is not seen again here.
        self.marks.retain(|mark| mark.by != By::OwnCheckpoint || mark.size >= self.walked.tree.size());
        Ok(segment)
    }

    /// Opens a segment and reads its header. Nothing when there is none and need not be.
    fn open_segment(&mut self, number: u64, head: &Head) -> Result<Option<Segment>, Stop> {
        let is_committed = number <= head.segment;
        let here = self.walked.tree.size();
        if number == u64::MAX {
            // No writer counts so far, and there is no number after it.
            return Err(self.corrupt(Flaw::Header, number, 0));
        }
        let file = match self.walker.disk.open(&segment_name(number), Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_committed => {
                return Err(Stop::Found(Verdict::Truncated {
                    from: here,
                    to: self.next_known(number, head)?,
                }));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut block = vec![0; BLOCK];
        let read = read_full_at(&*file, &mut block, 0)?;
        match SegmentHeader::parse(&block) {
            Some(header) if header.log == head.log && header.number == number => {
                Ok(Some(Segment { number, file, header }))
            }
            Some(_) => Err(self.corrupt(Flaw::OtherLog, number, 0)),
            None if !is_committed => {
                self.walked.unfinished = Some(number);
                self.walked.tail.torn_bytes += file.length()?;
                Ok(None)
            }
            None if read < BLOCK => {
                Err(Stop::Found(Verdict::Truncated { from: here, to: self.next_known(number, head)? }))
            }
            None => Err(self.corrupt(Flaw::Header, number, 0)),
        }
    }

    /// The first entry after a segment that is missing, as far as it can be told.
    fn next_known(&self, missing: u64, head: &Head) -> Result<u64, Stop> {
        // SECURITY: only names that are there are tried. A head that somebody wrote may claim 2⁶⁴ segments.
        let mut numbers: Vec<u64> =
            self.walker.disk.names()?.iter().filter_map(|name| segment_number(name)).collect();
        numbers.retain(|number| *number > missing && *number <= head.segment);
        numbers.sort_unstable();
        for number in numbers {
            if let Ok(file) = self.walker.disk.open(&segment_name(number), Access::Read) {
                let mut block = vec![0; BLOCK];
                read_full_at(&*file, &mut block, 0)?;
                if let Some(header) = SegmentHeader::parse(&block) {
                    return Ok(header.first);
                }
            }
        }
        Ok(self.marks.iter().map(|mark| mark.size).fold(head.size, u64::max))
    }

    /// Walks one segment and opens the next.
    fn segment(&mut self, segment: &Segment, head: &Head) -> Result<Option<Segment>, Stop> {
        self.header(segment)?;
        self.walked.segments += 1;
        let number = segment.number;
        let sum = FrameSum::new(head.log, number);
        let mut frames = Frames::new(&*segment.file, sum, BLOCK as u64);
        let committed = match self.length_before(number + 1)? {
            _ if number > head.segment => 0..0,
            _ if number == head.segment => 0..head.length,
            Some(length) => 0..length,
            // Its length is not known: each of its bytes must be of a frame.
            None => 0..segment.file.length()?,
        };
        self.frames(segment, &mut frames, &committed, head)?;
        let Some(following) = self.open_segment(number + 1, head)? else {
            return self.end_of_last(segment, frames.offset(), &committed, head).map(|()| None);
        };
        // The writer may have gone on, here and into the next segment, since this one was read.
        if number >= head.segment && self.walked.tree.size() < following.header.first {
            frames.refresh();
            self.frames(segment, &mut frames, &committed, head)?;
        }
        if head.state == State::Closed && number == head.segment {
            return Err(self.corrupt(Flaw::Surplus, number + 1, 0));
        }
        if self.walked.tree.size() < following.header.first {
            let missing = self.walked.tree.size()..following.header.first;
            return Err(Stop::Found(Verdict::Truncated { from: missing.start, to: missing.end }));
        }
        if segment.file.length()? != following.header.before || frames.offset() != following.header.before {
            return Err(self.corrupt(Flaw::Surplus, number, frames.offset()));
        }
        Ok(Some(following))
    }

    /// Checks a header against the tree so far.
    fn header(&mut self, segment: &Segment) -> Result<(), Stop> {
        let SegmentHeader { first, peaks, note, .. } = &segment.header;
        let tree = &self.walked.tree;
        // Before the first segment there is nothing, whatever its header says of it.
        if *first != tree.size() || (segment.number == 0 && segment.header.before != 0) {
            return Err(self.corrupt(Flaw::Chain, segment.number, 0));
        }
        let root = tree.root(self.walker.hash.0);
        let note = Checkpoint::parse(note).ok();
        let origin = self.walked.checkpoint.as_ref().map(Checkpoint::origin);
        let fits = |note: &Checkpoint| {
            note.log() == segment.header.log && note.size() == *first && Some(note.origin()) == origin
        };
        let Some(note) = note.filter(fits) else {
            return Err(self.corrupt(Flaw::Checkpoint, segment.number, 0));
        };
        if *note.root() != root {
            return Err(Stop::Found(Verdict::Forked { from: self.agreed, to: *first }));
        }
        if peaks != tree.peaks() {
            return Err(self.corrupt(Flaw::Chain, segment.number, 0));
        }
        self.agreed = *first;
        let place = self.damage(Flaw::Checkpoint, segment.number, 0);
        self.signed.push((note, place));
        self.walked.last = (segment.number, BLOCK as u64);
        self.check_marks(segment.number, BLOCK as u64)
    }

    /// Walks frames up to the end of the file or the first bytes that are none.
    fn frames(
        &mut self,
        segment: &Segment,
        frames: &mut Frames<'_>,
        committed: &Range<u64>,
        head: &Head,
    ) -> Result<(), Stop> {
        let number = segment.number;
        loop {
            let at = frames.offset();
            let is_committed = committed.contains(&at);
            if number == head.segment && at == head.length && self.walked.tree.size() != head.size {
                return Err(self.corrupt(Flaw::Commit, number, at));
            }
            let flaw = match frames.step()? {
                Step::Frame(frame) if frame.index() == self.walked.tree.size() => {
                    let end = at + frame.stored_len() as u64;
                    if is_committed && end > committed.end {
                        return Err(self.corrupt(Flaw::Commit, number, at));
                    }
                    self.walked.tree.push(self.walker.hash.0, frame.payload());
                    self.walked.last = (number, end);
                    self.walked.tail.entries += u64::from(!is_committed);
                    self.check_marks(number, end)?;
                    continue;
                }
                Step::Frame(frame) => Flaw::OtherEntry { found: frame.index() },
                Step::End => Flaw::Frame(crate::format::FrameFault::Short),
                Step::Bad(fault) => Flaw::Frame(fault),
            };
            // What is committed must be there. A file that is shorter than it was is cut, whatever its last bytes look like.
            if segment.file.length()? < committed.end {
                let to = self.next_known(number, head)?;
                return Err(Stop::Found(Verdict::Truncated { from: self.walked.tree.size(), to }));
            }
            return match at < committed.end {
                true => Err(Stop::Found(Verdict::Corrupt(self.damage(flaw, number, at)))),
                false => Ok(()),
            };
        }
    }

    /// What the header after a segment says of its length.
    fn length_before(&self, number: u64) -> Result<Option<u64>, Stop> {
        let header = self.walker.disk.open(&segment_name(number), Access::Read).map(|file| {
            let mut block = vec![0; BLOCK];
            read_full_at(&*file, &mut block, 0).map(|_| SegmentHeader::parse(&block))
        });
        match header {
            Ok(header) => Ok(header?.map(|header| header.before)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What stands behind the last whole frame of the last segment.
    fn end_of_last(
        &mut self,
        segment: &Segment,
        end: u64,
        committed: &Range<u64>,
        head: &Head,
    ) -> Result<(), Stop> {
        let torn = segment.file.length()?.saturating_sub(end);
        self.walked.tail.torn_bytes += torn;
        let is_foreign =
            torn > MAX_COMMIT as u64 || head.state == State::Closed && (torn > 0 || end > committed.end);
        if is_foreign {
            return Err(self.corrupt(Flaw::Surplus, segment.number, committed.end.min(end)));
        }
        Ok(())
    }

    /// Compares the root where somebody said what it is.
    fn check_marks(&mut self, segment: u64, offset: u64) -> Result<(), Stop> {
        let size = self.walked.tree.size();
        if !self.marks.iter().any(|mark| mark.size == size) {
            return Ok(());
        }
        let root = self.walked.tree.root(self.walker.hash.0);
        let mut agreed = self.agreed;
        for mark in self.marks.extract_if(.., |mark| mark.size == size) {
            match mark.by {
                By::Head if mark.root != root => {
                    let flaw = Flaw::Commit;
                    return Err(Stop::Found(Verdict::Corrupt(Damage { flaw, segment, offset, index: size })));
                }
                By::OwnCheckpoint | By::HeldCheckpoint if mark.root != root => {
                    return Err(Stop::Found(Verdict::Forked { from: agreed, to: size }));
                }
                By::Head => {}
                By::OwnCheckpoint | By::HeldCheckpoint => agreed = size,
            }
        }
        self.agreed = agreed;
        Ok(())
    }

    /// All frames agree with each other; what is left is what should be there and is not, and who signed.
    fn conclude(&mut self, head: &Head) -> Result<(), Stop> {
        let size = self.walked.tree.size();
        // INVARIANT(marks-in-order): a mark that was not met lies beyond the last entry.
        if let Some(to) = self.marks.iter().map(|mark| mark.size).max() {
            return Err(Stop::Found(Verdict::Truncated { from: size, to }));
        }
        // While somebody writes, or after a loss of power, the slot at risk may be half written: that is no damage.
        if self.walker.slots == Slots::Both
            && head.state == State::Closed
            && let Some(slot) = self.walked.heads.damaged_slot()
        {
            let offset = (slot * BLOCK) as u64;
            let damage = Damage { flaw: Flaw::HeadSlot, segment: head.segment, offset, index: size };
            return Err(Stop::Found(Verdict::Corrupt(damage)));
        }
        if self.walker.keys.is_empty() {
            return Ok(());
        }
        let unsigned =
            |(note, _): &&(Checkpoint, Damage)| !note.is_signed_by(self.walker.keys, self.walker.hash.0);
        if let Some((_, damage)) = self.signed.iter().find(unsigned) {
            return Err(Stop::Found(Verdict::Corrupt(*damage)));
        }
        let own = self.walked.checkpoint.as_ref().map(|own| (own, Anchor::Own));
        let held = self.walker.held.map(|held| (held, Anchor::Held));
        let newest = own.into_iter().chain(held).max_by_key(|(checkpoint, _)| checkpoint.size());
        if let Some((checkpoint, anchor)) = newest {
            let (size, at) = (checkpoint.size(), checkpoint.at());
            self.walked.verdict = Verdict::ConsistentToCheckpoint { size, at, anchor };
        }
        Ok(())
    }

    fn damage(&self, flaw: Flaw, segment: u64, offset: u64) -> Damage {
        Damage { flaw, segment, offset, index: self.walked.tree.size() }
    }

    fn corrupt(&self, flaw: Flaw, segment: u64, offset: u64) -> Stop {
        Stop::Found(Verdict::Corrupt(self.damage(flaw, segment, offset)))
    }
}

/// Whether nothing was ever acknowledged from these files: making the log was interrupted.
pub(crate) fn is_unfinished(disk: &dyn Disk, heads: &Heads, numbers: &[u64]) -> io::Result<bool> {
    if heads.newest().is_some() || numbers.iter().any(|number| *number != 0) {
        return Ok(false);
    }
    match disk.open(&segment_name(0), Access::Read) {
        Ok(file) => Ok(file.length()? <= BLOCK as u64),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// A log's id, for what only reads.
pub(crate) fn log_of(heads: &Heads) -> Option<LogId> {
    heads.newest().map(|head| head.log)
}
