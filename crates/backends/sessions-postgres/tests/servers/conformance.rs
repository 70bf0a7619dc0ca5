//! The suite of the seam: two nodes, each with a pool of its own, of one database.

use std::sync::Arc;

use bartizan_sessions::conformance::Nodes;

use crate::support::Place;

fn nodes() -> Nodes {
    let place = Place::new();
    let runtime = Arc::clone(&place.runtime);
    Nodes::new(Arc::new(place.store()), Arc::new(place.store()), place)
        .running(move |task| runtime.block_on(task))
        .trying(3)
}

bartizan_sessions::store_conformance!(nodes);
