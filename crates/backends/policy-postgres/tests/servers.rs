//! The store against a real server: the suite of the seam, and what is special about Postgres.
#![cfg(test)]

#[path = "servers/conformance.rs"]
mod conformance;
#[path = "servers/damage.rs"]
mod damage;
#[path = "servers/live.rs"]
mod live;
#[path = "servers/loading.rs"]
mod loading;
#[path = "servers/opening.rs"]
mod opening;
#[path = "servers/outages.rs"]
mod outages;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/support.rs"]
mod support;
