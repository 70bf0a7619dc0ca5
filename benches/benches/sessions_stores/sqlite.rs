//! SQLite: ours through the writing thread, beside batches of one prepared UPDATE by rusqlite.

use std::{error::Error, path::Path, sync::Arc};

use bartizan_benches::{Bench, Case};
use bartizan_sessions::Store;
use bartizan_sessions_sqlite::SqliteSessionStore;
use bartizan_sqlite_writer::{Database, Place};
use rusqlite::{Connection, params};
use tokio::runtime::{Builder, Runtime};

use crate::families::{Turn, begin_all, bytes, rotate_all};

pub(crate) fn run(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = Builder::new_current_thread().build()?;
    let ours = filled(&runtime, &folder.path().join("ours.db"))?;
    let bare = folder.path().join("bare.db");
    drop(filled(&runtime, &bare)?);
    let bare = Connection::open(bare)?;
    bare.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")?;

    let (mut turn, mut bare_turn) = (Turn::default(), Turn::default());
    bench.run(
        Case::new("rotate_sqlite", || assert!(runtime.block_on(rotate_all(&ours, &mut turn)), "rotated"))
            .limit(|| assert!(updated(&bare, &mut bare_turn).is_ok(), "updated"))
            .in_bursts_of(1)
            .in_rounds(61),
    );
    let left = runtime.block_on(ours.pending(1))?;
    assert!(!left.is_empty(), "rotations were recorded");
    Ok(())
}

fn filled(runtime: &Runtime, path: &Path) -> Result<Arc<dyn Store>, Box<dyn Error>> {
    let database = Arc::new(Database::open(Place::File(path.to_owned()))?);
    let store: Arc<dyn Store> = Arc::new(runtime.block_on(SqliteSessionStore::open(database))?);
    runtime.block_on(begin_all(&store))?;
    Ok(store)
}

/// As many batches as each caller asks times, each of one UPDATE a caller.
fn updated(sql: &Connection, turn: &mut Turn) -> rusqlite::Result<()> {
    let callers = turn.next();
    let rounds = callers.first().map_or(0, Vec::len);
    for round in 0..rounds {
        sql.execute_batch("BEGIN IMMEDIATE")?;
        let mut update = sql.prepare_cached(
            "UPDATE bartizan_sessions SET current = ?3, generation = generation + 1 WHERE selector = ?1 AND current = ?2",
        )?;
        for (family, generation) in callers.iter().filter_map(|asks| asks.get(round)) {
            let current = bytes(*family, *generation, 1);
            let next = bytes(*family, generation + 1, 1);
            assert_eq!(update.execute(params![bytes(*family, 0, 0), current, next])?, 1, "one row");
        }
        drop(update);
        sql.execute_batch("COMMIT")?;
    }
    Ok(())
}
