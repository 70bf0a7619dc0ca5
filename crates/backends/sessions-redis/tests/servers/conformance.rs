//! The suite of the seam, on two connections as two nodes.

use std::sync::Arc;

use bartizan_sessions::{conformance::Nodes, store_conformance};
use tokio::runtime::Runtime;

use crate::support;

store_conformance!(nodes);

fn nodes() -> Nodes {
    let runtime = Runtime::new().expect("a runtime");
    let (one, two) = runtime.block_on(async {
        let (one, config) = support::store().await;
        (one, support::open(&support::url(), config).await.expect("a second store"))
    });
    let handle = runtime.handle().clone();
    let nodes = Nodes::new(Arc::new(one), Arc::new(two), runtime).running(move |task| handle.block_on(task));
    // More on a long evening.
    match bartizan_core::os::environment("BARTIZAN_TEST_HISTORIES") {
        Some(histories) => nodes.trying(histories.expose().parse().expect("a number")),
        None => nodes,
    }
}
