//! The compact serialisation: three parts and two dots (RFC 7515 §7.1).

use memchr::memchr_iter;

use crate::{Error, ErrorKind, Limits, base64url};

/// A token taken apart and not yet decoded. Proves nothing.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// What the signature covers: header, dot, payload.
    pub(crate) signed: &'a str,
}

/// SECURITY: lengths first, and the search for dots ends at the third: a flood of dots or letters costs one comparison
/// (CVE-2025-30204, CVE-2025-27144).
pub(crate) fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Compact<'a>, Error> {
    if text.len() > limits.token {
        return Err(ErrorKind::TooLarge.into());
    }
    let mut dots = memchr_iter(b'.', text.as_bytes());
    let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
        return Err(ErrorKind::Malformed.into());
    };
    let parts = (text.get(..first), text.get(first + 1..second), text.get(second + 1..), text.get(..second));
    // INVARIANT(dots): both are offsets of an ASCII character in this text, so all four slices exist.
    let (Some(header), Some(payload), Some(signature), Some(signed)) = parts else {
        return Err(ErrorKind::Malformed.into());
    };
    // INVARIANT(claims-limit): what is no longer than the encoding of so many bytes decodes to no more.
    if header.len() > limits.header || payload.len() > base64url::encoded_len(limits.claims) {
        return Err(ErrorKind::TooLarge.into());
    }
    Ok(Compact { header, payload, signature, signed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ErrorKind {
        parse(text, &Limits::DEFAULT).err().unwrap().kind()
    }

    #[test]
    fn three_parts_are_told_apart() {
        let compact = parse("a.bc.d", &Limits::DEFAULT).unwrap();
        assert_eq!(
            (compact.header, compact.payload, compact.signature, compact.signed),
            ("a", "bc", "d", "a.bc")
        );
        assert!(parse("..", &Limits::DEFAULT).is_ok());
    }

    #[test]
    fn any_other_number_of_parts_is_malformed() {
        for text in ["", ".", "a", "a.b", "a.b.c.", "a.b.c.d", ".a.b.c", "a.b.c.d.e", "...."] {
            assert_eq!(kind(text), ErrorKind::Malformed, "{text}");
        }
    }

    #[test]
    fn each_part_has_its_limit() {
        assert_eq!(kind(&"A".repeat(8_193)), ErrorKind::TooLarge);
        assert_eq!(kind(&format!("{}.e30.AA", "A".repeat(2_049))), ErrorKind::TooLarge);
        let limits = Limits { claims: 300, ..Limits::DEFAULT };
        assert!(parse(&format!("e30.{}.AA", "A".repeat(400)), &limits).is_ok());
        assert!(parse(&format!("e30.{}.AA", "A".repeat(401)), &limits).is_err());
    }
}
