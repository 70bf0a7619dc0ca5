//! The suite that every limit store passes.
//!
//! A backend calls [`limit_store_conformance!`](crate::limit_store_conformance) in a test module: one `#[test]` for each case.
//! The suite itself is tested against stores that are broken in one way each.

use std::{
    any::Any,
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::Duration,
};

use crate::{Ask, Charge, Error, ErrorKind, LimitStore};

pub mod cases;
#[cfg(test)]
mod tests;

/// Two drivers that share nothing but one empty store, its clock, and whatever must live as long as they do.
pub struct Stores {
    one: Arc<dyn LimitStore>,
    two: Arc<dyn LimitStore>,
    advance: Box<dyn Fn(Duration) + Send + Sync>,
    _kept: Box<dyn Any + Send + Sync>,
}

impl Stores {
    /// Two drivers of one store, whose clock stands still until `advance` moves it; `kept` is dropped after them.
    #[must_use]
    pub fn new(
        one: Arc<dyn LimitStore>,
        two: Arc<dyn LimitStore>,
        advance: impl Fn(Duration) + Send + Sync + 'static,
        kept: impl Any + Send + Sync,
    ) -> Self {
        Self { one, two, advance: Box::new(advance), _kept: Box::new(kept) }
    }

    fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Charge>, Error> {
        block_on(self.one.charge(asks))
    }

    /// Through the first driver.
    fn ask(&self, ask: Ask<'_>) -> Result<Charge, Error> {
        only(self.charge(&[ask])?)
    }

    /// Charges what is known to pass.
    fn spend(&self, ask: Ask<'_>) -> Outcome {
        hold(self.ask(ask)?.decision().is_allowed(), "what the quota allows does not pass")
    }

    /// Through the second.
    fn ask_two(&self, ask: Ask<'_>) -> Result<Charge, Error> {
        only(block_on(self.two.charge(&[ask]))?)
    }

    fn give_back(&self, ask: Ask<'_>, charge: Charge) -> Result<(), Error> {
        block_on(self.two.give_back(&[(ask, charge)]))
    }

    fn advance(&self, micros: u64) {
        (self.advance)(Duration::from_micros(micros));
    }
}

fn only(charges: Vec<Charge>) -> Result<Charge, Error> {
    match charges.as_slice() {
        [charge] => Ok(*charge),
        _ => Err(ErrorKind::Bug.into()),
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").field("one", &self.one).field("two", &self.two).finish_non_exhaustive()
    }
}

/// How a driver breaks its contract.
#[derive(Debug)]
pub struct Violation {
    what: &'static str,
    error: Option<Error>,
}

/// What a case answers.
pub type Outcome = Result<(), Violation>;

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self { what: "a call failed", error: Some(error) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Some(error) => write!(f, "{}: {error}", self.what),
            None => f.write_str(self.what),
        }
    }
}

/// Demands that something holds.
pub(crate) const fn hold(holds: bool, what: &'static str) -> Outcome {
    if holds { Ok(()) } else { Err(Violation { what, error: None }) }
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
macro_rules! __limit_store_tests {
    ($make:expr; $($case:ident),+ $(,)?) => {$(
        #[test]
        fn $case() {
            if let Err(violation) = $crate::conformance::cases::$case(&($make)()) {
                panic!("{violation}");
            }
        }
    )+};
}

/// All cases with their names. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __limit_store_table {
    ($make:expr; $($case:ident),+ $(,)?) => {
        &[$((stringify!($case), $crate::conformance::cases::$case)),+]
    };
}

/// The cases of the suite. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __limit_store_cases {
    ($then:ident, $make:expr) => {
        $crate::$then! { $make;
            a_quota_passes_and_no_more,
            decisions_are_those_of_gcra,
            a_request_passes_at_the_named_microsecond,
            a_refusal_changes_nothing,
            a_look_changes_nothing,
            keys_share_no_state,
            policies_share_no_state,
            drivers_share_their_state,
            asks_are_decided_each_by_itself_in_their_order,
            racing_callers_pass_as_often_as_one_after_the_other,
            racing_callers_are_given_back_exactly,
            what_is_given_back_at_once_passes_again,
            what_came_back_by_itself_is_not_given_back,
            giving_back_never_opens_more_than_not_having_charged,
            a_key_in_use_outlives_many_others,
        }
    };
}

/// Tests a limit store. `$make` is a function without arguments that answers [`Stores`] around an empty store, each time
/// another one.
#[macro_export]
macro_rules! limit_store_conformance {
    ($make:expr) => {
        $crate::__limit_store_cases! { __limit_store_tests, $make }
    };
}
