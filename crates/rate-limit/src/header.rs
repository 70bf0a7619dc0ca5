//! Header fields that tell clients of limits (draft-ietf-httpapi-ratelimit-headers), written and read.

use std::fmt::Write as _;

use crate::{Standing, policy::whole_seconds};

mod read;

pub use read::{ServiceLimit, ServicePolicy, read_limits, read_policies};

/// Which text the fields follow. It is still a draft: earlier ones had other fields under the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderVersion {
    /// draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy: "auth";q=5;w=900` and `RateLimit: "auth";r=0;t=42`.
    Draft11,
}

/// The values of the fields. They name policies and numbers; whom a limit counted is never in them, so there is no partition key
/// (`pk`): it would show an address or an account to whoever reads the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderFields {
    policy: String,
    limit: String,
    retry_after: Option<u64>,
}

impl HeaderFields {
    /// Of what the limits said, each policy once.
    ///
    /// `r` is how many more pass now. `t` is in seconds, rounded up: for a refused request how long it has to wait, else until
    /// everything has come back.
    #[must_use]
    pub fn new(version: HeaderVersion, standings: &[Standing]) -> Self {
        let HeaderVersion::Draft11 = version;
        let mut fields = Self { policy: String::new(), limit: String::new(), retry_after: None };
        for (at, standing) in standings.iter().enumerate() {
            let (policy, decision) = (standing.policy(), standing.decision());
            let names = standings.iter().take(at).map(|earlier| earlier.policy().name());
            if names.into_iter().any(|name| name == policy.name()) {
                continue;
            }
            let comma = if fields.policy.is_empty() { "" } else { ", " };
            let (name, quota, window) = (policy.name(), policy.quota().limit(), policy.window_seconds());
            let time = whole_seconds(decision.retry_after().unwrap_or(decision.reset()));
            // Writing to a string does not fail.
            let _ = write!(fields.policy, "{comma}\"{name}\";q={quota};w={window}");
            let _ = write!(fields.limit, "{comma}\"{name}\";r={};t={time}", decision.remaining());
        }
        let waits = standings.iter().filter_map(|standing| standing.decision().retry_after());
        // At least a second: 0 would invite to come back at once.
        fields.retry_after = waits.map(|wait| whole_seconds(wait).max(1)).max();
        fields
    }

    /// The value of `RateLimit-Policy`.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The value of `RateLimit`.
    #[must_use]
    pub fn limit(&self) -> &str {
        &self.limit
    }

    /// The value of `Retry-After` in seconds (RFC 9110 §10.2.3), when a limit refused.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }
}
