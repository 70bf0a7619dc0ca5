//! A `Covered` lives no longer than its grant.
use bartizan_core::{Covered, Grant, Resource};

fn kept<'g>(grant: Grant, on: Resource<'_>) -> Covered<'g> {
    grant.covers(on).unwrap()
}

fn main() {}
