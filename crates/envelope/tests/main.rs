//! Public behaviour of the envelope.
#![cfg(test)]

#[path = "main/cells.rs"]
mod cells;
#[path = "main/keyring.rs"]
mod keyring;
#[path = "main/record_seal.rs"]
mod record_seal;
#[path = "main/review.rs"]
mod review;
#[path = "main/salts.rs"]
mod salts;
#[path = "main/support.rs"]
mod support;
