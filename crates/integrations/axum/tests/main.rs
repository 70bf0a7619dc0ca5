//! The router over real sockets: what a hostile client sends, byte by byte, and what it gets.
#![cfg(test)]

#[path = "main/bench.rs"]
mod bench;
#[path = "main/bodies.rs"]
mod bodies;
#[path = "main/build.rs"]
mod build;
#[path = "main/credentials.rs"]
mod credentials;
#[path = "main/decisions.rs"]
mod decisions;
#[path = "main/failures.rs"]
mod failures;
#[path = "main/headers.rs"]
mod headers;
#[path = "main/mint.rs"]
mod mint;
#[path = "main/paths.rs"]
mod paths;
#[path = "main/review.rs"]
mod review;
