//! What the types promise: who gets a grant, what is on record when, what does not compile, and what is never shown.
#![cfg(test)]

#[path = "main/authorizer.rs"]
mod authorizer;
#[path = "main/canary.rs"]
mod canary;
#[path = "main/compile_fail.rs"]
mod compile_fail;
#[path = "main/durable.rs"]
mod durable;
#[path = "main/grants.rs"]
mod grants;
#[path = "main/json_lines.rs"]
mod json_lines;
#[path = "main/pages.rs"]
mod pages;
#[path = "main/review.rs"]
mod review;
#[path = "main/support.rs"]
mod support;
