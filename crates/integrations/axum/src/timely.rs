//! A body that must be whole while the decision that was made for it is still good.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use bartizan_core::{Clock, MAX_GRANT_LIFE, Monotonic};
use hyper::body::{Frame, SizeHint};

/// A request's body that fails once it has taken longer than [`MAX_GRANT_LIFE`].
///
/// SECURITY: who asks, and what they may do, is decided before the body is read. Without an end to it a client could keep a
/// request open for days, byte by byte, and have it carried out long after its token has expired and its role is gone.
///
/// It needs no timer: time is looked at whenever something arrives. A connection on which nothing arrives carries nothing
/// out; closing it is the listener's or the proxy's.
pub(crate) struct Timely {
    body: Body,
    clock: Arc<dyn Clock>,
    start: Monotonic,
}

impl Timely {
    pub(crate) fn new(body: Body, clock: Arc<dyn Clock>) -> Self {
        let start = clock.monotonic();
        Self { body, clock, start }
    }
}

impl HttpBody for Timely {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.clock.monotonic().since(self.start) > MAX_GRANT_LIFE {
            return Poll::Ready(Some(Err(axum::Error::new(TooLate))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[derive(Debug)]
struct TooLate;

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body took too long")
    }
}

impl std::error::Error for TooLate {}
