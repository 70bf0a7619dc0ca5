//! Public behaviour of the vault.
#![cfg(test)]

#[path = "main/attest.rs"]
mod attest;
#[path = "main/cells.rs"]
mod cells;
#[path = "main/grants.rs"]
mod grants;
#[path = "main/keys.rs"]
mod keys;
#[path = "main/masks.rs"]
mod masks;
#[path = "main/review.rs"]
mod review;
#[path = "main/rows.rs"]
mod rows;
#[path = "main/support.rs"]
mod support;
#[path = "main/updates.rs"]
mod updates;

#[test]
fn what_must_not_compile_does_not() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
