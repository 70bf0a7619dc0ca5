//! How the log lies on disk. Integers are big endian. One directory holds
//!
//! ```text
//! head              two slots of 4,096 bytes: how much is committed, and the newest signed checkpoint
//! 0000000000.seg    a header of 4,096 bytes, then frames; the next segment is 0000000001.seg
//! torn-…            bytes that a crash left behind the last whole frame, set aside; no part of the log
//!
//! segment header                                   head slot
//! offset  length                                   offset  length
//!      0       8  BZAUDSEG                              0       8  BZAUDHED
//!      8       2  version = 1                           8       2  version = 1
//!     10       2  flags = 0                            10       2  state: 1 open, 2 closed
//!     12      16  log id                               12      16  log id
//!     28       8  number of the segment                28       8  generation
//!     36       8  index of its first entry             36       8  segment that is written to
//!     44       8  length of the segment before, or 0   44       8  committed bytes of that segment
//!     52   2,048  peaks of the tree before, zeros      52       8  committed entries of the log
//!  2,100       2  length of the checkpoint             60      32  root over them
//!  2,102       n  checkpoint of the tree before        92       2  length of the checkpoint
//!      …          zeros                                94       n  newest checkpoint
//!  4,092       4  checksum                              …          zeros
//!                                                   4,092       4  checksum
//! frame
//!      0       4  length of the payload, 1 to 65,520
//!      4       4  checksum
//!      8       8  index of the entry
//!     16       n  payload: one JSON object without a line break
//! ```
//!
//! Checksums are CRC-32/ISO-HDLC (polynomial 0x04C11DB7, reflected, as in Ethernet and gzip). They name accidents; the tree
//! and the signed checkpoints stop people. A block's runs over all of the block before it. A frame's runs over log id, segment
//! number, length, index and payload, so that a frame from elsewhere does not fit even where its index does.
//!
//! The tree is that of RFC 6962 §2.1 over the payloads exactly as they are stored, in all segments from the first entry on:
//! leaf `SHA-256(00 ‖ payload)`, node `SHA-256(01 ‖ left ‖ right)`. The peaks are the roots of its perfect subtrees, largest
//! first, as many as the index has bits set. With them and the signed checkpoint in its header a segment can be verified when
//! those before it are elsewhere.

mod frame;
mod head;
mod segment;

pub(crate) use frame::FrameSum;
pub use frame::{FRAME_HEADER, Frame, FrameFault, MAX_PAYLOAD};
pub use head::{Head, State};
pub use segment::SegmentHeader;
pub(crate) use segment::{segment_name, segment_number};

/// Length of a segment header and of a head slot, in bytes.
pub const BLOCK: usize = 4_096;

/// Longest checkpoint, in bytes.
pub const MAX_NOTE: usize = 1_024;

pub(crate) const HEAD_NAME: &str = "head";

const VERSION: u16 = 1;

/// A log's own 16 random bytes, drawn when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub(crate) [u8; 16]);

impl LogId {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From 32 lower-case hexadecimal digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut id = [0; 16];
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl std::fmt::Display for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Takes fixed-width fields off the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}

/// Pads to a block and ends it with its checksum.
fn finish_block(mut block: Vec<u8>) -> Vec<u8> {
    block.extend_from_slice([0; BLOCK - 4].get(block.len()..).unwrap_or_default());
    let sum = crc32fast::hash(&block);
    block.extend_from_slice(&sum.to_be_bytes());
    block
}

/// The fields of a block whose length and checksum fit.
fn checked_block(block: &[u8]) -> Option<Fields<'_>> {
    let (body, sum) = block.split_at_checked(BLOCK - 4)?;
    (sum == crc32fast::hash(body).to_be_bytes()).then_some(Fields(body))
}
