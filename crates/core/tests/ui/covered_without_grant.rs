//! Only `Grant::covers` makes a `Covered`.
use bartizan_core::{Covered, Grant};

fn forged(grant: &Grant) -> Covered<'_> {
    Covered { grant }
}

fn main() {}
