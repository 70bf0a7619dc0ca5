//! From where: networks in CIDR notation (RFC 4632, RFC 4291 section 2.3).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{
    Problem,
    words::{self, List},
};
use crate::{document::Word, names::quoted};

/// Some networks. An address is in them when it is in one.
///
/// An IPv4 address that came written within IPv6 (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) is that IPv4 address, and no
/// other: which socket accepted the connection decides nothing.
#[derive(Debug)]
pub(crate) struct Networks {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
    written: List<Network>,
}

/// A network: its lowest address and how many bits it fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Network {
    lowest: IpAddr,
    prefix: u8,
}

impl Networks {
    pub(super) fn read(words: &[Word]) -> Result<Self, Problem> {
        let written = words::each("address", words, Network::read)?;
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in written.iter() {
            match network.lowest {
                IpAddr::V4(lowest) => v4.push((u32::from(lowest), mask_v4(network.prefix))),
                IpAddr::V6(lowest) => v6.push((u128::from(lowest), mask_v6(network.prefix))),
            }
        }
        Ok(Self { v4: v4.into(), v6: v6.into(), written })
    }

    pub(super) fn contain(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let address = u32::from(address);
                self.v4.iter().any(|(lowest, mask)| address & mask == *lowest)
            }
            IpAddr::V6(address) => {
                let address = u128::from(address);
                self.v6.iter().any(|(lowest, mask)| address & mask == *lowest)
            }
        }
    }
}

impl Network {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || {
            let like = "a network such as \"10.0.0.0/8\" or \"2001:db8::/32\"";
            format!("address {} is not {like}", quoted(text))
        };
        let Some((address, prefix)) = text.split_once('/') else {
            let Ok(one) = text.parse::<IpAddr>() else {
                return Err(wrong());
            };
            let one = one.to_canonical();
            let whole = if one.is_ipv4() { 32 } else { 128 };
            return Err(format!("address {} is not a network; write \"{one}/{whole}\"", quoted(text)));
        };
        let lowest = address.parse::<IpAddr>().map_err(|_| wrong())?;
        let most = if lowest.is_ipv4() { 32 } else { 128 };
        let prefix = words::whole(prefix).filter(|prefix| *prefix <= most).ok_or_else(wrong)?;
        let network = Self { lowest, prefix: u8::try_from(prefix).map_err(|_| wrong())? };
        if network.masked() != network {
            return Err(format!(
                "address {} has bits beyond its prefix; write \"{}\"",
                quoted(text),
                network.masked()
            ));
        }
        match (lowest.to_canonical(), network.prefix.checked_sub(96)) {
            (lowest @ IpAddr::V4(_), Some(prefix)) if network.lowest.is_ipv6() => {
                let inner = Self { lowest, prefix };
                Err(format!("address {} is a network of IPv4; write \"{inner}\"", quoted(text)))
            }
            _ => Ok(network),
        }
    }

    fn masked(self) -> Self {
        let lowest = match self.lowest {
            IpAddr::V4(lowest) => IpAddr::V4(Ipv4Addr::from(u32::from(lowest) & mask_v4(self.prefix))),
            IpAddr::V6(lowest) => IpAddr::V6(Ipv6Addr::from(u128::from(lowest) & mask_v6(self.prefix))),
        };
        Self { lowest, ..self }
    }
}

/// Ones for the fixed bits. A shift by all bits is none in Rust, hence the check.
fn mask_v4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or_default()
}

fn mask_v6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or_default()
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.lowest, self.prefix)
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, network) in self.written.iter().enumerate() {
            write!(f, "{}\"{network}\"", if at == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}
