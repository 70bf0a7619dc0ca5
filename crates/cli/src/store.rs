//! Where a service keeps its sessions, opened by its operator.

use std::sync::Arc;

use bartizan::{
    core::{Attestation, Principal, PrincipalFacts, os},
    sessions::{self, Policy, Sessions},
};
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_sessions_postgres::PostgresSessionStore;
use bartizan_sessions_redis::RedisSessions;
use bartizan_sessions_sqlite::SqliteSessionStore;
use bartizan_sqlite_writer::{Database, Place};
use sqlx::postgres::PgPoolOptions;

use crate::{args::Store, outcome::Unusable};

/// The sessions of the service that keeps them in this store. It keeps them as they are: nothing is made that is not there.
pub(crate) async fn sessions(store: &Store) -> Result<Sessions, Unusable> {
    let opened = open(store).await?;
    // An access token of an ended session is remembered for as long as any may live: an hour.
    let policy = Policy::guide().access(std::time::Duration::from_secs(3_600));
    let (provider, entropy, clock) =
        (Arc::new(RustCrypto::new()), Arc::new(os::OsEntropy), Arc::new(os::SystemClock));
    Sessions::new(SERVICE, opened, provider, entropy, clock, policy).map_err(Unusable::new)
}

/// The operator, as the operating system knows them: who the record says did it.
pub(crate) fn operator() -> Result<Principal, Unusable> {
    let subject = format!("uid-{}", rustix::process::getuid().as_raw());
    Principal::attested(Attestation::Operator, PrincipalFacts::new("-", subject)).map_err(Unusable::new)
}

const SERVICE: &str = "bartizan";

async fn open(store: &Store) -> Result<Arc<dyn sessions::Store>, Unusable> {
    let Some(name) = &store.store_env else {
        let file = store.file.as_deref().ok_or_else(|| Unusable::new("no store was named"))?;
        if !file.exists() {
            // Looking at sessions makes no file for them.
            return Err(Unusable::of(file.display(), "no such file"));
        }
        let of_file = |error| Unusable::of(file.display(), error);
        let database = Database::open(Place::File(file.to_owned())).map_err(of_file)?;
        return Ok(Arc::new(SqliteSessionStore::open(Arc::new(database)).await.map_err(of_file)?));
    };
    let url = os::environment(name).ok_or_else(|| Unusable::of(name, "is not set"))?;
    // SECURITY: the URL holds a password: no error here shows it.
    match url.expose().split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => {
            let pool = PgPoolOptions::new().max_connections(1).connect_lazy(url.expose());
            let pool = pool.map_err(|_| Unusable::of(name, "is no URL of a Postgres server"))?;
            let mut config = bartizan_sessions_postgres::Config::new();
            if let Some(schema) = &store.store_name {
                config = config.in_schema(schema).map_err(Unusable::new)?;
            }
            Ok(Arc::new(PostgresSessionStore::open(pool, &config).await.map_err(Unusable::new)?))
        }
        Some("redis" | "rediss") => {
            let prefix = store.store_name.as_deref().unwrap_or(SERVICE);
            let config = bartizan_sessions_redis::Config::new(prefix).map_err(Unusable::new)?;
            let opened = RedisSessions::open(url.expose(), config, Arc::new(RustCrypto::new())).await;
            Ok(Arc::new(opened.map_err(Unusable::new)?))
        }
        _ => Err(Unusable::of(name, "is no URL of a Postgres or Redis server")),
    }
}
