//! One entry's frame.

use super::{Fields, LogId};

/// Bytes before a payload.
pub const FRAME_HEADER: usize = 16;

/// Longest payload, in bytes: a frame is at most 64 KiB.
pub const MAX_PAYLOAD: usize = 64 * 1024 - FRAME_HEADER;

/// A whole frame, borrowed from the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    index: u64,
    payload: &'a [u8],
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FrameFault {
    /// The bytes end before the frame does.
    #[error("the bytes end before the frame does")]
    Short,
    /// The length is 0 or above [`MAX_PAYLOAD`].
    #[error("the length is impossible")]
    Length,
    /// The checksum does not fit.
    #[error("the checksum does not fit")]
    Checksum,
}

impl<'a> Frame<'a> {
    /// Reads the frame at the front of `bytes`, of this log and segment.
    ///
    /// # Errors
    /// [`FrameFault`], see there.
    pub fn parse(bytes: &'a [u8], log: LogId, segment: u64) -> Result<Self, FrameFault> {
        FrameSum::new(log, segment).parse(bytes)
    }

    /// A frame whose bytes were parsed before.
    pub(crate) fn checked(index: u64, bytes: &'a [u8]) -> Self {
        Self { index, payload: bytes.get(FRAME_HEADER..).unwrap_or_default() }
    }

    /// The entry's index.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The stored bytes: what the tree's leaf is made of.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Length of the whole frame in bytes.
    #[must_use]
    pub const fn stored_len(&self) -> usize {
        FRAME_HEADER + self.payload.len()
    }
}

/// The checksum of one segment's frames, with what they all begin with already in it.
#[derive(Clone, Debug)]
pub(crate) struct FrameSum(crc32fast::Hasher);

impl FrameSum {
    pub(crate) fn new(log: LogId, segment: u64) -> Self {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&log.0);
        sum.update(&segment.to_be_bytes());
        Self(sum)
    }

    /// Appends a frame. `payload` has 1 to [`MAX_PAYLOAD`] bytes, else nothing is appended.
    #[must_use]
    pub(crate) fn append(&self, index: u64, payload: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(length) = u32::try_from(payload.len()).ok().filter(|_| is_possible(payload.len())) else {
            return false;
        };
        let (length, index) = (length.to_be_bytes(), index.to_be_bytes());
        let sum = self.sum(length, index, payload);
        out.extend_from_slice(&length);
        out.extend_from_slice(&sum.to_be_bytes());
        out.extend_from_slice(&index);
        out.extend_from_slice(payload);
        true
    }

    pub(crate) fn parse<'a>(&self, bytes: &'a [u8]) -> Result<Frame<'a>, FrameFault> {
        let mut fields = Fields(bytes);
        let length = fields.u32().ok_or(FrameFault::Short)?;
        let size = usize::try_from(length).map_err(|_| FrameFault::Length)?;
        // Before more is asked for: a damaged length is named as such, however few bytes follow it.
        if !is_possible(size) {
            return Err(FrameFault::Length);
        }
        let (Some(sum), Some(index), Some(payload)) = (fields.u32(), fields.array::<8>(), fields.bytes(size))
        else {
            return Err(FrameFault::Short);
        };
        if self.sum(length.to_be_bytes(), index, payload) != sum {
            return Err(FrameFault::Checksum);
        }
        Ok(Frame { index: u64::from_be_bytes(index), payload })
    }

    fn sum(&self, length: [u8; 4], index: [u8; 8], payload: &[u8]) -> u32 {
        let mut sum = self.0.clone();
        sum.update(&length);
        sum.update(&index);
        sum.update(payload);
        sum.finalize()
    }
}

const fn is_possible(length: usize) -> bool {
    length > 0 && length <= MAX_PAYLOAD
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: LogId = LogId([7; 16]);

    fn framed(index: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        assert!(FrameSum::new(LOG, 3).append(index, payload, &mut bytes));
        bytes
    }

    #[test]
    fn a_frame_fits_only_its_own_log_and_segment() {
        let bytes = framed(9, b"{}");
        assert_eq!(Frame::parse(&bytes, LOG, 3).unwrap().payload(), b"{}");
        assert_eq!(Frame::parse(&bytes, LOG, 4), Err(FrameFault::Checksum));
        assert_eq!(Frame::parse(&bytes, LogId([8; 16]), 3), Err(FrameFault::Checksum));
    }

    #[test]
    fn a_payload_has_1_to_65_520_bytes() {
        assert_eq!(framed(0, &[b' '; MAX_PAYLOAD]).len(), 65_536);
        for length in [0, MAX_PAYLOAD + 1] {
            let mut bytes = Vec::new();
            assert!(!FrameSum::new(LOG, 3).append(0, &vec![b' '; length], &mut bytes));
            assert!(bytes.is_empty());
            let length = u32::try_from(length).unwrap().to_be_bytes();
            assert_eq!(Frame::parse(&length, LOG, 3), Err(FrameFault::Length));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_flipped_bit_and_every_cut_is_noticed(
            index: u64, payload in proptest::collection::vec(any::<u8>(), 1..200), bit: prop::sample::Index,
        ) {
            let bytes = framed(index, &payload);
            let read = Frame::parse(&bytes, LOG, 3).unwrap();
            prop_assert_eq!((read.index(), read.payload(), read.stored_len()), (index, &*payload, bytes.len()));
            let mut flipped = bytes.clone();
            let bit = bit.index(bytes.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Frame::parse(&flipped, LOG, 3).is_err());
            let cut = bit / 8;
            prop_assert_eq!(Frame::parse(&bytes[..cut], LOG, 3), Err(FrameFault::Short));
        }

        #[test]
        fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(frame) = Frame::parse(&bytes, LOG, 3) {
                prop_assert!(frame.stored_len() <= bytes.len());
            }
        }
    }
}
