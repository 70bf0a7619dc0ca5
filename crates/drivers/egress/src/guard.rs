//! Where requests may go.

use std::net::IpAddr;

use crate::{
    AddressKind, Error, ErrorKind, Refusal, Url, classify,
    url::{Host, Scheme},
};

/// Where requests may go. Unless more is allowed: `https`, port 443, addresses of the public internet.
///
/// ```
/// use bartizan_egress::{Allow, Guard};
///
/// let guard = Guard::public()
///     .only_hosts(["login.example", "vault.internal"])?
///     .allow(Allow::port(8200))
///     .allow(Allow::internal_host("vault.internal")?);
/// # Ok::<(), bartizan_egress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    only: Option<Vec<Host>>,
    ports: Vec<u16>,
    internal: Vec<Host>,
    plain: Vec<Host>,
    loopback: bool,
}

/// One more thing that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow(What);

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Port(u16),
    Internal(Host),
    Plain(Host),
    Loopback,
}

impl Allow {
    /// This port beside 443, on every host.
    #[must_use]
    pub const fn port(port: u16) -> Self {
        Self(What::Port(port))
    }

    /// This host may be at a private address (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7). It never may be at
    /// one of this machine, of a wire, or of a cloud's metadata.
    ///
    /// # Errors
    /// [`ErrorKind::Url`] for what is no host.
    pub fn internal_host(host: &str) -> Result<Self, Error> {
        parse_host(host).map(What::Internal).map(Self)
    }

    /// This host may be asked by plain `http`.
    ///
    /// # Security
    /// Everybody on the way reads and writes what is sent and answered.
    ///
    /// # Errors
    /// [`ErrorKind::Url`] for what is no host.
    pub fn danger_plain_http(host: &str) -> Result<Self, Error> {
        parse_host(host).map(What::Plain).map(Self)
    }

    /// This machine, by `http` and `https` and on every port. For development and tests.
    ///
    /// # Security
    /// Whoever chooses a URL reaches what trusts this machine: databases, agents, consoles.
    #[must_use]
    pub const fn danger_loopback() -> Self {
        Self(What::Loopback)
    }
}

impl Guard {
    /// `https`, port 443, any host at public addresses.
    #[must_use]
    pub const fn public() -> Self {
        Self { only: None, ports: Vec::new(), internal: Vec::new(), plain: Vec::new(), loopback: false }
    }

    /// These hosts alone, whatever else is allowed.
    ///
    /// # Errors
    /// [`ErrorKind::Url`] for what is no host.
    pub fn only_hosts<'h>(mut self, hosts: impl IntoIterator<Item = &'h str>) -> Result<Self, Error> {
        self.only = Some(hosts.into_iter().map(parse_host).collect::<Result<_, _>>()?);
        Ok(self)
    }

    /// One more thing that is allowed.
    #[must_use]
    pub fn allow(mut self, allow: Allow) -> Self {
        match allow.0 {
            What::Port(port) => self.ports.push(port),
            What::Internal(host) => self.internal.push(host),
            What::Plain(host) => self.plain.push(host),
            What::Loopback => self.loopback = true,
        }
        self
    }

    /// Whether this URL may be asked, as far as that shows before its name is resolved.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`].
    pub fn check_url(&self, url: &Url) -> Result<(), Error> {
        if self.only.as_ref().is_some_and(|only| !only.contains(url.parts())) {
            return Err(Refusal::Host.into());
        }
        if let Host::Address(address) = url.parts() {
            return self.check_address(url, *address).map(drop);
        }
        // What is allowed on this machine alone shows when the name is resolved.
        if self.loopback { Ok(()) } else { self.check_scheme_and_port(url) }
    }

    /// Whether this URL may be asked at this address, and the address to connect to: IPv4 where it is mapped into IPv6.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`].
    pub fn check_address(&self, url: &Url, address: IpAddr) -> Result<IpAddr, Error> {
        let kind = classify(address);
        let is_allowed = match kind {
            AddressKind::Loopback if self.loopback => return Ok(address.to_canonical()),
            AddressKind::Public => true,
            AddressKind::Private | AddressKind::Shared => self.internal.contains(url.parts()),
            _ => false,
        };
        if !is_allowed {
            return Err(Refusal::Address.into());
        }
        self.check_scheme_and_port(url)?;
        Ok(address.to_canonical())
    }

    fn check_scheme_and_port(&self, url: &Url) -> Result<(), Error> {
        let is_plain = !url.is_https();
        if is_plain && !self.plain.contains(url.parts()) {
            return Err(Refusal::Scheme.into());
        }
        let is_usual = url.port() == if is_plain { Scheme::Http.port() } else { Scheme::Https.port() };
        if is_usual || self.ports.contains(&url.port()) { Ok(()) } else { Err(Refusal::Port.into()) }
    }
}

/// A host as it stands in a URL, or an IPv6 address without its brackets.
fn parse_host(host: &str) -> Result<Host, Error> {
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(Host::Address(address)),
        Err(_) if host.is_empty() => Err(ErrorKind::Url.into()),
        Err(_) => Host::parse(host),
    }
}

#[cfg(test)]
mod tests;
