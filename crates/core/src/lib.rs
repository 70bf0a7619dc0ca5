#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attribute;
mod authority;
mod authorizer;
mod buffered_entropy;
mod catalogue;
mod clock;
mod decision;
mod entropy;
mod error;
mod fact;
mod fault;
mod fields;
mod jobs;
pub mod json;
mod json_lines;
mod names;
pub mod os;
mod permission;
mod pii;
mod place;
mod policy;
mod principal;
mod recorder;
mod resource;
mod secret;
mod time;
mod token;

pub use attribute::{Attribute, Value};
pub use authority::Authority;
pub use authorizer::{Authorizer, MAX_GRANT_LIFE, MAX_PAGE};
pub use buffered_entropy::BufferedEntropy;
pub use catalogue::{CatalogueEntry, PermissionCatalogue};
pub use clock::{Clock, Monotonic, Sleep};
pub use decision::{Cause, Covered, Decision, DecisionId, Decisions, Denial, Grant, Mismatch};
pub use entropy::{Entropy, NoEntropy};
pub use error::{Error, ErrorKind};
pub use fact::{
    Delivery, Detail, DetailValue, EventCode, Fact, Origin, Outcome, Reason, Subject, Target, code,
};
pub use fault::Fault;
pub use fields::FieldSet;
pub use jobs::JobPolicy;
pub use json_lines::JsonLines;
pub use names::is_name;
pub use permission::{Importance, Permission, PermissionName, Scope};
pub use pii::{
    Basic, Health, Pan, Pii, PiiClass, Sensitive, Sensitivity, mask_all, mask_email, mask_last4, mask_pan,
};
pub use policy::{Ask, PolicyEngine, Revision, RuleId, Verdict};
pub use principal::{Assurance, Attestation, Names, Principal, PrincipalFacts, Realm};
pub use recorder::{NotRecorded, Recorder, Ticket, Unrecorded, danger_unrecorded};
pub use resource::{Owner, Resource};
pub use secret::{SecretArray, SecretBytes, SecretText};
pub use time::UnixTime;
pub use token::RawToken;
