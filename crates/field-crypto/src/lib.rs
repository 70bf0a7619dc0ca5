#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cell;
mod error;
mod opened;
mod parsed;
mod row;
mod schema;
mod sealed;
mod shown;
mod vault;

pub use bartizan_envelope::{Attempt, Bucket, NeedsKey, Type, Value};
pub use cell::CellPlace;
pub use error::{Error, ErrorKind};
pub use opened::Opened;
pub use row::SealedRow;
pub use schema::{Class, ClearField, Field, Schema};
pub use sealed::{Changes, Fields, Place, Sealed};
pub use shown::{FromValue, Shown};
pub use vault::Vault;
