//! The router behind real proxies: `BARTIZAN_TEST_NGINX` and `BARTIZAN_TEST_HAPROXY` say where their programs are.
#![cfg(test)]

#[path = "servers/client.rs"]
mod client;
#[path = "servers/proxies.rs"]
mod proxies;
#[path = "servers/proxy.rs"]
mod proxy;
#[path = "servers/service.rs"]
mod service;
