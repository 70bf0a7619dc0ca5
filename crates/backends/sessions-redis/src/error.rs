//! What can go wrong between a store and its server, and how the seam says it.

use std::{fmt, sync::Arc};

use bartizan_core::Fault;
use bartizan_sessions as sessions;
use redis::{RedisError, ServerErrorKind};

/// Why a store could not be opened. It never holds a password, a name or what is stored.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    source: Option<Arc<RedisError>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL, the prefix or a duration is beyond its limits.
    #[error("the configuration is refused")]
    Config,
    /// A setting of the server would lose sessions.
    #[error("a setting of the server is refused: {0}")]
    Setting(Setting),
    /// The server does not say how it is set, or refuses commands that are needed.
    #[error("the server refuses a command that is needed")]
    Forbidden,
    /// The server cannot be reached, does not answer in time, or is not ready.
    #[error("the server is unavailable")]
    Unavailable,
    /// The server has more to do, or to keep, than it takes on.
    #[error("the server is busy")]
    Busy,
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Integrity,
    /// What is stored under this prefix, another version of this crate has stored. It does not change by itself.
    #[error("what is stored is of another version")]
    Format,
}

/// A setting without which Redis forgets what it has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Setting {
    /// It is older than Redis 7.
    #[error("its version is below 7")]
    Version,
    /// It is a replica: writes go to its primary.
    #[error("it is a replica")]
    Role,
    /// `appendonly` is not `yes`.
    #[error("appendonly is not yes")]
    AppendOnly,
    /// `appendfsync` is not `always`, or worse than the `everysec` that was said to do.
    #[error("appendfsync is not always")]
    AppendFsync,
    /// `no-appendfsync-on-rewrite` is `yes`: then nothing is made durable while the log is rewritten.
    #[error("no-appendfsync-on-rewrite is yes")]
    FsyncOnRewrite,
    /// `maxmemory-policy` is not `noeviction`: a full server would forget revocations.
    #[error("maxmemory-policy is not noeviction")]
    Eviction,
}

impl Error {
    pub(crate) fn with_source(kind: ErrorKind, source: RedisError) -> Self {
        Self { kind, source: Some(Arc::new(source)) }
    }

    /// Whether another connection may do better.
    pub(crate) const fn is_of_connection(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable) && self.source.is_some()
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Config | ErrorKind::Setting(_) | ErrorKind::Forbidden | ErrorKind::Format => {
                Fault::Caller
            }
            ErrorKind::Unavailable => Fault::Backend,
            ErrorKind::Busy => Fault::Busy,
            ErrorKind::Integrity => Fault::Integrity,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.fault(), Fault::Backend | Fault::Busy)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        Self::with_source(kind_of(&error), error)
    }
}

/// The words of the seam. What an operator changed on a running server is an outage, and nobody's mistake in a request.
impl From<Error> for sessions::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Busy => sessions::ErrorKind::Busy,
            ErrorKind::Integrity => sessions::ErrorKind::Integrity,
            ErrorKind::Config
            | ErrorKind::Setting(_)
            | ErrorKind::Forbidden
            | ErrorKind::Format
            | ErrorKind::Unavailable => sessions::ErrorKind::Unavailable,
        };
        kind.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

fn kind_of(error: &RedisError) -> ErrorKind {
    use redis::ErrorKind as Kind;
    match error.kind() {
        Kind::InvalidClientConfig | Kind::AuthenticationFailed => ErrorKind::Config,
        Kind::UnexpectedReturnType => ErrorKind::Integrity,
        Kind::Server(ServerErrorKind::NoPerm) => ErrorKind::Forbidden,
        // A line of a script failed: on what is stored, as the scripts are the same everywhere.
        Kind::Server(ServerErrorKind::ResponseError) if is_of_script(error) => ErrorKind::Integrity,
        _ => match error.code() {
            Some("DAMAGED" | "WRONGTYPE" | "EXHAUSTED") => ErrorKind::Integrity,
            Some("FORMAT") => ErrorKind::Format,
            Some("OOM" | "BUSY" | "TRYAGAIN") => ErrorKind::Busy,
            Some("WRONGPASS" | "NOAUTH") => ErrorKind::Config,
            _ => ErrorKind::Unavailable,
        },
    }
}

fn is_of_script(error: &RedisError) -> bool {
    error
        .detail()
        .is_some_and(|detail| detail.contains("user_script") || detail.contains("Error running script"))
}
