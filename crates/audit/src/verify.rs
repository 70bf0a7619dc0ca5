//! Verifying a log from its files alone.

use std::{path::Path, sync::Arc};

use bartizan_crypto::{Provider, PublicKey};

use crate::{
    Error, ErrorKind,
    checkpoint::{Checkpoint, TrustedKeys},
    disk::Disk,
    heads::Heads,
    log,
    report::{Report, Tail, Verdict},
    walk::{From, HashRef, Slots, Walker, log_of},
};

/// Whom a verification believes.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    provider: Arc<dyn Provider>,
    trusted: Vec<PublicKey>,
    held: Option<Checkpoint>,
}

impl VerifyOptions {
    /// Nobody yet: the best verdict is [`Verdict::ConsistentUnanchored`].
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, trusted: Vec::new(), held: None }
    }

    /// Checkpoints signed by this Ed25519 key too. Once one key is given, every checkpoint in the log's files must be signed
    /// by one that is.
    #[must_use]
    pub fn trusting(mut self, key: PublicKey) -> Self {
        self.trusted.push(key);
        self
    }

    /// The log must hold everything that this checkpoint, kept elsewhere, was signed for.
    #[must_use]
    pub fn held(mut self, checkpoint: Checkpoint) -> Self {
        self.held = Some(checkpoint);
        self
    }
}

/// Verifies the log in a directory, reading only: copied files, and those of a running writer as well.
///
/// Every entry is read once, in constant memory.
///
/// # Errors
/// Only when nothing can be said: [`ErrorKind::Absent`] where there is no log, [`ErrorKind::Checkpoint`] when the held checkpoint
/// is of another origin or not signed by a trusted key, [`ErrorKind::Key`], [`ErrorKind::Storage`]. Whatever is wrong with the log
/// itself is a verdict.
pub fn verify(directory: &Path, options: &VerifyOptions) -> Result<Report, Error> {
    verify_on(&log::read_only(directory)?, options)
}

/// The same on any disk.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(disk: &dyn Disk, options: &VerifyOptions) -> Result<Report, Error> {
    let keys = TrustedKeys::new(&*options.provider, &options.trusted)?;
    let walker = Walker {
        disk,
        hash: HashRef(options.provider.hash()),
        keys: &keys,
        held: options.held.as_ref(),
        slots: Slots::Both,
    };
    let mut attempt = 0;
    loop {
        let Some(walked) = walker.walk(From::FirstSegment)? else {
            return absent(&walker);
        };
        // A writer that starts, repairs or closes meanwhile is no damage: what was found must still be so.
        attempt += 1;
        let generation = |heads: &Heads| heads.newest().map(|head| head.generation);
        let has_moved = || Ok::<_, Error>(generation(&Heads::read(disk)?) != generation(&walked.heads));
        if !walked.verdict.is_consistent() && attempt < 3 && has_moved()? {
            continue;
        }
        let newest = walked.heads.newest();
        return Ok(Report {
            verdict: walked.verdict,
            entries: walked.tree.size(),
            segments: walked.segments,
            root: walked.tree.root(options.provider.hash()),
            log: log_of(&walked.heads),
            closed: newest.is_some_and(|head| head.state == crate::format::State::Closed),
            checkpoint: walked.checkpoint,
            tail: Tail { is_head_torn: walked.heads.damaged_slot().is_some(), ..walked.tail },
        });
    }
}

/// Where there are no files, a held checkpoint still says what was there.
fn absent(walker: &Walker<'_>) -> Result<Report, Error> {
    let held = walker.held.ok_or(ErrorKind::Absent)?;
    if !held.is_signed_by(walker.keys, walker.hash.0) {
        return Err(ErrorKind::Checkpoint.into());
    }
    Ok(Report {
        verdict: Verdict::Truncated { from: 0, to: held.size() },
        entries: 0,
        segments: 0,
        root: walker.hash.0.sha256(&[]),
        log: None,
        closed: false,
        checkpoint: None,
        tail: Tail::default(),
    })
}
