//! Migrations, and what is demanded of a server before a store is opened.

use std::time::Duration;

use bartizan_core::{Fault, Revision};
use bartizan_policy_postgres::{Config, ErrorKind, PostgresPolicyStore};
use bartizan_rbac::{AssignmentStore, PolicySource, PolicyStore, SourceErrorKind};

use crate::support::{Place, assign, options, policy, pool};

#[test]
fn tables_have_to_be_there() {
    let place = Place::bare();
    let open = || place.runtime.block_on(PostgresPolicyStore::open(place.admin.clone(), &place.config()));
    let error = open().unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Schema, Fault::Caller));
    place.runtime.block_on(PostgresPolicyStore::migrate(&place.admin, &place.config())).unwrap();
    assert!(open().is_ok());
}

#[test]
fn of_programs_that_migrate_at_once_one_does_it() {
    let place = Place::bare();
    let results = place.runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let (pool, config) = (pool(options(), 1).await, place.config());
            tasks.push(tokio::spawn(async move { PostgresPolicyStore::migrate(&pool, &config).await }));
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(place.count("SELECT count(*) FROM {s}.policy_migrations"), 1);
}

#[test]
fn tables_of_another_version_are_refused_and_left_alone() {
    for alter in [
        "UPDATE {s}.policy_migrations SET statements = statements || ' '",
        "INSERT INTO {s}.policy_migrations (version, name, statements) VALUES (2, 'later', '')",
        "UPDATE {s}.policy_migrations SET version = 2",
        "DELETE FROM {s}.policy_migrations",
    ] {
        let place = Place::new();
        place.run(alter);
        let opened = place.runtime.block_on(PostgresPolicyStore::open(place.admin.clone(), &place.config()));
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::Schema, "{alter}");
        let migrated = place.runtime.block_on(PostgresPolicyStore::migrate(&place.admin, &place.config()));
        // The last one: the tables are there and nobody knows of which version.
        let expected = if alter.starts_with("DELETE") { ErrorKind::Refused } else { ErrorKind::Schema };
        assert_eq!(migrated.unwrap_err().kind(), expected, "{alter}");
        assert_eq!(place.count("SELECT count(*) FROM {s}.policy_feed"), 1);
    }
}

#[test]
fn a_role_that_may_only_read_follows_and_writes_nothing() {
    let place = Place::filled(1);
    let role = format!("reads_{}", place.schema);
    place.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'pw';
         GRANT USAGE ON SCHEMA {{s}} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {{s}} TO {role}"
    ));
    let store = place.runtime.block_on(async {
        let pool = pool(options().username(&role).password("pw"), 2).await;
        let config = place.config().poll_every(Duration::from_millis(20)).unwrap();
        PostgresPolicyStore::open(pool, &config).await.unwrap()
    });
    place.runtime.block_on(async {
        let loaded = store.load().await.unwrap();
        store.changes(loaded.revision).await.unwrap();
        for refused in [
            store.commit(loaded.revision, &[assign("eve")]).await,
            store.publish(loaded.revision, &policy(2)).await,
        ] {
            let refused = refused.unwrap_err();
            assert_eq!((refused.kind(), refused.is_transient()), (SourceErrorKind::Config, false));
        }
    });
    drop(store);
    place.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// `synchronous_commit` may be off for the role; no write of the store is.
#[test]
fn a_write_waits_for_the_disk_whatever_the_role_says() {
    let place = Place::new();
    place.run(
        "CREATE TABLE {s}.seen_settings (setting text);
         CREATE FUNCTION {s}.note_setting() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO {s}.seen_settings VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER noted AFTER UPDATE ON {s}.policy_feed
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.note_setting()",
    );
    let store = place.runtime.block_on(async {
        let lax = options().options([("synchronous_commit", "off")]);
        PostgresPolicyStore::open(pool(lax, 1).await, &place.config()).await.unwrap()
    });
    place.runtime.block_on(async {
        let seen = store.publish(Revision(0), &policy(1)).await.unwrap();
        store.commit(seen, &[assign("ada")]).await.unwrap();
    });
    // The trigger runs at the commit, and so tells what the commit obeyed.
    assert_eq!(place.count("SELECT count(*) FROM {s}.seen_settings WHERE setting = 'on'"), 2);
    assert_eq!(place.count("SELECT count(*) FROM {s}.seen_settings"), 2);
}

/// Beside the tables of sessions, whose schema has the same name unless said otherwise.
#[test]
fn nothing_stands_in_the_schema_that_is_not_named_after_policies() {
    let place = Place::new();
    let others = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = '{s}' AND c.relname NOT LIKE 'policy\\_%'";
    assert_eq!(place.count(others), 0);
}

#[test]
fn nothing_of_the_pool_is_shown() {
    let place = Place::new();
    let shown = format!("{:?} {:?}", place.store(), place.config());
    assert!(shown.contains(&place.schema), "{shown}");
    assert!(!shown.contains("pw") && !shown.contains("127.0.0.1") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_store_may_be_dropped_outside_of_its_runtime() {
    let place = Place::filled(1);
    let store = place.store_with(
        place.runtime.block_on(pool(options(), 2)),
        &place.config().poll_every(Duration::from_millis(20)).unwrap(),
    );
    place.runtime.block_on(async {
        let loaded = store.load().await.unwrap();
        store.changes(loaded.revision).await.unwrap();
    });
    drop(store);
}

/// Durability is read from the server; only this configuration does without.
#[test]
fn a_server_that_syncs_is_taken() {
    let place = Place::new();
    assert_eq!(place.count("SELECT count(*) FROM pg_settings WHERE name = 'fsync' AND setting = 'on'"), 1);
    for config in [place.config(), place.config().danger_without_fsync()] {
        assert!(place.runtime.block_on(PostgresPolicyStore::open(place.admin.clone(), &config)).is_ok());
    }
    assert_eq!(Config::default().in_schema("x; --").unwrap_err().kind(), ErrorKind::Config);
}
