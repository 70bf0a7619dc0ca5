//! A grant is not yet the proof: it must cover this record.

use bartizan_core::Grant;
use bartizan_field_crypto::{Sealed, SealedRow, Vault};

fn open<R: Sealed>(vault: &Vault, grant: &Grant, row: &SealedRow) {
    let _ = vault.try_open::<R>(grant, row);
}

fn main() {}
