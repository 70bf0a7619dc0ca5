#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod column;
mod config;
mod database;
mod driver;
mod ear;
mod effect;
mod error;
mod feed;
mod load;
mod marks;
mod migrate;
mod write;

pub use config::Config;
pub use driver::PostgresPolicyStore;
pub use error::{Error, ErrorKind};
