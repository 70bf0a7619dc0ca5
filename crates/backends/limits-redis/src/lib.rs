#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod driver;
mod error;
mod together;

pub use config::Config;
pub use driver::RedisLimits;
