#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod checkpoint;
mod committer;
mod config;
#[cfg(any(test, feature = "conformance"))]
pub mod crash;
mod disk;
mod draft;
mod error;
pub mod format;
mod heads;
mod log;
mod merkle;
mod payload;
mod queue;
mod reader;
mod real_disk;
mod recover;
mod report;
mod scan;
mod time;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, CheckpointKey};
pub use config::LogConfig;
pub use disk::{Access, Disk, DiskFile, Lock};
pub use error::{Error, ErrorKind};
pub use log::{Health, Log};
pub use merkle::Digest;
pub use reader::{Entries, Entry, Query, Reader};
pub use real_disk::RealDisk;
pub use report::{Anchor, Damage, Flaw, Report, Tail, Verdict};
pub use verify::{VerifyOptions, verify, verify_on};
