//! The policy engine from outside: what it refuses, what it decides, and that it agrees with a naive reading of the README.
#![cfg(test)]

#[path = "main/analysis.rs"]
mod analysis;
#[path = "main/decisions.rs"]
mod decisions;
#[path = "main/fields.rs"]
mod fields;
#[path = "main/limits.rs"]
mod limits;
#[path = "main/oracle.rs"]
mod oracle;
#[path = "main/presets.rs"]
mod presets;
#[path = "main/properties.rs"]
mod properties;
#[path = "main/refusals.rs"]
mod refusals;
#[path = "main/review.rs"]
mod review;
#[path = "main/support.rs"]
mod support;
#[path = "main/world.rs"]
mod world;
