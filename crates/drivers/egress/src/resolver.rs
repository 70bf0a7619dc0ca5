//! The seam to whatever turns names into addresses.

use std::{fmt, net::IpAddr};

use async_trait::async_trait;

use crate::{Error, ErrorKind};

/// Turns a name into addresses. Whatever it answers is checked before anything is connected to, and a connection is made
/// to exactly what was checked: the name is not resolved again.
#[async_trait]
pub trait Resolver: fmt::Debug + Send + Sync + 'static {
    /// All addresses of a name.
    ///
    /// # Errors
    /// [`ErrorKind::Resolve`].
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Error>;
}

/// The operating system's resolver, on tokio's threads for blocking work.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Error> {
        let found = tokio::net::lookup_host((name, 0)).await.map_err(|_| ErrorKind::Resolve)?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
