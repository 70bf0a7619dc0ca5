//! One connection's bytes, with two courtesies that an HTTP library leaves out.
//!
//! What cannot be read as HTTP at all is refused by hyper before any of our code runs, with a bare status line or with
//! nothing. Here that becomes the same problem document as everywhere else. And a connection that is closed while its client
//! still sends is drained for a moment: otherwise the kernel resets it, and the client never reads why it was refused.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::http::{
    HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, DATE},
};
use bartizan::{
    core::Entropy,
    http::{Caching, Code, Problem, Rendering, RequestId, Transport, security_headers},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};

/// How long, and for how many bytes, a closed connection is drained.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 32 * 1024 * 1024;

/// A connection's bytes.
pub(crate) struct Wire {
    stream: TcpStream,
    entropy: Arc<dyn Entropy>,
    was_read: bool,
    was_written: bool,
    told: Option<Told>,
}

/// A refusal that is being written in the place of hyper's.
struct Told {
    bytes: Vec<u8>,
    written: usize,
    instead_of: usize,
}

impl Wire {
    pub(crate) const fn new(stream: TcpStream, entropy: Arc<dyn Entropy>) -> Self {
        Self { stream, entropy, was_read: false, was_written: false, told: None }
    }

    /// Ends a connection that hyper is done with.
    pub(crate) async fn end(mut self) {
        // A client that is gone, or too slow to go, is no concern of ours.
        let _ = timeout(LINGER, async {
            if self.was_read && !self.was_written {
                let refusal = refusal(StatusCode::BAD_REQUEST, None, &*self.entropy);
                self.stream.write_all(&refusal).await?;
            }
            self.stream.shutdown().await?;
            let (mut scrap, mut drained) = ([0; 8 * 1024], 0);
            while drained < LINGER_BYTES {
                match self.stream.read(&mut scrap).await? {
                    0 => break,
                    read => drained += read,
                }
            }
            io::Result::Ok(())
        })
        .await;
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.was_read |= buffer.filled().len() > before;
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        wire.was_written = true;
        if wire.told.is_none()
            && let Some((status, date)) = refused(bytes)
        {
            let refusal = refusal(status, Some(date), &*wire.entropy);
            wire.told = Some(Told { bytes: refusal, written: 0, instead_of: bytes.len() });
        }
        let Some(told) = &mut wire.told else {
            return Pin::new(&mut wire.stream).poll_write(cx, bytes);
        };
        while let Some(rest) = told.bytes.get(told.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut wire.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => told.written += written,
            }
        }
        let instead_of = told.instead_of;
        wire.told = None;
        Poll::Ready(Ok(instead_of))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

/// The status and date of a refusal that is hyper's own: a 4xx head without a body, and without the request id that every
/// answer of ours bears. Nothing for whatever else is written.
fn refused(head: &[u8]) -> Option<(StatusCode, &str)> {
    let head = std::str::from_utf8(head).ok()?.strip_prefix("HTTP/1.")?.strip_suffix("\r\n\r\n")?;
    let (status, fields) = head.split_once("\r\n")?;
    let status = StatusCode::from_bytes(status.get(2..5)?.as_bytes()).ok()?;
    let field = |wanted: &str| {
        let mut fields = fields.split("\r\n").filter_map(|field| field.split_once(": "));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let is_ours = field(RequestId::HEADER.as_str()).is_some();
    (status.is_client_error() && !is_ours).then_some((status, field(DATE.as_str())?))
}

/// A whole answer, after which the connection is closed.
fn refusal(status: StatusCode, date: Option<&str>, entropy: &dyn Entropy) -> Vec<u8> {
    let mut answer = Problem::of(Code::for_status(status)).response(&Rendering::default());
    let length = HeaderValue::from(answer.body().len());
    let id = RequestId::draw(entropy).ok();
    let headers = answer.headers_mut();
    security_headers(headers, Transport::PlainLoopback, Caching::AsTheHandlerSays);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CONTENT_LENGTH, length);
    for (name, text) in [(DATE, date), (RequestId::HEADER, id.as_ref().map(RequestId::as_str))] {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(name, value);
        }
    }
    let mut bytes = format!("HTTP/1.1 {}\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(answer.body());
    bytes
}
