//! A grant has no public constructor and no public field.
use bartizan_core::{FieldSet, Grant, UnixTime};

fn main() {
    let _ = Grant { clear: FieldSet::everything(), expires: UnixTime::MAX };
    let _ = Grant::new();
    let _ = Grant::default();
}
