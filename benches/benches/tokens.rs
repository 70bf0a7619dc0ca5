//! Measured in this file: see README.md.

fn main() {}
