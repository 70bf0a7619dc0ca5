//! A segment's header.

use super::{BLOCK, Fields, LogId, MAX_NOTE, VERSION, checked_block, finish_block};
use crate::merkle::Digest;

const MAGIC: &[u8; 8] = b"BZAUDSEG";
const PEAKS: usize = 64;

/// What a segment says of itself and of what came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentHeader {
    /// The log it belongs to.
    pub log: LogId,
    /// Its number; the first is 0.
    pub number: u64,
    /// The index of its first entry: how many entries came before.
    pub first: u64,
    /// Length in bytes of the segment before it; 0 for the first.
    pub before: u64,
    /// Roots of the perfect subtrees over the entries before, largest first.
    pub peaks: Vec<Digest>,
    /// The signed checkpoint over the entries before, as text.
    pub note: Vec<u8>,
}

impl SegmentHeader {
    /// Reads a header from the first [`BLOCK`] bytes of a segment. Nothing when it is none, or not in its one exact form.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let block = bytes.get(..BLOCK)?;
        let mut fields = checked_block(block)?;
        if fields.array()? != *MAGIC || fields.u16()? != VERSION || fields.u16()? != 0 {
            return None;
        }
        let log = LogId(fields.array()?);
        let (number, first, before) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let mut peaks = Fields(fields.bytes(PEAKS * 32)?);
        let peaks = (0..first.count_ones()).map(|_| peaks.array()).collect::<Option<_>>()?;
        let note = fields.u16().map(usize::from).filter(|length| *length <= MAX_NOTE)?;
        let note = fields.bytes(note)?.to_vec();
        let header = Self { log, number, first, before, peaks, note };
        (header.to_bytes() == block).then_some(header)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(BLOCK);
        block.extend_from_slice(MAGIC);
        block.extend_from_slice(&VERSION.to_be_bytes());
        block.extend_from_slice(&[0; 2]);
        block.extend_from_slice(&self.log.0);
        for number in [self.number, self.first, self.before] {
            block.extend_from_slice(&number.to_be_bytes());
        }
        let peaks = block.len();
        self.peaks.iter().for_each(|peak| block.extend_from_slice(peak));
        block.extend_from_slice([0; PEAKS * 32].get(block.len() - peaks..).unwrap_or_default());
        block.extend_from_slice(&u16::try_from(self.note.len()).unwrap_or(u16::MAX).to_be_bytes());
        block.extend_from_slice(&self.note);
        finish_block(block)
    }
}

/// The name of a segment's file.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:010}.seg")
}

/// The number of a segment from its file's name; nothing for every other file.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    let number = digits.parse().ok()?;
    (segment_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            log: LogId([1; 16]),
            number: 2,
            first: 5,
            before: 4_500,
            peaks: vec![[8; 32], [9; 32]],
            note: b"note".to_vec(),
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let bytes = header().to_bytes();
        assert_eq!(bytes.len(), BLOCK);
        assert_eq!(SegmentHeader::parse(&bytes), Some(header()));
        assert_eq!(SegmentHeader::parse(&bytes[..BLOCK - 1]), None);
        for bit in 0..BLOCK * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::parse(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_header_has_one_form_only() {
        for spare in [2_060, BLOCK - 5] {
            let mut block = header().to_bytes();
            block.truncate(BLOCK - 4);
            block[spare] = 1;
            assert_eq!(SegmentHeader::parse(&finish_block(block)), None, "{spare}");
        }
    }

    #[test]
    fn a_segment_has_one_name_only() {
        for number in [0, 7, 9_999_999_999] {
            assert_eq!(segment_number(&segment_name(number)), Some(number));
        }
        for other in
            ["head", "1.seg", "+000000001.seg", "0000000001.seg.old", "0000000001", "00000000001.seg"]
        {
            assert_eq!(segment_number(other), None, "{other}");
        }
    }
}
