//! Opening takes a proof.

use bartizan_field_crypto::{Sealed, SealedRow, Vault};

async fn open<R: Sealed>(vault: &Vault, row: &SealedRow) {
    let _ = vault.open::<R>(row).await;
}

fn main() {}
