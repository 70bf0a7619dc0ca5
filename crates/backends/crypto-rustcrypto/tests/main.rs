//! What this provider promises: the suite, agreement with the other provider, wiped keys.
#![cfg(test)]

#[path = "main/agreement.rs"]
mod agreement;
#[path = "main/conformance.rs"]
mod conformance;
#[path = "main/ecdsa.rs"]
mod ecdsa;
// Where freed memory stays as it was but for the links of the free list.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "main/wiping.rs"]
mod wiping;
