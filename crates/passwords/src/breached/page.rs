//! A page: some hundreds of values, sorted, written as distances.

use crate::{Error, ErrorKind};

/// How the bits of a hash are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bits that name the page.
    pub(super) bucket: u8,
    /// Bits that are kept of the rest.
    pub(super) value: u8,
    /// Bits of a distance that are written as they are.
    pub(super) rice: u8,
}

/// The bits of a SHA-1 that are used: the first 64.
pub(super) fn key(hash: &[u8; 20]) -> u64 {
    hash.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

impl Shape {
    /// For so many hashes, of which one in 2^rate is to be found wrongly: 512 to 1,024 to a page.
    pub(super) fn for_hashes(hashes: u64, rate: u8) -> Self {
        let bits = u8::try_from(64 - hashes.leading_zeros()).unwrap_or(64);
        let bucket = bits.saturating_sub(PAGE_BITS).min(MAX_BUCKET);
        let value = (bits - bucket + rate).min(MAX_VALUE);
        // The remainder of a distance has as many bits as ln 2 of the mean distance (Kiely, JPL IPN progress report 42-159).
        let mean = (1_u128 << (bucket + value)) / u128::from(hashes.max(1));
        let rice = u8::try_from(127 - (mean * 11 / 16).max(1).leading_zeros()).unwrap_or_default();
        Self { bucket, value, rice }
    }

    pub(super) const fn is_possible(self) -> bool {
        self.bucket <= MAX_BUCKET && self.value >= 1 && self.value <= MAX_VALUE && self.rice < self.value
    }

    pub(super) const fn pages(self) -> u32 {
        1 << self.bucket
    }

    /// The page of a key, and its value there.
    pub(super) fn place(self, key: u64) -> (u32, u64) {
        let page = key.checked_shr(64 - u32::from(self.bucket)).unwrap_or_default();
        let value = key << self.bucket >> (64 - u32::from(self.value));
        (u32::try_from(page).unwrap_or_default(), value)
    }

    /// The probability that something is found which is not there.
    #[expect(clippy::cast_precision_loss, reason = "A probability needs no more than 53 bits.")]
    pub(super) fn rate(self, entries: u64) -> f64 {
        entries as f64 / 2_f64.powi(i32::from(self.bucket) + i32::from(self.value))
    }
}

/// Appends a page. The values ascend strictly.
pub(super) fn write(out: &mut Vec<u8>, page: u32, shape: Shape, values: &[u64]) -> Result<(), Error> {
    let start = out.len();
    let count = u32::try_from(values.len()).map_err(|_| ErrorKind::List)?;
    out.extend_from_slice(&count.to_le_bytes());
    let (mut byte, mut used) = (0_u8, 0_u8);
    let mut push = |bit: bool| {
        byte |= u8::from(bit) << (7 - used);
        used += 1;
        if used == 8 {
            out.push(byte);
            (byte, used) = (0, 0);
        }
    };
    let mut next = 0;
    for value in values {
        let distance = value - next;
        next = value + 1;
        // Hashes lie evenly. What does not is no list of hashes, and its page would be endless.
        if distance >> shape.rice > MAX_UNARY {
            return Err(ErrorKind::List.into());
        }
        for _ in 0..distance >> shape.rice {
            push(true);
        }
        push(false);
        for bit in (0..shape.rice).rev() {
            push(distance >> bit & 1 == 1);
        }
    }
    if used > 0 {
        out.push(byte);
    }
    let checksum = checksum(page, out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_le_bytes());
    if out.len() - start > MAX_PAGE { Err(ErrorKind::List.into()) } else { Ok(()) }
}

/// Whether a page has a value.
pub(super) fn contains(bytes: &[u8], page: u32, shape: Shape, wanted: u64) -> Result<bool, Error> {
    let (count, mut values) = opened(bytes, page, shape)?;
    for _ in 0..count {
        let value = values.next()?;
        if value >= wanted {
            return Ok(value == wanted);
        }
    }
    Ok(false)
}

/// How many values a page has, all of which have been read.
pub(super) fn count(bytes: &[u8], page: u32, shape: Shape) -> Result<u32, Error> {
    let (count, mut values) = opened(bytes, page, shape)?;
    for _ in 0..count {
        values.next()?;
    }
    values.end()?;
    Ok(count)
}

fn opened(bytes: &[u8], page: u32, shape: Shape) -> Result<(u32, Values<'_>), Error> {
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(ErrorKind::Filter)?;
    let (count, bits) = body.split_first_chunk::<4>().ok_or(ErrorKind::Filter)?;
    if checksum(page, body) != u32::from_le_bytes(*sum) {
        return Err(ErrorKind::Filter.into());
    }
    Ok((u32::from_le_bytes(*count), Values { bits, at: 0, next: 0, shape }))
}

fn checksum(page: u32, body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&page.to_le_bytes());
    sum.update(body);
    sum.finalize()
}

/// The values of a page, one after the other.
struct Values<'a> {
    bits: &'a [u8],
    /// The next bit.
    at: usize,
    /// The least that the next value can be.
    next: u64,
    shape: Shape,
}

impl Values<'_> {
    fn next(&mut self) -> Result<u64, Error> {
        let mut quotient = 0_u64;
        loop {
            let ones = self.window().leading_ones().min(WINDOW);
            quotient += u64::from(ones);
            if ones < WINDOW {
                self.skip(ones + 1)?;
                break;
            }
            self.skip(ones)?;
        }
        let rice = u32::from(self.shape.rice);
        let rest = self.window().checked_shr(64 - rice).unwrap_or_default();
        self.skip(rice)?;
        // A page has at most 2^19 bits, and a rest at most 39.
        let value = self.next.checked_add(quotient << rice | rest).ok_or(ErrorKind::Filter)?;
        if value >> self.shape.value != 0 {
            return Err(ErrorKind::Filter.into());
        }
        self.next = value + 1;
        Ok(value)
    }

    /// Nothing but less than a byte of zeros is left.
    fn end(self) -> Result<(), Error> {
        let is_end = 8 * self.bits.len() - self.at < 8 && self.window() == 0;
        if is_end { Ok(()) } else { Err(ErrorKind::Filter.into()) }
    }

    /// At least [`WINDOW`] bits from the next one on, at the upper end; zeros where there are no more.
    fn window(&self) -> u64 {
        let bytes = self.bits.get(self.at / 8..).unwrap_or_default();
        let word = bytes.first_chunk().copied().unwrap_or_else(|| {
            let mut word = [0; 8];
            word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            word
        });
        u64::from_be_bytes(word) << (self.at % 8)
    }

    fn skip(&mut self, bits: u32) -> Result<(), Error> {
        self.at += bits as usize;
        if self.at <= 8 * self.bits.len() { Ok(()) } else { Err(ErrorKind::Filter.into()) }
    }
}

/// Bits that are certainly in a window, whichever bit of a byte it begins at.
const WINDOW: u32 = 57;

/// Largest page, in bytes. One of 1,024 hashes and one in 2^30 found wrongly has 5 KiB.
pub(super) const MAX_PAGE: usize = 64 * 1024;
pub(super) const MAX_BUCKET: u8 = 24;
const MAX_VALUE: u8 = 40;
/// A page has between 2^(bits - 1) and 2^bits values.
const PAGE_BITS: u8 = 10;
const MAX_UNARY: u64 = 8 * MAX_PAGE as u64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shape_has_the_rate_that_was_asked_for() {
        for hashes in [1, 2, 500, 1_023, 1_024, 1_000_000, 900_000_000, 1 << 34] {
            for rate in [7, 16, 30] {
                let shape = Shape::for_hashes(hashes, rate);
                assert!(shape.is_possible(), "{hashes} {rate} {shape:?}");
                assert!(shape.rate(hashes) <= 0.5_f64.powi(rate.into()), "{hashes} {rate} {shape:?}");
                assert!(hashes >> shape.bucket <= 1_024, "{hashes} {rate} {shape:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(keys in proptest::collection::btree_set(any::<u64>(), 0..300), rate in 7_u8..30) {
            let shape = Shape { bucket: 0, ..Shape::for_hashes(300, rate) };
            let values: std::collections::BTreeSet<u64> = keys.iter().map(|key| shape.place(*key).1).collect();
            let mut bytes = Vec::new();
            write(&mut bytes, 5, shape, &values.iter().copied().collect::<Vec<_>>()).unwrap();
            prop_assert_eq!(count(&bytes, 5, shape).unwrap() as usize, values.len());
            for value in &values {
                prop_assert!(contains(&bytes, 5, shape, *value).unwrap());
                prop_assert_eq!(contains(&bytes, 5, shape, value ^ 1).unwrap(), values.contains(&(value ^ 1)));
            }
            // The same page somewhere else is another page.
            prop_assert!(count(&bytes, 6, shape).is_err());
        }

        #[test]
        fn no_bytes_make_a_page_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..60), rice in 0_u8..20) {
            let shape = Shape { bucket: 3, value: 20, rice };
            let sum = checksum(1, &bytes);
            bytes.extend_from_slice(&sum.to_le_bytes());
            if let Ok(count) = count(&bytes, 1, shape) {
                prop_assert!(count as usize <= 8 * bytes.len());
            }
            let _ = contains(&bytes, 1, shape, 77);
        }
    }
}
