//! The suite passes on the store of this crate, and catches each store that is broken on purpose.

use std::sync::Arc;

use super::Nodes;
use crate::{MemoryStore, Store};

fn memory() -> Nodes {
    let store = Arc::new(MemoryStore::new());
    Nodes::new(Arc::clone(&store) as Arc<dyn Store>, store, ())
}

mod memory_store {
    crate::store_conformance!(super::memory);
}

mod broken;
