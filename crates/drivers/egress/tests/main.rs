//! A client before hostile servers on this machine.
#![cfg(test)]

#[path = "main/answers.rs"]
mod answers;
#[path = "main/connections.rs"]
mod connections;
#[path = "main/names.rs"]
mod names;
#[path = "main/server.rs"]
mod server;
#[path = "main/tls.rs"]
mod tls;
