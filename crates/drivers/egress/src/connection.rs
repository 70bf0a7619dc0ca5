//! One connection of HTTP/1.1. It has no task of its own: whoever uses it drives it, and dropping it ends it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bartizan_core::{Monotonic, Sleep};
use http_body_util::Full;
use hyper::{
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use crate::{
    Error, ErrorKind, Limits,
    stream::{Budget, Stream},
};

pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<Stream>, Full<Bytes>>>>,
    budget: Budget,
    /// When it was made.
    pub(crate) since: Monotonic,
}

impl Connection {
    pub(crate) async fn new(
        stream: Stream,
        budget: Budget,
        limits: &Limits,
        now: Monotonic,
    ) -> Result<Self, Error> {
        let (sender, driver) = http1::Builder::new()
            .max_headers(limits.headers)
            .max_buf_size(limits.header_bytes)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(Self { sender, driver: Box::pin(driver), budget, since: now })
    }

    /// From now on so many bytes may be read.
    pub(crate) fn allow(&self, bytes: usize) {
        self.budget.allow(bytes);
    }

    /// The error of this connection: that the peer sent too much, if it did.
    pub(crate) fn error(&self, error: hyper::Error) -> Error {
        if self.budget.is_spent() { ErrorKind::TooLarge.into() } else { error.into() }
    }

    pub(crate) async fn send(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<hyper::body::Incoming>, hyper::Error> {
        let sending = self.sender.send_request(request);
        drive(&mut self.driver, sending).await
    }

    /// Works on something that the connection brings.
    pub(crate) async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        drive(&mut self.driver, work).await
    }

    /// Whether it waits for a request: the last answer is over, and the peer has neither closed it nor sent what nobody
    /// asked for.
    pub(crate) fn is_idle(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.driver.as_mut().poll(&mut cx).is_pending() && self.sender.is_ready()
    }
}

/// Polls both. Work on a connection that is over is over too, and says itself how.
async fn drive<T>(driver: &mut Pin<Box<impl Future>>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut is_over = false;
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        // SECURITY: polled again after its end it would panic.
        is_over = is_over || driver.as_mut().poll(cx).is_ready();
        // What the connection has just brought, or that it is gone.
        work.as_mut().poll(cx)
    })
    .await
}

/// The outcome of `work`, or that the time is over.
pub(crate) async fn race<T>(deadline: &mut Sleep<'_>, work: impl Future<Output = T>) -> Result<T, Error> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        deadline.as_mut().poll(cx).map(|()| Err(ErrorKind::Timeout.into()))
    })
    .await
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
