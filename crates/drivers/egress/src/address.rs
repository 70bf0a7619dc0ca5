//! What an address is for, from the IANA registries of special-purpose addresses (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is for. Only [`AddressKind::Public`] is reached without being allowed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressKind {
    /// A unicast address of the public internet.
    Public,
    /// This machine: 127.0.0.0/8, `::1`.
    Loopback,
    /// A network of one's own: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, fec0::/10.
    Private,
    /// Between a provider and its customers: 100.64.0.0/10.
    Shared,
    /// Where clouds tell a machine its secrets: 169.254.169.254, fd00:ec2::254, 168.63.129.16 and their like. Cannot be allowed.
    Metadata,
    /// One wire: 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// No particular one: 0.0.0.0/8, `::`.
    Unspecified,
    /// Many at once: 224.0.0.0/4, ff00::/8, 255.255.255.255.
    Multicast,
    /// For examples: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20.
    Documentation,
    /// For measuring networks: 198.18.0.0/15, 2001:2::/48.
    Benchmarking,
    /// An IPv4 address inside an IPv6 one, in a way that hides where it leads: 6to4, Teredo, IPv4-compatible, local NAT64.
    Tunnelled,
    /// For protocols and for later.
    Reserved,
}

/// What an address is for.
///
/// An IPv4-mapped address (`::ffff:0:0/96`) is what its IPv4 address is. One of the well-known NAT64 prefix (64:ff9b::/96) is public
/// when its IPv4 address is.
///
/// ```
/// use bartizan_egress::{AddressKind, classify};
///
/// assert_eq!(classify("1.1.1.1".parse()?), AddressKind::Public);
/// assert_eq!(classify("::ffff:169.254.169.254".parse()?), AddressKind::Metadata);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub const fn classify(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

const fn classify_v4(address: Ipv4Addr) -> AddressKind {
    use AddressKind::{
        Benchmarking, Documentation, LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved,
        Shared, Unspecified,
    };
    match address.octets() {
        // AWS, Azure, Google and most others; Amazon's tasks; Azure's host; Alibaba; Oracle.
        [169, 254, 169, 254]
        | [169, 254, 170, 2]
        | [168, 63, 129, 16]
        | [100, 100, 100, 200]
        | [192, 0, 0, 192] => Metadata,
        [0, ..] => Unspecified,
        [127, ..] => Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private,
        [100, 64..=127, ..] => Shared,
        [169, 254, ..] => LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Documentation,
        [198, 18..=19, ..] => Benchmarking,
        [255, 255, 255, 255] | [224..=239, ..] => Multicast,
        // IETF protocol assignments, the old relays of 6to4, and what may be given out one day.
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Reserved,
        _ => Public,
    }
}

const fn classify_v6(address: Ipv6Addr) -> AddressKind {
    use AddressKind::{
        Benchmarking, Documentation, LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved,
        Tunnelled, Unspecified,
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        // Mapped (RFC 4291 §2.5.5.2): the same address, written longer.
        [0, 0, 0, 0, 0, 0xffff, high, low] => classify_v4(v4(high, low)),
        // NAT64, which networks without IPv4 need; of public addresses alone (RFC 6052 §3.1).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => match classify_v4(v4(high, low)) {
            Public => Public,
            _ => Tunnelled,
        },
        // IPv4-compatible (deprecated), local NAT64 (RFC 8215), 6to4, Teredo.
        [0, 0, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] | [0x2002, ..] | [0x2001, 0, ..] => Tunnelled,
        // AWS, Google.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, _] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Metadata,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Private,
        [0xfe80..=0xfebf, ..] => LinkLocal,
        [0xff00..=0xffff, ..] => Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Documentation,
        [0x2001, 2, 0, ..] => Benchmarking,
        // IETF protocol assignments.
        [0x2001, 0..=0x1ff, ..] => Reserved,
        [0x2000..=0x3fff, ..] => Public,
        _ => Reserved,
    }
}

const fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests;
