#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod bearer;
mod client;
mod code;
mod cookie;
mod credential;
mod error;
mod guard;
mod headers;
mod json;
mod limits;
mod objects;
mod origins;
mod outcome;
mod path;
mod policy;
mod problem;
mod query;
mod redirect;
mod request_id;
mod step_up;
mod tally;
mod terms;

pub use bearer::{MAX_TOKEN, bearer};
pub use client::client_address;
pub use code::Code;
pub use cookie::{DeviceCookie, MAX_COOKIES, SessionCookie};
pub use credential::{Credential, KeyPlace};
pub use error::{Error, ErrorKind};
pub use guard::{Arrival, Counts, Guard, Logins};
pub use headers::{Caching, Content, Transport, page_headers, security_headers};
pub use json::read_json;
pub use limits::{LimitBy, RouteLimit, limit_headers};
pub use origins::{Origins, Sender};
pub use outcome::{authorize, authorize_durably, granted_each};
pub use path::check_path;
pub use policy::{Entry, Inventory, On, RoutePolicy};
pub use problem::{FieldError, Problem, Rendering, Style};
pub use query::check_query;
pub use redirect::SafeRedirect;
pub use request_id::RequestId;
pub use step_up::StepUp;
pub use terms::Terms;
