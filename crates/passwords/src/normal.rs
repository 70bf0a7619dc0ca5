//! One password, one sequence of bytes.

use bartizan_core::SecretText;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// Longest password, in bytes of UTF-8 after normalisation.
pub const MAX_PASSWORD: usize = 1_024;

/// Normalisation makes a text at most three times as short (Hangul syllables, nine bytes to three) or three times as long;
/// four times the limit leaves room for any mixture of both that ends within it.
const MAX_RAW: usize = 4 * MAX_PASSWORD;

/// The password in Unicode Normalization Form C (NIST SP 800-63B-4 section 3.1.1.2), so that a letter typed as one code
/// point and as two is one password. No case is folded, nothing is trimmed or cut, NUL is a character like any other.
pub(crate) fn form(password: &SecretText) -> Result<Zeroizing<String>, Error> {
    let raw = password.expose();
    // SECURITY: the length is checked before any work is done on it; a megabyte of combining marks costs nothing.
    if raw.len() > MAX_RAW {
        return Err(ErrorKind::TooLong.into());
    }
    // Room for every outcome, so that no growth leaves an unwiped copy behind.
    let mut normal = Zeroizing::new(String::with_capacity(3 * raw.len()));
    if raw.is_ascii() {
        normal.push_str(raw);
    } else {
        normal.extend(raw.nfc());
    }
    if normal.len() > MAX_PASSWORD {
        return Err(ErrorKind::TooLong.into());
    }
    Ok(normal)
}
