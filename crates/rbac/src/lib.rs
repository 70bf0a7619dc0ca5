#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod assignments;
mod catalogue;
mod compile;
mod document;
mod engine;
mod error;
mod explain;
mod graph;
mod matrix;
mod names;
mod pattern;
mod policy;
pub mod presets;
mod reach;
mod rights;
mod shown;
mod suite;

pub use assignments::{Assignments, HeldAssignments};
pub use engine::Engine;
pub use error::{Error, ErrorKind};
pub use explain::{Distance, Explanation, Miss, Rule};
pub use matrix::{Cell, Matrix};
pub use policy::Policy;
pub use rights::Effect;
pub use suite::TestOutcome;
