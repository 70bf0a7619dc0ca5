#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod address;
mod client;
mod connect;
mod connection;
mod error;
mod exchange;
mod guard;
mod limits;
mod pool;
mod request;
mod resolver;
mod response;
mod stream;
mod trust;
mod url;

pub use address::{AddressKind, classify};
pub use client::Client;
pub use error::{Error, ErrorKind, Refusal};
pub use guard::{Allow, Guard};
pub use limits::Limits;
pub use request::Request;
pub use resolver::{Resolver, SystemResolver};
pub use response::Response;
pub use trust::Trust;
pub use url::Url;
