//! Who has to act when something failed.

/// Who has to act, and what an integrator answers.
///
/// Exhaustive on purpose: a new case must stop every caller's build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The peer sent something wrong: 4xx with a constant body.
    Peer,
    /// The program that calls us is wrong, usually in its configuration: it refuses at start-up.
    Caller,
    /// A backend did not answer: 503, closed.
    Backend,
    /// A limit of this process is reached: 429 or 503 with `Retry-After`.
    Busy,
    /// Stored bytes do not verify: 500, closed, never retried, recorded as a critical event.
    Integrity,
    /// We are wrong: 500.
    Bug,
}

impl Fault {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Backend | Self::Busy)
    }
}
