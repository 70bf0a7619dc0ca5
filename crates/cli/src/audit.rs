//! `bartizan audit`.

use std::{io::Write, path::Path, sync::Arc};

use bartizan::{
    audit::{self, Checkpoint, ErrorKind, Query, Reader, Report, Verdict, VerifyOptions},
    crypto::PublicKey,
    crypto_ring::Ring,
    tokens::Algorithm,
};
use serde::Serialize;

use crate::{
    args::{Audit, Filter},
    input, key_file,
    outcome::{Answers, Ended, Outcome, Unusable, note, say},
};

pub(crate) fn run(command: &Audit) -> Ended {
    match command {
        Audit::Verify { folder, key, checkpoint } => verify(folder, key, checkpoint.as_deref()),
        Audit::Show { folder, filter } => show(folder, filter),
    }
}

#[derive(Serialize)]
struct Verified<'a> {
    ok: bool,
    #[serde(flatten)]
    report: &'a Report,
}

fn verify(folder: &Path, keys: &[impl AsRef<Path>], checkpoint: Option<&Path>) -> Ended {
    let mut options = VerifyOptions::new(Arc::new(Ring::new()));
    for key in keys {
        options = options.trusting(public_key(key.as_ref())?);
    }
    if let Some(path) = checkpoint {
        let text = input::file(path)?;
        let held = Checkpoint::parse(text.expose()).map_err(|error| Unusable::of(path.display(), error))?;
        options = options.held(held);
    }
    let report = audit::verify(folder, &options).map_err(|error| match (error.kind(), checkpoint) {
        (ErrorKind::Checkpoint, Some(path)) => Unusable::of(path.display(), error),
        _ => Unusable::of(folder.display(), error),
    })?;
    let ok = match report.verdict() {
        Verdict::ConsistentToCheckpoint { .. } => true,
        Verdict::ConsistentUnanchored if keys.is_empty() => {
            note("completeness is unproven: give the key that checkpoints are signed with (--key)");
            true
        }
        Verdict::ConsistentUnanchored => {
            note("completeness is unproven: there is no checkpoint");
            false
        }
        Verdict::Corrupt(_) | Verdict::Truncated { .. } | Verdict::Forked { .. } => false,
    };
    say(&Verified { ok, report: &report })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}

/// The Ed25519 key of a JWK or PEM.
fn public_key(path: &Path) -> Result<PublicKey, Unusable> {
    let key = key_file::public(path, None)?;
    match key.public() {
        Some(public) if key.algorithm() == Algorithm::EdDsa => Ok(public.clone()),
        _ => Err(Unusable::of(path.display(), "checkpoints are signed with Ed25519")),
    }
}

fn show(folder: &Path, filter: &Filter) -> Ended {
    let unusable = |error| Unusable::of(folder.display(), error);
    let mut query = Query::new().from(filter.from).limit(filter.limit);
    if let Some(event) = &filter.event {
        query = query.event(event);
    }
    if let Some(subject) = &filter.subject {
        query = query.subject(subject);
    }
    if let Some(tenant) = &filter.tenant {
        query = query.tenant(tenant);
    }
    let reader = Reader::open(folder).map_err(unusable)?;
    let mut answers = Answers::new();
    for entry in reader.entries(query).map_err(unusable)? {
        match entry {
            Ok(entry) => answers.write(|out| out.write_all(entry.to_line().as_bytes()))?,
            Err(error) => {
                // What stands before the damage was said, and is worth knowing.
                answers.flush()?;
                note(format_args!("{}: {error}", folder.display()));
                return Ok(Outcome::Refused);
            }
        }
    }
    answers.flush()?;
    Ok(Outcome::Done)
}
