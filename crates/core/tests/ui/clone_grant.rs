//! A proof is used, not copied.
use bartizan_core::Grant;

fn copied(proof: &Grant) -> Grant {
    <Grant as Clone>::clone(proof)
}

fn main() {}
