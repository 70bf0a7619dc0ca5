//! The policy engine from outside: what it refuses, what it decides, and that it agrees with a naive reading of the README.
#![cfg(test)]

#[path = "main/administration.rs"]
mod administration;
#[path = "main/analysis.rs"]
mod analysis;
#[path = "main/attack/mod.rs"]
mod attack;
#[path = "main/coverage.rs"]
mod coverage;
#[path = "main/decisions.rs"]
mod decisions;
#[path = "main/diff.rs"]
mod diff;
#[path = "main/fields.rs"]
mod fields;
#[path = "main/limits.rs"]
mod limits;
#[path = "main/lint.rs"]
mod lint;
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
#[path = "main/schema.rs"]
mod schema;
#[path = "main/support.rs"]
mod support;
#[path = "main/typed.rs"]
mod typed;
#[path = "main/validator.rs"]
mod validator;
#[path = "main/who_can.rs"]
mod who_can;
#[path = "main/whole/mod.rs"]
mod whole;
#[path = "main/world.rs"]
mod world;
