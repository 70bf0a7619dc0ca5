//! Hears that something was committed. What it was is asked: a call that is lost costs time, and nothing else.

use std::{fmt, sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep, timeout},
};

/// Listens on a connection of its own, so that the user's pool has all of its connections, or waits for some time.
#[derive(Clone)]
pub(crate) struct Ear {
    channel: Option<Arc<str>>,
    poll: Duration,
    bound: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    listener: Option<Listener>,
    /// A server that has no connection for us is not asked for one at every turn.
    not_before: Option<Instant>,
}

/// After a connection failed, so long none is opened.
const RETRY: Duration = Duration::from_secs(30);

impl Ear {
    pub(crate) fn new(channel: Option<Box<str>>, poll: Duration, bound: Duration) -> Self {
        Self { channel: channel.map(Arc::from), poll, bound, state: Arc::default() }
    }

    /// From now on calls are heard. Of several that ask one store, one hears and the others wait for some time.
    pub(crate) async fn open(&self, pool: &PgPool) -> Hearing<'_> {
        let state = match &self.channel {
            None => None,
            Some(channel) => match self.state.try_lock() {
                Err(_) => None,
                Ok(mut state) => {
                    state.listen(pool, channel, self.bound).await;
                    Some(state)
                }
            },
        };
        Hearing { state, poll: self.poll }
    }
}

impl State {
    async fn listen(&mut self, pool: &PgPool, channel: &str, bound: Duration) {
        if self.listener.is_some() || self.not_before.is_some_and(|at| Instant::now() < at) {
            return;
        }
        // As if it failed, until it has not: whoever drops this does not wait for it again at once.
        self.not_before = Some(Instant::now() + RETRY);
        let options = pool.connect_options();
        let connecting = async {
            let own = PgPoolOptions::new().max_connections(1).connect_lazy_with((*options).clone());
            let mut listener = PgListener::connect_with(&own).await?;
            listener.listen(channel).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        if let Ok(Ok(listener)) = timeout(bound, connecting).await {
            let listener = Listener { inner: Some(listener), runtime: Handle::current() };
            (self.listener, self.not_before) = (Some(listener), None);
        }
    }
}

/// Ends its connection in a task, which takes a runtime, wherever it is dropped.
struct Listener {
    inner: Option<PgListener>,
    runtime: Handle,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        self.inner = None;
    }
}

/// A wait for a call.
pub(crate) struct Hearing<'e> {
    state: Option<MutexGuard<'e, State>>,
    poll: Duration,
}

impl Hearing<'_> {
    /// Ends with a call, and after some time at the latest. Whether there was a call, or there can be none.
    pub(crate) async fn wait(&mut self) -> bool {
        let listener = self.state.as_mut().and_then(|state| state.listener.as_mut()?.inner.as_mut());
        let Some(listener) = listener else {
            sleep(self.poll).await;
            return true;
        };
        match timeout(self.poll, listener.try_recv()).await {
            Err(_) => return false,
            Ok(Ok(Some(_))) => while listener.next_buffered().is_some() {},
            // The connection was lost, and is there again: what was called in between is asked for now.
            Ok(Ok(None)) => {}
            Ok(Err(_)) => self.is_deaf(),
        }
        true
    }

    /// Something happened and there was no call: this connection leads nowhere.
    pub(crate) fn is_deaf(&mut self) {
        if let Some(state) = &mut self.state {
            state.listener = None;
        }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").field("channel", &self.channel).finish_non_exhaustive()
    }
}
