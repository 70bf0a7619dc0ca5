//! A value that another thread will send, as a plain future.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{Error, ErrorKind};

struct Slot<T> {
    value: Option<Result<T, Error>>,
    waker: Option<Waker>,
    sender_gone: bool,
}

/// The waiting end.
pub(crate) struct Answer<T>(Arc<Mutex<Slot<T>>>);

/// The sending end. Dropped without a word, the answer is [`ErrorKind::Closed`].
pub(crate) struct Sender<T>(Arc<Mutex<Slot<T>>>);

pub(crate) fn answer<T>() -> (Sender<T>, Answer<T>) {
    let slot = Arc::new(Mutex::new(Slot { value: None, waker: None, sender_gone: false }));
    (Sender(Arc::clone(&slot)), Answer(slot))
}

impl<T> Sender<T> {
    pub(crate) fn send(self, value: Result<T, Error>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).value = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slot.sender_gone = true;
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = slot.value.take() {
            return Poll::Ready(value);
        }
        if slot.sender_gone {
            return Poll::Ready(Err(ErrorKind::Closed.into()));
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
