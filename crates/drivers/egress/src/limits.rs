//! How much of an answer is taken, and how long it may take.

use std::time::Duration;

use crate::{Error, ErrorKind};

/// How much of an answer is taken, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Resolving, connecting and TLS together: 5 seconds; up to 60.
    pub connect: Duration,
    /// Everything from the call to the last byte of the body: 10 seconds; up to 300. A peer that sends a byte at a time
    /// gets no longer.
    pub total: Duration,
    /// Most bytes of all headers together: 16 KiB; 8 to 64.
    pub header_bytes: usize,
    /// Most headers: 64; up to 256.
    pub headers: usize,
    /// Most bytes of a body, unless the request says less: 1 MiB; up to 64 MiB.
    pub body: usize,
    /// Connections that are kept for later, all hosts together: 8; up to 64, and 0 for none.
    pub idle: usize,
    /// How long one is kept unused: 30 seconds; up to 300.
    pub idle_for: Duration,
    /// How long one is used at all: 5 minutes; up to an hour. Its name is resolved and checked anew after that.
    pub connection_age: Duration,
}

impl Limits {
    /// The limits that are given for each field.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        total: Duration::from_secs(10),
        header_bytes: 16 * 1024,
        headers: 64,
        body: 1024 * 1024,
        idle: 8,
        idle_for: Duration::from_secs(30),
        connection_age: Duration::from_secs(5 * 60),
    };

    /// # Errors
    /// [`ErrorKind::Config`] when a limit is zero, where that makes no sense, or out of what is given for its field.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let lasts = |duration: Duration, most| !duration.is_zero() && duration <= Duration::from_secs(most);
        let fits = lasts(self.connect, 60)
            && lasts(self.total, 300)
            && (8 * 1024..=64 * 1024).contains(&self.header_bytes)
            && (1..=256).contains(&self.headers)
            && (1..=64 * 1024 * 1024).contains(&self.body)
            && self.idle <= 64
            && lasts(self.idle_for, 300)
            && lasts(self.connection_age, 3_600);
        if fits { Ok(self) } else { Err(ErrorKind::Config.into()) }
    }

    /// Most bytes that are read from the wire for an answer with a body of this size: TLS, headers, chunks and all. Chunks
    /// of one byte take six, and nobody sends those but to be a nuisance.
    pub(crate) fn wire(&self, body: usize) -> usize {
        const HANDSHAKE: usize = 128 * 1024;
        HANDSHAKE.saturating_add(self.header_bytes * 2).saturating_add(body.saturating_mul(2))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
