#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accounts;
mod authenticate;
mod clinic;
pub mod demo;
mod errands;
mod error;
mod folder;
mod letters;
mod mail;
mod mailing;
mod note;
mod pages;
mod patient;
mod patients;
mod permission;
mod private;
mod roles;
mod routes;
mod second_factor;
mod seed;
mod server;
mod setup;
mod wire;
mod wiring;

pub use clinic::{Clinic, Credential};
pub use error::Error;
pub use folder::Folder;
pub use mail::{Mail, Mailer, Printed};
pub use routes::routes_table;
pub use server::{Listening, bind, serve};
pub use wiring::{ISSUER, Makings, Parts, Wiring};

/// Its example is a test of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/howto/login.md")]
struct HowToLogin;
