//! A secret has no words.
use bartizan_core::{SecretArray, SecretBytes, SecretText};

fn said<T: std::fmt::Display>() {}

fn main() {
    said::<SecretBytes>();
    said::<SecretText>();
    said::<SecretArray<32>>();
}
