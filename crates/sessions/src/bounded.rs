//! No call waits for ever.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bartizan_core::Clock;

use crate::{Error, ErrorKind};

/// Waits for a call for at most this long, then lets it go. Whether it was done is not known then: the store does it whole or not
/// at all.
pub(crate) async fn bounded<T>(
    clock: &dyn Clock,
    limit: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut call = pin!(call);
    let mut limit = clock.sleep(limit);
    poll_fn(|cx| {
        if let Poll::Ready(answer) = call.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        limit.as_mut().poll(cx).map(|()| Err(ErrorKind::Unavailable.into()))
    })
    .await
}
