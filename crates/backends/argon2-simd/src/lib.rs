#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod engine;

pub use engine::SimdArgon2id;
