//! Our side of the comparison.
//!
//! `prepare FILE` writes the keys and tokens for everybody; `FILE ring` and `FILE aws-lc` measure one provider.

mod ours;
mod prepare;

use std::error::Error;

use peer_bench::Input;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", path] => Ok(std::fs::write(path, serde_json::to_vec(&prepare::input()?)?)?),
        [path, provider] => ours::run(&Input::read(path)?, provider),
        _ => Err("usage: peer-bartizan prepare FILE | FILE ring|aws-lc".into()),
    }
}
