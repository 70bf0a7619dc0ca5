//! The blocks and frames of the audit log, with their checksums put right, so that the fields behind them are reached.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_audit::format::{Frame, Head, SegmentHeader};

/// A block is 4,096 bytes and ends in its checksum.
const BLOCK: usize = 4_096;

fuzz_target!(|bytes: &[u8]| {
    let _ = (Head::parse(bytes), SegmentHeader::parse(bytes));

    // Short inputs are filled up from both ends: the fields stand at the front, the rest is zeros.
    let mut block = bytes.to_vec();
    block.resize(BLOCK - 4, 0);
    block.extend_from_slice(&crc32fast::hash(&block).to_be_bytes());
    let _ = Head::parse(&block);
    let Some(header) = SegmentHeader::parse(&block) else { return };
    assert_eq!(header.peaks.len(), header.first.count_ones() as usize);

    let mut sum = crc32fast::Hasher::new();
    sum.update(header.log.as_bytes());
    sum.update(&header.number.to_be_bytes());
    let payload = &header.note;
    let (length, index) = ((payload.len() as u32).to_be_bytes(), header.first.to_be_bytes());
    [&length, &index[..], payload].into_iter().for_each(|part| sum.update(part));
    let frame = [&length, &sum.finalize().to_be_bytes(), &index[..], payload].concat();
    match Frame::parse(&frame, header.log, header.number) {
        Ok(frame) => assert_eq!((frame.index(), frame.payload()), (header.first, &**payload)),
        Err(_) => assert!(payload.is_empty()),
    }
});
