//! Whoever makes a principal says how it is known.
use bartizan_core::{Principal, PrincipalFacts};

fn main() {
    let _ = Principal(PrincipalFacts::new("north", "ada"));
    let _: Principal = PrincipalFacts::new("north", "ada").into();
}
