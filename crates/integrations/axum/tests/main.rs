//! The router over real sockets: what a hostile client sends, byte by byte, and what it gets.
#![cfg(test)]

#[path = "main/bench.rs"]
mod bench;
#[path = "main/bodies.rs"]
mod bodies;
#[path = "main/browser.rs"]
mod browser;
#[path = "main/build.rs"]
mod build;
#[path = "main/credentials.rs"]
mod credentials;
#[path = "main/decisions.rs"]
mod decisions;
#[path = "main/failures.rs"]
mod failures;
#[path = "../../../http/tests/main/faulty.rs"]
mod faulty;
#[path = "main/headers.rs"]
mod headers;
#[path = "main/hostile_pages.rs"]
mod hostile_pages;
#[path = "main/limits.rs"]
mod limits;
#[path = "main/mint.rs"]
mod mint;
#[path = "main/pages.rs"]
mod pages;
#[path = "main/paths.rs"]
mod paths;
#[path = "main/review.rs"]
mod review;
#[path = "main/review_login.rs"]
mod review_login;
