//! What is written at the same time, held in the middle.

use std::time::Duration;

use bartizan_sessions::conformance::plain::{NOW, begin, rotate, selector};
use bartizan_sessions::{
    End, Ended, Error, ErrorKind, Note, Position, RevocationStore, Rotation, Scope, SessionStore,
};
use bartizan_sessions_postgres::PostgresSessionStore;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::support::{Place, options, pool};

async fn held(pool: &PgPool, place: &Place, statement: &str) -> sqlx::pool::PoolConnection<sqlx::Postgres> {
    let mut connection = pool.acquire().await.unwrap();
    run(&mut connection, "BEGIN").await;
    run(&mut connection, &statement.replace("{s}", &place.schema)).await;
    connection
}

async fn run(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(connection).await.unwrap();
}

/// A store that gives up soon.
async fn hasty(place: &Place) -> PostgresSessionStore {
    let config = place.config().within(Duration::from_millis(400)).unwrap();
    PostgresSessionStore::open(pool(options(), 4).await, &config).await.unwrap()
}

async fn revoke(store: &PostgresSessionStore, jti: &str) -> Result<(), Error> {
    store.revoke_token(jti, "north", "ada", NOW, NOW, &Note::default()).await
}

#[test]
fn a_reader_never_passes_a_position_that_is_still_being_written() {
    let place = Place::new();
    place.runtime.block_on(async {
        let store = hasty(&place).await;
        revoke(&store, "first").await.unwrap();
        // Another node has drawn the next position, and has not committed.
        let mut other = held(
            &place.admin,
            &place,
            "WITH drawn AS (UPDATE {s}.feed SET last = last + 1 RETURNING last)
             INSERT INTO {s}.revocations (position, scope, jti, at, until) SELECT last, 'token', 'second', 0, 0 FROM drawn",
        )
        .await;
        // Nobody gets a later one meanwhile: not this one, which gives up in time.
        let error = revoke(&store, "third").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Busy), "{error}");
        let feed = store.revocations(Position(0), 9).await.unwrap();
        assert_eq!((feed.revocations.len(), feed.next), (1, Position(1)), "readers do not wait");
        run(&mut other, "COMMIT").await;
        revoke(&store, "third").await.unwrap();
        let feed = store.revocations(feed.next, 9).await.unwrap();
        let told: Vec<_> = feed.revocations.into_iter().map(|revocation| revocation.scope).collect();
        assert_eq!(told, [Scope::Token("second".into()), Scope::Token("third".into())]);
        assert_eq!(feed.next, Position(3));
    });
}

#[test]
fn a_session_that_begins_while_all_are_ended_is_dead() {
    let place = Place::new();
    place.runtime.block_on(async {
        let store = hasty(&place).await;
        let ending = "INSERT INTO {s}.ends (tenant, subject, epoch, at) VALUES ('north', 'ada', 1, 0)";
        let mut other = held(&place.admin, &place, ending).await;
        // It cannot know, and does not wait.
        store.begin(&begin(1)).await.unwrap();
        assert!(store.find(&selector(1)).await.unwrap().is_some());
        run(&mut other, "COMMIT").await;
        assert_eq!(store.find(&selector(1)).await.unwrap(), None);
        assert!(matches!(store.rotate(&rotate(1, 0)).await.unwrap(), Rotation::Ended(_)));
        // The next one is of the new epoch.
        store.begin(&begin(2)).await.unwrap();
        assert!(store.find(&selector(2)).await.unwrap().is_some());
    });
}

#[test]
fn a_rotation_that_waited_for_a_logout_sees_it() {
    let place = Place::new();
    place.runtime.block_on(async {
        let store = PostgresSessionStore::open(pool(options(), 4).await, &place.config()).await.unwrap();
        store.begin(&begin(1)).await.unwrap();
        let ending = "UPDATE {s}.sessions SET ended_at = 1, ended_why = 'logged_out'";
        let mut other = held(&place.admin, &place, ending).await;
        let waiting = {
            let store = store.clone();
            tokio::spawn(async move { store.rotate(&rotate(1, 0)).await })
        };
        until_somebody_waits(&place.admin, &place).await;
        run(&mut other, "COMMIT").await;
        assert!(matches!(waiting.await.unwrap().unwrap(), Rotation::Ended(_)));
    });
}

/// Two that end each other's sessions: the server undoes one of them, and it is done again.
#[test]
fn a_deadlock_is_no_error() {
    let place = Place::new();
    place.runtime.block_on(async {
        let store = PostgresSessionStore::open(pool(options(), 4).await, &place.config()).await.unwrap();
        store.begin(&begin(1)).await.unwrap();
        store.begin(&begin(2)).await.unwrap();
        // Holds the second and wants the first, while the store holds the first and wants the second.
        let mut other =
            held(&place.admin, &place, "SELECT 1 FROM {s}.sessions WHERE number = 2 FOR UPDATE").await;
        let waiting = {
            let store = store.clone();
            tokio::spawn(async move {
                let end = End::Others { tenant: "north", subject: "ada", keep: begin(9).row.session.id.key };
                store.end(end, Ended::Revoked, NOW, NOW, &Note::default()).await
            })
        };
        until_somebody_waits(&place.admin, &place).await;
        let mine = format!("SELECT 1 FROM {}.sessions WHERE number = 1 FOR UPDATE", place.schema);
        // Whoever is undone: the store's work is done in the end.
        let undone = sqlx::raw_sql(AssertSqlSafe(mine)).execute(&mut *other).await;
        run(&mut other, "ROLLBACK").await;
        assert_eq!(waiting.await.unwrap(), Ok(2), "the other one was undone: {}", undone.is_err());
    });
}

async fn until_somebody_waits(pool: &PgPool, place: &Place) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
    for _ in 0..2_000 {
        let count: i64 = sqlx::query_scalar(waiting).bind(&place.schema).fetch_one(pool).await.unwrap();
        if count > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody waits for a lock");
}
