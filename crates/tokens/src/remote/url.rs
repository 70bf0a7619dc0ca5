//! Where a JWKS is.

use std::{fmt, net::Ipv4Addr};

use crate::{Error, ErrorKind};

/// The URL of a JWKS: `https`, a host, nothing that could be read in two ways.
///
/// ```
/// use bartizan_tokens::JwksUrl;
///
/// assert!(JwksUrl::new("https://login.example/.well-known/jwks.json").is_ok());
/// assert!(JwksUrl::new("http://127.0.0.1:8080/jwks").is_ok()); // on this machine alone
/// assert!(JwksUrl::new("http://login.example/jwks").is_err());
/// assert!(JwksUrl::new("https://user:word@login.example/jwks").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JwksUrl(Box<str>);

/// Longest URL, in bytes.
const MAX_URL: usize = 2_048;

impl JwksUrl {
    /// An `https` URL, or one of `http` whose host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for another scheme, an empty host, user information, a fragment, over 2,048 bytes, and bytes
    /// that no URL has (RFC 3986 §2), a backslash among them.
    pub fn new(url: &str) -> Result<Self, Error> {
        match split(url)? {
            (Scheme::Https, _) => Ok(Self(url.into())),
            (Scheme::Http, host) if is_loopback(host) => Ok(Self(url.into())),
            (Scheme::Http, _) => Err(ErrorKind::Config.into()),
        }
    }

    /// Also an `http` URL of any host.
    ///
    /// # Security
    /// Whoever can change what passes on the network makes the keys that every token is believed by.
    ///
    /// # Errors
    /// As [`JwksUrl::new`], but for the scheme.
    pub fn danger_plain_http(url: &str) -> Result<Self, Error> {
        split(url).map(|_| Self(url.into()))
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may hold what is not for logs.
        let shown = self.0.split('?').next().unwrap_or_default();
        f.debug_tuple("JwksUrl").field(&shown).finish()
    }
}

enum Scheme {
    Https,
    Http,
}

/// Scheme and host, when everything else of the URL is as it should be.
fn split(url: &str) -> Result<(Scheme, &str), Error> {
    // SECURITY: no byte that one reader of a URL ignores, trims or takes for another: `\`, tabs and line breaks, other scripts.
    let is_of_urls = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
    if url.len() > MAX_URL || !url.bytes().all(is_of_urls) {
        return Err(ErrorKind::Config.into());
    }
    let (scheme, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (Scheme::Https, rest),
        (None, Some(rest)) => (Scheme::Http, rest),
        (None, None) => return Err(ErrorKind::Config.into()),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(ErrorKind::Config)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_fits = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port > 0)
        }
        None => port.is_empty(),
    };
    // `@` ends user information, `%` hides what a host is.
    if host.is_empty() || authority.contains(['@', '%']) || !port_fits {
        return Err(ErrorKind::Config.into());
    }
    Ok((scheme, host))
}

fn is_loopback(host: &str) -> bool {
    // Without its brackets; `::1` is nothing else, for a name has no colon.
    host.eq_ignore_ascii_case("localhost")
        || host == "::1"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for url in ["http://localhost/a", "http://LOCALHOST:1/", "http://127.9.9.9", "http://[::1]:8080/?a=b"]
        {
            assert!(JwksUrl::new(url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example/",
            "http://localhost.login.example/",
            "http://127.0.0.1.login.example/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
        ] {
            assert!(JwksUrl::new(url).is_err(), "{url}");
            assert!(JwksUrl::danger_plain_http(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_two_readers_might_read_differently_is_refused() {
        for url in [
            "",
            "https://",
            "https:///path",
            "https://:443/",
            "https://?a",
            "HTTPS://login.example/",
            "//login.example/",
            "login.example",
            "ftp://login.example/",
            "file:///etc/passwd",
            "https://login.example@evil.example/",
            "https://a:b@login.example/",
            "https://login.example%2eevil.example/",
            "https://login.example\\@evil.example/",
            "https://login.example/#a",
            "https://login.example/a b",
            "https://login.example/\r\nHost: evil",
            "https://login.example\t/",
            " https://login.example/",
            "https://lögin.example/",
            "https://login.example:0/",
            "https://login.example:/",
            "https://login.example:65536/",
            "https://login.example:+443/",
            "https://[::1/",
            "https://[]/",
            "https://[::1]x/",
        ] {
            assert!(JwksUrl::new(url).is_err(), "{url:?}");
            assert!(JwksUrl::danger_plain_http(url).is_err(), "{url:?}");
        }
        assert!(JwksUrl::new(&format!("https://a/{}", "a".repeat(MAX_URL))).is_err());
        assert!(JwksUrl::new("https://login.example:8443/a/b.json?tenant=1&x=%20").is_ok());
    }

    #[test]
    fn a_query_is_not_shown() {
        let url = JwksUrl::new("https://login.example/jwks?code=canary").unwrap();
        assert!(!format!("{url:?}").contains("canary"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_is_read_without_panic_and_kept_as_it_is(url in "(https?://)?\\PC{0,40}") {
            if let Ok(taken) = JwksUrl::new(&url) {
                prop_assert_eq!(taken.as_str(), url);
            }
        }
    }
}
