//! The store against real files: the suite of the seam, and what is special about SQLite.
#![cfg(test)]

#[path = "main/damage.rs"]
mod damage;
#[path = "main/kill.rs"]
mod kill;
#[path = "main/limits.rs"]
mod limits;

use std::{path::Path, sync::Arc};

use bartizan_sessions::conformance::{Nodes, block_on};
use bartizan_sessions_sqlite::SqliteSessionStore;
use bartizan_sqlite_writer::{Database, Place};

fn store(path: &Path) -> SqliteSessionStore {
    let database = Database::open(Place::File(path.to_owned())).unwrap();
    block_on(SqliteSessionStore::open(Arc::new(database))).unwrap()
}

/// Two drivers, each with its own connections to one file: two processes.
fn nodes() -> Nodes {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    Nodes::new(Arc::new(store(&path)), Arc::new(store(&path)), folder).trying(histories(10))
}

/// More on a long evening.
fn histories(usually: u32) -> u32 {
    let asked = bartizan_core::os::environment("BARTIZAN_TEST_HISTORIES");
    asked.map_or(usually, |asked| asked.expose().parse().expect("a number"))
}

fn in_memory() -> Nodes {
    let database = Database::open(Place::Memory).unwrap();
    let store = Arc::new(block_on(SqliteSessionStore::open(Arc::new(database))).unwrap());
    Nodes::new(store.clone(), store, ()).trying(histories(20))
}

mod in_a_file {
    bartizan_sessions::store_conformance!(super::nodes);
}

mod in_memory_of_the_process {
    bartizan_sessions::store_conformance!(super::in_memory);
}
