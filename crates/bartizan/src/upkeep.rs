//! What runs beside the requests.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bartizan_core::Clock;
use bartizan_sessions::{Courier, RevocationSnapshot, Sessions, Store};

use crate::{Error, ErrorKind};

/// What has to run beside the requests where there are sessions: it follows what was revoked, brings what happened to the record, and
/// deletes what no longer matters. Every process that answers requests runs one. Of several processes over one store, one brings what
/// happened to the record, and the others say [`KeptSessions::delivered_elsewhere`](crate::KeptSessions::delivered_elsewhere): what two
/// of them bring is there twice, under one number.
///
/// ```no_run
/// # async fn start(security: bartizan::Security) {
/// if let Some(upkeep) = security.upkeep() {
///     tokio::spawn(async move { upkeep.run().await });
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Upkeep(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) revocations: RevocationSnapshot,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) courier: Courier,
    pub(crate) sessions: Sessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) follow_every: Duration,
    pub(crate) delivers: bool,
}

/// How long the courier waits when there is nothing to deliver.
const DELIVER_EVERY: Duration = Duration::from_secs(1);

/// How often what no longer matters is deleted.
const PURGE_EVERY: Duration = Duration::from_secs(10 * 60);

impl Upkeep {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Runs until it is dropped. While the store does not answer, the snapshot grows old and routes that need a younger one answer
    /// 503; everything goes on by itself when the store is back.
    pub async fn run(&self) -> Infallible {
        let parts = &*self.0;
        let mut tasks: [Pin<Box<dyn Future<Output = Infallible> + Send + '_>>; 3] = [
            Box::pin(parts.revocations.follow(parts.store.clone(), parts.follow_every)),
            Box::pin(self.delivering()),
            Box::pin(self.purge()),
        ];
        poll_fn(|cx| {
            for task in &mut tasks {
                if let Poll::Ready(never) = task.as_mut().poll(cx) {
                    return Poll::Ready(never);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Reads the feed of revocations to its end once, so that the first requests need not wait for the first round.
    ///
    /// # Errors
    /// [`ErrorKind::Sessions`] when the store does not answer.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.0.revocations.refresh(&*self.0.store).await.map_err(failed())
    }

    /// Brings everything that waits in the outbox to the record: for the end of a process.
    ///
    /// # Errors
    /// [`ErrorKind::Sessions`] when the store or the recorder does not answer; what was not delivered waits for the next start.
    pub async fn deliver(&self) -> Result<(), Error> {
        while self.0.courier.deliver().await.map_err(failed())? > 0 {}
        Ok(())
    }

    /// How many deliveries to the record failed since one succeeded: for readiness checks and alarms. While it goes up, nothing
    /// that happens to sessions goes on record.
    #[must_use]
    pub fn delivery_failures(&self) -> u32 {
        self.0.courier.failures()
    }

    async fn delivering(&self) -> Infallible {
        match self.0.delivers {
            true => self.0.courier.run(DELIVER_EVERY).await,
            false => std::future::pending().await,
        }
    }

    async fn purge(&self) -> Infallible {
        loop {
            // What cannot be deleted now is deleted in the next round.
            while matches!(self.0.sessions.purge().await, Ok(deleted) if deleted > 0) {}
            self.0.clock.sleep(PURGE_EVERY).await;
        }
    }
}

fn failed() -> impl FnOnce(bartizan_sessions::Error) -> Error {
    Error::of(ErrorKind::Sessions, |error: &bartizan_sessions::Error| error.fault())
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upkeep")
    }
}
