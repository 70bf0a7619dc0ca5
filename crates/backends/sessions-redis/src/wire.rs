//! The way to the server: one connection for all callers, scripts by their hash, and a bound on how long anything takes.

use std::{fmt, sync::Arc};

use redis::{AsyncConnectionConfig, Client, Cmd, RedisResult, Value, aio::MultiplexedConnection};
use tokio::{sync::Mutex, time};

use crate::{
    Config, Error, ErrorKind,
    script::{SOURCES, Script},
    settings,
};

/// A connection that is opened again when it was lost or no longer answers.
///
/// redis's own connection manager opens a new one only after an error of the old one. A peer that is gone without a word, such as
/// a host that was switched off, gives none for many minutes; here a call without an answer is reason enough.
pub(crate) struct Wire {
    client: Client,
    pub(crate) config: Config,
    live: Mutex<Option<Live>>,
}

/// A server that was found fit, and has the scripts.
#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    /// What `SCRIPT LOAD` answered, in the order of [`Script`]. Each connection has its own, by which it is told from others.
    hashes: Arc<[Vec<u8>]>,
}

impl Wire {
    /// # Errors
    /// As a call, and what the server's settings are refused for.
    pub(crate) async fn open(client: Client, config: Config) -> Result<Self, Error> {
        let wire = Self { client, config, live: Mutex::new(None) };
        wire.bounded(async |live| settings::check(&mut live.connection, wire.config.durability).await)
            .await?;
        Ok(wire)
    }

    /// Asks the server again how it is set.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.bounded(async |live| settings::check(&mut live.connection, self.config.durability).await).await
    }

    /// Runs a command that is no script.
    pub(crate) async fn command(&self, command: &Cmd) -> Result<Value, Error> {
        self.bounded(async |live| Ok(command.query_async(&mut live.connection).await?)).await
    }

    /// Runs a script, and waits for replicas where that is wanted.
    pub(crate) async fn call(
        &self,
        script: Script,
        shared: &[Vec<u8>],
        keys: &[Vec<u8>],
        args: &[Vec<u8>],
    ) -> Result<Value, Error> {
        self.bounded(async |live| {
            let command = live.command(script, shared, keys, args)?;
            match self.send(live, &command).await {
                Err(error) if error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript) => {
                    load(&mut live.connection).await?;
                    Ok(self.send(live, &command).await?)
                }
                answer => Ok(answer?),
            }
        })
        .await?
    }

    async fn send(&self, live: &mut Live, command: &Cmd) -> RedisResult<Result<Value, Error>> {
        if self.config.min_replicas == 0 {
            return command.query_async(&mut live.connection).await.map(Ok);
        }
        let wait = self.config.timeout.mul_f64(0.8).as_millis().max(1);
        let mut both = redis::pipe();
        both.ignore_errors().add_command(command.clone());
        both.cmd("WAIT").arg(self.config.min_replicas).arg(u64::try_from(wait).unwrap_or(u64::MAX));
        let mut answers: Vec<RedisResult<Value>> = both.query_async(&mut live.connection).await?;
        let received = answers.pop();
        let Some(answer) = answers.pop() else { return Ok(Err(ErrorKind::Unavailable.into())) };
        let answer = answer?;
        match received {
            Some(Ok(Value::Int(replicas))) if replicas >= i64::from(self.config.min_replicas) => {
                Ok(Ok(answer))
            }
            _ => Ok(Err(ErrorKind::Unavailable.into())),
        }
    }

    /// # Cancel safety
    /// A caller that goes away leaves the connection as it is. Whether what it asked for is done is open, as after an error.
    async fn bounded<T>(&self, work: impl AsyncFnOnce(&mut Live) -> Result<T, Error>) -> Result<T, Error> {
        let mut used = None;
        let answer = time::timeout(self.config.timeout, async {
            let live = used.insert(self.live().await?);
            work(live).await
        })
        .await;
        let (answer, is_lost) = match answer {
            Ok(answer) => {
                let is_lost = answer.as_ref().is_err_and(Error::is_of_connection);
                (answer, is_lost)
            }
            Err(_) => (Err(ErrorKind::Unavailable.into()), true),
        };
        if let Some(live) = used.filter(|_| is_lost) {
            self.forget(&live).await;
        }
        answer
    }

    async fn live(&self) -> Result<Live, Error> {
        // Held while connecting: however many wait, the server sees one attempt at a time. Each waits no longer than its bound.
        let mut slot = self.live.lock().await;
        if let Some(live) = &*slot {
            return Ok(live.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.config.timeout))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // SECURITY: after a failover the same address is another server, which may keep nothing.
        settings::check(&mut connection, self.config.durability).await?;
        let hashes = load(&mut connection).await?;
        Ok(slot.insert(Live { connection, hashes }).clone())
    }

    async fn forget(&self, lost: &Live) {
        let mut slot = self.live.lock().await;
        if slot.as_ref().is_some_and(|live| Arc::ptr_eq(&live.hashes, &lost.hashes)) {
            *slot = None;
        }
    }
}

impl Live {
    fn command(
        &self,
        script: Script,
        shared: &[Vec<u8>],
        keys: &[Vec<u8>],
        args: &[Vec<u8>],
    ) -> Result<Cmd, Error> {
        // INVARIANT(scripts-are-loaded): `load` has put as many hashes as there are scripts.
        let hash = self.hashes.get(script as usize).ok_or(ErrorKind::Unavailable)?;
        let mut command = redis::cmd("EVALSHA");
        command.arg(hash).arg(shared.len() + keys.len()).arg(shared).arg(keys).arg(args);
        Ok(command)
    }
}

/// Brings the scripts to a server. They have the same hashes everywhere.
async fn load(connection: &mut MultiplexedConnection) -> Result<Arc<[Vec<u8>]>, Error> {
    let mut all = redis::pipe();
    for source in SOURCES {
        all.cmd("SCRIPT").arg("LOAD").arg(*source);
    }
    let hashes: Vec<Vec<u8>> = all.query_async(connection).await?;
    if hashes.len() == SOURCES.len() { Ok(hashes.into()) } else { Err(ErrorKind::Unavailable.into()) }
}

/// How many commands wait to be written, before their callers do.
const QUEUE: usize = 1024;

/// The client holds a password.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("config", &self.config).finish_non_exhaustive()
    }
}
