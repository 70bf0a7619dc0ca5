//! The way to the server: one connection for all callers, scripts by their hash, and a bound on how long anything takes.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use redis::{AsyncConnectionConfig, Client, Cmd, RedisResult, Value, aio::MultiplexedConnection};
use tokio::{sync::Mutex, time};

use crate::{
    Config, Error, ErrorKind,
    names::{Names, Queue},
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
    /// What the script is told that looks after the format.
    about_format: Vec<Vec<u8>>,
    live: RwLock<Option<Arc<Live>>>,
    connecting: Mutex<()>,
}

/// A server that was found fit, and has the scripts.
struct Live {
    connection: MultiplexedConnection,
    /// What `SCRIPT LOAD` answered, in the order of [`Script`].
    hashes: Vec<Vec<u8>>,
}

impl Wire {
    /// # Errors
    /// As a call, and what the server's settings are refused for.
    pub(crate) async fn open(client: Client, config: Config, names: &Names) -> Result<Self, Error> {
        let mut about_format = names.shared(Queue::Sessions).to_vec();
        about_format.extend([names.prefix.clone(), Vec::new(), Vec::new(), Vec::new()]);
        let (live, connecting) = (RwLock::default(), Mutex::default());
        let wire = Self { client, config, about_format, live, connecting };
        wire.check().await?;
        Ok(wire)
    }

    /// Asks the server again how it is set.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.bounded(async |_, connection| settings::check(connection, self.config.durability).await).await
    }

    /// Runs a command that is no script.
    pub(crate) async fn command(&self, command: &Cmd) -> Result<Value, Error> {
        self.bounded(async |_, connection| Ok(command.query_async(connection).await?)).await
    }

    /// Runs a script, and waits for replicas where that is wanted. The first `keys` of the words are names.
    pub(crate) async fn call(&self, script: Script, keys: usize, words: &[&[u8]]) -> Result<Value, Error> {
        self.bounded(async |live, connection| {
            let command = live.command(script, keys, words)?;
            match self.send(connection, &command).await {
                Err(error) if error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript) => {
                    load(connection).await?;
                    Ok(self.send(connection, &command).await?)
                }
                answer => Ok(answer?),
            }
        })
        .await?
    }

    async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        command: &Cmd,
    ) -> RedisResult<Result<Value, Error>> {
        if self.config.min_replicas == 0 {
            return command.query_async(connection).await.map(Ok);
        }
        let wait = self.config.timeout.mul_f64(0.8).as_millis().max(1);
        let mut both = redis::pipe();
        both.ignore_errors().add_command(command.clone());
        both.cmd("WAIT").arg(self.config.min_replicas).arg(u64::try_from(wait).unwrap_or(u64::MAX));
        let mut answers: Vec<RedisResult<Value>> = both.query_async(connection).await?;
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
    async fn bounded<T>(
        &self,
        work: impl AsyncFnOnce(&Live, &mut MultiplexedConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut used = None;
        let answer = time::timeout(self.config.timeout, async {
            let live = match self.current() {
                Some(live) => live,
                None => self.connect().await?,
            };
            let live = used.insert(live);
            work(live, &mut live.connection.clone()).await
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
            self.forget(&live);
        }
        answer
    }

    fn current(&self) -> Option<Arc<Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn connect(&self) -> Result<Arc<Live>, Error> {
        // Held while connecting: however many wait, the server sees one attempt at a time. Each waits no longer than its bound.
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.config.timeout))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // SECURITY: after a failover the same address is another server, which may keep nothing.
        settings::check(&mut connection, self.config.durability).await?;
        let hashes = load(&mut connection).await?;
        let live = Live { connection, hashes };
        let names = self.about_format.len().saturating_sub(4);
        let words: Vec<&[u8]> = self.about_format.iter().map(Vec::as_slice).collect();
        live.command(Script::Format, names, &words)?.exec_async(&mut live.connection.clone()).await?;
        let live = Arc::new(live);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&live));
        Ok(live)
    }

    fn forget(&self, lost: &Arc<Live>) {
        let mut slot = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|live| Arc::ptr_eq(live, lost)) {
            *slot = None;
        }
    }
}

impl Live {
    fn command(&self, script: Script, keys: usize, words: &[&[u8]]) -> Result<Cmd, Error> {
        // INVARIANT(scripts-are-loaded): `load` has put as many hashes as there are scripts.
        let hash = self.hashes.get(script as usize).ok_or(ErrorKind::Unavailable)?;
        let length = words.iter().map(|word| word.len()).sum::<usize>();
        let mut command = Cmd::with_capacity(words.len() + 3, length + hash.len() + 16);
        command.arg("EVALSHA").arg(hash).arg(keys);
        for word in words {
            command.arg(*word);
        }
        Ok(command)
    }
}

/// Brings the scripts to a server. They have the same hashes everywhere.
async fn load(connection: &mut MultiplexedConnection) -> Result<Vec<Vec<u8>>, Error> {
    let mut all = redis::pipe();
    for source in SOURCES {
        all.cmd("SCRIPT").arg("LOAD").arg(*source);
    }
    let hashes: Vec<Vec<u8>> = all.query_async(connection).await?;
    if hashes.len() == SOURCES.len() { Ok(hashes) } else { Err(ErrorKind::Unavailable.into()) }
}

/// How many commands wait to be written, before their callers do.
const QUEUE: usize = 1024;

/// The client holds a password.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("config", &self.config).finish_non_exhaustive()
    }
}
