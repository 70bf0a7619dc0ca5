//! Whom a limit counts.

use std::{fmt, net::IpAddr};

use crate::{KnownDevice, Network};

/// Whom a limit counts: everybody together, an address, an account, both together, or a device.
///
/// Text in it is compared byte by byte. Give the same spelling that the look-up of the account uses, or every spelling is
/// another account to the limit. ([`LoginLimits`](crate::LoginLimits) and [`DeviceMarks`](crate::DeviceMarks) see to that themselves.)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key<'a>(Parts<'a>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts<'a> {
    Global,
    Network(Network),
    Account(&'a str),
    Pair(&'a str, Network),
    Device(&'a str, [u8; 16]),
    Texts(&'a [&'a str]),
}

impl<'a> Key<'a> {
    /// Everybody together.
    #[must_use]
    pub const fn global() -> Self {
        Self(Parts::Global)
    }

    /// An address: of IPv4 whole, of IPv6 its /64.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self(Parts::Network(Network::of(address)))
    }

    /// A network, for wider ones than a /64.
    #[must_use]
    pub const fn network(network: Network) -> Self {
        Self(Parts::Network(network))
    }

    /// An account, from wherever.
    #[must_use]
    pub const fn account(account: &'a str) -> Self {
        Self(Parts::Account(account))
    }

    /// An account from one address.
    #[must_use]
    pub fn pair(account: &'a str, address: IpAddr) -> Self {
        Self(Parts::Pair(account, Network::of(address)))
    }

    /// A device that logged into its account before.
    #[must_use]
    pub fn device(device: &'a KnownDevice) -> Self {
        Self(Parts::Device(device.account(), device.id()))
    }

    /// Anything else: a tenant and a principal and an action, say. Parts never run into each other.
    #[must_use]
    pub const fn texts(parts: &'a [&'a str]) -> Self {
        Self(Parts::Texts(parts))
    }

    pub(crate) const fn of_pair(account: &'a str, network: Network) -> Self {
        Self(Parts::Pair(account, network))
    }

    /// Hands out bytes that are this key's alone, in pieces, for a store to hash. They hold addresses and names of accounts:
    /// store their keyed hash, never them.
    pub fn write_to(&self, sink: &mut impl FnMut(&[u8])) {
        match self.0 {
            Parts::Global => sink(&placed(b'g', None)),
            Parts::Network(network) => sink(&placed(b'n', Some(network))),
            Parts::Account(account) => {
                sink(b"a");
                text(account, sink);
            }
            Parts::Pair(account, network) => {
                sink(&placed(b'p', Some(network)));
                text(account, sink);
            }
            Parts::Device(account, id) => {
                sink(b"d");
                sink(&id);
                text(account, sink);
            }
            Parts::Texts(parts) => {
                sink(b"t");
                sink(&(parts.len() as u64).to_le_bytes());
                parts.iter().for_each(|part| text(part, sink));
            }
        }
    }

    /// All that [`Key::write_to`] hands out, for keys without text.
    pub(crate) fn as_fixed(&self) -> Option<[u8; 24]> {
        match self.0 {
            Parts::Global => Some(placed(b'g', None)),
            Parts::Network(network) => Some(placed(b'n', Some(network))),
            _ => None,
        }
    }
}

/// The kind, and the network if there is one.
fn placed(kind: u8, network: Option<Network>) -> [u8; 24] {
    let (address, bits) = network.map(Network::to_parts).unwrap_or_default();
    let mut bytes = [0; 24];
    let (to_head, to_address) = bytes.split_at_mut(8);
    to_head.copy_from_slice(&[kind, bits, 0, 0, 0, 0, 0, 0]);
    to_address.copy_from_slice(&address);
    bytes
}

/// With its length before it, so that no two lists of texts are the same bytes.
fn text(text: &str, sink: &mut impl FnMut(&[u8])) {
    sink(&(text.len() as u64).to_le_bytes());
    sink(text.as_bytes());
}

/// The kind alone: keys are personal data.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Parts::Global => "Key::Global",
            Parts::Network(_) => "Key::Network",
            Parts::Account(_) => "Key::Account",
            Parts::Pair(..) => "Key::Pair",
            Parts::Device(..) => "Key::Device",
            Parts::Texts(_) => "Key::Texts",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn bytes(key: Key<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        key.write_to(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    #[test]
    fn different_keys_are_different_bytes() {
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        let keys = [
            Key::global(),
            Key::address(v4),
            Key::address(v6),
            Key::account("ada"),
            Key::account("ada\0"),
            Key::account(""),
            Key::pair("ada", v4),
            Key::pair("ada", v6),
            Key::texts(&[]),
            Key::texts(&["ada"]),
            Key::texts(&["a", "da"]),
            Key::texts(&["ad", "a"]),
            Key::texts(&["", "ada"]),
            Key::network(Network::of_wider(v6, 48)),
        ];
        assert_eq!(keys.iter().map(|key| bytes(*key)).collect::<BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn one_client_has_one_key_under_all_its_addresses() {
        let address = |text: &str| bytes(Key::address(text.parse().unwrap()));
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let shown = format!("{:?}", Key::pair("canary-account", "192.0.2.99".parse().unwrap()));
        assert_eq!(shown, "Key::Pair");
    }
}
