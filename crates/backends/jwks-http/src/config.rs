//! Whom to ask, and whom to believe.

use std::sync::Arc;

use bartizan_core::Clock;
use bartizan_egress::{Allow, Client, Guard, Trust};
use bartizan_tokens::JwksUrl;

use crate::{Error, HttpJwks};

/// How to reach issuers: for the URLs that are named here, and no others.
///
/// Unless more is said: `https`, the port of each URL, addresses of the public internet, the authorities of the web.
#[derive(Clone, Debug)]
pub struct Config {
    urls: Vec<JwksUrl>,
    allowed: Vec<Allow>,
    trust: Trust,
}

impl Config {
    /// For the JWKS of one issuer.
    #[must_use]
    pub fn new(url: JwksUrl) -> Self {
        Self { urls: vec![url], allowed: Vec::new(), trust: Trust::web() }
    }

    /// For one more issuer through the same client.
    #[must_use]
    pub fn and(mut self, url: JwksUrl) -> Self {
        self.urls.push(url);
        self
    }

    /// These authorities instead of those of the web: one's own.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// One more thing that is allowed: an internal host, say.
    #[must_use]
    pub fn allow(mut self, allow: Allow) -> Self {
        self.allowed.push(allow);
        self
    }

    /// The transport.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a URL that cannot be asked, and when TLS cannot be set up.
    pub fn build(self, clock: Arc<dyn Clock>) -> Result<HttpJwks, Error> {
        let mut guard = self.allowed.into_iter().fold(Guard::public(), Guard::allow);
        let mut hosts = Vec::new();
        for url in &self.urls {
            let url = bartizan_egress::Url::parse(url.as_str())?;
            // The operator wrote it into the URL: that is saying so.
            guard = guard.allow(Allow::port(url.port()));
            hosts.push(url.host());
        }
        let guard = guard.only_hosts(hosts.iter().map(String::as_str))?;
        for url in &self.urls {
            // What will never be asked is found before the service starts.
            guard.check_url(&bartizan_egress::Url::parse(url.as_str())?)?;
        }
        Ok(HttpJwks::new(Client::new(guard, self.trust, clock.clone())?, clock))
    }
}
