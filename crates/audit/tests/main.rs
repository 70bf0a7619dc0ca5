//! The log on the real file system, and under real kills.

#![cfg(test)]
#[path = "main/files.rs"]
mod files;
#[path = "main/kill_loop.rs"]
mod kill_loop;
#[path = "main/kills.rs"]
mod kills;
