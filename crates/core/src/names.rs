//! What a name may look like.

use crate::{Error, ErrorKind};

/// Longest name of a tenant, subject, role, team, record or field, in bytes.
pub(crate) const MAX_NAME: usize = 255;

/// Names are compared byte by byte and never folded, trimmed or normalised; they only must be showable on one line.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    if is_name(name) { Ok(()) } else { Err(Error::new(ErrorKind::Name)) }
}

/// Whether a text may name a tenant, a subject, a role, a team or a record: 1 to 255 bytes without control characters, ends of
/// lines or characters that turn the direction of writing.
#[must_use]
pub fn is_name(name: &str) -> bool {
    // Names are almost always printable ASCII: without that look, a decision spent a fifth of its time decoding UTF-8.
    let printable = |name: &str| name.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    !name.is_empty() && name.len() <= MAX_NAME && (printable(name) || !name.chars().any(breaks_a_line))
}

/// Control characters, those that some readers take for the end of a line, and those that turn the writing direction (all of
/// Unicode's Bidi_Control).
pub(crate) fn breaks_a_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_forge_log_lines_are_refused() {
        for bad in ["", "a\nb", "a\u{85}b", "a\u{2028}b", "a\u{202e}b", "\0", &"x".repeat(256)] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in ["-", "a b", "é", "../x", "' OR 1=1", &"x".repeat(255)] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }
}
