//! What a verification found.

use std::fmt;

use bartizan_core::UnixTime;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    checkpoint::Checkpoint,
    format::{FrameFault, LogId},
    merkle::Digest,
};

/// What can be said of a log. Exhaustive on purpose, and “valid” is not among it: whoever can write the files can take
/// entries off the end and everything local that counts them, so that a log is only ever consistent *to* something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored bytes are not what was written. The first place is named.
    Corrupt(Damage),
    /// Entries `from` to `to - 1` are missing: the tail, or whole segments.
    Truncated {
        /// The first missing entry.
        from: u64,
        /// The entry after the last missing one, as far as it is known.
        to: u64,
    },
    /// All frames are whole, but the entries before `to` are not those that were signed for. Those before `from` are.
    Forked {
        /// Entries before this one agree with an earlier checkpoint.
        from: u64,
        /// The size of the checkpoint that disagrees.
        to: u64,
    },
    /// Everything agrees with itself; whether it is complete cannot be told, as no trusted checkpoint was there.
    ConsistentUnanchored,
    /// The first `size` entries are exactly those of a signed checkpoint. Completeness after it is unproven.
    ConsistentToCheckpoint {
        /// How many entries the checkpoint covers.
        size: u64,
        /// When it was signed, by the writer's clock.
        at: UnixTime,
        /// Where the checkpoint came from.
        anchor: Anchor,
    },
}

impl Verdict {
    /// Whether nothing was found wrong.
    #[must_use]
    pub const fn is_consistent(&self) -> bool {
        matches!(self, Self::ConsistentUnanchored | Self::ConsistentToCheckpoint { .. })
    }

    /// The word in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "corrupt",
            Self::Truncated { .. } => "truncated",
            Self::Forked { .. } => "forked",
            Self::ConsistentUnanchored => "consistent_unanchored",
            Self::ConsistentToCheckpoint { .. } => "consistent_to_checkpoint",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(damage) => write!(f, "corrupt: {damage}"),
            Self::Truncated { from, to } => {
                write!(f, "truncated: entries {from} to {} are missing", to.saturating_sub(1))
            }
            Self::Forked { from, to } => {
                write!(f, "forked: entries {from} to {} are not those that were signed", to.saturating_sub(1))
            }
            Self::ConsistentUnanchored => f.write_str("consistent; completeness unproven"),
            Self::ConsistentToCheckpoint { size, at, anchor } => {
                let whose = match anchor {
                    Anchor::Own => "the log's own",
                    Anchor::Held => "the held",
                };
                write!(f, "consistent to {whose} checkpoint of {size} entries, signed {at}")
            }
        }
    }
}

/// Where a checkpoint came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// From the log's own files: it stops whoever lacks the key, but not a roll-back of all files to an earlier day.
    Own,
    /// From whoever verifies: it stops the roll-back too.
    Held,
}

/// The first thing that is wrong with stored bytes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Damage {
    /// What is wrong.
    pub flaw: Flaw,
    /// The segment, for all that is in one.
    pub segment: u64,
    /// The byte of that segment's file where the damaged thing begins (of the head for its flaws).
    pub offset: u64,
    /// The first entry that is affected.
    pub index: u64,
}

/// What is wrong with stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A frame does not parse.
    #[error("{0}")]
    Frame(FrameFault),
    /// A whole frame of another entry stands here: moved, doubled or left over.
    #[error("entry {found} stands here")]
    OtherEntry {
        /// The entry that stands here.
        found: u64,
    },
    /// A segment's header does not parse.
    #[error("the segment header does not parse")]
    Header,
    /// A segment is of another log, or has another's number.
    #[error("the segment is of another log or place")]
    OtherLog,
    /// A segment header does not follow from the entries before it.
    #[error("the segment header does not follow from the entries before it")]
    Chain,
    /// The file `head` is missing or neither of its slots parses.
    #[error("the head does not parse")]
    Head,
    /// One of the two head slots of a log that was closed in order does not parse.
    #[error("a head slot does not parse")]
    HeadSlot,
    /// Committed length, size and root do not fit the entries.
    #[error("the committed length, size and root do not fit the entries")]
    Commit,
    /// A checkpoint in the files is malformed or no trusted key signed it.
    #[error("a stored checkpoint is not signed by a trusted key")]
    Checkpoint,
    /// Bytes stand after the end of a log that was closed in order, or more than one interrupted commit can leave.
    #[error("foreign bytes stand after the end")]
    Surplus,
}

impl Flaw {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Frame(FrameFault::Short) => "frame_short",
            Self::Frame(FrameFault::Length) => "frame_length",
            Self::Frame(FrameFault::Checksum) => "frame_checksum",
            Self::OtherEntry { .. } => "other_entry",
            Self::Header => "segment_header",
            Self::OtherLog => "other_log",
            Self::Chain => "chain",
            Self::Head => "head",
            Self::HeadSlot => "head_slot",
            Self::Commit => "commit",
            Self::Checkpoint => "checkpoint",
            Self::Surplus => "surplus",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flaw, segment, offset, index } = self;
        match flaw {
            Flaw::Head | Flaw::HeadSlot => write!(f, "head, byte {offset}: {flaw}"),
            _ => write!(f, "entry {index}, segment {segment}, byte {offset}: {flaw}"),
        }
    }
}

/// What stands behind the committed end: what a crash left, or what a running writer is about to commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tail {
    /// Whole entries; the next start keeps them.
    pub entries: u64,
    /// Bytes that are no whole entry; the next start sets them aside.
    pub torn_bytes: u64,
    /// One of the two slots of the head is half written. The other one counts; the next start writes both.
    pub is_head_torn: bool,
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Report {
    pub(crate) verdict: Verdict,
    pub(crate) entries: u64,
    pub(crate) segments: u64,
    pub(crate) root: Digest,
    pub(crate) log: Option<LogId>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) tail: Tail,
    pub(crate) closed: bool,
}

impl Report {
    /// The verdict.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// How many entries were read and agree with each other, up to the first thing that is wrong.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// How many segments they were read from.
    #[must_use]
    pub const fn segments(&self) -> u64 {
        self.segments
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// The log's own id.
    #[must_use]
    pub const fn log(&self) -> Option<LogId> {
        self.log
    }

    /// The newest checkpoint in the log's files; signed by a trusted key only if the verdict says so.
    #[must_use]
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// What stands behind the committed end.
    #[must_use]
    pub const fn tail(&self) -> Tail {
        self.tail
    }

    /// Whether the last writer ended in order.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }
}

/// One line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} entries in {} segments", self.verdict, self.entries, self.segments)?;
        if self.tail.torn_bytes > 0 {
            write!(f, ", {} torn bytes at the end", self.tail.torn_bytes)?;
        }
        if self.tail.is_head_torn {
            f.write_str(", one head slot half written")?;
        }
        f.write_str(")")
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("verdict", self.verdict.as_str())?;
        match &self.verdict {
            Verdict::Corrupt(damage) => {
                map.serialize_entry("flaw", damage.flaw.as_str())?;
                map.serialize_entry("index", &damage.index)?;
                map.serialize_entry("segment", &damage.segment)?;
                map.serialize_entry("offset", &damage.offset)?;
            }
            Verdict::Truncated { from, to } | Verdict::Forked { from, to } => {
                map.serialize_entry("from", from)?;
                map.serialize_entry("to", to)?;
            }
            Verdict::ConsistentUnanchored => {}
            Verdict::ConsistentToCheckpoint { size, at, anchor } => {
                map.serialize_entry("size", size)?;
                map.serialize_entry("at", &at.to_string())?;
                let anchor = match anchor {
                    Anchor::Own => "own",
                    Anchor::Held => "held",
                };
                map.serialize_entry("anchor", anchor)?;
            }
        }
        map.serialize_entry("message", &self.verdict.to_string())?;
        map.serialize_entry("entries", &self.entries)?;
        map.serialize_entry("segments", &self.segments)?;
        let root: String = self.root.iter().map(|byte| format!("{byte:02x}")).collect();
        map.serialize_entry("root", &root)?;
        if let Some(log) = self.log {
            map.serialize_entry("log", &log.to_string())?;
        }
        map.serialize_entry("closed", &self.closed)?;
        map.serialize_entry("tail_entries", &self.tail.entries)?;
        map.serialize_entry("torn_bytes", &self.tail.torn_bytes)?;
        map.serialize_entry("head_torn", &self.tail.is_head_torn)?;
        map.end()
    }
}
