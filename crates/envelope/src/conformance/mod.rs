//! The suites that every key store and every key wrapper passes.
//!
//! A backend calls [`key_store_conformance!`](crate::key_store_conformance) or
//! [`key_wrapper_conformance!`](crate::key_wrapper_conformance) in a test module: one `#[test]` for each case. The suites
//! themselves are tested against drivers that are broken in one way each.

use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use crate::Error;

pub mod store;
#[cfg(test)]
mod tests;
pub mod wrapper;

/// How a driver breaks its contract.
#[derive(Debug)]
pub struct Violation {
    what: &'static str,
    error: Option<Error>,
}

/// What a case answers.
pub type Outcome = Result<(), Violation>;

impl Violation {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, error: None }
    }
}

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
macro_rules! __conformance_tests {
    ($suite:ident, $make:expr; $($case:ident),+ $(,)?) => {$(
        #[test]
        fn $case() {
            if let Err(violation) = $crate::conformance::$suite::$case(&($make)()) {
                panic!("{violation}");
            }
        }
    )+};
}

/// All cases with their names. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_table {
    ($suite:ident, $make:expr; $($case:ident),+ $(,)?) => {
        &[$((stringify!($case), $crate::conformance::$suite::$case)),+]
    };
}

/// The cases of the key store suite. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __key_store_cases {
    ($then:ident, $make:expr) => {
        $crate::$then! { store, $make;
            what_is_inserted_is_read_back,
            a_key_is_found_by_tenant_purpose_and_id_together,
            the_active_key_is_that_of_its_exact_scope,
            names_are_compared_byte_by_byte,
            an_id_is_inserted_once,
            a_version_is_inserted_once_in_a_scope,
            a_scope_has_one_active_key,
            a_conflicting_insert_changes_nothing,
            of_racing_creators_one_wins,
            an_update_needs_the_row_as_expected,
            an_update_is_all_or_nothing,
            an_update_keeps_id_scope_and_version,
            an_update_never_makes_two_keys_active,
            a_row_is_not_updated_twice_in_one_step,
            a_rotation_is_one_step,
            of_racing_updates_one_wins,
            keys_are_listed_in_order_and_in_pages,
            a_tenants_list_has_its_keys_alone,
        }
    };
}

/// The cases of the key wrapper suite. Not for direct use.
#[doc(hidden)]
#[macro_export]
macro_rules! __key_wrapper_cases {
    ($then:ident, $make:expr) => {
        $crate::$then! { wrapper, $make;
            what_is_wrapped_unwraps,
            a_key_unwraps_in_its_own_context_alone,
            a_wrap_shows_nothing_of_the_key,
            two_wraps_of_one_key_differ,
            an_altered_wrap_is_refused,
            a_shortened_or_lengthened_wrap_is_refused,
            bytes_that_are_no_wrap_are_refused,
            a_wrapper_has_a_name,
        }
    };
}

/// Tests a key store. `$make` is a function without arguments that answers [`Stores`](crate::conformance::store::Stores)
/// around an empty store, each time another one.
#[macro_export]
macro_rules! key_store_conformance {
    ($make:expr) => {
        $crate::__key_store_cases! { __conformance_tests, $make }
    };
}

/// Tests a key wrapper. `$make` is a function without arguments that answers
/// [`Wrappers`](crate::conformance::wrapper::Wrappers).
#[macro_export]
macro_rules! key_wrapper_conformance {
    ($make:expr) => {
        $crate::__key_wrapper_cases! { __conformance_tests, $make }
    };
}
