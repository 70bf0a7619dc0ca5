//! What a user of this crate sees.
#![cfg(test)]

#[path = "main/conversions.rs"]
mod conversions;
#[path = "main/differences.rs"]
mod differences;
#[path = "main/interop.rs"]
mod interop;
#[path = "main/keys.rs"]
mod keys;
#[path = "main/properties.rs"]
mod properties;
#[path = "main/support.rs"]
mod support;
