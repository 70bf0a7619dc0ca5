//! What exchanging a refresh token costs in each store, beside one bare UPDATE by the same driver.
//!
//! One call is [`ROUNDS`] rotations of each of [`CALLERS`] callers, each of whom waits for its answer before it asks again.
//! Servers: those whose address is in the environment (`cargo xtask services up`); SQLite needs none.

use std::error::Error;

use bartizan_benches::Bench;

#[path = "sessions_stores/families.rs"]
mod families;
#[path = "sessions_stores/postgres.rs"]
mod postgres;
#[path = "sessions_stores/redis.rs"]
mod redis_store;
#[path = "sessions_stores/sqlite.rs"]
mod sqlite;

/// Who asks at once.
const CALLERS: usize = 64;

/// How often each of them asks in one call.
const ROUNDS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    sqlite::run(&mut bench)?;
    postgres::run(&mut bench)?;
    redis_store::run(&mut bench)?;
    bench.finish();
    Ok(())
}
