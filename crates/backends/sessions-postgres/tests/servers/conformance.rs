//! The suite of the seam: two nodes, each with a pool of its own, of one database.

use std::sync::Arc;

use bartizan_sessions::conformance::Nodes;

use crate::support::Place;

fn nodes() -> Nodes {
    let place = Place::new();
    // More on a long evening.
    let asked = bartizan_core::os::environment("BARTIZAN_TEST_HISTORIES");
    let histories = asked.map_or(3, |asked| asked.expose().parse().expect("a number"));
    let runtime = Arc::clone(&place.runtime);
    Nodes::new(Arc::new(place.store()), Arc::new(place.store()), place)
        .running(move |task| runtime.block_on(task))
        .trying(histories)
}

bartizan_sessions::store_conformance!(nodes);
