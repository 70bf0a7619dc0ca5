//! One canonical form of a path; every other form of it is no path of this service.

use http::Uri;

use crate::{Error, ErrorKind};

/// The longest path that is read, in bytes.
const MAX_PATH: usize = 2 * 1024;

/// Checks that a path has one reading, whoever reads it.
///
/// It starts with `/`; has no empty, `.` or `..` segment, plain or encoded (a slash at the end is an empty segment); no
/// `\`, `;` or control character, plain or encoded, and no encoded `/`; its percent-encoding is well-formed, decodes to
/// UTF-8, and what it decodes to is not encoded again. At most 2 KiB.
///
/// # Errors
/// [`ErrorKind::Path`] for anything else. Answer it like an unknown path.
///
/// # Security
/// Proxies and servers normalise paths in different ways; a rule that was checked against one reading does not hold for
/// another. What is refused here cannot be read in two ways later. Decoding happens once, after this check.
pub fn check_path(uri: &Uri) -> Result<(), Error> {
    if is_canonical(uri.path()) { Ok(()) } else { Err(Error::new(ErrorKind::Path)) }
}

fn is_canonical(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    path.len() <= MAX_PATH && (rest.is_empty() || rest.split('/').all(is_canonical_segment))
}

fn is_canonical_segment(segment: &str) -> bool {
    decoded(segment).is_some_and(|text| {
        !matches!(text.as_str(), "" | "." | "..")
            && !text.contains(['/', '\\', ';'])
            // `%2541` decodes to `%41`: a second reader would decode it again.
            && !has_triplet(&text)
    })
}

/// Decodes percent-encoding once: nothing for bad triplets, bytes that are no UTF-8 (overlong forms among them) and
/// control characters.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

fn has_triplet(text: &str) -> bool {
    text.as_bytes().windows(3).any(|w| matches!(w, [b'%', a, b] if hex(*a).is_some() && hex(*b).is_some()))
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_paths_pass() {
        for good in
            ["/", "/a", "/a/b", "/a.b/..c/...", "/caf%C3%A9", "/a%20b", "/~x", "/a:b@c", "/100%25", "/A"]
        {
            assert!(is_canonical(good), "{good}");
        }
    }

    #[test]
    fn asvs_1_1_1_a_path_with_a_second_reading_is_refused() {
        for bad in [
            "",
            "*",
            "a",
            "//",
            "/a/",
            "/a//b",
            "//a",
            "/./a",
            "/a/.",
            "/a/..",
            "/a/../b",
            "/%2e/a",
            "/a/%2E%2e/b",
            "/.%2e/a",
            "/a%2fb",
            "/a%2Fb",
            "/a\\b",
            "/a%5cb",
            "/a;x",
            "/a;x=1/b",
            "/a%3bx",
            "/%00",
            "/a%0d%0ab",
            "/a%7f",
            "/%",
            "/%4",
            "/%zz",
            "/%c0%ae",
            "/%c0%af",
            "/%ff",
            "/%252e%252e",
            "/%2541",
            "/a%25%34%31",
        ] {
            assert!(!is_canonical(bad), "{bad}");
        }
        assert!(is_canonical(&format!("/{}", "a".repeat(MAX_PATH - 1))));
        assert!(!is_canonical(&format!("/{}", "a".repeat(MAX_PATH))));
    }

    proptest! {
        #[test]
        fn what_passes_does_not_change_when_decoded_and_normalised_again(path in "(/|%2[0-9a-fA-F]|[.%;\\\\a25eEfF]){0,12}") {
            if is_canonical(&path) {
                let once = decoded(&path).unwrap();
                prop_assert!(!has_triplet(&once) && !once.contains("//") && !once.contains("/../") && !once.ends_with("/.."));
                prop_assert_eq!(once.matches('/').count(), path.matches('/').count());
            }
        }
    }
}
