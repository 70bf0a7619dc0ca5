#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod driver;
mod error;

pub use config::Config;
pub use driver::HttpJwks;
pub use error::{Error, ErrorKind};
