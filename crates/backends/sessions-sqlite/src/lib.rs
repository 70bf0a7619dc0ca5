#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod column;
mod driver;
mod error;
mod key;
mod ledger;
mod once;
mod purge;
mod revocation;
mod row;
mod session;

pub use driver::SqliteSessionStore;
