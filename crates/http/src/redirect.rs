//! Where a browser may be sent after something was done: to a path of this service, and nowhere else.

use std::fmt;

use http::{HeaderValue, Uri};

use crate::{Error, ErrorKind, check_path, check_query};

/// A path of this service, with its query if it has one, that a browser can be sent to.
///
/// ```
/// use bartizan_http::SafeRedirect;
///
/// assert_eq!(SafeRedirect::parse("/patients?page=2")?.as_str(), "/patients?page=2");
/// assert!(SafeRedirect::parse("//evil.example").is_err());
/// assert_eq!(SafeRedirect::parse("https://evil.example").unwrap_or_default().as_str(), "/");
/// # Ok::<(), bartizan_http::Error>(())
/// ```
///
/// # Security
/// Browsers read a `Location` as URL and not as path: they turn `\` into `/`, drop tabs and line ends, and take what follows two
/// slashes for a host (WHATWG URL section 4.4). What is refused here has no such second reading.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SafeRedirect(Box<str>);

impl SafeRedirect {
    /// A path that starts with one slash, is in the one form of [`check_path`], and whose query is in that of [`check_query`]. It
    /// consists of characters that URLs have unencoded or of percent-encoded ones, has no fragment, and at most 2 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::Redirect`] for anything else. [`SafeRedirect::default`] is `/`, where to go then.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = Error::new(ErrorKind::Redirect);
        // SECURITY: before anything else reads it. `Uri` would cut a fragment off, and takes more characters than this.
        if !text.starts_with('/') || text.len() > MAX_LEN || !text.bytes().all(is_plain) {
            return Err(refused);
        }
        let uri: Uri = text.parse().map_err(|_| refused)?;
        check_path(&uri).map_err(|_| refused)?;
        check_query(&uri).map_err(|_| refused)?;
        if uri.authority().is_none() && uri.path_and_query().is_some_and(|read| read.as_str() == text) {
            Ok(Self(text.into()))
        } else {
            Err(refused)
        }
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of a `Location` header.
    #[must_use]
    pub fn location(&self) -> HeaderValue {
        // INVARIANT(plain-redirect): `parse` lets visible ASCII through and nothing else.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("/"))
    }
}

/// `/`
impl Default for SafeRedirect {
    fn default() -> Self {
        Self("/".into())
    }
}

/// A query may hold what is nobody's business.
impl fmt::Debug for SafeRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafeRedirect([{} bytes])", self.0.len())
    }
}

/// `pchar`, `/` and `?` (RFC 3986 sections 3.3 and 3.4), without `;`, which [`check_path`] refuses as well.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'?'
                | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

const MAX_LEN: usize = 2 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_of_this_service_pass() {
        for good in
            ["/", "/patients", "/patients/p-1", "/a?b=c", "/a?next=%2Fb", "/caf%C3%A9", "/a:b@c", "/?a=1&b=2"]
        {
            let read = SafeRedirect::parse(good).unwrap();
            assert_eq!((read.as_str(), read.location().to_str().unwrap()), (good, good));
        }
    }

    #[test]
    fn asvs_3_7_2_nothing_leads_to_another_host() {
        for bad in [
            "",
            "patients",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/%09/evil.example",
            "/%0d%0a/evil.example",
            "/%5cevil.example",
            "/%2fevil.example",
            "/%2f%2fevil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/./evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            "https://evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "http:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "@evil.example",
            "ada:secret@evil.example",
            "//ada@evil.example",
            "/a\r\nLocation: https://evil.example",
            "/a\r\nSet-Cookie: a=b",
            "/a\0",
            "/\u{3002}evil.example",
            "/\u{ff0f}evil.example",
            "/\u{2215}evil.example",
            "/\u{29f8}evil",
            "/é",
            "/a#//evil.example",
            "/a;b",
            "/a?b=%",
            "/a?b=1&b=2",
            "/a?access_token=x",
            "/a?b=\\",
            "/a<script>",
            "/\"onload",
            "*",
            "?a=b",
            "#a",
        ] {
            assert_eq!(SafeRedirect::parse(bad).unwrap_err().kind(), ErrorKind::Redirect, "{bad:?}");
            assert_eq!(SafeRedirect::parse(bad).unwrap_or_default().as_str(), "/");
        }
        assert!(SafeRedirect::parse(&format!("/{}", "a".repeat(MAX_LEN - 1))).is_ok());
        assert!(SafeRedirect::parse(&format!("/{}", "a".repeat(MAX_LEN))).is_err());
    }

    proptest! {
        /// The way a browser reads it (WHATWG URL section 4.4): tabs and line ends dropped, `\` as `/`.
        #[test]
        fn what_passes_has_one_slash_and_no_second_reading(text in "(/|\\\\|\t|\n|%2f|%5c|\\.|a|:|@|\\?|#|//|é){0,9}") {
            if let Ok(read) = SafeRedirect::parse(&text) {
                let seen: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
                let seen = seen.replace('\\', "/");
                prop_assert!(seen.starts_with('/') && !seen.starts_with("//"));
                prop_assert_eq!(read.as_str(), &text);
            }
        }
    }
}
