//! An authority is drawn by an authorizer and by nobody else.
use bartizan_core::{Authority, os::OsEntropy};

fn main() {
    let _ = Authority([0; 16]);
    let _ = Authority::draw(&OsEntropy);
}
