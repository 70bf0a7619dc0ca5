//! A schema of its own for every test, and what tests put in it.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bartizan_core::Revision;
use bartizan_policy_postgres::{Config, PostgresPolicyStore};
use bartizan_rbac::{Assignment, AssignmentStore, Change, PolicyStore, PolicyText};
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

pub(crate) fn server() -> SocketAddr {
    let options = options();
    (options.get_host(), options.get_port()).to_socket_addrs().unwrap().next().unwrap()
}

/// A schema that no other test uses, gone with the value.
pub(crate) struct Place {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) admin: PgPool,
    pub(crate) schema: String,
}

static PLACES: AtomicU32 = AtomicU32::new(0);

impl Place {
    /// An empty schema's name, without tables.
    pub(crate) fn bare() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let schema = format!("policies_{}_{number}", std::process::id());
        let admin = runtime.block_on(pool(options(), 2));
        Self { runtime: Arc::new(runtime), admin, schema }
    }

    /// With tables.
    pub(crate) fn new() -> Self {
        let place = Self::bare();
        place.runtime.block_on(PostgresPolicyStore::migrate(&place.admin, &place.config())).unwrap();
        place
    }

    /// With a policy, and so many assignments and members.
    pub(crate) fn filled(assignments: u32) -> Self {
        let place = Self::new();
        let store = place.store();
        place.runtime.block_on(async {
            let seen = store.publish(Revision(0), &policy(1)).await.unwrap();
            let given =
                (0..assignments).flat_map(|number| [assign(&number.to_string()), join(&number.to_string())]);
            store.commit(seen, &given.collect::<Vec<_>>()).await.unwrap();
        });
        place
    }

    pub(crate) fn config(&self) -> Config {
        Config::new().in_schema(&self.schema).unwrap()
    }

    /// A node of a service: a store with a pool of its own.
    pub(crate) fn store(&self) -> PostgresPolicyStore {
        self.store_with(self.runtime.block_on(pool(options(), 4)), &self.config())
    }

    pub(crate) fn store_with(&self, pool: PgPool, config: &Config) -> PostgresPolicyStore {
        self.runtime.block_on(PostgresPolicyStore::open(pool, config)).unwrap()
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

pub(crate) fn policy(number: u32) -> PolicyText {
    PolicyText::Toml(format!(
        "version = 1\n# {number}\n[permissions]\n\"note:read\" = {{ scopes = [\"all\"] }}\n[roles.doctor]\nallow = [\"note:read:all\"]\n"
    ))
}

pub(crate) fn assign(subject: &str) -> Change {
    Change::Assign(Assignment::new("north", subject, "doctor"))
}

pub(crate) fn join(subject: &str) -> Change {
    Change::Join { tenant: "north".into(), group: "ward".into(), subject: subject.into() }
}
