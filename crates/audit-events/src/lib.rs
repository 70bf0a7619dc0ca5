#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod catalogue;
mod error;
mod event;
mod parse;
mod security_event;
mod time;

pub use error::{Error, ErrorKind};
pub use event::{Category, Event, Ocsf, Severity, catalogue, inventory};
pub use security_event::{SecurityEvent, Value};
