//! Nothing writes a secret or personal data out by accident, and no masking serializer puts `***` into a database.
use bartizan_core::{Pii, SecretArray, SecretBytes, SecretText};

fn written<T: serde::Serialize>() {}

fn main() {
    written::<SecretBytes>();
    written::<SecretText>();
    written::<SecretArray<32>>();
    written::<Pii<String>>();
}
