//! The cookie of a session, and that of a known device, read and written (RFC 6265bis).
//!
//! Their names start with `__Host-`: browsers take such cookies through TLS alone, for this host alone, and neither a page of a
//! neighbouring host nor one in clear can plant them. Reading refuses whatever two readers could read in two ways.

use std::time::Duration;

use bartizan_core::{RawToken, SecretText};
use http::{HeaderMap, HeaderValue, header::COOKIE};

use crate::{Error, ErrorKind, bearer::is_b64token};

/// A browser session's cookie: `__Host-sid`, `Secure`, `HttpOnly`, `Path=/`, without `Domain`, and with the `SameSite` of its
/// purpose. There is no way to leave one of them out.
///
/// ```
/// use std::time::Duration;
/// use bartizan_core::SecretText;
/// use bartizan_http::SessionCookie;
///
/// let cookie = SessionCookie::Lax.set(&SecretText::new("cd3oXw".to_owned()), Duration::from_secs(3_600))?;
/// assert_eq!(cookie, "__Host-sid=cd3oXw; Max-Age=3600; Path=/; Secure; HttpOnly; SameSite=Lax");
/// # Ok::<(), bartizan_http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionCookie {
    /// `SameSite=Lax`: also sent when somebody follows a link from elsewhere, or comes back from where they logged in. For pages.
    Lax,
    /// `SameSite=Strict`: sent when the site's own pages ask, and never else. For what only a script of those pages calls.
    Strict,
}

impl SessionCookie {
    /// The cookie's name.
    pub const NAME: &'static str = "__Host-sid";

    /// The most bytes that name and value may have together: browsers drop a cookie of more (RFC 6265bis section 5.6).
    pub const MAX_LEN: usize = 4096;

    /// The value of the `Set-Cookie` header that gives this credential to a browser for this long, in whole seconds. It is marked as
    /// sensitive, so that its `Debug` does not show it.
    ///
    /// # Errors
    /// [`ErrorKind::CookieValue`] for a credential that is empty, over [`SessionCookie::MAX_LEN`] bytes with its name, or of other
    /// characters than those of a token, and for less than a second.
    pub fn set(self, credential: &SecretText, max_age: Duration) -> Result<HeaderValue, Error> {
        set(Self::NAME, credential.expose(), max_age, self.same_site())
    }

    /// The value of the `Set-Cookie` header that takes the cookie away from a browser.
    #[must_use]
    pub fn clear(self) -> HeaderValue {
        clear(Self::NAME, self.same_site())
    }

    /// The credential that a request's cookies hold: none, or the one of this name.
    ///
    /// All `Cookie` headers together have at most [`MAX_COOKIES`] bytes. Cookies of other names are somebody else's and are not
    /// judged. What anybody could read as this cookie counts: in other letter case, with blanks around its name.
    ///
    /// # Errors
    /// [`ErrorKind::DuplicateCookie`] when it stands there twice, alike or not: the first is never taken.
    /// [`ErrorKind::MalformedCookie`] when it is quoted, empty, over [`SessionCookie::MAX_LEN`] bytes, or its value has characters that
    /// no token has: its [`Problem`](crate::Problem) takes it away from the browser. [`ErrorKind::LookalikeCookie`] when its name is in
    /// other letter case: a browser has that one beside the session's, and keeps both. [`ErrorKind::CookiesTooLarge`] for more bytes of
    /// cookies.
    pub fn read(headers: &HeaderMap) -> Result<Option<RawToken<'_>>, Error> {
        read(headers, Self::NAME)
    }

    /// Whether this is a `Set-Cookie` header that gives a session to a browser, or one that another reader takes for it.
    #[must_use]
    pub fn is_set_by(header: &HeaderValue) -> bool {
        let pair = header.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        could_be(pair, Self::NAME) && pair != b"__Host-sid="
    }

    const fn same_site(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
        }
    }
}

/// The cookie by which a device is known again that somebody logged in on: `__Host-device`, with the attributes of a session's cookie
/// and `SameSite=Strict`. It holds a mark of [`DeviceMarks`](bartizan_rate_limit::DeviceMarks), which is no credential: it opens
/// nothing, and is kept when its owner logs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceCookie;

impl DeviceCookie {
    /// The cookie's name.
    pub const NAME: &'static str = "__Host-device";

    /// The value of the `Set-Cookie` header that gives a device its mark for this long, in whole seconds.
    ///
    /// # Errors
    /// As [`SessionCookie::set`].
    pub fn set(self, mark: &SecretText, max_age: Duration) -> Result<HeaderValue, Error> {
        set(Self::NAME, mark.expose(), max_age, "Strict")
    }

    /// The value of the `Set-Cookie` header that takes the mark away from a device.
    #[must_use]
    pub fn clear(self) -> HeaderValue {
        clear(Self::NAME, "Strict")
    }

    /// The mark that a request's cookies hold, read as a session's. One that is malformed or stands there twice is none: then the
    /// device is not known.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<RawToken<'_>> {
        read(headers, Self::NAME).ok().flatten()
    }
}

/// The most bytes of all `Cookie` headers of a request together. Browsers may keep more for one host; servers and proxies take
/// between 8 and 16 KiB of headers.
pub const MAX_COOKIES: usize = 8 * 1024;

fn read<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<RawToken<'h>>, Error> {
    let values = || headers.get_all(COOKIE).iter();
    if values().map(HeaderValue::len).sum::<usize>() > MAX_COOKIES {
        return Err(Error::new(ErrorKind::CookiesTooLarge));
    }
    let mut found = None;
    // One header in HTTP/1.1, several in HTTP/2 (RFC 9113 section 8.2.3).
    for value in values() {
        for (place, pair) in value.as_bytes().split(|byte| *byte == b';').enumerate() {
            if !could_be(pair, name) {
                continue;
            }
            if found.is_some() {
                return Err(Error::new(ErrorKind::DuplicateCookie));
            }
            found = Some(exact(pair, place, name));
        }
    }
    found.transpose().map_err(Error::new)
}

/// SECURITY: browsers compare the prefix in any letter case (RFC 6265bis section 5.7), and a cookie without a name whose value holds
/// `__Host-sid=…` arrives looking like the real one. Whoever plants a second cookie gets an error and not a choice.
fn could_be(pair: &[u8], name: &str) -> bool {
    named(pair).eq_ignore_ascii_case(name.as_bytes())
}

fn named(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

/// The value of `__Host-sid=value`, after one blank unless it is the first (RFC 6265bis section 4.2.1).
fn exact<'p>(pair: &'p [u8], place: usize, name: &str) -> Result<RawToken<'p>, ErrorKind> {
    let bare = if place == 0 { Some(pair) } else { pair.strip_prefix(b" ") };
    let value = bare.and_then(|bare| bare.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    match value.and_then(|value| std::str::from_utf8(value).ok()) {
        Some(value) if is_value(name, value) => Ok(RawToken::new(value)),
        _ if named(pair) == name.as_bytes() => Err(ErrorKind::MalformedCookie),
        _ => Err(ErrorKind::LookalikeCookie),
    }
}

fn is_value(name: &str, value: &str) -> bool {
    is_b64token(value) && name.len() + value.len() <= SessionCookie::MAX_LEN
}

fn set(name: &str, value: &str, max_age: Duration, same_site: &str) -> Result<HeaderValue, Error> {
    if !is_value(name, value) || max_age.as_secs() == 0 {
        return Err(Error::new(ErrorKind::CookieValue));
    }
    attributes(name, value, max_age.as_secs(), same_site)
}

fn clear(name: &str, same_site: &str) -> HeaderValue {
    // INVARIANT(plain-attributes): constant names and attributes, and no value, are a header.
    attributes(name, "", 0, same_site).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// RFC 6265bis section 4.1.1.
fn attributes(name: &str, value: &str, max_age: u64, same_site: &str) -> Result<HeaderValue, Error> {
    let text = format!("{name}={value}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite={same_site}");
    let mut header = HeaderValue::try_from(text).map_err(|_| Error::new(ErrorKind::CookieValue))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests;
