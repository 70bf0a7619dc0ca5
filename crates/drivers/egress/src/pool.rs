//! Connections that wait for another request: few, not for long, each to where its URL leads.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bartizan_core::Monotonic;

use crate::{Limits, Url, connection::Connection};

#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<Idle>>);

#[derive(Debug)]
struct Idle {
    origin: (bool, String, u16),
    connection: Connection,
    since: Monotonic,
}

impl Pool {
    /// One that leads where this URL does, and drops those whose time is over.
    pub(crate) fn take(&self, url: &Url, limits: &Limits, now: Monotonic) -> Option<Connection> {
        let origin = origin(url);
        let mut idle = self.idle();
        idle.retain(|idle| {
            is_young(idle.since, limits.idle_for, now) && is_fit(&idle.connection, limits, now)
        });
        while let Some(at) = idle.iter().position(|idle| idle.origin == origin) {
            let mut connection = idle.swap_remove(at).connection;
            if connection.is_idle() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps one if it can be used again. The one that has waited longest makes room.
    pub(crate) fn put(&self, url: &Url, mut connection: Connection, limits: &Limits, now: Monotonic) {
        if limits.idle == 0 || !is_fit(&connection, limits, now) || !connection.is_idle() {
            return;
        }
        let mut idle = self.idle();
        if idle.len() >= limits.idle
            && let Some(oldest) = (0..idle.len()).min_by_key(|at| idle.get(*at).map(|idle| idle.since))
        {
            idle.swap_remove(oldest);
        }
        idle.push(Idle { origin: origin(url), connection, since: now });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn origin(url: &Url) -> (bool, String, u16) {
    (url.is_https(), url.host(), url.port())
}

fn is_fit(connection: &Connection, limits: &Limits, now: Monotonic) -> bool {
    is_young(connection.since, limits.connection_age, now)
}

fn is_young(since: Monotonic, most: Duration, now: Monotonic) -> bool {
    now.since(since) < most
}
