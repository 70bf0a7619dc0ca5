//! Nothing but tests: what other people's implementations make of what the family writes, and it of what they write.
//!
//! They stand in `tests/`, and need the servers that `cargo xtask test --servers` starts.
