//! What goes on after an answer has left: what takes longer for one account than for another would tell who has one.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bartizan::http::Code;
use bartizan_axum::Problem;
use tokio::{task::JoinSet, time::timeout};

/// The most at once.
const MOST: usize = 256;

/// How long they have when the clinic stops.
const GRACE: Duration = Duration::from_secs(3);

/// Errands that are under way.
#[derive(Debug, Default)]
pub(crate) struct Errands(Mutex<JoinSet<()>>);

impl Errands {
    /// Starts one.
    ///
    /// # Errors
    /// 503 while too many are under way.
    pub(crate) fn run(&self, errand: impl Future<Output = ()> + Send + 'static) -> Result<(), Problem> {
        let mut running = self.running();
        while running.try_join_next().is_some() {}
        if running.len() >= MOST {
            return Err(Code::ServiceUnavailable.into());
        }
        running.spawn(errand);
        Ok(())
    }

    /// Waits until all that are under way have come to their end, for a moment.
    pub(crate) async fn finish(&self) {
        let mut running = std::mem::take(&mut *self.running());
        // What is not done by then is asked for again by whoever waits for it.
        let _ = timeout(GRACE, async { while running.join_next().await.is_some() {} }).await;
    }

    fn running(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
