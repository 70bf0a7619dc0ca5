//! A schema of its own for every test, and what tests put in it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bartizan_sessions_postgres::{Config, PostgresSessionStore};
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::runtime::{Builder, Runtime};

/// Where the server listens. `cargo xtask test --servers` says so.
#[expect(clippy::disallowed_methods, reason = "tests learn from the environment where their servers listen.")]
pub(crate) fn url() -> String {
    std::env::var("BARTIZAN_TEST_POSTGRES_URL")
        .expect("BARTIZAN_TEST_POSTGRES_URL says where Postgres listens")
}

pub(crate) fn options() -> PgConnectOptions {
    url().parse().expect("a URL of Postgres")
}

/// A schema that no other test uses, gone with the value.
pub(crate) struct Place {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) server: PgConnectOptions,
    pub(crate) admin: PgPool,
    pub(crate) schema: String,
}

static PLACES: AtomicU32 = AtomicU32::new(0);

impl Place {
    /// An empty schema's name, without tables.
    pub(crate) fn bare() -> Self {
        Self::bare_on(options())
    }

    fn bare_on(server: PgConnectOptions) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let schema = format!("test_{}_{number}", std::process::id());
        let admin = runtime.block_on(pool(server.clone(), 2));
        Self { runtime: Arc::new(runtime), server, admin, schema }
    }

    /// With tables.
    pub(crate) fn new() -> Self {
        Self::on(options())
    }

    /// With tables, on a server of the test's own.
    pub(crate) fn on(server: PgConnectOptions) -> Self {
        let place = Self::bare_on(server);
        place.runtime.block_on(PostgresSessionStore::migrate(&place.admin, &place.config())).unwrap();
        place
    }

    pub(crate) fn config(&self) -> Config {
        Config::new().in_schema(&self.schema).unwrap()
    }

    /// A node of a service: a store with a pool of its own.
    pub(crate) fn store(&self) -> PostgresSessionStore {
        self.runtime
            .block_on(async {
                PostgresSessionStore::open(pool(self.server.clone(), 16).await, &self.config()).await
            })
            .unwrap()
    }

    /// Runs a statement, in which `{s}` is the schema.
    pub(crate) fn run(&self, statement: &str) -> u64 {
        let statement = statement.replace("{s}", &self.schema);
        let done =
            self.runtime.block_on(sqlx::raw_sql(AssertSqlSafe(statement)).execute(&self.admin)).unwrap();
        done.rows_affected()
    }

    /// What a statement counts.
    pub(crate) fn count(&self, statement: &str) -> i64 {
        let statement = statement.replace("{s}", &self.schema);
        self.runtime.block_on(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&self.admin)).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The server may be what the test failed of.
        if std::thread::panicking() {
            return;
        }
        self.run("DROP SCHEMA IF EXISTS {s} CASCADE");
    }
}

pub(crate) async fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(20))
        .connect_with(options)
        .await
        .expect("Postgres answers")
}
