//! A denial has no public constructor and no public field.
use bartizan_core::{Denial, Revision};

fn main() {
    let _ = Denial { rule: None, revision: Revision(1) };
}
