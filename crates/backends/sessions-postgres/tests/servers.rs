//! The store against a real server: the suite of the seam, and what is special about Postgres.
#![cfg(test)]

#[path = "servers/cluster.rs"]
mod cluster;
#[path = "servers/conformance.rs"]
mod conformance;
#[path = "servers/damage.rs"]
mod damage;
#[path = "servers/opening.rs"]
mod opening;
#[path = "servers/order.rs"]
mod order;
#[path = "servers/outages.rs"]
mod outages;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/road.rs"]
mod road;
#[path = "servers/struck.rs"]
mod struck;
#[path = "servers/support.rs"]
mod support;
