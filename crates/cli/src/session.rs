//! `bartizan session`: who is logged in, and no longer.

use bartizan::sessions::{By, Ended as Why, Error, ErrorKind, Session as Known, SessionId, SessionKey};
use serde::Serialize;

use crate::{
    args::{Owner, Session, Store, Which},
    outcome::{Ended, Outcome, Unusable, refuse, say},
    runtime::until_done,
    store,
};

pub(crate) fn run(command: &Session) -> Ended {
    match command {
        Session::List { store, owner } => until_done(list(store, owner)),
        Session::End { store, tenant, subject, which } => {
            let named = |name: &Option<String>| name.clone().unwrap_or_default();
            let owner = Owner { tenant: named(tenant), subject: named(subject) };
            until_done(end(store, owner, which))
        }
    }
}

#[derive(Serialize)]
struct Listed {
    ok: bool,
    sessions: Vec<Line>,
}

/// A session, for whoever may see who is logged in: the device is personal data.
#[derive(Serialize)]
struct Line {
    id: String,
    kind: &'static str,
    begun: String,
    seen: String,
    idle_expires: String,
    expires: String,
    acr: Option<Box<str>>,
    amr: Vec<Box<str>>,
    client: Option<Box<str>>,
    device: Option<Box<str>>,
    address: Option<Box<str>>,
}

impl From<Known> for Line {
    fn from(known: Known) -> Self {
        let Known { id, kind, begun, seen, idle_expires, expires, facts, .. } = known;
        Self {
            id: id.to_string(),
            kind: kind.as_str(),
            begun: begun.to_string(),
            seen: seen.to_string(),
            idle_expires: idle_expires.to_string(),
            expires: expires.to_string(),
            acr: facts.acr,
            amr: facts.amr,
            client: facts.client,
            device: facts.device.name,
            address: facts.device.address,
        }
    }
}

async fn list(store: &Store, Owner { tenant, subject }: &Owner) -> Ended {
    let sessions = store::sessions(store).await?.list(tenant, subject).await.map_err(Unusable::new)?;
    say(&Listed { ok: true, sessions: sessions.into_iter().map(Line::from).collect() })?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Counted {
    ok: bool,
    ended: u64,
}

async fn end(store: &Store, Owner { tenant, subject }: Owner, which: &Which) -> Ended {
    let operator = store::operator()?;
    let (by, (tenant, subject)) = (By::principal(&operator), (&tenant, &subject));
    // What is no session's id is said before the store is asked.
    let (one, keep) = (key(which.id.as_deref())?, key(which.others_than.as_deref())?);
    let sessions = store::sessions(store).await?;
    let ended = match (one, keep) {
        (Some(key), _) => sessions.end(tenant, subject, key, Why::Revoked, &by).await.map(u64::from),
        (None, Some(keep)) => sessions.end_others(tenant, subject, keep, &by).await,
        (None, None) if which.everybody => sessions.end_everything(&by).await,
        (None, None) => sessions.end_all(tenant, subject, &by).await,
    };
    let ended = ended.map_err(unusable)?;
    if one.is_some() && ended == 0 {
        return refuse("unknown");
    }
    say(&Counted { ok: true, ended })?;
    Ok(Outcome::Done)
}

fn key(id: Option<&str>) -> Result<Option<SessionKey>, Unusable> {
    let parsed =
        id.map(SessionId::parse).transpose().map_err(|_| Unusable::new("that is no session's id"))?;
    Ok(parsed.map(|id| id.key))
}

pub(crate) fn unusable(error: Error) -> Unusable {
    match error.kind() {
        ErrorKind::Limits => Unusable::new("a tenant, subject, name, scope or life is beyond its limits"),
        _ => Unusable::new(error),
    }
}
