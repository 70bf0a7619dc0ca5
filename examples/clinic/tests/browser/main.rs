//! The clinic's pages in a real browser: signing in, what keeps other sites out, and how it all looks.
#![cfg(test)]

mod by_hand;
mod elsewhere;
mod looks;
mod sessions;
#[path = "../site.rs"]
#[expect(dead_code, reason = "These tests need less of a clinic's process than those of its endpoints do.")]
mod site;
mod strangers;
mod webdriver;
