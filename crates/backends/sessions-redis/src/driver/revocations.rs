//! Revocations and the outbox.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{Asked, Entry, Epochs, Error, Feed, Note, Outbox, Position, RevocationStore};
use redis::Value;

use super::RedisSessions;
use crate::{
    row::{Fields, damaged, entry, entry_id, list, millis, revocation},
    script::Script,
};

#[async_trait]
impl RevocationStore for RedisSessions {
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error> {
        let digest = self.names.token(jti);
        let ask = self.ask(Script::RevokeToken, Some(now), &note.0).key(self.names.of("j", &digest));
        let ask = ask.arg(jti).arg(tenant).arg(subject).arg(millis(until)).arg(digest);
        ask.done().await.map(drop)
    }

    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        let owner = self.owner(asked.tenant, asked.subject);
        // Without a name: a key that nothing is ever stored under.
        let mark = asked.jti.map_or_else(Vec::new, |jti| self.names.token(jti).into());
        let ask =
            self.ask(Script::IsRevoked, None, "").key(self.ends_of(&owner)).key(self.names.of("j", &mark));
        let ask = match asked.session {
            Some(id) => ask
                .arg(id.key.as_bytes())
                .arg(id.epochs.subject.to_string())
                .arg(id.epochs.global.to_string()),
            None => ask.arg("").arg("").arg(""),
        };
        match ask.arg(asked.issued_at.as_secs().to_string()).run().await? {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(damaged()),
        }
    }

    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        let mut command = redis::cmd("XRANGE");
        command.arg(self.names.fixed("feed")).arg(format!("({}-0", after.0)).arg("+");
        command.arg("COUNT").arg(limit.min(MOST).saturating_add(1));
        let mut found = list(self.wire.command(&command).await?)?;
        let more = found.len() > limit.min(MOST);
        found.truncate(limit.min(MOST));
        let mut feed = Feed { revocations: Vec::with_capacity(found.len()), next: after, more };
        for element in found {
            let (position, revocation) = revocation(element)?;
            feed.next = Position(position);
            feed.revocations.push(revocation);
        }
        if feed.revocations.is_empty() {
            feed.next = after.min(self.last_position().await?);
        }
        Ok(feed)
    }

    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        let ask = self.ask(Script::Epochs, None, "").arg(self.owner(tenant, subject));
        let mut fields = Fields::of(ask.run().await?)?;
        Ok(Epochs { subject: fields.number()?, global: fields.number()? })
    }
}

impl RedisSessions {
    /// The last position that was given. Another server may have taken over that had not heard of
    /// the last ones.
    async fn last_position(&self) -> Result<Position, Error> {
        let mut command = redis::cmd("HGET");
        command.arg(self.names.fixed("meta")).arg("last");
        match self.wire.command(&command).await? {
            Value::Nil => Ok(Position::default()),
            last => Ok(Position(Fields::of(Value::Array(vec![last]))?.number()?)),
        }
    }
}

#[async_trait]
impl Outbox for RedisSessions {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("XRANGE");
        command.arg(self.names.fixed("outbox")).arg("-").arg("+").arg("COUNT").arg(limit.min(MOST));
        list(self.wire.command(&command).await?)?.into_iter().map(entry).collect()
    }

    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        for some in numbers.chunks(MOST) {
            let mut command = redis::cmd("XDEL");
            command.arg(self.names.fixed("outbox"));
            command.arg(some.iter().map(|number| entry_id(*number)).collect::<Vec<_>>());
            self.wire.command(&command).await?;
        }
        Ok(())
    }
}

/// The most elements of a stream that one call takes.
const MOST: usize = 10_000;
