//! What can be chosen.

use std::sync::Arc;

use bartizan_core::Clock;
use bartizan_rate_limit::{Error, ErrorKind};

/// How keys are called and whose clock counts.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) prefix: Box<str>,
    pub(crate) clock: Option<Arc<dyn Clock>>,
}

impl Config {
    /// Keys begin with `bartizan:limit:`, and the clock is the server's (`TIME`): one clock for all processes.
    #[must_use]
    pub fn new() -> Self {
        Self { prefix: "bartizan:limit:".into(), clock: None }
    }

    /// Keys begin with this.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for more than 64 bytes, and for other characters than letters, digits, `:`, `.`, `_` and
    /// `-`: braces would put all keys of a cluster on one of its nodes.
    pub fn with_prefix(self, prefix: &str) -> Result<Self, Error> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b":._-".contains(&byte);
        if prefix.len() > MAX_PREFIX || !prefix.bytes().all(known) {
            return Err(ErrorKind::Configuration.into());
        }
        Ok(Self { prefix: prefix.into(), ..self })
    }

    /// The time is this process's wall clock. For servers that refuse `TIME` in scripts, as Amazon ElastiCache Serverless does.
    ///
    /// # Security
    /// Processes whose clocks differ by d grant each other up to d more of each quota. Keep them in step (NTP).
    #[must_use]
    pub fn with_client_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

const MAX_PREFIX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_plain_characters_without_braces() {
        for prefix in ["{clinic}:", "a b", "a\n", "ä", "*", &"a".repeat(65)] {
            let refused = Config::new().with_prefix(prefix).map_err(|error| error.kind());
            assert_eq!(refused.err(), Some(ErrorKind::Configuration), "{prefix:?}");
        }
        assert!(Config::new().with_prefix("clinic.eu-1:limit:").is_ok());
    }
}
