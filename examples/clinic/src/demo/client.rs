//! A client as anybody would write one: HTTP/1.1 over TCP.

use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::step::Trouble;

/// One answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of a header, first one wins.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Status, headers and body but for what differs between any two answers.
    pub(crate) fn comparable(&self) -> (u16, Vec<(String, String)>, Vec<u8>) {
        // How often this client asked is its own affair.
        let own = ["date", "x-request-id", "ratelimit"];
        let head = self.head.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
        (self.status, head, self.body.clone())
    }
}

/// Sends requests to one address, a connection each. The clinic stands behind a proxy, which this client is too: it says for whom it
/// asks.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    to: SocketAddr,
    address: Ipv4Addr,
    device: Option<String>,
}

impl Client {
    pub(crate) const fn new(to: SocketAddr) -> Self {
        Self { to, address: Ipv4Addr::new(192, 0, 2, 1), device: None }
    }

    /// The same, asking for somebody at another address.
    pub(crate) fn at(&self, address: Ipv4Addr) -> Self {
        Self { address, ..self.clone() }
    }

    /// The same, with the cookie of a device that the clinic knows.
    pub(crate) fn on_device(&self, cookie: &str) -> Self {
        Self { device: Some(cookie.to_owned()), ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Result<Answer, Trouble> {
        self.send(Method::GET, path, token, None).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Answer, Trouble> {
        self.send(Method::POST, path, token, Some(body)).await
    }

    pub(crate) async fn patch(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Answer, Trouble> {
        self.send(Method::PATCH, path, token, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, token: Option<&str>) -> Result<Answer, Trouble> {
        self.send(Method::DELETE, path, token, None).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, Trouble> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.to.to_string())
            .header("x-forwarded-for", self.address.to_string());
        if let Some(device) = &self.device {
            request = request.header("cookie", device);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                serde_json::to_vec(body)?
            }
            None => Vec::new(),
        };
        let stream = TcpStream::connect(self.to).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request.body(Full::new(Bytes::from(bytes)))?).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        connection.abort();
        let head = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Ok(Answer { status: parts.status.as_u16(), head: head.collect(), body })
    }
}
