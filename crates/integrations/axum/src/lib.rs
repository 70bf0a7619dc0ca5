#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod error;
mod extract;
mod gate;
mod problem;
mod route;
mod router;
mod shell;
mod template;
mod timely;

pub use error::{Error, ErrorKind, RouteFault};
pub use extract::{Client, Guarded, StrictJson, StrictQuery, Who};
pub use problem::Problem;
pub use route::{Route, delete, get, patch, post, put};
pub use router::{Clients, SecureRouter};
