#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod column;
mod config;
mod database;
mod driver;
mod error;
mod key;
mod ledger;
mod migrate;
mod once;
mod purge;
mod revocation;
mod rotation;
mod row;
mod session;

pub use config::Config;
pub use driver::PostgresSessionStore;
pub use error::{Error, ErrorKind};
