//! Everybody who has to let go of a key before it ends.

use std::{fmt, future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use bartizan_core::Clock;

use crate::Consumer;

/// The consumers of the keys of one purpose, by name.
///
/// All are asked at the same time. One that does not answer within the patience is counted as still needing the key and
/// reported, and keeps nobody else waiting.
#[derive(Clone)]
pub struct Consumers {
    all: Vec<(Box<str>, Arc<dyn Consumer>)>,
    patience: Duration,
}

/// A consumer for whose sake a key stays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holding {
    /// The name that it was added under.
    pub consumer: Box<str>,
    /// Why.
    pub why: Why,
}

/// Why a consumer holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// It says that it needs the key.
    Needed,
    /// It did not answer in time.
    Silent,
}

impl Consumers {
    /// Nobody yet. Each is given this long to answer.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self { all: Vec::new(), patience }
    }

    /// And this one, under a name for reports.
    #[must_use]
    pub fn with(mut self, name: impl Into<Box<str>>, consumer: Arc<dyn Consumer>) -> Self {
        self.all.push((name.into(), consumer));
        self
    }

    /// Tells all of them that `version` is active, and answers with the names of those that did not come back in time.
    ///
    /// # Cancel safety
    /// Some of them may have been told already. Telling them again does no harm.
    pub async fn applied(&self, version: u32, clock: &dyn Clock) -> Vec<Box<str>> {
        let told = self.ask(clock, |consumer| consumer.applied(version)).await;
        self.names().zip(told).filter(|(_, told)| told.is_none()).map(|(name, _)| name.into()).collect()
    }

    /// For whose sake `version` stays: nobody, and it may end.
    ///
    /// # Cancel safety
    /// Asking changes nothing.
    pub async fn holding(&self, version: u32, clock: &dyn Clock) -> Vec<Holding> {
        let answers = self.ask(clock, |consumer| consumer.may_retire(version)).await;
        let holding = self.names().zip(answers).filter_map(|(name, answer)| {
            let why = match answer {
                Some(true) => return None,
                Some(false) => Why::Needed,
                None => Why::Silent,
            };
            Some(Holding { consumer: name.into(), why })
        });
        holding.collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|(name, _)| &**name)
    }

    /// What each answers, in their order; nothing for one that does not within the patience.
    async fn ask<'a, T>(
        &'a self,
        clock: &'a dyn Clock,
        question: impl Fn(&'a dyn Consumer) -> Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    ) -> Vec<Option<T>> {
        let mut asked: Vec<_> = self.all.iter().map(|(_, consumer)| Ok(question(&**consumer))).collect();
        let mut over = clock.sleep(self.patience);
        poll_fn(|cx| {
            for one in &mut asked {
                if let Ok(future) = one
                    && let Poll::Ready(answer) = future.as_mut().poll(cx)
                {
                    *one = Err(answer);
                }
            }
            // Answers first: one that comes with the last moment counts.
            if asked.iter().all(Result::is_err) { Poll::Ready(()) } else { over.as_mut().poll(cx) }
        })
        .await;
        asked.into_iter().map(Result::err).collect()
    }
}

impl fmt::Debug for Consumers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumers")
            .field("all", &self.names().collect::<Vec<_>>())
            .field("patience", &self.patience)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        pin::pin,
        sync::atomic::{AtomicU32, Ordering},
        task::{Context, Waker},
    };

    use async_trait::async_trait;
    use bartizan_core::UnixTime;
    use bartizan_testkit::ManualClock;

    use super::*;

    enum Manner {
        Free,
        Busy,
        Dead,
    }

    struct One {
        manner: Manner,
        applied: AtomicU32,
    }

    #[async_trait]
    impl Consumer for One {
        async fn applied(&self, version: u32) {
            self.applied.store(version, Ordering::Relaxed);
            if matches!(self.manner, Manner::Dead) {
                pending().await
            }
        }

        async fn may_retire(&self, version: u32) -> bool {
            match self.manner {
                Manner::Free => true,
                Manner::Busy => version < self.applied.load(Ordering::Relaxed),
                Manner::Dead => pending().await,
            }
        }
    }

    fn one(manner: Manner) -> Arc<One> {
        Arc::new(One { manner, applied: AtomicU32::new(1) })
    }

    /// What it answers: at first, and once the patience is over.
    fn answer<T>(clock: &ManualClock, asked: impl Future<Output = T>) -> (Poll<()>, T) {
        let mut asked = pin!(asked);
        let mut cx = Context::from_waker(Waker::noop());
        if let Poll::Ready(answer) = asked.as_mut().poll(&mut cx) {
            return (Poll::Ready(()), answer);
        }
        clock.advance(Duration::from_secs(5));
        match asked.poll(&mut cx) {
            Poll::Ready(answer) => (Poll::Pending, answer),
            Poll::Pending => panic!("waits for ever"),
        }
    }

    #[test]
    fn all_are_asked_and_one_that_is_silent_holds_the_key_and_nobody_else() {
        let clock = ManualClock::at(UnixTime::EPOCH);
        let (free, busy) = (one(Manner::Free), one(Manner::Busy));
        let consumers = Consumers::new(Duration::from_secs(5)).with("free", free.clone());
        assert_eq!(answer(&clock, consumers.holding(1, &clock)), (Poll::Ready(()), vec![]));

        let consumers = consumers.with("dead", one(Manner::Dead)).with("busy", busy.clone());
        let (when, holding) = answer(&clock, consumers.holding(1, &clock));
        assert!(when.is_pending());
        let why: Vec<_> = holding.iter().map(|holding| (&*holding.consumer, holding.why)).collect();
        assert_eq!(why, [("dead", Why::Silent), ("busy", Why::Needed)]);

        let (_, silent) = answer(&clock, consumers.applied(2, &clock));
        assert_eq!(silent, ["dead".into()]);
        assert_eq!((free.applied.load(Ordering::Relaxed), busy.applied.load(Ordering::Relaxed)), (2, 2));
        let (_, holding) = answer(&clock, consumers.holding(1, &clock));
        assert_eq!(holding.len(), 1, "the busy one has moved on");
    }

    #[test]
    fn without_consumers_nothing_is_held() {
        let clock = ManualClock::at(UnixTime::EPOCH);
        let nobody = Consumers::new(Duration::from_secs(5));
        assert_eq!(answer(&clock, nobody.holding(1, &clock)), (Poll::Ready(()), vec![]));
        assert_eq!(format!("{nobody:?}"), "Consumers { all: [], patience: 5s }");
    }
}
