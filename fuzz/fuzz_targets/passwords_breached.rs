//! Files of breached passwords: as they are, and with every checksum put right.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_passwords::BreachedFilter;

fuzz_target!(|bytes: &[u8]| {
    look_at(bytes.to_vec());
    if let Some((shape, pages)) = bytes.split_first_chunk::<4>() {
        look_at(with_checksums(shape, pages));
    }
});

/// Whatever it is: an answer. What verifies has the values that it says, and answers every question.
fn look_at(bytes: Vec<u8>) {
    let length = bytes.len() as u64;
    let Ok(filter) = BreachedFilter::from_bytes(bytes) else { return };
    let is_whole = filter.verify().is_ok();
    assert!(!is_whole || filter.len() <= 8 * length);
    for hash in [[0; 20], [0x55; 20], [0xff; 20]] {
        assert!(!is_whole || filter.contains_sha1(&hash).is_ok());
    }
}

/// The form of `crates/passwords/src/breached.rs`: up to eight pages, each with its length before it.
fn with_checksums([bucket, value, rice, entries]: &[u8; 4], mut rest: &[u8]) -> Vec<u8> {
    let bucket = bucket % 4;
    let (mut file, mut lengths) = (b"bzbreach".to_vec(), Vec::new());
    for page in 0..1_u32 << bucket {
        let (length, body) = rest.split_first().unwrap_or((&0, &[]));
        let (body, after) = body.split_at(body.len().min(usize::from(*length)));
        rest = after;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&page.to_le_bytes());
        sum.update(body);
        file.extend_from_slice(body);
        file.extend_from_slice(&sum.finalize().to_le_bytes());
        lengths.extend_from_slice(&u32::try_from(body.len() + 4).expect("a byte and four").to_le_bytes());
    }
    let pages = file.len() as u64 - 8;
    let mut footer = b"bzbreach".to_vec();
    footer.extend([1, bucket, *value, *rice]);
    footer.extend(crc32fast::hash(&lengths).to_le_bytes());
    footer.extend(u64::from(*entries).to_le_bytes());
    footer.extend(pages.to_le_bytes());
    footer.extend([0; 4]);
    footer.extend(crc32fast::hash(&footer).to_le_bytes());
    [file, lengths, footer].concat()
}
