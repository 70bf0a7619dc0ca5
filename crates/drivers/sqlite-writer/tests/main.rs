//! Behaviour of the writer against real files.
#![cfg(test)]

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, mpsc},
};

use bartizan_sqlite_writer::{Database, ErrorKind, Migration, Place};

const TABLES: &[Migration] = &[
    Migration {
        version: 1,
        name: "items",
        sql: "CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT",
    },
    Migration { version: 2, name: "index", sql: "CREATE INDEX items_by_text ON items (text)" },
];

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("test.db")
    }
}

async fn opened(folder: &Folder) -> Database {
    let database = Database::open(Place::File(folder.file())).unwrap();
    database.migrate("items", TABLES).await.unwrap();
    database
}

async fn insert(database: &Database, text: &'static str) -> Result<usize, ErrorKind> {
    database
        .write(move |sql| sql.execute("INSERT INTO items (text) VALUES (?1)", [text]))
        .await
        .map_err(|error| error.kind())
}

async fn count(database: &Database) -> i64 {
    database.read(|sql| sql.query_row("SELECT count(*) FROM items", [], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn a_write_that_was_answered_is_read_and_outlives_the_program() {
    let folder = Folder::new();
    let database = opened(&folder).await;
    insert(&database, "one").await.unwrap();
    assert_eq!(count(&database).await, 1);
    drop(database);
    assert_eq!(count(&opened(&folder).await).await, 1);
}

#[tokio::test]
async fn a_failed_write_undoes_itself_and_nothing_else() {
    let folder = Folder::new();
    let database = opened(&folder).await;
    let half = database.write(|sql| {
        sql.execute("INSERT INTO items (text) VALUES ('half')", [])?;
        sql.execute("INSERT INTO items (text) VALUES ('half')", [])
    });
    // Polled together, so that they meet in one batch.
    let (one, half, two) = tokio::join!(insert(&database, "one"), half, insert(&database, "two"));
    assert_eq!((one, half.unwrap_err().kind(), two), (Ok(1), ErrorKind::Constraint, Ok(1)));
    assert_eq!(count(&database).await, 2);
}

#[tokio::test]
async fn a_panicking_closure_is_an_error_and_the_thread_lives_on() {
    let folder = Folder::new();
    let database = opened(&folder).await;
    let panicked = database
        .write(|sql| -> rusqlite::Result<()> {
            sql.execute("INSERT INTO items (text) VALUES ('gone')", [])?;
            panic!("on purpose")
        })
        .await;
    assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Statement);
    insert(&database, "after").await.unwrap();
    assert_eq!(count(&database).await, 1);
}

#[tokio::test]
async fn a_full_queue_answers_busy_at_once() {
    let folder = Folder::new();
    let database = Arc::new(opened(&folder).await);
    let (started, has_started) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let blocked = tokio::spawn({
        let database = Arc::clone(&database);
        async move {
            database
                .write(move |_| {
                    started.send(()).unwrap();
                    gate.recv().unwrap();
                    Ok(())
                })
                .await
        }
    });
    while has_started.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let mut waiting = Vec::new();
    let refused = loop {
        let mut write = Box::pin(database.write(|_| Ok(())));
        match poll_once(write.as_mut()).await {
            Some(result) => break result.unwrap_err(),
            None => waiting.push(write),
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(refused.is_transient() && waiting.len() >= 4_096);
    open.send(()).unwrap();
    blocked.await.unwrap().unwrap();
    for write in waiting {
        write.await.unwrap();
    }
}

async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn what_comes_while_a_batch_runs_shares_its_commit() {
    let folder = Folder::new();
    let database = Arc::new(opened(&folder).await);
    let ((running, is_running), (go, may_go)) = (mpsc::channel(), mpsc::channel());
    let (writer, file) = (Arc::clone(&database), folder.file());
    let mut first = Box::pin(writer.write(move |sql| {
        running.send(()).unwrap();
        may_go.recv().unwrap();
        sql.execute("INSERT INTO items (text) VALUES ('first')", [])
    }));
    assert!(poll_once(first.as_mut()).await.is_none());
    is_running.recv().unwrap();
    // The first one is in its transaction, and not committed while this one runs.
    let mut second = Box::pin(database.write(move |_| {
        let elsewhere = rusqlite::Connection::open(&file)?;
        elsewhere.query_row("SELECT count(*) FROM items", [], |row| row.get::<_, i64>(0))
    }));
    assert!(poll_once(second.as_mut()).await.is_none());
    go.send(()).unwrap();
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(second.await.unwrap(), 0, "nothing is committed between them");
    assert_eq!(count(&database).await, 1);
}

#[tokio::test]
async fn a_changed_or_unknown_migration_is_refused() {
    const CHANGED: &[Migration] =
        &[Migration { version: 1, name: "items", sql: "CREATE TABLE items (id INTEGER) STRICT" }];
    const FIRST: &[Migration] = &[TABLES[0]];
    const SECOND: &[Migration] = &[TABLES[1]];
    let folder = Folder::new();
    let database = opened(&folder).await;
    assert_eq!(database.migrate("items", CHANGED).await.unwrap_err().kind(), ErrorKind::Schema);
    assert_eq!(database.migrate("items", FIRST).await.unwrap_err().kind(), ErrorKind::Schema);
    assert_eq!(database.migrate("items", SECOND).await.unwrap_err().kind(), ErrorKind::Schema);
    database.migrate("items", TABLES).await.unwrap();
    database.migrate("others", &[]).await.unwrap();
}

#[tokio::test]
async fn misnumbered_migrations_are_refused_before_the_first_is_applied() {
    const GAP: &[Migration] = &[
        Migration { version: 1, name: "a", sql: "CREATE TABLE a (id INTEGER) STRICT" },
        Migration { version: 3, name: "c", sql: "CREATE TABLE c (id INTEGER) STRICT" },
    ];
    let folder = Folder::new();
    let database = opened(&folder).await;
    assert_eq!(database.migrate("gap", GAP).await.unwrap_err().kind(), ErrorKind::Schema);
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'c')";
    let made: i64 = database.read(move |sql| sql.query_row(tables, [], |row| row.get(0))).await.unwrap();
    assert_eq!(made, 0);
}

#[tokio::test]
async fn a_closure_that_holds_the_last_handle_ends_the_thread_and_does_not_hang() {
    let folder = Folder::new();
    let database = Arc::new(opened(&folder).await);
    let (open, gate) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel::<()>();
    let held = Arc::clone(&database);
    let write = database.write(move |_| {
        gate.recv().unwrap();
        drop(held);
        done.send(()).unwrap();
        Ok(())
    });
    let mut write = Box::pin(write);
    assert!(poll_once(write.as_mut()).await.is_none());
    drop(write);
    drop(database);
    open.send(()).unwrap();
    is_done.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
}

#[tokio::test]
async fn the_reader_cannot_write() {
    let folder = Folder::new();
    let database = opened(&folder).await;
    let written = database.read(|sql| sql.execute("INSERT INTO items (text) VALUES ('x')", [])).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(count(&database).await, 0);
}

#[tokio::test]
async fn files_are_private_and_a_foreign_file_is_refused() {
    let folder = Folder::new();
    drop(opened(&folder).await);
    let mode = std::fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(folder.file(), [b'x'; 4096]).unwrap();
    assert_eq!(Database::open(Place::File(folder.file())).unwrap_err().kind(), ErrorKind::Open);
    assert_eq!(Database::open(Place::File("/nowhere/at/all.db".into())).unwrap_err().kind(), ErrorKind::Open);
}

#[tokio::test]
async fn what_is_erased_is_overwritten() {
    let folder = Folder::new();
    let database = opened(&folder).await;
    insert(&database, "canary-3a7e").await.unwrap();
    database.write(|sql| sql.execute("DELETE FROM items", [])).await.unwrap();
    drop(database);
    let bytes = std::fs::read(folder.file()).unwrap();
    assert!(!bytes.windows(11).any(|window| window == b"canary-3a7e"));
}
