#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod driver;
mod error;
mod row;

pub use driver::SqliteKeyStore;
