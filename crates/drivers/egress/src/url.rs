//! Where a request goes: read in one way, or not at all.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{Error, ErrorKind};

/// An `http` or `https` URL that every reader reads alike: printable ASCII, no user information, no fragment, a host that is a
/// plain DNS name or a plain address. Whether it may be asked is for the client's [`Guard`](crate::Guard) to say.
///
/// Names of other scripts are given in their ASCII form (`xn--…`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    scheme: Scheme,
    host: Host,
    port: u16,
    path: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// Lower case, without a dot at its end.
    Name(Box<str>),
    Address(IpAddr),
}

/// Longest URL, in bytes.
const MAX_URL: usize = 8 * 1024;

/// Longest name (RFC 1035 §2.3.4), in bytes.
const MAX_NAME: usize = 253;

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`ErrorKind::Url`] for another scheme, over 8 KiB, user information, a fragment, an escaped or numeric host
    /// (`0x7f.1`, `2130706433`, `127.1`), a zone, port 0, and bytes that no URL has (RFC 3986 §2).
    pub fn parse(url: &str) -> Result<Self, Error> {
        // SECURITY: no byte that some readers of a URL skip, trim or take for another: `\`, tabs, line breaks, other scripts.
        let is_of_urls = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte);
        if url.len() > MAX_URL || !url.bytes().all(is_of_urls) {
            return Err(ErrorKind::Url.into());
        }
        let (scheme, rest) = match url.split_once("://").ok_or(ErrorKind::Url)? {
            ("https", rest) => (Scheme::Https, rest),
            ("http", rest) => (Scheme::Http, rest),
            _ => return Err(ErrorKind::Url.into()),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(ErrorKind::Url)?;
                let address: Ipv6Addr = address.parse().map_err(|_| ErrorKind::Url)?;
                (Host::Address(address.into()), port)
            }
            None => {
                let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
                (Host::parse(host)?, port)
            }
        };
        let path = match path.as_bytes().first() {
            None => "/".into(),
            Some(b'?') => format!("/{path}").into(),
            Some(_) => path.into(),
        };
        Ok(Self { scheme, host, port: parse_port(port, scheme)?, path })
    }

    /// The host: a name in lower case, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.to_string(),
            Host::Address(address) => address.to_string(),
        }
    }

    /// The port, also where the scheme alone says it.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is `https`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        matches!(self.scheme, Scheme::Https)
    }

    pub(crate) const fn parts(&self) -> &Host {
        &self.host
    }

    /// Path and query, which begin with a slash.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the `Host` header (RFC 9110 §7.2).
    pub(crate) fn authority(&self) -> String {
        let host = match &self.host {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host(),
        };
        if self.port == self.scheme.port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl Host {
    pub(crate) fn parse(host: &str) -> Result<Self, Error> {
        let last = host.rsplit('.').next().unwrap_or_default();
        // SECURITY: system resolvers take `0x7f.1`, `2130706433` and `0177.0.0.1` for addresses. What ends like a number is a
        // plain address of four decimal parts or nothing (the rule is that of the WHATWG URL standard, §3.5).
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
            || last
                .strip_prefix("0x")
                .or_else(|| last.strip_prefix("0X"))
                .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if is_number {
            let address: Ipv4Addr = host.parse().map_err(|_| ErrorKind::Url)?;
            return Ok(Self::Address(address.into()));
        }
        if host.len() > MAX_NAME || !host.split('.').all(is_label) {
            return Err(ErrorKind::Url.into());
        }
        Ok(Self::Name(host.to_ascii_lowercase().into()))
    }
}

impl Scheme {
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Debug for Url {
    /// Without its path, which may hold what is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Url").field(&self.authority()).finish()
    }
}

/// RFC 1123 §2.1: letters, digits and hyphens, no hyphen at either end.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn parse_port(port: &str, scheme: Scheme) -> Result<u16, Error> {
    if port.is_empty() {
        return Ok(scheme.port());
    }
    let digits = port.strip_prefix(':').ok_or(ErrorKind::Url)?;
    let is_plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if is_plain && port > 0 => Ok(port),
        _ => Err(ErrorKind::Url.into()),
    }
}

#[cfg(test)]
mod tests;
