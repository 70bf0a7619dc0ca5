//! Nobody widens or prolongs a grant.
use bartizan_core::{FieldSet, Grant, UnixTime};

fn widen(mut grant: Grant) {
    grant.clear = FieldSet::everything();
    grant.expires = UnixTime::MAX;
}

fn main() {}
