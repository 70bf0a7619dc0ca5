//! The client.

use std::sync::Arc;

use bartizan_core::Clock;
use http::Method;

use crate::{
    Error, Guard, Limits, Request, Resolver, Response, SystemResolver, Trust,
    connect::Connector,
    connection::{Connection, race},
    exchange::{Failed, exchange},
    pool::Pool,
};

/// Asks over HTTPS where its [`Guard`] allows it, and takes no more than its [`Limits`] say. Cheap to clone; clones share their
/// connections.
///
/// It reads no proxy from the environment, keeps no cookies, follows nothing and asks for no encoding.
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connector: Connector,
    pool: Pool,
}

impl Client {
    /// A client that goes where `guard` allows, believes whom `trust` names, and measures time by `clock`, which must be one of the
    /// runtime it is used in.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when TLS cannot be set up.
    pub fn new(guard: Guard, trust: Trust, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::with(guard, trust, clock, Arc::new(SystemResolver), Limits::DEFAULT)
    }

    /// The same with a resolver and limits of one's own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for limits out of bounds, and when TLS cannot be set up.
    pub fn with(
        guard: Guard,
        trust: Trust,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn Resolver>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let limits = limits.checked()?;
        let tls = Arc::new(trust.config(clock.clone())?);
        let connector = Connector { guard, tls, resolver, clock, limits };
        Ok(Self(Arc::new(Shared { connector, pool: Pool::default() })))
    }

    /// Asks once. A request that reads, replaces or removes is sent a second time when the connection it was sent on had been used
    /// before and was closed without an answer; nothing else is.
    ///
    /// Every status is an answer but those that point elsewhere (3xx; 304 is one).
    ///
    /// # Errors
    /// [`ErrorKind`](crate::ErrorKind), each of whose words says when.
    ///
    /// # Cancel safety
    /// Dropping it ends the connection. Whether the peer acts on the request is not known then.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let connector = &self.0.connector;
        connector.guard.check_url(&request.url)?;
        let mut deadline = connector.clock.sleep(connector.limits.total);
        race(&mut deadline, self.send_untimed(&request)).await?
    }

    async fn send_untimed(&self, request: &Request) -> Result<Response, Error> {
        let Shared { connector, pool } = &*self.0;
        let limits = &connector.limits;
        let max_body = request.max_body.unwrap_or(limits.body).min(limits.body);
        let wire = limits.wire(max_body);
        // RFC 9110 §9.2.2: what must not happen twice is not sent twice, so it gets a connection of which it is known that it lives.
        if request.method != Method::POST
            && let Some(mut connection) = pool.take(&request.url, limits, connector.clock.monotonic())
        {
            connection.allow(wire);
            match exchange(&mut connection, request, max_body).await {
                Err(Failed::Gone(_)) => {}
                Err(Failed::Other(error)) => return Err(error),
                Ok(response) => {
                    self.keep(request, connection, &response);
                    return Ok(response);
                }
            }
        }
        let mut connection = connector.connect(&request.url, wire).await?;
        let response = exchange(&mut connection, request, max_body).await?;
        self.keep(request, connection, &response);
        Ok(response)
    }

    /// Keeps a connection for the next request, unless something of this answer may still be under way.
    fn keep(&self, request: &Request, connection: Connection, response: &Response) {
        let Shared { connector, pool } = &*self.0;
        if !response.is_cut() {
            pool.put(&request.url, connection, &connector.limits, connector.clock.monotonic());
        }
    }
}
