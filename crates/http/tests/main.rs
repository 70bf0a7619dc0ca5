//! What a service gets from this crate: problems byte by byte, and outcomes told apart.
#![cfg(test)]

#[path = "main/guard.rs"]
mod guard;
#[path = "main/outcomes.rs"]
mod outcomes;
#[path = "main/problems.rs"]
mod problems;
#[path = "main/review.rs"]
mod review;
