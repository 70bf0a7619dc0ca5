#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod error;
mod extract;
mod gate;
mod page;
mod problem;
mod route;
mod router;
mod see_other;
mod shell;
mod template;
mod timely;

pub use error::{Error, ErrorKind, RouteFault};
pub use extract::{
    Client, ClientIp, DeviceMark, Guarded, OldSession, StrictForm, StrictJson, StrictQuery, Who,
};
pub use page::Page;
pub use problem::Problem;
pub use route::{Route, delete, get, patch, post, put};
pub use router::{Clients, SecureRouter};
pub use see_other::SeeOther;
