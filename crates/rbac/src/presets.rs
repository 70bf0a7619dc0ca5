//! The role sets of two widely copied guides, as policies. Read the TOML: it says where and why it differs from them.

use crate::Policy;

/// `member` and `admin` over eleven permissions on users and the system, as TOML.
pub const BEST_PRACTICES: &str = include_str!("../presets/best-practices.toml");

/// `user`, `admin` and `moderator` over eleven permissions of a shop, as TOML, with the `action:resource` names as aliases.
pub const MICROSERVICES: &str = include_str!("../presets/microservices.toml");

/// The policy of [`BEST_PRACTICES`].
#[must_use]
pub fn best_practices() -> Policy {
    // INVARIANT(presets-parse): tests parse both; and if they did not, the empty policy denies everything.
    Policy::parse(BEST_PRACTICES).unwrap_or_default()
}

/// The policy of [`MICROSERVICES`].
#[must_use]
pub fn microservices() -> Policy {
    Policy::parse(MICROSERVICES).unwrap_or_default()
}
