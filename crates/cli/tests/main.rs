//! The real binary, run as a user runs it.
#![cfg(test)]

#[path = "main/audit.rs"]
mod audit;
#[path = "main/fields.rs"]
mod fields;
#[path = "main/inputs.rs"]
mod inputs;
#[path = "main/keys.rs"]
mod keys;
#[path = "main/new_passwords.rs"]
mod new_passwords;
#[path = "main/passwords.rs"]
mod passwords;
#[path = "main/policies.rs"]
mod policies;
#[path = "main/readme.rs"]
mod readme;
#[path = "main/rings.rs"]
mod rings;
#[path = "main/sessions.rs"]
mod sessions;
#[path = "main/support.rs"]
mod support;
#[path = "main/tokens.rs"]
mod tokens;
