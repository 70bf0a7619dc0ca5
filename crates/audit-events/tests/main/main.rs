//! The public behaviour of `bartizan-audit-events`.
#![cfg(test)]

mod catalogue;
mod events;
