//! The transport.

use std::sync::Arc;

use async_trait::async_trait;
use bartizan_core::Clock;
use bartizan_egress::{Client, Request, Response, Url};
use bartizan_tokens::{FetchError, FetchErrorKind, FetchRequest, Fetched, Freshness, JwksFetch, retry_after};

use crate::{Error, error};

/// Brings a JWKS over HTTPS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpJwks {
    client: Client,
    clock: Arc<dyn Clock>,
}

impl HttpJwks {
    /// Through a client of one's own, with its rules. [`Config`](crate::Config) makes one with the narrowest rules that do.
    #[must_use]
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock }
    }

    async fn ask(&self, request: &FetchRequest<'_>) -> Result<Response, Error> {
        let mut message = Request::get(Url::parse(request.url().as_str())?)
            .max_body(request.max_bytes())
            // RFC 7517 §8.5.2 has the first; most servers know the second only.
            .header("accept", "application/jwk-set+json, application/json")?;
        if let Some(etag) = request.etag() {
            message = message.header("if-none-match", etag)?;
        }
        Ok(self.client.send(message).await?)
    }
}

#[async_trait]
impl JwksFetch for HttpJwks {
    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let response = self.ask(request).await.map_err(error::fetch)?;
        let freshness = Freshness::from_headers(response.headers("cache-control"), response.header("age"));
        match response.status() {
            200 => {
                let etag = response.header("etag").map(Into::into);
                Ok(Fetched::Body { etag, freshness, bytes: response.into_body() })
            }
            304 if request.etag().is_some() => Ok(Fetched::NotModified { freshness }),
            status => {
                let after =
                    response.header("retry-after").and_then(|value| retry_after(value, self.clock.wall()));
                Err(FetchError::new(FetchErrorKind::Status(status)).with_retry_after(after))
            }
        }
    }
}
