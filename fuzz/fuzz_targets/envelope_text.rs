//! The text form of a cell: one text, one cell.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_envelope::Cell;

fuzz_target!(|text: &str| {
    let Ok(bytes) = Cell::decode_text(text) else { return };
    assert_eq!(Cell::parse(&bytes).expect("decode_text promises a cell").to_text(), text);
});
