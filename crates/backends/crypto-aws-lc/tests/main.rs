//! What this provider promises: the suite, what is its own, that it wipes, and that it agrees with the others.
#![cfg(test)]

#[path = "main/agreement.rs"]
mod agreement;
#[path = "main/conformance.rs"]
mod conformance;
#[path = "main/own.rs"]
mod own;
#[path = "main/wiping.rs"]
mod wiping;
