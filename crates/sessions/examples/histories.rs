//! Tries random histories on the store in memory, each kind as many times as it is told, and says at which one it failed:
//! `cargo run --release -p bartizan-sessions --features conformance --example histories -- 100000`

use std::{error::Error, sync::Arc};

use bartizan_sessions::{
    MemoryStore, Store,
    conformance::{Nodes, histories},
};

fn main() -> Result<(), Box<dyn Error>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(1_000), |count| count.parse())?;
    let store = Arc::new(MemoryStore::with_rows(usize::MAX));
    let nodes = Nodes::new(Arc::clone(&store) as Arc<dyn Store>, store, ());
    for number in 1..=count {
        histories::history(&nodes, number).map_err(|violation| violation.to_string())?;
        histories::racing_history(&nodes, number).map_err(|violation| violation.to_string())?;
    }
    println!("{count} histories of each kind, none against the rules");
    Ok(())
}
