#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod memory;
mod normal;
mod params;
mod passwords;
mod phc;

pub use error::{Error, ErrorKind};
pub use normal::MAX_PASSWORD;
pub use params::Params;
pub use passwords::{Passwords, Verification};
pub use phc::{MAX_PHC, PasswordHash};
