//! A decision is three things, and none of them is a `bool`.
use bartizan_core::Decision;

fn guard(decision: Decision) {
    if decision {
        println!("come in");
    }
}

fn main() {}
