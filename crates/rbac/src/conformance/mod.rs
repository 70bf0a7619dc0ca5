//! The suite that every source of policies passes that can be written to.
//!
//! A backend calls [`policy_store_conformance!`](crate::policy_store_conformance) in a test module: one `#[test]` for each case. The
//! suite itself is tested against stores that are broken in one way each.

use std::{
    any::Any,
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use crate::{PolicyStore, SourceError};

mod model;
pub mod racing;
pub mod reading;
#[cfg(test)]
mod tests;
pub mod writing;

/// A future that can go to another thread.
pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs a task to its end on the thread that it is called on.
pub type Runner = dyn for<'a> Fn(Task<'a>) + Send + Sync;

/// Two drivers that share nothing but one empty store: two nodes of a service. And what a store is told in tests alone.
pub struct Stores {
    pub(crate) one: Arc<dyn PolicyStore>,
    pub(crate) two: Arc<dyn PolicyStore>,
    runner: Box<Runner>,
    forget: Box<dyn Fn() + Send + Sync>,
    pass: Box<dyn Fn() + Send + Sync>,
    _kept: Mutex<Box<dyn Any + Send>>,
}

/// How often some time is let pass, at most, until a source has to say that nothing changed.
const PATIENCE: u32 = 2_000;

impl Stores {
    /// Two drivers of one empty store; `kept` is dropped after them.
    #[must_use]
    pub fn new(one: Arc<dyn PolicyStore>, two: Arc<dyn PolicyStore>, kept: impl Any + Send) -> Self {
        Self {
            one,
            two,
            runner: Box::new(|task| block_on(task)),
            forget: Box::new(|| {}),
            pass: Box::new(std::thread::yield_now),
            _kept: Mutex::new(Box::new(kept)),
        }
    }

    /// Calls run in here. It is called on several threads at once, so that a tokio runtime has to be one of several threads:
    /// `.running(move |task| handle.block_on(task))`.
    #[must_use]
    pub fn running(mut self, runner: impl for<'a> Fn(Task<'a>) + Send + Sync + 'static) -> Self {
        self.runner = Box::new(runner);
        self
    }

    /// Makes the store forget what changed up to now, but not what there is: as when its log is trimmed.
    #[must_use]
    pub fn forgetting(mut self, forget: impl Fn() + Send + Sync + 'static) -> Self {
        self.forget = Box::new(forget);
        self
    }

    /// Lets a little time pass: 2,000 times that is more than “a while”.
    #[must_use]
    pub fn passing(mut self, pass: impl Fn() + Send + Sync + 'static) -> Self {
        self.pass = Box::new(pass);
        self
    }

    pub(crate) fn forget(&self) {
        (self.forget)();
    }

    /// Runs a future to its end.
    pub(crate) fn run<T: Send>(&self, future: impl Future<Output = T> + Send) -> Result<T, Violation> {
        let mut answer = None;
        (self.runner)(Box::pin(async { answer = Some(future.await) }));
        answer.ok_or_else(|| Violation::new("the runner did not run a future to its end"))
    }

    /// Runs a call that must not fail.
    pub(crate) fn call<T: Send>(
        &self,
        future: impl Future<Output = Result<T, SourceError>> + Send,
    ) -> Result<T, Violation> {
        Ok(self.run(future)??)
    }

    /// Runs a call while time passes, but not for ever.
    pub(crate) fn wait<T: Send>(
        &self,
        future: impl Future<Output = Result<T, SourceError>> + Send,
    ) -> Result<T, Violation> {
        let waited = self.run(async {
            let mut future = pin!(future);
            let mut left = PATIENCE;
            poll_fn(|cx| {
                if let Poll::Ready(answer) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(answer));
                }
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                (self.pass)();
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await
        })?;
        Ok(waited.ok_or_else(|| Violation::new("a call does not come back"))??)
    }

    /// Polls a call at most so often, and drops it.
    pub(crate) fn drop_after<T: Send>(
        &self,
        polls: u32,
        future: impl Future<Output = T> + Send,
    ) -> Result<(), Violation> {
        self.run(async {
            let mut future = pin!(future);
            let mut left = polls;
            poll_fn(|cx| {
                if left == 0 || future.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                left -= 1;
                (self.pass)();
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        })
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").field("one", &self.one).field("two", &self.two).finish_non_exhaustive()
    }
}

/// How a store breaks its contract.
#[derive(Debug)]
pub struct Violation {
    what: String,
    error: Option<SourceError>,
}

/// What a case answers.
pub type Outcome = Result<(), Violation>;

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), error: None }
    }
}

impl From<SourceError> for Violation {
    fn from(error: SourceError) -> Self {
        Self { what: "a call failed".to_owned(), error: Some(error) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(f, "{}: {error:?}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Demands that something holds.
pub(crate) fn hold(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Violation::new(what)) }
}

/// Runs a future on this thread, whatever runtime the driver has or has not.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, mut cx) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// One `#[test]` for each case. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __policy_store_tests {
    ($make:expr; $($suite:ident: $($case:ident),+ ;)+) => {$($(
        #[test]
        fn $case() {
            if let Err(violation) = $crate::conformance::$suite::$case(&($make)()) {
                panic!("{violation}");
            }
        }
    )+)+};
}

/// All cases with their names. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __policy_store_table {
    ($make:expr; $($suite:ident: $($case:ident),+ ;)+) => {
        &[$($((stringify!($case), $crate::conformance::$suite::$case)),+),+]
    };
}

/// The cases of the suite. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __policy_store_cases {
    ($then:ident, $make:expr) => {
        $crate::$then! { $make;
            writing:
                nothing_is_there_at_first,
                a_policy_is_loaded_to_the_byte,
                a_policy_has_a_size_and_a_limit,
                an_assignment_is_loaded_with_all_that_it_says,
                names_are_compared_byte_by_byte,
                assigning_again_replaces,
                what_is_taken_is_gone,
                removing_a_subject_takes_all_of_it_there_and_nothing_else,
                a_conflict_changes_nothing,
                what_cannot_be_stored_is_refused,
                a_commit_of_nothing_has_no_revision;
            reading:
                changes_lead_where_loading_does,
                the_same_question_has_the_same_answer,
                a_new_policy_means_everything,
                a_gap_means_everything,
                a_revision_that_never_was_means_everything,
                nothing_new_is_said_after_a_while,
                a_question_that_was_dropped_loses_nothing,
                a_write_that_was_dropped_is_whole_or_not_at_all;
            racing:
                of_writers_that_race_one_wins_each_revision,
                a_load_is_the_state_of_its_revision,
                a_commit_is_seen_whole,
                whoever_waits_hears_of_it;
        }
    };
}

/// Tests a policy store. `$make` is a function without arguments that answers [`Stores`] around an empty store, each time
/// another one.
#[macro_export]
macro_rules! policy_store_conformance {
    ($make:expr) => {
        $crate::__policy_store_cases! { __policy_store_tests, $make }
    };
}
