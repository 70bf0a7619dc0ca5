//! What is asked.

use std::fmt;

use bartizan_core::SecretText;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{Error, ErrorKind, Url};

/// A request. Its Debug shows method and host.
///
/// ```
/// use bartizan_egress::{Request, Url};
///
/// let url = Url::parse("https://login.example/.well-known/jwks.json")?;
/// let request = Request::get(url).header("accept", "application/json")?.max_body(256 * 1024);
/// # Ok::<(), bartizan_egress::Error>(())
/// ```
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) max_body: Option<usize>,
}

/// Headers that decide how a message is read, where it goes or how it is encoded: the client's own.
const OWN: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Request {
    /// Reads something.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Vec::new())
    }

    /// Sends something. It is never sent twice: a connection that was used before is not used for it.
    #[must_use]
    pub fn post(url: Url, body: Vec<u8>) -> Self {
        Self::new(Method::POST, url, body)
    }

    /// Replaces something.
    #[must_use]
    pub fn put(url: Url, body: Vec<u8>) -> Self {
        Self::new(Method::PUT, url, body)
    }

    /// Removes something.
    #[must_use]
    pub fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url, Vec::new())
    }

    fn new(method: Method, url: Url, body: Vec<u8>) -> Self {
        Self { method, url, headers: HeaderMap::new(), body, max_body: None }
    }

    /// One more header.
    ///
    /// # Errors
    /// [`ErrorKind::Header`] for a name or value that cannot be sent, and for the headers that the client writes itself: those
    /// of the connection, of lengths and of encodings.
    pub fn header(self, name: &str, value: &str) -> Result<Self, Error> {
        self.with(name, value, false)
    }

    /// One more header whose value is a secret.
    ///
    /// # Errors
    /// As [`Request::header`].
    pub fn secret_header(self, name: &str, value: &SecretText) -> Result<Self, Error> {
        self.with(name, value.expose(), true)
    }

    fn with(mut self, name: &str, value: &str, is_secret: bool) -> Result<Self, Error> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ErrorKind::Header)?;
        if OWN.contains(&name.as_str()) {
            return Err(ErrorKind::Header.into());
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| ErrorKind::Header)?;
        value.set_sensitive(is_secret);
        self.headers.try_append(name, value).map_err(|_| ErrorKind::Header)?;
        Ok(self)
    }

    /// Less of a body than the client's limit.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
