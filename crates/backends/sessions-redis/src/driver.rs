//! The store.

mod keys;
mod once;
mod revocations;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_crypto::Provider;
use bartizan_sessions::{
    Begin, Begun, Digest, End, Ended, Epochs, Error as SessionsError, ErrorKind as SessionsErrorKind, Note,
    Rotate, Rotation, Session, SessionId, SessionKey, SessionStore, Store, StoredSession, WhenFull,
};
use redis::{Client, Value};

use crate::{
    Config, Error,
    names::{Name, Names},
    packed,
    row::{Fields, damaged, millis, worded},
    script::Script,
    wire::Wire,
};

/// Keeps sessions on a Redis server. Each call is one script, and so one step; all callers share one connection.
pub struct RedisSessions {
    wire: Wire,
    names: Names,
}

impl RedisSessions {
    /// Connects to the server of this URL, such as `redis://user:password@host:6379/0`, and checks its settings.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for the URL or the password,
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) and [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) for the
    /// server, [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) and [`ErrorKind::Busy`](crate::ErrorKind::Busy).
    pub async fn open(url: &str, config: Config, provider: Arc<dyn Provider>) -> Result<Self, Error> {
        Self::with_client(Client::open(url)?, config, provider).await
    }

    /// As [`RedisSessions::open`], with a client that the caller made: with TLS, certificates or names of its own.
    ///
    /// # Errors
    /// As [`RedisSessions::open`].
    pub async fn with_client(
        client: Client,
        config: Config,
        provider: Arc<dyn Provider>,
    ) -> Result<Self, Error> {
        let names = Names::new(&config.prefix, provider);
        let wire = Wire::open(client, config, &names).await?;
        Ok(Self { wire, names })
    }

    fn ask(&self, script: Script, now: Option<UnixTime>, note: &str) -> Ask<'_> {
        let keep = self.wire.config.keep.as_millis().to_string();
        let now = now.map_or_else(Vec::new, millis);
        let args = vec![self.names.prefix.clone(), keep.into(), now, note.into()];
        Ask { store: self, script, keys: Vec::new(), args }
    }

    fn owner(&self, tenant: &str, subject: &str) -> Name {
        self.names.owner(tenant, subject)
    }

    /// The session of a selector.
    fn row(&self, selector: &Digest) -> Vec<u8> {
        self.names.of("s", selector.as_bytes())
    }

    /// The sessions of an owner.
    fn sessions_of(&self, owner: &Name) -> Vec<u8> {
        self.names.of("u", owner)
    }

    /// How often, and when last, all of an owner was ended.
    fn ends_of(&self, owner: &Name) -> Vec<u8> {
        self.names.of("e", owner)
    }

    /// How many of the sessions that an end of everything ended had lived, counted piece by piece.
    async fn count_ended(&self, epoch: u64) -> Result<u64, SessionsError> {
        let (mut living, mut last, mut score) = (0, Vec::new(), Vec::new());
        loop {
            let ask = self.ask(Script::Count, None, "").arg(PIECE.to_string()).arg(last).arg(score);
            let mut piece = Fields::of(ask.arg(epoch.to_string()).run().await?)?;
            living += piece.number::<u64>()?;
            (last, score) = (piece.bytes()?, piece.bytes()?);
            if last.is_empty() {
                return Ok(living);
            }
        }
    }
}

/// How many rows a script looks at: a few milliseconds, in which nobody else is answered.
const PIECE: u32 = 500;

/// How many pieces a call of `purge` takes of each kind.
const PIECES: u32 = 8;

/// A call of a script that is being put together.
struct Ask<'a> {
    store: &'a RedisSessions,
    script: Script,
    keys: Vec<Vec<u8>>,
    args: Vec<Vec<u8>>,
}

impl Ask<'_> {
    fn key(mut self, key: Vec<u8>) -> Self {
        self.keys.push(key);
        self
    }

    fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    fn args(mut self, args: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.args.extend(args);
        self
    }

    async fn run(self) -> Result<Value, SessionsError> {
        let shared = self.store.names.shared(self.script.queue());
        let words = shared.iter().chain(&self.keys).chain(&self.args).map(Vec::as_slice).collect::<Vec<_>>();
        Ok(self.store.wire.call(self.script, shared.len() + self.keys.len(), &words).await?)
    }

    /// A script that answers a word and fields.
    async fn worded(self) -> Result<(String, Fields), SessionsError> {
        worded(self.run().await?)
    }

    /// A script that answers yes or no by a word.
    async fn done(self) -> Result<bool, SessionsError> {
        match self.worded().await?.0.as_str() {
            "done" => Ok(true),
            "no" => Ok(false),
            "too_many" => Err(SessionsErrorKind::TooMany.into()),
            _ => Err(damaged()),
        }
    }
}

/// Shows the configuration: the client holds a password.
impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions").field("config", &self.wire.config).finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn begin(&self, begin: &Begin) -> Result<Begun, SessionsError> {
        let (row, session) = (&begin.row, &begin.row.session);
        let owner = self.owner(&session.tenant, &session.subject);
        let (most, when_full) = match begin.cap {
            Some(cap) => (cap.most.to_string(), cap.when_full),
            None => (String::new(), WhenFull::Refuse),
        };
        let mut ask = self
            .ask(Script::Begin, Some(begin.now), &begin.note.0)
            .key(self.row(&row.selector))
            .key(self.names.of("i", session.id.key.as_bytes()))
            .key(self.sessions_of(&owner))
            .key(self.ends_of(&owner))
            .arg(millis(begin.remember_until))
            .arg(most)
            .arg(if when_full == WhenFull::EndOldest { "oldest" } else { "refuse" })
            .arg(row.selector.as_bytes())
            .arg(packed::pack_row(row, owner)?);
        if let Some(replaced) = &begin.replaces {
            ask = ask.key(self.row(replaced));
        }
        let (word, mut fields) = ask.worded().await?;
        match word.as_str() {
            "begun" => {
                let epochs = Epochs { subject: fields.number()?, global: fields.number()? };
                Ok(Begun::As(SessionId { key: session.id.key, epochs }))
            }
            "too_many" => Ok(Begun::TooMany),
            _ => Err(damaged()),
        }
    }

    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, SessionsError> {
        let (row, asked) = (self.row(&ask.selector), packed::pack_asked(ask));
        let next_row = ask.next_selector.as_ref().map(|next| self.row(next));
        let facts = ask.facts.as_ref().map(bartizan_sessions::Facts::to_text).transpose()?;
        let mut words = Vec::with_capacity(5);
        words.push(row.as_slice());
        words.extend(next_row.as_deref());
        let names = words.len();
        words.extend([asked.as_slice(), ask.note.0.as_bytes()]);
        words.extend(facts.as_deref().map(str::as_bytes));
        let answer = match self.wire.call(Script::Rotate, names, &words).await? {
            Value::BulkString(session) => return Ok(Rotation::Rotated(packed::rotated(&session)?)),
            answer => answer,
        };
        let (word, mut fields) = worded(answer)?;
        if word == "unknown" {
            return Ok(Rotation::Unknown);
        }
        let row = fields.session(ask.selector)?;
        match (word.as_str(), row.nonce) {
            ("rotated", _) => Ok(Rotation::Rotated(row.session)),
            ("replayed", Some(nonce)) => Ok(Rotation::Replayed { session: row.session, nonce }),
            ("reused", _) => Ok(Rotation::Reused(row.session)),
            ("unbound", _) => Ok(Rotation::Unbound(row.session)),
            ("expired", _) => Ok(Rotation::Expired(row.session)),
            ("ended", _) => Ok(Rotation::Ended(row.session)),
            _ => Err(damaged()),
        }
    }

    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, SessionsError> {
        let ask = self.ask(Script::Find, None, "").key(self.row(selector));
        let (word, mut fields) = ask.worded().await?;
        match word.as_str() {
            "found" => Ok(Some(fields.session(*selector)?)),
            "none" => Ok(None),
            _ => Err(damaged()),
        }
    }

    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), SessionsError> {
        let ask = self.ask(Script::Confirm, None, "").arg(key.as_bytes()).arg(generation.to_be_bytes());
        ask.done().await.map(drop)
    }

    async fn seen(
        &self,
        key: SessionKey,
        now: UnixTime,
        idle_expires: UnixTime,
    ) -> Result<(), SessionsError> {
        let ask = self.ask(Script::Seen, Some(now), "").arg(key.as_bytes()).arg(millis(idle_expires));
        ask.done().await.map(drop)
    }

    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, SessionsError> {
        let set = self.sessions_of(&self.owner(tenant, subject));
        let mut rows = Fields::of(self.ask(Script::List, Some(now), "").key(set).run().await?)?;
        // A list needs no selectors.
        let mut sessions = Vec::new();
        while !rows.is_at_end() {
            sessions.push(rows.session(Digest::from_bytes([0; 32]))?.session);
        }
        sessions.sort_by_key(|session| std::cmp::Reverse((session.seen, session.id.key)));
        Ok(sessions)
    }

    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, SessionsError> {
        let ask = |script| self.ask(script, Some(now), &note.0).arg(millis(until)).arg(why.as_str());
        let some = |which: &str, tenant: &str, subject: &str, key: SessionKey| {
            let owner = self.owner(tenant, subject);
            let ask = ask(Script::End).key(self.sessions_of(&owner));
            ask.arg(which).arg(key.as_bytes()).arg(owner)
        };
        let ask = match end {
            End::One { tenant, subject, key } => some("one", tenant, subject, key),
            End::Others { tenant, subject, keep } => some("others", tenant, subject, keep),
            End::All { tenant, subject } => {
                let owner = self.owner(tenant, subject);
                let ask = ask(Script::EndAll).key(self.sessions_of(&owner)).key(self.ends_of(&owner));
                ask.arg(tenant).arg(subject)
            }
            End::Everything => ask(Script::EndEverything),
        };
        let (word, mut fields) = ask.worded().await?;
        match word.as_str() {
            "ended" => fields.number(),
            "epoch" => self.count_ended(fields.number::<u64>()?.saturating_sub(1)).await,
            _ => Err(damaged()),
        }
    }
}

#[async_trait]
impl Store for RedisSessions {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, SessionsError> {
        let mut purged = 0;
        for script in [Script::PurgeSessions, Script::PurgeKeys, Script::PurgeOnce, Script::PurgeFeed] {
            for _ in 0..PIECES {
                let ask = self.ask(script, Some(now), "").arg(millis(now.saturating_sub(keep)));
                let mut piece = Fields::of(ask.arg(PIECE.to_string()).run().await?)?;
                purged += piece.number::<u64>()?;
                if piece.number::<u64>()? == 0 {
                    break;
                }
            }
        }
        Ok(purged)
    }

    /// Asks the server for its settings too: one that was changed since is as bad as one that was wrong.
    async fn health(&self) -> Result<(), SessionsError> {
        Ok(self.wire.check().await?)
    }
}
