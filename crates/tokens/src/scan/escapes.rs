//! Escapes in strings (RFC 8259 §7).

/// The character of one escape, and how many bytes it takes behind the backslash (RFC 8259 §7).
pub(super) fn unescape(rest: &[u8]) -> Option<(char, usize)> {
    let c = match rest.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_code(rest),
        _ => return None,
    };
    Some((c, 1))
}

/// `uXXXX`, or two of them that are one character. Half a character alone is none.
fn unescape_code(rest: &[u8]) -> Option<(char, usize)> {
    let first = hex(rest.get(1..5)?)?;
    let high @ 0xd800..0xdc00 = first else {
        return char::from_u32(first).map(|c| (c, 5));
    };
    let low @ 0xdc00..0xe000 = rest.get(5..11).and_then(|rest| hex(rest.strip_prefix(b"\\u")?))? else {
        return None;
    };
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).map(|c| (c, 11))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}

/// A string whose escapes have been checked.
#[cold]
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let (c, length) = unescape(escaped.as_bytes())?;
        out.push(c);
        rest = escaped.get(length..)?;
    }
    out.push_str(rest);
    Some(out)
}
