#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client_address;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod device;
mod error;
mod gcra;
mod header;
mod key;
mod limiter;
mod login;
mod memory;
mod network;
mod policy;
mod quota;
mod store;

pub use client_address::{ClientAddress, Evidence, ForwardingHeader, TrustedProxies};
pub use device::{DeviceMarks, KnownDevice};
pub use error::{Error, ErrorKind};
pub use gcra::{Decision, Step, gcra, give_back};
pub use header::{HeaderFields, HeaderVersion, ServiceLimit, ServicePolicy, read_limits, read_policies};
pub use key::Key;
pub use limiter::{Admission, Admitted, Limiter, Standing};
pub use login::{Login, LoginAttempt, LoginLimits};
pub use memory::MemoryLimits;
pub use network::Network;
pub use policy::{OnOutage, Policy};
pub use quota::Quota;
pub use store::{Ask, Charge, LimitStore};
