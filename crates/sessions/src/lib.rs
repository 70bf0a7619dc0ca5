#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod api_keys;
mod bounded;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod courier;
mod credential;
mod error;
mod freshness;
mod id;
mod key;
mod local;
mod login;
mod memory;
mod once;
mod one_time;
mod outbox;
mod policy;
mod revocation;
mod rotation;
mod secret_text;
mod session;
mod sessions;
mod snapshot;
mod store;

pub use api_keys::{ApiKeys, KeyUse, NewKey};
pub use courier::Courier;
pub use credential::Digest;
pub use error::{Error, ErrorKind, Refusal};
pub use freshness::Freshness;
pub use id::{Epochs, SessionId, SessionKey};
pub use key::{ApiKeyStore, KeyId, KeyReplacement, StoredKey};
pub use login::{By, Login, Proof};
pub use memory::MemoryStore;
pub use once::{NewOnce, OnceStore, Taken};
pub use one_time::{OneTime, Purpose};
pub use outbox::{Entry, Happening, Note, Outbox};
pub use policy::Policy;
pub use revocation::{Asked, Feed, Position, Revocation, RevocationStore, Scope};
pub use rotation::{Judgement, Rotate, Rotation, judge};
pub use secret_text::{ApiKey, CookieToken, OnceToken, RefreshToken};
pub use session::{Device, Ended, Facts, Kind, Session, StoredSession};
pub use sessions::{CookieSession, Exchange, Rotated, Sessions};
pub use snapshot::{RevocationSnapshot, SnapshotWithin};
pub use store::{Begin, Begun, Cap, End, SessionStore, Store, WhenFull, from_millis, to_millis};
