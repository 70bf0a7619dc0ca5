//! The async shell around the [`Schedule`]: asks, publishes, waits. It decides nothing itself.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use bartizan_core::Monotonic;

use super::{
    FetchError, FetchErrorKind, FetchRequest, Fetched, Freshness, RefreshError, RemoteJwksBuilder,
    hub::{Hub, Readers},
    schedule::{Moment, Next, Schedule},
};
use crate::{KeySet, KeySource, SkippedKey, key_source::WeakPublisher};

/// Keeps a [`RemoteJwks`](super::RemoteJwks) current. Spawn [`JwksDriver::run`] on the runtime of the service.
#[must_use = "nothing is fetched unless it runs"]
pub struct JwksDriver {
    hub: Arc<Hub>,
    publisher: WeakPublisher,
    schedule: Schedule,
    zero: Monotonic,
    good: Option<GoodSet>,
    forgot_at: Duration,
}

/// The last set that was taken.
struct GoodSet {
    keys: KeySet,
    skipped: Arc<[SkippedKey]>,
    bytes: Vec<u8>,
    etag: Option<Box<str>>,
}

/// How long an unknown id is remembered as unknown at most.
const FORGET_AFTER: Duration = Duration::from_secs(5 * 60);

/// Longest `ETag` that is sent back, in bytes.
const MAX_ETAG: usize = 256;

pub(super) fn new(setup: RemoteJwksBuilder, seed: u64) -> (Arc<Hub>, KeySource, JwksDriver) {
    let schedule = Schedule::new(setup.rules, seed);
    let zero = setup.clock.monotonic();
    let hub = Arc::new(Hub::new(setup, seed));
    let readers = Readers(hub.clone());
    let (keys, publisher) = KeySource::live(Some(Box::new(move |kid| readers.0.note_unknown(kid))));
    let driver = JwksDriver {
        hub: hub.clone(),
        publisher: publisher.downgrade(),
        schedule,
        zero,
        good: None,
        forgot_at: Duration::ZERO,
    };
    (hub, keys, driver)
}

/// Why a wait or a request ended.
enum Ended {
    Answered(Result<Fetched, FetchError>),
    /// The time that was given is over.
    Over,
    /// Somebody wants a request.
    Wanted,
    /// Nobody reads the keys any more.
    Abandoned,
}

impl JwksDriver {
    /// Runs until the last reader is gone. Never waits longer than a minute without looking at the clock.
    ///
    /// # Cancel safety
    /// It may be dropped at any time: a request in flight ends with it, and the keys stay until their hard end.
    pub async fn run(mut self) {
        loop {
            let now = self.now();
            self.withdraw_if_over(now);
            self.forget_if_old(now);
            let ended = match self.schedule.next(now) {
                Next::Wait(wait) => self.wait(wait).await,
                Next::Fetch => {
                    self.schedule.began(now);
                    self.fetch(now).await
                }
            };
            match ended {
                Ended::Abandoned => return,
                Ended::Wanted => self.schedule.want(),
                Ended::Answered(answer) => self.take(answer),
                Ended::Over => {}
            }
        }
    }

    fn now(&self) -> Moment {
        let clock = &self.hub.setup.clock;
        Moment { mono: clock.monotonic().since(self.zero), wall: clock.wall() }
    }

    async fn wait(&self, duration: Duration) -> Ended {
        let hub = &self.hub;
        let hears = !self.schedule.is_wanted();
        let mut sleep = hub.setup.clock.sleep(duration);
        poll_fn(|cx| {
            hub.signal.register(cx.waker());
            // Both are read by a read-modify-write: INVARIANT(no-lost-wake).
            if hub.is_abandoned.fetch_or(false, Ordering::AcqRel) {
                return Poll::Ready(Ended::Abandoned);
            }
            if hub.wanted.fetch_or(false, Ordering::AcqRel) && hears {
                return Poll::Ready(Ended::Wanted);
            }
            sleep.as_mut().poll(cx).map(|()| Ended::Over)
        })
        .await
    }

    async fn fetch(&self, now: Moment) -> Ended {
        let hub = &self.hub;
        // Before the request: an id that is asked about while it is under way is asked about again after it.
        hub.wanted.swap(false, Ordering::AcqRel);
        hub.fetches.fetch_add(1, Ordering::Relaxed);
        let etag = self.good.as_ref().and_then(|good| good.etag.as_deref());
        let request = FetchRequest { url: &hub.setup.url, etag };
        let mut flight = hub.setup.fetch.fetch(&request);
        let mut deadline = hub.setup.clock.sleep(hub.setup.rules.timeout);
        // The hard end does not wait for an answer.
        let mut end = self.schedule.until_end(now).map(|rest| hub.setup.clock.sleep(rest));
        poll_fn(|cx| {
            hub.signal.register(cx.waker());
            if hub.is_abandoned.fetch_or(false, Ordering::AcqRel) {
                return Poll::Ready(Ended::Abandoned);
            }
            if end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready()) {
                end = None;
                self.withdraw();
            }
            if let Poll::Ready(answer) = flight.as_mut().poll(cx) {
                return Poll::Ready(Ended::Answered(answer));
            }
            deadline.as_mut().poll(cx).map(|()| Ended::Answered(Err(FetchErrorKind::Timeout.into())))
        })
        .await
    }

    fn take(&mut self, answer: Result<Fetched, FetchError>) {
        let now = self.now();
        let retry_after = answer.as_ref().err().and_then(FetchError::retry_after);
        match self.read(answer) {
            Ok((freshness, news)) => {
                self.schedule.succeeded(now, freshness);
                self.publish(news, now);
            }
            Err(error) => {
                self.schedule.failed(now, retry_after);
                let failures = self.schedule.failures();
                self.hub.show(|status| {
                    status.last_error = Some(error);
                    status.last_error_at = Some(now.wall);
                    status.failures = failures;
                });
            }
        }
    }

    /// What an answer says. A set that is refused changes nothing: the last good one stays, and so does its `ETag`.
    fn read(&mut self, answer: Result<Fetched, FetchError>) -> Result<(Freshness, News), RefreshError> {
        let (bytes, etag, freshness) = match answer.map_err(|error| error.kind())? {
            Fetched::Body { bytes, etag, freshness } => (bytes, etag, freshness),
            Fetched::NotModified { freshness } => {
                // Without an ETag there was nothing to compare with.
                let was_asked = self.good.as_ref().is_some_and(|good| good.etag.is_some());
                return if was_asked {
                    Ok((freshness, News::Same))
                } else {
                    Err(FetchErrorKind::Protocol.into())
                };
            }
        };
        let etag = etag.filter(|etag| is_etag(etag));
        if let Some(good) = self.good.as_mut().filter(|good| good.bytes == bytes) {
            good.etag = etag;
            return Ok((freshness, News::Same));
        }
        let RemoteJwksBuilder { provider, key_rules, .. } = &self.hub.setup;
        let (keys, skipped) = KeySet::from_jwks_with(&**provider, &bytes, key_rules)
            .map_err(|error| RefreshError::Keys(error.kind()))?;
        self.good = Some(GoodSet { keys, skipped: skipped.into(), bytes, etag });
        Ok((freshness, News::Other))
    }

    fn publish(&self, news: News, now: Moment) {
        let (Some(good), Some(publisher)) = (&self.good, self.publisher.upgrade()) else { return };
        let good_until = self.schedule.good_until();
        if news == News::Other {
            publisher.publish(good.keys.clone(), good_until);
            self.hub.unknown.forget();
        } else if !publisher.extend(good_until) {
            // They had been withdrawn at their hard end.
            publisher.publish(good.keys.clone(), good_until);
        }
        self.hub.show(|status| {
            status.last_success = Some(now.wall);
            status.good_until = good_until;
            status.keys = good.keys.keys().len();
            status.skipped = good.skipped.clone();
            status.failures = 0;
            status.changes += u64::from(news == News::Other);
        });
    }

    /// SECURITY: readers compare the wall clock, which an operator can set back. This is the hard end on the other clock.
    fn withdraw_if_over(&self, now: Moment) {
        if self.good.is_some() && !self.schedule.is_usable(now) {
            self.withdraw();
        }
    }

    fn withdraw(&self) {
        if let Some(publisher) = self.publisher.upgrade() {
            publisher.withdraw();
        }
    }

    fn forget_if_old(&mut self, now: Moment) {
        if now.mono.saturating_sub(self.forgot_at) >= FORGET_AFTER {
            self.forgot_at = now.mono;
            self.hub.unknown.forget();
        }
    }
}

/// What the set in an answer is to the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Same,
    Other,
}

impl Drop for JwksDriver {
    fn drop(&mut self) {
        self.hub.show(|status| status.running = false);
    }
}

impl fmt::Debug for JwksDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksDriver").field("url", self.hub.url()).finish_non_exhaustive()
    }
}

/// As a header may carry it back (RFC 9110 §8.8.3), and short.
fn is_etag(etag: &str) -> bool {
    let opaque = etag.strip_prefix("W/").unwrap_or(etag);
    let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    etag.len() <= MAX_ETAG
        && inner.is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
}
