#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accounts;
mod clinic;
pub mod demo;
mod error;
mod folder;
mod patient;
mod patients;
mod routes;
mod seed;
mod server;
mod setup;
mod wire;
mod wiring;

pub use clinic::{Clinic, Credential};
pub use error::Error;
pub use folder::Folder;
pub use routes::routes_table;
pub use server::{Listening, bind, serve};
pub use wiring::{ISSUER, Makings, Parts, Wiring};
