#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod bearer;
mod code;
mod error;
mod guard;
mod headers;
mod json;
mod objects;
mod outcome;
mod path;
mod policy;
mod problem;
mod query;
mod request_id;

pub use bearer::{MAX_TOKEN, bearer};
pub use code::Code;
pub use error::{Error, ErrorKind};
pub use guard::{Arrival, Counts, Guard};
pub use headers::{Caching, Transport, security_headers};
pub use json::read_json;
pub use outcome::{authorize, authorize_durably, granted_each};
pub use path::check_path;
pub use policy::{Entry, Inventory, On, RoutePolicy};
pub use problem::{FieldError, Problem, Rendering, Style};
pub use query::check_query;
pub use request_id::RequestId;
