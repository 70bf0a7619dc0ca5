//! The public behaviour of `bartizan-sessions`.
#![cfg(test)]

mod canaries;
mod cookies;
mod courier;
mod keys;
mod local;
mod once;
mod outages;
mod properties;
mod refresh;
mod refusals;
mod review;
mod revocation;
mod world;
