#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod database;
mod error;
mod migrate;
mod worker;

pub use database::{Database, Place};
pub use error::{Error, ErrorKind};
pub use migrate::Migration;
