//! Whose request it is, when proxies stand before the service.
//!
//! A header that everybody can write says nothing. It is believed as far as a proxy on the operator's list wrote it, from the
//! right, and not one value further. One header is read, the one that those proxies write; the other is never looked at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Error, ErrorKind, Network};

/// Which header the proxies write. Exactly one of them: a proxy that writes the one passes the other on as the client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For: client, proxy, proxy`.
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239).
    Forwarded,
}

impl ForwardingHeader {
    /// Its name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// Which proxies are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Trust);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Trust {
    Nobody,
    Networks(ForwardingHeader, Vec<Network>),
    Hops(ForwardingHeader, u8),
}

/// The address that a request counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress {
    address: IpAddr,
    evidence: Evidence,
}

/// How the address is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// It is the other end of the connection.
    Peer,
    /// A trusted proxy named it.
    Forwarded,
    /// A trusted proxy that should have named it did not, or not in the right form: this is the last proxy that is known.
    Proxy,
}

impl ClientAddress {
    /// The address. One of IPv4 is never written as IPv6.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// How it is known.
    #[must_use]
    pub const fn evidence(&self) -> Evidence {
        self.evidence
    }
}

impl TrustedProxies {
    /// No proxy stands before the service: the other end of the connection is the client, whatever headers say.
    #[must_use]
    pub const fn none() -> Self {
        Self(Trust::Nobody)
    }

    /// Proxies in these networks, which write this header.
    ///
    /// # Errors
    /// [`ErrorKind::Network`] for what is no network or is everybody; [`ErrorKind::Configuration`] for none at all or more than
    /// 256.
    pub fn in_networks<'t>(
        header: ForwardingHeader,
        networks: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, Error> {
        let networks: Vec<Network> = networks.into_iter().map(Network::parse).collect::<Result<_, _>>()?;
        if networks.is_empty() || networks.len() > MAX_NETWORKS {
            return Err(ErrorKind::Configuration.into());
        }
        Ok(Self(Trust::Networks(header, networks)))
    }

    /// Exactly so many proxies, whose addresses are not known: 1 is a single load balancer.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for 0 or more than 16.
    ///
    /// # Security
    /// True only if every request passes all of them. Whoever reaches an inner proxy or the service on another way names any
    /// address they like. Prefer [`TrustedProxies::in_networks`].
    pub fn count(header: ForwardingHeader, proxies: u8) -> Result<Self, Error> {
        if proxies == 0 || usize::from(proxies) > MAX_HOPS {
            return Err(ErrorKind::Configuration.into());
        }
        Ok(Self(Trust::Hops(header, proxies)))
    }

    /// The header to hand to [`TrustedProxies::client`]; nothing when none is believed.
    #[must_use]
    pub const fn header(&self) -> Option<ForwardingHeader> {
        match self.0 {
            Trust::Nobody => None,
            Trust::Networks(header, _) | Trust::Hops(header, _) => Some(header),
        }
    }

    /// Whose request it is. `peer` is the other end of the connection; `lines` are the values of
    /// [`TrustedProxies::header`] in the order in which they stand in the request.
    ///
    /// Read from the right. A value that is no address (`unknown`, an obfuscated name, a zone, a broken quote) ends the walk at
    /// the last address that is known, a proxy's: requests that cannot be told apart share a limit and do not escape it.
    #[must_use]
    pub fn client<'l>(
        &self,
        peer: IpAddr,
        lines: impl IntoIterator<Item = &'l [u8], IntoIter: DoubleEndedIterator>,
    ) -> ClientAddress {
        let peer = ClientAddress { address: peer.to_canonical(), evidence: Evidence::Peer };
        let Some(header) = self.header() else { return peer };
        if !self.believes(peer.address, 0) {
            return peer;
        }
        let mut known = peer;
        // SECURITY: from the right. The left-most value is whatever the client wrote.
        let values = lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        for (passed, value) in (1..).zip(values) {
            let Some(address) = read(header, value) else {
                return ClientAddress { evidence: Evidence::Proxy, ..known };
            };
            known = ClientAddress { address, evidence: Evidence::Forwarded };
            if !self.believes(address, passed) {
                return known;
            }
        }
        // Every value was a trusted proxy's own, or there was none.
        if known == peer { ClientAddress { evidence: Evidence::Proxy, ..peer } } else { known }
    }

    /// Whether what the host at `address` says about the one before it is believed, with `passed` values read already.
    fn believes(&self, address: IpAddr, passed: usize) -> bool {
        match &self.0 {
            Trust::Nobody => false,
            Trust::Networks(_, networks) => {
                passed < MAX_HOPS && networks.iter().any(|network| network.contains(address))
            }
            Trust::Hops(_, proxies) => passed < usize::from(*proxies),
        }
    }
}

fn read(header: ForwardingHeader, value: &[u8]) -> Option<IpAddr> {
    if value.len() > MAX_VALUE {
        return None;
    }
    let value = trimmed(std::str::from_utf8(value).ok()?);
    let address = match header {
        ForwardingHeader::XForwardedFor => plain(value),
        ForwardingHeader::Forwarded => forwarded(value),
    }?;
    Some(address.to_canonical())
}

/// `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:8080`.
fn plain(text: &str) -> Option<IpAddr> {
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => with_port(text),
    }
}

/// The node of RFC 7239 §6: an address, with brackets if it is IPv6, and a port or none.
fn with_port(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        is_port(port).then_some(())?;
        return address.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let (address, port) = match text.find(':') {
        Some(at) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    is_port(port).then_some(())?;
    address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

/// Nothing, `:8080`, or `:_hidden`.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    match port.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty()
                && hidden.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => matches!(port.len(), 1..=5) && port.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// One element of `Forwarded` (RFC 7239 §4): pairs with semicolons between them, each name once, a `for` among them.
///
/// Elements were cut at commas whatever quotes say. A value with a comma inside quotes is thereby broken and ends the walk;
/// reading quotes from the left instead would let the client open one that swallows what the proxy wrote after it.
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut seen: Vec<&str> = Vec::new();
    let mut client = None;
    for pair in element.split(';') {
        let (name, value) = trimmed(pair).split_once('=')?;
        let repeated = seen.iter().any(|seen| seen.eq_ignore_ascii_case(name));
        if name.is_empty() || !name.bytes().all(is_token) || repeated || seen.len() == MAX_PAIRS {
            return None;
        }
        seen.push(name);
        // RFC 7239 §6: an IPv6 address and a port stand in quotes, because a colon and a bracket are no token.
        let text = unquoted(value)?;
        if name.eq_ignore_ascii_case("for") {
            client = Some(with_port(text)?);
        }
    }
    client
}

/// A token or a quoted string without escapes: no address needs one.
fn unquoted(value: &str) -> Option<&str> {
    if let Some(inner) = value.strip_prefix('"') {
        let inner = inner.strip_suffix('"')?;
        let plain = inner.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        return plain.then_some(inner);
    }
    (!value.is_empty() && value.bytes().all(is_token)).then_some(value)
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

const MAX_NETWORKS: usize = 256;

/// Values that are walked over at most, and bytes of one.
const MAX_HOPS: usize = 16;
const MAX_VALUE: usize = 512;
const MAX_PAIRS: usize = 8;
