//! What a name may look like, and how texts get into JSON.

use crate::eight::{is_printable_and_needs_no_escape, is_printable_ascii, needs_no_escape};

/// Longest subject, client, issuer, audience, session, role or token id, in bytes; that of core's principals.
pub(crate) const MAX_NAME: usize = 255;

/// As a [`Principal`](bartizan_core::Principal) takes it: 1 to 255 bytes, and nothing in it that breaks a line or turns the
/// writing direction of a log.
pub(crate) fn is_name(name: &str) -> bool {
    let length_fits = (1..=MAX_NAME).contains(&name.len());
    length_fits && (is_printable_ascii(name) || !name.chars().any(breaks_a_line))
}

fn breaks_a_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Appends a name as a JSON string, if it is one.
#[must_use]
pub(crate) fn json_name_string(out: &mut Vec<u8>, name: &str) -> bool {
    if (1..=MAX_NAME).contains(&name.len()) && is_printable_and_needs_no_escape(name) {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.push(b'"');
        return true;
    }
    let is_good = is_name(name);
    if is_good {
        json_string(out, name);
    }
    is_good
}

/// Appends `text` as a JSON string (RFC 8259 §7).
pub(crate) fn json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if needs_no_escape(text) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0x00..=0x1f => {
                out.extend(b"\\u00");
                out.extend(
                    [byte >> 4, byte & 0x0f]
                        .map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }),
                );
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends a number.
pub(crate) fn write_digits(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let (mut rest, mut length) = (number, 0);
    for place in digits.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// Appends `,"name":` (without the comma at the start of an object) and the text.
pub(crate) fn json_member(out: &mut Vec<u8>, name: &str, text: &str) {
    json_name(out, name);
    json_string(out, text);
}

pub(crate) fn json_name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    json_string(out, name);
    out.push(b':');
}

/// INVARIANT(utf8): base64url, and JSON that this crate writes from texts, is UTF-8, so that this loses nothing.
pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Attestation, Principal, PrincipalFacts};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn names_are_those_of_a_principal(name in "\\PC{0,20}|[\\x00-\\x{2070}]{0,4}|x{250,260}") {
            let facts = PrincipalFacts::new("t", name.as_str());
            prop_assert_eq!(is_name(&name), Principal::attested(Attestation::Assertion, facts).is_ok());
        }

        #[test]
        fn names_are_written_as_any_string_and_nothing_else_is(name in "\\PC{0,20}|[\\x00-\\x{2070}]{0,4}|x{250,260}") {
            let (mut out, mut string) = (Vec::new(), Vec::new());
            json_string(&mut string, &name);
            prop_assert_eq!(json_name_string(&mut out, &name), is_name(&name));
            prop_assert_eq!(out, if is_name(&name) { string } else { Vec::new() });
        }

        #[test]
        fn strings_are_written_as_they_are_read(text in any::<String>()) {
            let mut out = Vec::new();
            json_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
