//! Redis: ours beside one bare script that compares and sets, over one connection each.

use std::{error::Error, sync::Arc, time::Duration};

use bartizan::{
    core::{SecretText, os},
    crypto_ring::Ring,
};
use bartizan_benches::{Bench, Case};
use bartizan_sessions::Store;
use bartizan_sessions_redis::{Config, RedisSessions};
use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};
use tokio::{runtime::Builder, task::JoinSet};

use crate::families::{FAMILIES, NOW, Turn, begin_all, bytes, rotate_all};

/// Where the server listens, when there is one.
pub(crate) fn run(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let Some(url) = os::environment("BARTIZAN_TEST_REDIS_URL") else { return Ok(()) };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ours = runtime.block_on(filled(&url))?;
    let bare = runtime.block_on(Bare::filled(&url))?;
    let (mut turn, mut bare_turn) = (Turn::default(), Turn::default());
    bench.run(
        Case::new("rotate_redis", || {
            assert!(runtime.block_on(rotate_all(&ours, &mut turn)), "all are exchanged")
        })
        .limit(|| assert!(runtime.block_on(bare.set_all(&mut bare_turn)), "all are set"))
        .in_bursts_of(1),
    );
    runtime.block_on(async {
        bare.remove().await?;
        emptied(&ours).await
    })
}

async fn filled(url: &SecretText) -> Result<Arc<dyn Store>, Box<dyn Error>> {
    let config = Config::new(&format!("bench-{}", std::process::id()))?;
    let store = RedisSessions::open(url.expose(), config, Arc::new(Ring::new())).await?;
    let store: Arc<dyn Store> = Arc::new(store);
    begin_all(&store).await?;
    Ok(store)
}

/// The server is not ours alone.
async fn emptied(store: &Arc<dyn Store>) -> Result<(), Box<dyn Error>> {
    let mut delivered = 0;
    loop {
        let entries: Vec<u64> = store.pending(10_000).await?.iter().map(|entry| entry.number).collect();
        if entries.is_empty() {
            break;
        }
        delivered += entries.len();
        store.delivered(&entries).await?;
    }
    assert!(delivered > FAMILIES, "rotations were recorded");
    let later = NOW.saturating_add(Duration::from_secs(100 * 86_400));
    while store.purge(later, Duration::ZERO).await? > 0 {}
    Ok(())
}

/// What any rotation has to do: compare the secret, replace it, count.
const SCRIPT: &str = "if redis.call('HGET', KEYS[1], 'cur') ~= ARGV[1] then return 0 end \
                      redis.call('HSET', KEYS[1], 'cur', ARGV[2]) \
                      return redis.call('HINCRBY', KEYS[1], 'gen', 1)";

struct Bare {
    connection: MultiplexedConnection,
    hash: String,
}

impl Bare {
    async fn filled(url: &SecretText) -> Result<Self, Box<dyn Error>> {
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_pipeline_buffer_size(1024);
        let client = Client::open(url.expose())?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let hash = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(&mut connection).await?;
        let bare = Self { connection, hash };
        for families in (0..FAMILIES).collect::<Vec<_>>().chunks(1_000) {
            let mut all = redis::pipe();
            for family in families {
                all.cmd("HSET").arg(name(*family)).arg("cur").arg(&bytes(*family, 0, 1)).ignore();
            }
            all.exec_async(&mut bare.connection.clone()).await?;
        }
        Ok(bare)
    }

    /// All callers of one call. False when a family was not as it should be.
    async fn set_all(&self, turn: &mut Turn) -> bool {
        let mut tasks = JoinSet::new();
        for asks in turn.next() {
            let (mut connection, hash) = (self.connection.clone(), self.hash.clone());
            tasks.spawn(async move {
                for (family, generation) in asks {
                    let mut command = redis::cmd("EVALSHA");
                    command.arg(&hash).arg(1).arg(name(family));
                    command.arg(&bytes(family, generation, 1)).arg(&bytes(family, generation + 1, 1));
                    if command.query_async::<u64>(&mut connection).await.ok() != Some(generation + 1) {
                        return false;
                    }
                }
                true
            });
        }
        tasks.join_all().await.into_iter().all(|is_set| is_set)
    }

    async fn remove(&self) -> redis::RedisResult<()> {
        let mut connection = self.connection.clone();
        for families in (0..FAMILIES).collect::<Vec<_>>().chunks(1_000) {
            let mut command = redis::cmd("DEL");
            families.iter().for_each(|family| {
                command.arg(name(*family));
            });
            command.exec_async(&mut connection).await?;
        }
        Ok(())
    }
}

fn name(family: usize) -> Vec<u8> {
    [format!("bench-{}:", std::process::id()).as_bytes(), &bytes(family, 0, 0)].concat()
}
