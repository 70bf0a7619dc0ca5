//! From a URL to a connection: resolve, check, connect, secure.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bartizan_core::{Clock, Sleep};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{
    Error, ErrorKind, Guard, Limits, Resolver, Url,
    connection::{Connection, race},
    stream::{Budget, Metered, Stream},
    url::Host,
};

/// Makes connections, each to an address that was checked.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) guard: Guard,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
}

/// How many addresses of one name are tried.
const MAX_TRIES: usize = 4;

impl Connector {
    /// A new connection, from which so many bytes may be read at first.
    pub(crate) async fn connect(&self, url: &Url, wire: usize) -> Result<Connection, Error> {
        let mut deadline = self.clock.sleep(self.limits.connect);
        race(&mut deadline, self.connect_untimed(url, wire)).await?
    }

    async fn connect_untimed(&self, url: &Url, wire: usize) -> Result<Connection, Error> {
        let addresses = self.addresses(url).await?;
        let budget = Budget::default();
        budget.allow(wire);
        let stream = Metered::new(self.dial(&addresses, url.port()).await?, budget.clone());
        let stream =
            if url.is_https() { self.secure(url, stream, &budget).await? } else { Stream::Plain(stream) };
        Connection::new(stream, budget, &self.limits, self.clock.monotonic()).await
    }

    /// Where the host is. SECURITY: every address is checked, also those that will not be tried: a name that leads to
    /// public and to private addresses is a trap or a mistake.
    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, Error> {
        let found = match url.parts() {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolver.resolve(name).await?,
        };
        let mut checked = Vec::new();
        for address in found {
            let address = self.guard.check_address(url, address)?;
            if !checked.contains(&address) && checked.len() < MAX_TRIES {
                checked.push(address);
            }
        }
        if checked.is_empty() { Err(ErrorKind::Resolve.into()) } else { Ok(checked) }
    }

    /// To the first that answers, each given its share of the time. SECURITY: to the address itself; a name that was resolved
    /// again might lead elsewhere by now.
    async fn dial(&self, addresses: &[IpAddr], port: u16) -> Result<TcpStream, Error> {
        let tries = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let share: Duration = self.limits.connect / tries;
        for address in addresses {
            let mut end: Sleep<'_> = self.clock.sleep(share);
            if let Ok(Ok(stream)) = race(&mut end, TcpStream::connect((*address, port))).await {
                // Requests are written whole; waiting for more to send only delays them. Works without it too.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
        Err(ErrorKind::Connect.into())
    }

    async fn secure(&self, url: &Url, stream: Metered, budget: &Budget) -> Result<Stream, Error> {
        let name = match url.parts() {
            Host::Name(name) => ServerName::try_from(name.to_string()).map_err(|_| ErrorKind::Url)?,
            Host::Address(address) => ServerName::from(*address),
        };
        match TlsConnector::from(self.tls.clone()).connect(name, stream).await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(_) if budget.is_spent() => Err(ErrorKind::TooLarge.into()),
            Err(error) if error.get_ref().is_some_and(|source| source.is::<rustls::Error>()) => {
                Err(ErrorKind::Tls.into())
            }
            Err(_) => Err(ErrorKind::Connect.into()),
        }
    }
}
