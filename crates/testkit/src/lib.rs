#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod clock;
mod engine;
mod entropy;
mod recorder;

pub use clock::ManualClock;
pub use engine::ScriptedEngine;
pub use entropy::{BrokenEntropy, RepeatingEntropy, SeededEntropy};
pub use recorder::{MemoryRecorder, Recorded};
