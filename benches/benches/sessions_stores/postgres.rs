//! Postgres: ours beside one bare `UPDATE … RETURNING` over the same pool.

use std::{error::Error, sync::Arc};

use bartizan::core::os;
use bartizan_benches::{Bench, Case};
use bartizan_sessions::Store;
use bartizan_sessions_postgres::{Config, PostgresSessionStore};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};

use crate::families::{Turn, begin_all, bytes, rotate_all};

/// Fewer than there are callers: as a service has it.
const CONNECTIONS: u32 = 16;

pub(crate) fn run(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let Some(url) = os::environment("BARTIZAN_TEST_POSTGRES_URL") else {
        println!("rotate_postgres: BARTIZAN_TEST_POSTGRES_URL does not say where Postgres listens");
        return Ok(());
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let pool = runtime.block_on(PgPoolOptions::new().max_connections(CONNECTIONS).connect(url.expose()))?;
    let ours = runtime.block_on(filled(&pool, "bartizan_bench_ours", DROP_OURS))?;
    runtime.block_on(filled(&pool, "bartizan_bench_bare", DROP_BARE))?;
    let (mut turn, mut bare_turn) = (Turn::default(), Turn::default());
    bench.run(
        Case::new("rotate_postgres", || assert!(runtime.block_on(rotate_all(&ours, &mut turn)), "rotated"))
            .limit(|| assert!(updated(&runtime, &pool, &mut bare_turn), "updated"))
            .in_bursts_of(1)
            .in_rounds(61),
    );
    for statement in [DROP_OURS, DROP_BARE] {
        runtime.block_on(sqlx::raw_sql(statement).execute(&pool))?;
    }
    Ok(())
}

const DROP_OURS: &str = "DROP SCHEMA IF EXISTS bartizan_bench_ours CASCADE";
const DROP_BARE: &str = "DROP SCHEMA IF EXISTS bartizan_bench_bare CASCADE";

async fn filled(pool: &PgPool, schema: &str, drop: &'static str) -> Result<Arc<dyn Store>, Box<dyn Error>> {
    sqlx::raw_sql(drop).execute(pool).await?;
    let config = Config::new().in_schema(schema)?.within(std::time::Duration::from_secs(60))?;
    PostgresSessionStore::migrate(pool, &config).await?;
    let store: Arc<dyn Store> = Arc::new(PostgresSessionStore::open(pool.clone(), &config).await?);
    begin_all(&store).await?;
    Ok(store)
}

/// As many callers, each of whom asks as often, one after the other.
fn updated(runtime: &Runtime, pool: &PgPool, turn: &mut Turn) -> bool {
    const UPDATE: &str = "UPDATE bartizan_bench_bare.sessions SET current = $3, generation = generation + 1
         WHERE selector = $1 AND current = $2 RETURNING generation";
    let mut tasks = JoinSet::new();
    for asks in turn.next() {
        let pool = pool.clone();
        tasks.spawn_on(
            async move {
                for (family, generation) in asks {
                    let (selector, current) = (bytes(family, 0, 0), bytes(family, generation, 1));
                    let next = bytes(family, generation + 1, 1);
                    let query = sqlx::query(UPDATE).bind(&selector[..]).bind(&current[..]).bind(&next[..]);
                    if !matches!(query.fetch_all(&pool).await.as_deref(), Ok([_])) {
                        return false;
                    }
                }
                true
            },
            runtime.handle(),
        );
    }
    runtime.block_on(tasks.join_all()).into_iter().all(|updated| updated)
}
