//! The store.

use std::{fmt, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bartizan_core::{Clock, SecretArray, UnixTime};
use bartizan_crypto::{Mac, MacAlgorithm, Provider};
use bartizan_rate_limit::{Ask, Charge, Error, ErrorKind, LimitStore, gcra, give_back};
use redis::{Cmd, RedisError, RedisResult, Script, ServerErrorKind, aio::ConnectionLike};

use crate::{Config, error::translated, together};

/// Limits in Redis: a key for each, one script call for each ask, all asks of a request in one round trip.
pub struct RedisLimits<C> {
    connection: C,
    names: Arc<dyn Mac>,
    script: Script,
    config: Config,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisLimits<C> {
    /// A store on the program's own connection: a `MultiplexedConnection`, a `ConnectionManager`, which connects again by itself,
    /// or that of a cluster. Nothing is sent yet.
    ///
    /// `key` is for the names of the keys; all processes that share the limits have the same. Whoever changes it forgets all
    /// limits.
    ///
    /// # Errors
    /// [`ErrorKind::Bug`] when the provider refuses the key.
    pub fn new(
        connection: C,
        config: Config,
        provider: &dyn Provider,
        key: &SecretArray<32>,
    ) -> Result<Self, Error> {
        let names = provider.mac(MacAlgorithm::HmacSha256, key.expose())?;
        Ok(Self { connection, names, script: Script::new(SCRIPT), config })
    }

    /// Asks the server whether it keeps what it is told, for when a service starts.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when its `maxmemory-policy` is not `noeviction`: a server that drops keys when its memory is
    /// full gives a fresh quota to whoever fills it. [`ErrorKind::Unavailable`] when it does not answer, or does not say.
    pub async fn check_settings(&self) -> Result<(), Error> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let info: String = info.query_async(&mut self.connection.clone()).await.map_err(translated)?;
        let policy = info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"));
        match policy.map(str::trim) {
            Some("noeviction") => Ok(()),
            Some(_) => Err(ErrorKind::Configuration.into()),
            None => Err(ErrorKind::Unavailable.into()),
        }
    }

    /// One step of the script: the time, the state before and the state after.
    async fn step(&self, ask: Ask<'_>, charged: Option<u64>) -> Result<(u64, u64, u64), Error> {
        let (name, quota) = (self.name(&ask), ask.policy().quota());
        let now = self.config.clock.as_ref().map(|clock| micros(&**clock));
        let price = quota.interval_micros() * u64::from(ask.cost());
        let call = |command: &str, script: &str| {
            let mut call = redis::cmd(command);
            call.arg(script).arg(1).arg(&name);
            call.arg(now.map(|now| now.to_string()).unwrap_or_default()).arg(quota.depth()).arg(price);
            if let Some(charged) = charged {
                call.arg(charged);
            }
            call
        };
        let mut answer = self.send(&call("EVALSHA", self.script.get_hash())).await;
        if answer.as_ref().is_err_and(is_unknown_script) {
            // The whole text, to whichever node of a cluster holds the key; the node knows the script from then on.
            answer = self.send(&call("EVAL", SCRIPT)).await;
        }
        answer.map_err(translated)
    }

    async fn send(&self, command: &Cmd) -> RedisResult<(u64, u64, u64)> {
        command.query_async(&mut self.connection.clone()).await
    }

    async fn charge_one(&self, ask: Ask<'_>) -> Result<Charge, Error> {
        let (now, before, after) = self.step(ask, None).await?;
        let step = gcra(before, now, ask.policy().quota(), ask.cost());
        // The script and the function are one algorithm in two languages; if ever they are not, nobody passes.
        if step.state != after {
            return Err(ErrorKind::Bug.into());
        }
        Ok(Charge::new(step.decision, now))
    }

    async fn give_back_one(&self, ask: Ask<'_>, charge: Charge) -> Result<(), Error> {
        let Some(charged) = charge.at_micros() else { return Ok(()) };
        let (now, before, after) = self.step(ask, Some(charged)).await?;
        if give_back(before, now, ask.policy().quota(), ask.cost(), charged) != after {
            return Err(ErrorKind::Bug.into());
        }
        Ok(())
    }

    /// SECURITY: keyed. Addresses and accounts are few enough to try all of them: a plain hash in a database that somebody reads
    /// would name them. And nobody who lacks the key can find two names with one hash.
    fn name(&self, ask: &Ask<'_>) -> String {
        let mut key = Vec::with_capacity(64);
        ask.key().write_to(&mut |piece| key.extend_from_slice(piece));
        let policy = ask.policy().name();
        let tag = self.names.tag(&[b"bartizan limit 1\0", policy.as_bytes(), b"\0", &key]);
        let mut name = format!("{}{policy}:", self.config.prefix);
        for byte in tag.as_bytes().iter().take(NAME) {
            for digit in [byte >> 4, byte & 15] {
                name.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        name
    }
}

#[async_trait]
impl<C: ConnectionLike + Clone + Send + Sync + 'static> LimitStore for RedisLimits<C> {
    async fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Charge>, Error> {
        if let [ask] = asks {
            return Ok(vec![self.charge_one(*ask).await?]);
        }
        let each = asks.iter().map(|ask| Box::pin(self.charge_one(*ask)) as Pin<Box<_>>);
        together::all(each.collect()).await.into_iter().collect()
    }

    async fn give_back(&self, charges: &[(Ask<'_>, Charge)]) -> Result<(), Error> {
        let each =
            charges.iter().map(|(ask, charge)| Box::pin(self.give_back_one(*ask, *charge)) as Pin<Box<_>>);
        together::all(each.collect()).await.into_iter().collect()
    }
}

/// Neither the connection, whose address may hold a password, nor the key is shown.
impl<C> fmt::Debug for RedisLimits<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimits").field("config", &self.config).finish_non_exhaustive()
    }
}

fn micros(clock: &dyn Clock) -> u64 {
    let since = clock.wall().since(UnixTime::from_nanos(0));
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript)
}

const SCRIPT: &str = include_str!("gcra.lua");

/// Bytes of the tag in a name: 128 bits.
const NAME: usize = 16;
