//! Whose certificates are believed.

use std::{fmt, sync::Arc};

use bartizan_core::Clock;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};

use crate::{Error, ErrorKind};

/// Whose certificates are believed. There is no way to believe all of them.
#[derive(Clone)]
pub struct Trust(RootCertStore);

impl Trust {
    /// The authorities of the web, as Mozilla lists them; the list is compiled in.
    #[must_use]
    pub fn web() -> Self {
        Self(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// These authorities alone: one's own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for what is no PEM, holds no certificate, or one that cannot be an authority.
    pub fn pem(certificates: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(certificates) {
            roots.add(certificate.map_err(|_| ErrorKind::Config)?).map_err(|_| ErrorKind::Config)?;
        }
        if roots.is_empty() { Err(ErrorKind::Config.into()) } else { Ok(Self(roots)) }
    }

    /// TLS 1.2 with forward secrecy, or 1.3.
    pub(crate) fn config(self, clock: Arc<dyn Clock>) -> Result<ClientConfig, Error> {
        // The provider is passed, never the one of the process. SECURITY: and the clock, by which certificates end.
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(Time(clock)))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|_| ErrorKind::Config)?
            .with_root_certificates(self.0)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Every connection sees the certificate.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} authorities)", self.0.len())
    }
}

#[derive(Debug)]
struct Time(Arc<dyn Clock>);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let since = self.0.wall().since(bartizan_core::UnixTime::EPOCH);
        (!since.is_zero()).then(|| UnixTime::since_unix_epoch(since))
    }
}
