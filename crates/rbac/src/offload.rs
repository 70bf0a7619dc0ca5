//! Long work on a thread of its own, so that whoever polls the future is not held up; without a runtime.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
    thread,
};

/// Does the work on another thread. Nothing comes back when there was no thread to be had or the work panicked.
///
/// Cancel safety: dropped before it ends, the work goes on and its result is lost.
pub(crate) async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let slot = Arc::new(Slot(Mutex::new(Stage::Working(None))));
    let worker = Worker(Arc::clone(&slot));
    // Where no thread is to be had, the closure is dropped, and with it the worker, which ends the wait.
    let thread = thread::Builder::new().name("bartizan-policy".into());
    let _detached = thread.spawn(move || {
        let worker = worker;
        let result = work();
        worker.0.end(Some(result));
    });
    poll_fn(|cx| {
        let mut stage = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *stage {
            Stage::Working(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Stage::Ended(result) => Poll::Ready(result.take()),
        }
    })
    .await
}

enum Stage<T> {
    Working(Option<Waker>),
    Ended(Option<T>),
}

struct Slot<T>(Mutex<Stage<T>>);

impl<T> Slot<T> {
    fn end(&self, result: Option<T>) {
        let waker = {
            let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Stage::Working(waker) = &mut *stage else { return };
            let waker = waker.take();
            *stage = Stage::Ended(result);
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Its end is the end of the work, however it comes: by a result, a panic, or no thread at all.
struct Worker<T>(Arc<Slot<T>>);

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_comes_back_from_another_thread() {
        let here = thread::current().id();
        let there = offload(|| thread::current().id()).await;
        assert!(there.is_some_and(|there| there != here));
    }

    #[tokio::test]
    async fn work_that_panics_is_no_answer_and_no_panic_here() {
        assert_eq!(offload(|| -> u32 { panic!("on purpose") }).await, None);
    }
}
