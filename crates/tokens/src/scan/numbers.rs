//! Numbers (RFC 8259 §6).

use super::{Read, Scanner, Stop};
use crate::eight::eight_digits;

impl Scanner<'_> {
    /// A number (RFC 8259 §6). Its value if it is of digits alone and fits.
    pub(super) fn number(&mut self) -> Read<Option<u64>> {
        let start = self.at;
        let is_negative = self.byte() == Some(b'-');
        self.at += usize::from(is_negative);
        let digits = self.digits()?;
        // No zero before other digits.
        if digits.length > 1 && digits.first == Some(b'0') {
            return Err(Stop::Malformed);
        }
        // Nineteen digits always fit. A longer number that is of digits alone is a rare sight, and read as any other.
        if digits.length <= 19 && !matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            return Ok(Some(digits.number).filter(|_| !is_negative));
        }
        let is_whole = !is_negative && !matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        // INVARIANT(scan-at): a number is of whole characters, so this slice exists.
        let number = self.json.get(start..self.at).ok_or(Stop::Malformed)?;
        // What is beyond the range of a double is something else to every reader.
        if !number.parse().is_ok_and(f64::is_finite) {
            return Err(Stop::Malformed);
        }
        Ok(number.parse().ok().filter(|_| is_whole))
    }

    /// At least one digit.
    #[inline(always)]
    fn digits(&mut self) -> Read<Digits> {
        let rest = self.json.as_bytes().get(self.at..).unwrap_or_default();
        let (mut number, mut length) = (0_u64, 0);
        // A date has ten.
        if let Some(eight) = rest.first_chunk().and_then(|eight| eight_digits(*eight)) {
            (number, length) = (eight, 8);
        }
        for byte in rest.iter().skip(length) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            length += 1;
        }
        self.at += length;
        if length == 0 {
            Err(Stop::Malformed)
        } else {
            Ok(Digits { number, length, first: rest.first().copied() })
        }
    }
}

/// Digits in a row.
struct Digits {
    /// Right for up to nineteen.
    number: u64,
    length: usize,
    first: Option<u8>,
}
