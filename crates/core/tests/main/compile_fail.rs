//! What must not compile. Each file in `tests/ui` is one way to go round a proof.

#[test]
fn proofs_cannot_be_made_copied_or_written_out() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
