//! A secret is in one place, so that wiping it wipes it.
use bartizan_core::{Pii, SecretArray, SecretBytes, SecretText};

fn copied<T: Clone>() {}

fn main() {
    copied::<SecretBytes>();
    copied::<SecretText>();
    copied::<SecretArray<32>>();
    copied::<Pii<String>>();
}
