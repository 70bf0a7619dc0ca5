//! A proof is used, not copied.
use bartizan_core::Decision;

fn copied(proof: &Decision) -> Decision {
    <Decision as Clone>::clone(proof)
}

fn main() {}
