//! A proof is used, not copied.
use bartizan_core::Denial;

fn copied(proof: &Denial) -> Denial {
    <Denial as Clone>::clone(proof)
}

fn main() {}
