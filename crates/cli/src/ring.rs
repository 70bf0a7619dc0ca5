//! `bartizan key ring`: the document of a key ring looked at and changed, by the code that services run.

mod file;
mod said;

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use bartizan::{
    core::{Clock, UnixTime, os},
    crypto::rotation::{Next, Policy},
    tokens::{Change, Error, ErrorKind, KeyRing},
};

use self::{
    file::Stored,
    said::{Changed, Planned, Refused, Shown, Then, table},
};
use crate::{
    args::{First, NextKey, Ring, Spans},
    key::write_new,
    key_file::{self, PRIVATE, unusable},
    outcome::{Ended, Outcome, Unusable, note, say, say_line},
};

pub(crate) fn run(command: &Ring) -> Ended {
    match command {
        Ring::Create { first, spans, out } => create(first, spans, out),
        Ring::Show { file, table } => show(file, *table),
        Ring::Plan { file, ahead } => plan(file, *ahead),
        Ring::Step { file, keep } => change(file, Change::Due { needed: keep }),
        Ring::Rotate { file } => change(file, Change::Rotate),
        Ring::Publish { file, key, alg } => change(file, Change::Publish(key_file::private(key, *alg)?)),
        Ring::Revoke { file, kid } => change(file, Change::Revoke(kid)),
        Ring::Jwks { file } => jwks(file),
    }
}

fn create(first: &First, spans: &Spans, out: &Path) -> Ended {
    let now = os::SystemClock.wall();
    let (provider, entropy) = (Arc::new(PRIVATE), Arc::new(os::OsEntropy));
    let made = match (&first.key, first.alg) {
        (Some(file), alg) => {
            KeyRing::with_key(provider, key_file::private(file, alg)?, policy(spans), entropy, now)
        }
        (None, Some(alg)) => KeyRing::create(provider, alg.algorithm(), policy(spans), entropy, now),
        (None, None) => return Err(Unusable::new("name what its keys sign with: --alg, or --key")),
    };
    let ring = made.map_err(|error| Unusable::of("the ring", explained(&error)))?;
    write_new(out, ring.to_document().expose().as_bytes())?;
    say(&Shown::of(&ring, now))?;
    Ok(Outcome::Done)
}

fn show(file: &Path, with_table: bool) -> Ended {
    let ring = Stored::read(file)?.ring;
    let now = os::SystemClock.wall();
    if with_table {
        // For people: it goes beside the answer, and whether anybody reads it changes nothing.
        let _ = write!(io::stderr(), "{}", table(&ring));
    }
    say(&Shown::of(&ring, now))?;
    Ok(Outcome::Done)
}

/// SECURITY: the steps are taken by a ring in memory, whose new keys are forgotten; nothing is written.
fn plan(file: &Path, ahead: u8) -> Ended {
    let ring = Stored::read(file)?.ring;
    let now = os::SystemClock.wall();
    let due = ring.step(now).map_err(|error| not_made(file, &error))?;
    let mut then = Vec::new();
    let mut at = due.look_again();
    while then.len() < usize::from(ahead) && at < UnixTime::MAX {
        match ring.step(at) {
            Ok(plan) => {
                // An earlier policy that ends is no step of any key.
                if !plan.steps().is_empty() {
                    then.push(Then::of(at, plan.steps()));
                }
                at = plan.look_again();
            }
            Err(error) => {
                note(format_args!("{}: at {at}: {}", file.display(), explained(&error)));
                break;
            }
        }
    }
    say(&Planned::of(due.steps(), then))?;
    Ok(Outcome::Done)
}

/// Prepared, written, and only then said to be done.
fn change(file: &Path, change: Change<'_>) -> Ended {
    let stored = Stored::read(file)?;
    let ring = &stored.ring;
    let now = os::SystemClock.wall();
    let draft = match ring.prepare(change, now) {
        Ok(Some(draft)) => draft,
        Ok(None) => {
            say(&Changed::of(ring, &[], now))?;
            return Ok(Outcome::Done);
        }
        // What the ring itself says no to. All else is about what it was given.
        Err(error) if matches!(error.kind(), ErrorKind::KeyLife | ErrorKind::KeyUnknown) => {
            say(&Refused::of(&error))?;
            return Ok(Outcome::Refused);
        }
        Err(error) => return Err(not_made(file, &error)),
    };
    stored.replace(&draft.to_document())?;
    let done = ring.install(draft).map_err(|error| unusable(file, &error))?;
    if ring.signer().is_err() {
        note(format_args!("{}: no key signs until the pending one is known", file.display()));
    }
    say(&Changed::of(ring, done.steps(), now))?;
    Ok(Outcome::Done)
}

fn jwks(file: &Path) -> Ended {
    let ring = Stored::read(file)?.ring;
    let set = ring.jwks().map_err(|error| unusable(file, &error))?;
    say_line(set.json())?;
    Ok(Outcome::Done)
}

fn not_made(file: &Path, error: &Error) -> Unusable {
    Unusable::of(file.display(), explained(error))
}

fn explained(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Config => "these spans cannot be kept: none over 400 days, a life of over nothing, and no more than 30 keys that \
                              retire at a time"
            .to_owned(),
        ErrorKind::KeyUnsupported | ErrorKind::KeyRsaPkcs1 => {
            "the next key is due, and RSA keys are not made here: bring it with key ring publish, or with --next in-time once it \
             is due"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

fn policy(spans: &Spans) -> Policy {
    let mut policy = Policy::SIGNING_KEYS;
    policy.period = Duration::from_secs(spans.period);
    policy.longest_life = Duration::from_secs(spans.longest_life);
    policy.cache_age = Duration::from_secs(spans.cache_age);
    policy.skew = Duration::from_secs(spans.skew);
    policy.spread = Duration::from_secs(spans.spread);
    policy.next = match spans.next {
        NextKey::Always => Next::Always,
        NextKey::InTime => Next::InTime,
    };
    policy
}
