//! `bartizan apikey`: credentials of programs.

use std::time::Duration;

use bartizan::sessions::{ApiKeys, By, ErrorKind, KeyId, NewKey, StoredKey};
use serde::Serialize;

use crate::{
    args::{ApiKey, NewKey as Asked, Owner, Store},
    outcome::{Ended, Outcome, Unusable, refuse, say},
    runtime::until_done,
    session::unusable,
    store,
};

pub(crate) fn run(command: &ApiKey) -> Ended {
    match command {
        ApiKey::List { store, owner } => until_done(list(store, owner)),
        ApiKey::Make { store, owner, new } => until_done(make(store, owner, new)),
        ApiKey::Rotate { store, owner, id, overlap, prefix, days } => {
            let overlap = Duration::from_secs(overlap * 3_600);
            until_done(rotate(store, owner, id, overlap, prefix, *days))
        }
        ApiKey::End { store, owner, id } => until_done(end(store, owner, id)),
    }
}

#[derive(Serialize)]
struct Listed {
    ok: bool,
    keys: Vec<Line>,
}

#[derive(Serialize)]
struct Made<'a> {
    ok: bool,
    /// The key itself: shown this once.
    key: &'a str,
    #[serde(flatten)]
    line: Line,
}

#[derive(Serialize)]
struct Line {
    id: String,
    name: Box<str>,
    scopes: Vec<Box<str>>,
    made: String,
    expires: String,
    used: Option<String>,
    ended: Option<String>,
}

impl From<StoredKey> for Line {
    fn from(key: StoredKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            scopes: key.scopes,
            made: key.made.to_string(),
            expires: key.expires.to_string(),
            used: key.used.map(|used| used.to_string()),
            ended: key.ended.map(|ended| ended.to_string()),
        }
    }
}

/// Keys are listed and ended whatever they begin with.
const ANY: &str = "key";

async fn keys(store: &Store, prefix: &str) -> Result<ApiKeys, Unusable> {
    let keys = store::sessions(store).await?.api_keys(prefix);
    keys.map_err(|_| Unusable::of("the prefix", "3 to 32 of a to z, digits and _, the first a letter"))
}

async fn list(store: &Store, Owner { tenant, subject }: &Owner) -> Ended {
    let found = keys(store, ANY).await?.list(tenant, subject).await.map_err(unusable)?;
    say(&Listed { ok: true, keys: found.into_iter().map(Line::from).collect() })?;
    Ok(Outcome::Done)
}

async fn make(store: &Store, owner: &Owner, asked: &Asked) -> Ended {
    let operator = store::operator()?;
    let new = NewKey::new(&owner.tenant, &owner.subject, &asked.name)
        .scopes(asked.scopes.iter().map(String::as_str))
        .lives(days(asked.days));
    match keys(store, &asked.prefix).await?.make(&new, &By::principal(&operator)).await {
        Ok((key, text)) => {
            say(&Made { ok: true, key: text.expose(), line: key.into() })?;
            Ok(Outcome::Done)
        }
        Err(error) if error.kind() == ErrorKind::TooMany => refuse("too_many"),
        Err(error) => Err(unusable(error)),
    }
}

async fn rotate(
    store: &Store,
    Owner { tenant, subject }: &Owner,
    id: &str,
    overlap: Duration,
    prefix: &str,
    lives: u64,
) -> Ended {
    let (operator, id) = (store::operator()?, parse(id)?);
    let keys = keys(store, prefix).await?;
    let known = keys.list(tenant, subject).await.map_err(unusable)?;
    let Some(old) = known.into_iter().find(|key| key.id == id) else {
        return refuse("unknown");
    };
    let new = NewKey::new(tenant, subject, &old.name).scopes(old.scopes.iter().map(|scope| &**scope));
    let replaced = keys.replace(id, overlap, &new.lives(days(lives)), &By::principal(&operator)).await;
    match replaced.map_err(unusable)? {
        Some((key, text)) => {
            say(&Made { ok: true, key: text.expose(), line: key.into() })?;
            Ok(Outcome::Done)
        }
        None => refuse("unknown"),
    }
}

#[derive(Serialize)]
struct Done {
    ok: bool,
}

async fn end(store: &Store, Owner { tenant, subject }: &Owner, id: &str) -> Ended {
    let (operator, id) = (store::operator()?, parse(id)?);
    let ended = keys(store, ANY).await?.end(tenant, subject, id, &By::principal(&operator)).await;
    if !ended.map_err(unusable)? {
        return refuse("unknown");
    }
    say(&Done { ok: true })?;
    Ok(Outcome::Done)
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3_600)
}

/// 32 hexadecimal digits.
fn parse(id: &str) -> Result<KeyId, Unusable> {
    let number = u128::from_str_radix(id, 16).ok().filter(|_| id.len() == 32 && !id.starts_with('+'));
    let number = number.ok_or_else(|| Unusable::new("that is no key's id"))?;
    Ok(KeyId::from_bytes(number.to_be_bytes()))
}
