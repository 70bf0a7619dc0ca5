//! What this provider promises: the suite, and what is its own.
#![cfg(test)]

#[path = "main/conformance.rs"]
mod conformance;
#[path = "main/own.rs"]
mod own;
