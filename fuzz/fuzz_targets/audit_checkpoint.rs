//! Checkpoints: what is taken is written as the same text.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_audit::Checkpoint;

fuzz_target!(|text: &[u8]| {
    let Ok(checkpoint) = Checkpoint::parse(text) else { return };
    assert_eq!(checkpoint.to_string().as_bytes(), text);
});
