//! `bartizan password`.

mod breached;
mod policy;
mod tune;

use std::{path::Path, sync::Arc};

use bartizan::{
    core::os,
    passwords::{ErrorKind, Params, PasswordHash, Passwords, Verification},
};
use serde::{Deserialize, Serialize};

use crate::{
    args::Password,
    input::SecretSource,
    outcome::{Ended, Outcome, Unusable, refuse, say},
};

/// One hash at a time, of whatever cost another service chose within the bounds: 1 GiB.
const BUDGET: u64 = 1024 * 1024 * 1024;

pub(crate) fn run(command: &Password) -> Ended {
    match command {
        Password::Hash { password } => hash(password),
        Password::Verify { hash_file, hash_env, password } => {
            verify(hash_file.as_deref(), hash_env.as_deref(), password)
        }
        Password::Tune { target, memory, concurrent } => tune::run(*target, *memory, *concurrent),
        Password::Policy { rules, password } => policy::run(rules, password),
        Password::Breached(command) => breached::run(command),
    }
}

#[derive(Serialize)]
struct Hashed {
    hash: String,
}

#[derive(Serialize)]
struct Matched {
    ok: bool,
    needs_rehash: bool,
}

fn passwords() -> Result<Passwords, Unusable> {
    Passwords::new(Params::OWASP, BUDGET, Arc::new(os::OsEntropy)).map_err(Unusable::new)
}

fn hash(password: &SecretSource) -> Ended {
    let hash = passwords()?.hash(&password.read()?).map_err(|error| Unusable::of("the password", error))?;
    say(&Hashed { hash: hash.to_phc() })?;
    Ok(Outcome::Done)
}

/// What [`hash`] prints.
#[derive(Deserialize)]
struct Printed {
    hash: String,
}

fn verify(hash_file: Option<&Path>, hash_env: Option<&str>, password: &SecretSource) -> Ended {
    let stored = SecretSource::of(hash_file, hash_env).read()?;
    let printed = serde_json::from_str::<Printed>(stored.expose()).ok();
    let phc = printed.as_ref().map_or_else(|| stored.expose().trim(), |printed| &printed.hash);
    let stored = PasswordHash::parse(phc).map_err(|error| Unusable::of("the stored hash", error))?;
    match passwords()?.verify(&password.read()?, Some(&stored)) {
        Ok(Verification::Match { needs_rehash }) => {
            say(&Matched { ok: true, needs_rehash })?;
            Ok(Outcome::Done)
        }
        Ok(Verification::Mismatch) => refuse("mismatch"),
        // No hash was ever made of such a password.
        Err(error) if matches!(error.kind(), ErrorKind::Empty | ErrorKind::TooLong) => refuse("mismatch"),
        Err(error) => Err(Unusable::of("the stored hash", error)),
    }
}
