//! The suite that every store passes.
//!
//! A backend calls [`store_conformance!`](crate::store_conformance) in a test module: one `#[test]` for each case. The suite itself is
//! tested against stores that are broken in one way each.

use std::{
    any::Any,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use crate::{Error, Store};

pub mod feed;
pub mod histories;
pub mod keys;
mod model;
pub mod once;
pub mod outbox;
pub mod plain;
pub mod races;
pub mod rotation;
mod samples;
pub mod sessions;
#[cfg(test)]
mod tests;

/// How a store breaks its contract.
#[derive(Debug)]
pub struct Violation {
    what: String,
    error: Option<Error>,
}

/// What a case answers.
pub type Outcome = Result<(), Violation>;

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), error: None }
    }
}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self { what: "a call failed".to_owned(), error: Some(error) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(f, "{}: {error}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Demands that something holds.
pub(crate) fn hold(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Violation::new(what)) }
}

/// A future that can go to another thread.
pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The answer of one call.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Runs a task to its end on the thread that it is called on.
pub type Runner = dyn for<'a> Fn(Task<'a>) + Send + Sync;

/// Two drivers that share nothing but one empty store: two nodes of a service. And whatever must live as long as they do.
pub struct Nodes {
    pub(crate) one: Arc<dyn Store>,
    pub(crate) two: Arc<dyn Store>,
    runner: Box<Runner>,
    histories: u32,
    _kept: Mutex<Box<dyn Any + Send>>,
}

impl Nodes {
    /// Two drivers of one empty store; `kept` is dropped after them.
    #[must_use]
    pub fn new(one: Arc<dyn Store>, two: Arc<dyn Store>, kept: impl Any + Send) -> Self {
        Self {
            one,
            two,
            runner: Box::new(|task| block_on(task)),
            histories: 100,
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

    /// How many random histories of each kind are tried: 100 unless said otherwise. One history is some 40 calls.
    #[must_use]
    pub const fn trying(mut self, histories: u32) -> Self {
        self.histories = histories;
        self
    }

    pub(crate) const fn histories(&self) -> u32 {
        self.histories
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
        future: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Violation> {
        Ok(self.run(future)??)
    }

    /// Runs `work` for each item on a thread of its own, all at once, on the two nodes in turn. Answers in the order of the items.
    pub(crate) fn race<I: Sync, T: Send>(
        &self,
        items: &[I],
        work: impl for<'a> Fn(&'a dyn Store, &'a I) -> Answer<'a, T> + Sync,
    ) -> Result<Vec<Result<T, Error>>, Violation> {
        let start = std::sync::Barrier::new(items.len().max(1));
        let answers = std::thread::scope(|scope| {
            let start = &start;
            let work = &work;
            let threads: Vec<_> = (items.iter().enumerate())
                .map(|(at, item)| {
                    let store = if at % 2 == 0 { &self.one } else { &self.two };
                    scope.spawn(move || {
                        start.wait();
                        self.run(work(&**store, item))
                    })
                })
                .collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        answers
            .into_iter()
            .map(|answer| answer.map_err(|_| Violation::new("a call panicked")).and_then(|answer| answer))
            .collect()
    }
}

impl fmt::Debug for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").field("one", &self.one).field("two", &self.two).finish_non_exhaustive()
    }
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
macro_rules! __conformance_tests {
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
macro_rules! __conformance_table {
    ($make:expr; $($suite:ident: $($case:ident),+ ;)+) => {
        &[$($((stringify!($case), $crate::conformance::$suite::$case as fn(&_) -> _)),+),+]
    };
}

/// The cases. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ($then:ident, $make:expr) => {
        $crate::$then! { $make;
            sessions:
                what_begins_is_found_as_it_was,
                a_session_is_found_by_its_selector_alone,
                names_are_compared_byte_by_byte,
                a_key_and_a_selector_are_given_once,
                a_session_is_of_the_epochs_in_which_it_begins,
                one_session_too_many_is_refused_and_nothing_is_written,
                one_session_too_many_ends_the_one_not_used_for_longest,
                sessions_that_do_not_live_take_no_room,
                the_replaced_session_ends_with_the_beginning,
                a_use_moves_times_forward_only,
                a_use_revives_nothing,
                living_sessions_are_listed_last_used_first,
                one_session_ends_and_stays_ended,
                a_session_is_ended_by_its_owner_alone,
                an_expired_session_is_ended_too,
                all_other_sessions_end,
                all_sessions_of_a_subject_end_by_its_epoch,
                everything_ends_by_the_global_epoch,
                purging_deletes_what_no_longer_matters_and_nothing_else,
                a_store_answers;
            rotation:
                the_current_secret_is_exchanged,
                a_rotation_keeps_the_end_of_a_session,
                a_rotation_may_change_selector_and_facts,
                a_rotation_to_a_selector_that_is_taken_changes_nothing,
                an_unknown_selector_changes_nothing,
                a_wrong_secret_ends_the_session,
                an_old_secret_ends_the_session,
                inside_the_window_the_previous_secret_is_replayed,
                the_window_is_closed_at_its_end,
                the_window_is_for_the_previous_secret_alone,
                a_confirmed_window_is_closed,
                a_confirmation_is_for_its_generation,
                without_a_window_there_is_no_replay,
                a_bound_credential_needs_what_it_is_bound_to,
                an_expired_session_is_not_rotated,
                an_ended_session_is_not_rotated,
                clocks_that_are_apart_shorten_and_lengthen_nothing;
            races:
                of_racing_rotations_one_wins,
                of_racing_rotations_in_a_window_all_get_one_child,
                a_logout_and_a_rotation_leave_nothing_alive,
                a_beginning_and_an_ending_of_all_leave_nothing_of_an_earlier_epoch,
                racing_beginnings_do_not_pass_the_cap,
                of_racing_takers_of_a_one_time_token_one_wins,
                of_racing_steps_of_a_counter_one_wins,
                a_reader_of_the_feed_misses_nothing_that_writers_commit,
                an_entry_is_in_the_outbox_for_every_racing_write,
                all_kinds_of_writes_at_once_end_each_session_once;
            feed:
                a_revoked_token_is_revoked,
                a_token_is_revoked_once,
                a_session_that_ended_is_revoked,
                an_unknown_session_is_revoked,
                without_a_session_the_second_of_the_ending_counts,
                the_feed_tells_everything_in_order,
                the_feed_is_read_in_pieces,
                beyond_its_end_the_feed_sends_readers_back,
                a_revocation_stays_until_its_end,
                epochs_count_and_are_never_forgotten;
            outbox:
                every_write_has_its_entry,
                what_writes_nothing_has_no_entry,
                entries_are_handed_out_until_they_are_delivered,
                numbers_go_up_and_are_never_given_twice;
            keys:
                a_key_is_found_as_it_was,
                an_owner_has_as_many_keys_as_it_may,
                a_replaced_key_lives_on_for_a_while,
                a_key_is_replaced_and_ended_by_its_owner_alone,
                an_ended_key_stays_ended,
                the_last_use_of_a_key_never_goes_back;
            once:
                a_one_time_token_is_taken_once,
                a_one_time_token_is_for_one_purpose_and_until_its_end,
                a_newer_one_time_token_replaces_the_earlier,
                a_one_time_token_dies_with_its_epoch,
                a_counter_goes_up_only;
            histories:
                random_histories_are_as_the_model_says,
                random_histories_of_racing_clients_leave_one_living_leaf;
        }
    };
}

/// Tests a store. `$make` is a function without arguments that answers [`Nodes`](crate::conformance::Nodes) around an empty
/// store, each time another one.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::__store_cases! { __conformance_tests, $make }
    };
}
