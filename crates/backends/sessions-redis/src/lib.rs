#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod driver;
mod error;
mod names;
mod packed;
mod row;
mod script;
mod settings;
mod wire;

pub use config::Config;
pub use driver::RedisSessions;
pub use error::{Error, ErrorKind, Setting};
