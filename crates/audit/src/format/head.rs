//! The head: how much of the log is committed.
//!
//! A commit writes its frames, waits for `fdatasync`, and only then writes the head. So on the medium the head may lag
//! behind the frames and is never ahead of them: frames beyond it are whole and kept or torn and cut, and frames missing
//! before it were taken away.
//!
//! INVARIANT(one-slot-at-risk): between two syncs of the head only one slot is written to, however often; after a sync it is the
//! other's turn. So one slot is always whole on the medium.

use super::{BLOCK, LogId, MAX_NOTE, VERSION, checked_block, finish_block};
use crate::merkle::Digest;

const MAGIC: &[u8; 8] = b"BZAUDHED";

/// What a head slot says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// Whether somebody writes.
    pub state: State,
    /// The log.
    pub log: LogId,
    /// Grows with every write; the slot with the higher one counts.
    pub generation: u64,
    /// The segment that is written to.
    pub segment: u64,
    /// Committed bytes of that segment.
    pub length: u64,
    /// Committed entries of the whole log.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The newest signed checkpoint, as text.
    pub note: Vec<u8>,
}

/// Whether somebody writes to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A writer has it open, or had and did not end in order.
    Open,
    /// The last writer ended in order: nothing stands behind the committed end.
    Closed,
}

impl Head {
    /// Reads one slot of [`BLOCK`] bytes. Nothing when it is none, or not in its one exact form.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let block = bytes.get(..BLOCK)?;
        let mut fields = checked_block(block)?;
        if fields.array()? != *MAGIC || fields.u16()? != VERSION {
            return None;
        }
        let state = match fields.u16()? {
            1 => State::Open,
            2 => State::Closed,
            _ => return None,
        };
        let log = LogId(fields.array()?);
        let (generation, segment, length, size) =
            (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        let root = fields.array()?;
        let note = fields.u16().map(usize::from).filter(|length| *length <= MAX_NOTE)?;
        let note = fields.bytes(note)?.to_vec();
        let head = Self { state, log, generation, segment, length, size, root, note };
        (head.to_bytes() == block).then_some(head)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let state: u16 = match self.state {
            State::Open => 1,
            State::Closed => 2,
        };
        let mut block = Vec::with_capacity(BLOCK);
        block.extend_from_slice(MAGIC);
        block.extend_from_slice(&VERSION.to_be_bytes());
        block.extend_from_slice(&state.to_be_bytes());
        block.extend_from_slice(&self.log.0);
        for number in [self.generation, self.segment, self.length, self.size] {
            block.extend_from_slice(&number.to_be_bytes());
        }
        block.extend_from_slice(&self.root);
        block.extend_from_slice(&u16::try_from(self.note.len()).unwrap_or(u16::MAX).to_be_bytes());
        block.extend_from_slice(&self.note);
        finish_block(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_slot_is_noticed() {
        let head = Head {
            state: State::Closed,
            log: LogId([1; 16]),
            generation: 4,
            segment: 1,
            length: 9_000,
            size: 77,
            root: [3; 32],
            note: b"note".to_vec(),
        };
        let bytes = head.to_bytes();
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(Head::parse(&bytes), Some(head));
        for bit in 0..BLOCK * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::parse(&flipped), None, "bit {bit}");
        }
    }
}
