//! Nobody but the vault makes what a view is made from, nor reads the grant out of it.

use bartizan_core::Covered;
use bartizan_field_crypto::{Opened, Schema, SealedRow};

fn forge<'o>(covered: Covered<'o>, schema: &'static Schema, row: &'o SealedRow) -> Opened<'o> {
    Opened::new(covered, schema, row, Vec::new())
}

fn steal<'o>(opened: &Opened<'o>) -> Covered<'o> {
    opened.covered
}

fn main() {}
