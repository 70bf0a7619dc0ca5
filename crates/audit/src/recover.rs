//! Opening a log: check what is there, set torn bytes aside, go on.

use std::io;

use bartizan_core::Entropy;

use crate::{
    Error, ErrorKind,
    checkpoint::TrustedKeys,
    config::{LogConfig, Start},
    disk::{Access, Disk, append_all, read_full_at},
    format::{HEAD_NAME, LogId, State, segment_name, segment_number},
    heads::{HeadFile, Heads},
    report::Verdict,
    walk::{From, HashRef, MAX_COMMIT, Slots, Walked, Walker, is_unfinished},
    writer::{Parts, Position, Writer},
};

/// What opening found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Nothing: the log is new.
    New,
    /// A log that was closed in order.
    Closed,
    /// A log whose writer did not end in order.
    Recovered {
        /// Whole entries behind the committed end: kept.
        kept: u64,
        /// Bytes behind the last whole entry: set aside.
        torn_bytes: u64,
        /// Whether a head slot was damaged.
        is_head_damaged: bool,
    },
}

/// Opens the log for its one writer, who holds the lock.
pub(crate) fn open(
    parts: Parts,
    config: &LogConfig,
    entropy: &dyn Entropy,
) -> Result<(Writer, Opened), Error> {
    let own = std::iter::once(parts.key.public());
    let keys = TrustedKeys::new(&*parts.provider, own.chain(&config.trusted))?;
    let disk = &*parts.disk;
    let numbers: Vec<u64> = disk.names()?.iter().filter_map(|name| segment_number(name)).collect();
    let heads = Heads::read(disk)?;
    if is_unfinished(disk, &heads, &numbers)? {
        if config.start == Start::MustExist || config.held.is_some() {
            return Err(ErrorKind::Absent.into());
        }
        clear(disk, &heads, &numbers)?;
        let mut id = [0; 16];
        entropy.fill(&mut id)?;
        return Ok((Writer::create(parts, config, LogId(id))?, Opened::New));
    }
    let hash = HashRef(parts.provider.hash());
    let walker = Walker { disk, hash, keys: &keys, held: config.held.as_ref(), slots: Slots::Either };
    let last = heads.newest().map_or(0, |head| head.segment);
    let is_whole = (0..=last).all(|number| numbers.contains(&number));
    // With a checkpoint held elsewhere everything is read; so it is when a segment is missing, to say which entries were in it.
    let walked = match config.held.is_none() && is_whole {
        true => walker.walk(From::LastSegment)?,
        false => walker.walk(From::FirstSegment)?,
    };
    let walked = walked.ok_or(ErrorKind::Absent)?;
    let is_head_damaged = walked.heads.damaged_slot().is_some();
    match &walked.verdict {
        Verdict::Corrupt(damage) => return Err(Error::corrupt(*damage)),
        Verdict::Truncated { from, to } => return Err(Error::truncated(*from..*to)),
        Verdict::Forked { .. } => return Err(ErrorKind::Forked.into()),
        Verdict::ConsistentUnanchored | Verdict::ConsistentToCheckpoint { .. } => {}
    }
    let opened = match walked.heads.newest().map(|head| head.state) {
        Some(State::Closed) if !is_head_damaged => Opened::Closed,
        _ => Opened::Recovered {
            kept: walked.tail.entries,
            torn_bytes: walked.tail.torn_bytes,
            is_head_damaged,
        },
    };
    let position = repair(disk, walked, config)?;
    Ok((Writer::resume(parts, config, position)?, opened))
}

/// Sets torn bytes aside and makes durable what is kept.
fn repair(disk: &dyn Disk, walked: Walked, config: &LogConfig) -> Result<Position, Error> {
    let (segment, length) = walked.last;
    if let Some(unfinished) = walked.unfinished {
        disk.remove(&segment_name(unfinished))?;
        disk.sync_names()?;
    }
    let file = disk.open(&segment_name(segment), Access::Append)?;
    if file.length()? > length {
        let mut torn = vec![0; MAX_COMMIT];
        let read = read_full_at(&*file, &mut torn, length)?;
        torn.truncate(read);
        // Bytes that the system added without writing to them tell nothing.
        if torn.iter().any(|byte| *byte != 0) {
            set_aside(disk, segment, length, &torn)?;
        }
        file.truncate(length)?;
    }
    // A writer that was killed may have left its last commit to the system: it is not on the medium because it can be read.
    file.sync()?;
    let newest = walked.heads.newest().ok_or(ErrorKind::Bug)?;
    let checkpoint = walked.checkpoint.ok_or(ErrorKind::Bug)?;
    if checkpoint.origin() != config.origin {
        return Err(ErrorKind::Config.into());
    }
    let file = disk.open(HEAD_NAME, Access::Write)?;
    // The same holds for the slot that counts; only then may the other one be written to.
    file.sync()?;
    let head = HeadFile { file, at_risk: 1 - walked.heads.newest_slot(), generation: newest.generation };
    Ok(Position { log: newest.log, segment, length, tree: walked.tree, checkpoint, head })
}

fn set_aside(disk: &dyn Disk, segment: u64, offset: u64, torn: &[u8]) -> io::Result<()> {
    for attempt in 0..u32::MAX {
        let name = format!("torn-{segment:010}-{offset}-{attempt}");
        match disk.open(&name, Access::NewAppend) {
            Ok(file) => {
                append_all(&*file, torn)?;
                file.sync()?;
                return disk.sync_names();
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes what an interrupted making of a log left.
fn clear(disk: &dyn Disk, heads: &Heads, numbers: &[u64]) -> io::Result<()> {
    if heads.is_there {
        disk.remove(HEAD_NAME)?;
    }
    for number in numbers {
        disk.remove(&segment_name(*number))?;
    }
    match heads.is_there || !numbers.is_empty() {
        true => disk.sync_names(),
        false => Ok(()),
    }
}
