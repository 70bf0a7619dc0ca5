#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aad;
mod cache;
mod cell;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod context;
#[cfg(test)]
mod corpus;
mod error;
mod few;
mod key;
mod keyring;
mod local;
mod memory;
mod name;
mod opener;
mod padding;
mod pae;
mod record;
mod salt;
mod sealer;
mod store;
mod value;
mod wrapper;

pub use cell::{Cell, MAX_CELL, MAX_PADDED, OVERHEAD, TEXT_PREFIX};
pub use context::Context;
pub use error::{Error, ErrorKind};
pub use key::{KeyContext, KeyId, KeyRow, MAX_WRAPPED, Scope, ScopeKey};
pub use keyring::{Attempt, DEFAULT_TTL, Keyring, MAX_CACHED_KEYS, NeedsKey};
pub use local::LocalMaster;
pub use memory::MemoryKeyStore;
pub use opener::{Opening, Plain, RecordOpener};
pub use padding::Bucket;
pub use pae::pae;
pub use record::{MAX_FIELDS, Record};
pub use sealer::{RecordSealer, SealedCells, Sealer};
pub use store::{Change, KeyStore, is_well_formed_step};
pub use value::{Type, Value};
pub use wrapper::KeyWrapper;
