//! Conditions of a policy: what is taken has one canonical text, which is read as the same condition, and ends after it begins.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| assert!(bartizan_rbac::fuzz_condition(text)));
