//! Cells: what is taken is the same bytes again, and has one text.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_envelope::Cell;

fuzz_target!(|bytes: &[u8]| {
    let Ok(cell) = Cell::parse(bytes) else { return };
    assert_eq!(cell.to_bytes(), bytes);
    let text = cell.to_text();
    assert_eq!(Cell::decode_text(&text).expect("our own text"), bytes);
});
