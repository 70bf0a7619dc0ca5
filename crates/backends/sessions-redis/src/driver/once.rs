//! One-time tokens and counters.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{Digest, Error, NewOnce, Note, OnceStore, Taken};
use redis::Value;

use super::RedisSessions;
use crate::{
    row::{damaged, millis},
    script::Script,
};

#[async_trait]
impl OnceStore for RedisSessions {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        let index = self.names.purpose(new.tenant, new.subject, new.purpose);
        let ask = self
            .ask(Script::PutOnce, Some(new.now), &new.note.0)
            .key(self.names.of("o", new.digest.as_bytes()))
            .key(self.names.of("w", &index))
            .arg(new.purpose)
            .arg(new.tenant)
            .arg(new.subject)
            .arg(new.data)
            .arg(millis(new.expires))
            .arg(self.owner(new.tenant, new.subject))
            .arg(new.digest.as_bytes())
            .arg(index);
        ask.done().await.map(drop)
    }

    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error> {
        let ask = self.ask(Script::TakeOnce, Some(now), &note.0).key(self.names.of("o", digest.as_bytes()));
        let (word, mut fields) = ask.arg(purpose).arg(digest.as_bytes()).worded().await?;
        match word.as_str() {
            "taken" => {
                Ok(Some(Taken { tenant: fields.text()?, subject: fields.text()?, data: fields.text()? }))
            }
            "none" => Ok(None),
            _ => Err(damaged()),
        }
    }

    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        let name = self.names.of("c", &self.names.counter(tenant, subject, counter));
        match self.ask(Script::Advance, None, "").key(name).arg(to.to_string()).run().await? {
            Value::Int(up) => Ok(up == 1),
            _ => Err(damaged()),
        }
    }
}
