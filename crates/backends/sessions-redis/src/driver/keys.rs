//! API keys.

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{ApiKeyStore, Digest, Error, KeyId, KeyReplacement, Note, StoredKey};

use super::{Ask, RedisSessions};
use crate::{
    names::Name,
    row::{Fields, damaged, key_args, list, millis},
    script::Script,
};

impl RedisSessions {
    fn key_row(&self, selector: &Digest) -> Vec<u8> {
        self.names.of("k", selector.as_bytes())
    }

    fn keys_of(&self, owner: &Name) -> Vec<u8> {
        self.names.of("v", owner)
    }

    /// What both scripts that write a new row take.
    fn with_row<'a>(&self, ask: Ask<'a>, key: &StoredKey, owner: Name) -> Result<Ask<'a>, Error> {
        let ask = ask.key(self.key_row(&key.selector)).key(self.names.of("n", key.id.as_bytes()));
        Ok(ask.key(self.keys_of(&owner)).args(key_args(key, owner)?))
    }
}

#[async_trait]
impl ApiKeyStore for RedisSessions {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        let owner = self.owner(&key.tenant, &key.subject);
        let ask = self.ask(Script::AddKey, Some(key.made), &note.0).arg(most.to_string()).arg("");
        self.with_row(ask, key, owner)?.done().await.map(drop)
    }

    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        let ask = self.ask(Script::FindKey, None, "").key(self.key_row(selector)).arg(selector.as_bytes());
        let (word, fields) = ask.worded().await?;
        match word.as_str() {
            "found" => Ok(Some(fields.key()?)),
            "none" => Ok(None),
            _ => Err(damaged()),
        }
    }

    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        let set = self.keys_of(&self.owner(tenant, subject));
        let rows = list(self.ask(Script::Keys, None, "").key(set).run().await?)?;
        rows.into_iter().map(|row| Fields::of(row)?.key()).collect()
    }

    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let KeyReplacement { old, old_until, new } = replacement;
        let owner = self.owner(&new.tenant, &new.subject);
        let ask =
            self.ask(Script::ReplaceKey, Some(now), &note.0).arg(millis(*old_until)).arg(old.as_bytes());
        self.with_row(ask, new, owner)?.done().await
    }

    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let ask = self.ask(Script::EndKey, Some(now), &note.0);
        ask.arg(self.owner(tenant, subject)).arg(id.as_bytes()).done().await
    }

    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        self.ask(Script::KeyUsed, Some(at), "").arg(id.as_bytes()).done().await.map(drop)
    }
}
