#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod admin;
mod asks;
mod assignment;
mod assignments;
mod builder;
mod catalogue;
mod compile;
mod condition;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod constraint;
mod coverage;
mod diff;
mod document;
mod engine;
mod error;
mod explain;
mod file;
mod graph;
mod held;
mod held_in_file;
mod json;
mod lint;
mod live;
mod matrix;
mod memory;
mod names;
mod offload;
mod pattern;
mod policy;
pub mod presets;
mod reach;
mod review;
mod rights;
mod schema;
mod shape;
mod shown;
mod snapshot;
mod source;
mod standing;
mod suite;
mod typed;

pub use bartizan_rbac_derive::Permissions;

pub use admin::{AdminError, AdminErrorKind, Administration, GlassUse};
pub use assignment::{Assignment, Change, Holder};
pub use assignments::Assignments;
pub use builder::{PolicyBuilder, RoleBuilder};
pub use coverage::{Coverage, Covered};
pub use diff::{Gain, PolicyDiff};
pub use engine::{Engine, SystemRoles};
pub use error::{Error, ErrorKind};
pub use explain::{Distance, Explanation, Miss, Rule, Unmet, Why};
pub use file::PolicyFile;
pub use held::HeldAssignments;
pub use lint::{Finding, Lint};
pub use live::{Health, LiveDriver, LivePolicy, LivePolicyBuilder, LoadError, LoadErrorKind, Refusal};
pub use matrix::{Cell, Matrix};
pub use memory::MemoryPolicy;
pub use policy::Policy;
pub use review::{Access, Can, HeldPermission, SeparationOfDuty};
pub use rights::Effect;
pub use schema::POLICY_SCHEMA;
pub use snapshot::Snapshot;
pub use source::{
    AssignmentStore, Changes, Loaded, MAX_COMMIT, PolicySource, PolicyStore, PolicyText, SourceError,
    SourceErrorKind, validate_commit,
};
pub use standing::{PermissionId, Standing};
pub use suite::{Expected, TestOutcome};
pub use typed::Permissions;

/// For the fuzz target. No part of the public interface.
#[doc(hidden)]
pub use condition::fuzz_condition;

/// What the derive's output names. No part of the public interface.
#[doc(hidden)]
pub mod __derive {
    pub use bartizan_core::{CatalogueEntry, Permission, PermissionCatalogue};
}
