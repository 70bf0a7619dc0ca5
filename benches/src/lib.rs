#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod clock;
mod harness;
mod report;

pub use clock::time;
pub use harness::{Bench, Case};
pub use report::{Measured, Report};
