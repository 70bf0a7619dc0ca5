//! A load that breaks off after each of its rows: never a success, never a part.

use std::time::Duration;

use bartizan_policy_postgres::PostgresPolicyStore;
use bartizan_rbac::{AssignmentStore, PolicySource, SourceErrorKind};
use sqlx::postgres::PgPoolOptions;

use crate::{
    proxy::Proxy,
    support::{Place, assign, options, server},
};

#[test]
fn a_load_that_is_cut_after_each_row_is_an_error() {
    // One row of everything, twelve assignments, twelve members.
    let place = Place::filled(12);
    place.runtime.block_on(async {
        let proxy = Proxy::start(server()).await;
        let through = options().host("127.0.0.1").port(proxy.address.port());
        let pool = PgPoolOptions::new().max_connections(2).connect_with(through).await.unwrap();
        let config = place.config().load_within(Duration::from_secs(5)).unwrap().without_listening();
        let store = PostgresPolicyStore::open(pool, &config).await.unwrap();
        let whole = store.load().await.unwrap();
        assert_eq!(whole.held.len(), 24);
        let mut failures = 0;
        for rows in 0.. {
            // A new connection, so that its own questions are over.
            store.revision().await.unwrap();
            proxy.cut_after_rows(rows);
            let loaded = store.load().await;
            let failed = proxy.mend();
            match loaded {
                Ok(loaded) => {
                    assert!(!failed, "cut after {rows} rows, and a success");
                    assert_eq!((loaded.held.len(), loaded.revision), (24, whole.revision));
                    break;
                }
                Err(error) => {
                    assert_eq!(error.kind(), SourceErrorKind::Unavailable, "{rows}");
                    assert!(failed && error.is_transient());
                    failures += 1;
                }
            }
        }
        assert!(failures >= 25, "cut {failures} times");
    });
}

/// Many pages, and all of them of one moment.
#[test]
fn more_than_a_page_is_loaded() {
    let place = Place::filled(0);
    let store = place.store();
    place.runtime.block_on(async {
        let mut seen = store.load().await.unwrap().revision;
        for page in 0..3 {
            let many: Vec<_> = (0..9_000).map(|number| assign(&format!("{page}-{number}"))).collect();
            seen = store.commit(seen, &many).await.unwrap();
        }
        let loaded = store.load().await.unwrap();
        assert_eq!((loaded.held.len(), loaded.revision), (27_000, seen));
    });
}
