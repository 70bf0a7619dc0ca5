//! Addresses as limits and lists of proxies see them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use crate::{Error, ErrorKind};

/// A network: an address and how many of its bits count.
///
/// An IPv4 address written as IPv6 (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address everywhere here: a socket that
/// serves both families shows one client under both names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// What one client holds: an IPv4 address whole, of an IPv6 address the first 64 bits. Whoever has one address of a /64 has
    /// all of them (RFC 6177 §2).
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self::cut(address, 32, 64)
    }

    /// The same with less of an IPv6 address: many subscribers get a /56, some a /48, and can change their /64 at will. At least
    /// 32 and at most 64 bits; what is outside is taken as the nearest.
    #[must_use]
    pub fn of_wider(address: IpAddr, ipv6_bits: u8) -> Self {
        Self::cut(address, 32, ipv6_bits.clamp(32, 64))
    }

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or an address alone.
    ///
    /// # Errors
    /// [`ErrorKind::Network`] for what is no such text, for bits beyond the prefix (`10.0.0.1/8` is a mistake, not a network),
    /// and for `/0`, which would be everybody.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| ErrorKind::Network.into())
    }

    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) if is_small_number(bits) => (address, Some(bits.parse::<u8>().ok()?)),
            Some(_) => return None,
            None => (text, None),
        };
        let written: IpAddr = address.parse().ok()?;
        let address = written.to_canonical();
        let of_address = if address.is_ipv4() { 32 } else { 128 };
        // `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
        let more = if written.is_ipv6() && address.is_ipv4() { 96 } else { 0 };
        let bits = bits.map_or(Some(of_address), |bits| bits.checked_sub(more))?;
        if bits == 0 || bits > of_address {
            return None;
        }
        let network = Self::cut(address, bits, bits);
        (network.address == address).then_some(network)
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && Self::cut(address, self.bits, self.bits) == *self
    }

    fn cut(address: IpAddr, ipv4_bits: u8, ipv6_bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(ipv4_bits.min(32))).unwrap_or(0);
                Self { address: Ipv4Addr::from_bits(v4.to_bits() & mask).into(), bits: ipv4_bits.min(32) }
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(ipv6_bits.min(128))).unwrap_or(0);
                Self { address: Ipv6Addr::from_bits(v6.to_bits() & mask).into(), bits: ipv6_bits.min(128) }
            }
        }
    }

    /// Sixteen bytes and a length, which are this network's alone.
    pub(crate) const fn to_parts(self) -> ([u8; 16], u8) {
        match self.address {
            IpAddr::V4(v4) => (v4.to_ipv6_mapped().octets(), self.bits + 96),
            IpAddr::V6(v6) => (v6.octets(), self.bits),
        }
    }
}

/// `192.0.2.0/24`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// `u8::from_str` also takes `+8` and `008`.
fn is_small_number(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9'] | [b'1', b'0'..=b'9', b'0'..=b'9'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_64() {
        assert_eq!(Network::of(address("192.0.2.7")).to_string(), "192.0.2.7/32");
        assert_eq!(Network::of(address("2001:db8:1:2:3:4:5:6")).to_string(), "2001:db8:1:2::/64");
        assert_eq!(Network::of(address("::ffff:192.0.2.7")), Network::of(address("192.0.2.7")));
        assert_ne!(Network::of(address("192.0.2.7")), Network::of(address("192.0.2.8")));
        assert_eq!(Network::of_wider(address("2001:db8:1:2ff::1"), 56).to_string(), "2001:db8:1:200::/56");
        assert_eq!(
            Network::of_wider(address("2001:db8:1:2ff::1"), 200),
            Network::of(address("2001:db8:1:2ff::"))
        );
    }

    #[test]
    fn networks_that_are_mistakes_are_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/129",
            "2001:db8::1/64",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            " 10.0.0.0/8",
            "10.0.0/8",
            "010.0.0.0/8",
            "::ffff:10.0.0.0/96",
            "::ffff:10.0.0.0/8",
            "fe80::1%eth0/64",
            "localhost",
        ] {
            assert_eq!(Network::parse(text).map_err(|error| error.kind()), Err(ErrorKind::Network), "{text}");
        }
    }

    #[test]
    fn a_network_contains_its_addresses_in_both_spellings() {
        let network = Network::parse("10.0.0.0/8").unwrap();
        assert!(network.contains(address("10.255.0.1")));
        assert!(network.contains(address("::ffff:10.1.2.3")));
        assert!(!network.contains(address("11.0.0.0")));
        assert!(!network.contains(address("::a00:1")));
        assert_eq!(Network::parse("::ffff:10.0.0.0/104").unwrap(), network);
        assert!(Network::parse("2001:db8::/127").unwrap().contains(address("2001:db8::1")));
        assert!(!Network::parse("2001:db8::").unwrap().contains(address("2001:db8::1")));
    }
}
