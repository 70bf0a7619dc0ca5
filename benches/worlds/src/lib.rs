//! Worlds of users, roles and permissions for the bench `rbac` and for the peers beside it: everybody gets the same ones.
//!
//! | world | users | roles | permissions | what it is |
//! |---|---|---|---|---|
//! | `guides` | 16 | 2 | 11 | the table of the preset `best-practices` |
//! | `small` | 1,000 | 100 | 10 | casbin's `RBACModelSizes/small` |
//! | `medium` | 10,000 | 1,000 | 100 | … `/medium` |
//! | `large` | 100,000 | 10,000 | 1,000 | … `/large` |
//! | `1m` | 1,000,000 | 10,000 | 100,000 | four roles a user; nine roles of ten have 300 permissions, two thirds of them inherited |
//!
//! In casbin's worlds user *n* has role *n* modulo the roles, and role *n* may read datum *n* modulo the data; its 17 requests
//! lie evenly among the users and ask in turns for what is denied and for what is allowed. All names are casbin's.
//!
//! Nothing here knows an engine: what a request should answer is found in sets. [`Maps`] is what somebody who knows their craft
//! writes by hand, and what everybody's times are divided by.

#![forbid(unsafe_code)]

mod maps;
mod names;
mod random;
mod requests;
mod world;

pub use maps::{Bits, Maps};
pub use names::Names;
pub use random::Random;
pub use requests::{Request, Requests, Turns};
pub use world::{Size, World};
