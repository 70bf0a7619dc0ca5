//! Where asynchronous commands run.

use std::future::Future;

use crate::outcome::{Ended, Unusable};

/// Runs one command to its end on this thread.
pub(crate) fn until_done(work: impl Future<Output = Ended>) -> Ended {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Unusable::of("the runtime", error))?
        .block_on(work)
}
