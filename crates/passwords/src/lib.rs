#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod base32;
mod breached;
mod engine;
mod error;
mod legacy;
mod memory;
mod normal;
mod params;
mod passwords;
mod pepper;
mod phc;
mod policy;
mod qr;
mod recovery;
mod stored;
#[cfg(feature = "strength")]
mod strength;
mod totp;
mod tuning;
mod verify;
mod wrapped;

pub use breached::{BreachedBuilder, BreachedFilter, BreachedSummary};
pub use engine::{Argon2idEngine, Argon2idInput, EngineFailed, RustCryptoArgon2id, WorkingMemory};
pub use error::{Error, ErrorKind};
pub use legacy::Scheme;
pub use normal::MAX_PASSWORD;
pub use params::Params;
pub use passwords::Passwords;
pub use pepper::{Pepper, Peppers};
pub use policy::{About, AcceptedPassword, Assessment, PasswordPolicy, Violation, Violations};
pub use recovery::{MAX_RECOVERY_SET, RecoveryCodes, RecoverySet, Redemption};
pub use stored::{MAX_PHC, PasswordHash};
#[cfg(feature = "strength")]
pub use strength::{MAX_ESTIMATED, Strength};
pub use totp::{Digits, Enrolment, MAX_ENROLMENT_URI, Step, Totp, TotpHash, TotpSecret, TotpVerification};
pub use tuning::{Trial, Tuning};
pub use verify::Verification;
