//! `bartizan key` and `bartizan jwks`.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bartizan::{
    core::{SecretText, os},
    tokens::{Error, ErrorKind, KeySet, SigningKey},
};
use serde::Serialize;

use crate::{
    args::{Alg, Form, Key},
    key_file::{self, PRIVATE, unusable},
    outcome::{Ended, Outcome, Unusable, say, say_line},
    ring,
};

pub(crate) fn run(command: &Key) -> Ended {
    match command {
        Key::Generate { alg, kid, form, out } => generate(*alg, kid.as_deref(), *form, out),
        Key::Convert { file, alg, form, out } => {
            let key = key_file::private(file, *alg)?;
            written(&key, *form, out)
        }
        Key::Public { file, alg, form } => public(file, *alg, *form),
        Key::Ring(command) => ring::run(command),
    }
}

fn public(file: &Path, alg: Option<Alg>, form: Form) -> Ended {
    let key = key_file::public(file, alg)?;
    if key.algorithm().is_symmetric() {
        return Err(Unusable::of(file.display(), "a symmetric key has no public half"));
    }
    let text = match form {
        Form::Jwk => key.to_public_jwk(),
        Form::Pem => key.to_pem(),
    };
    say_line(text.map_err(|error| unusable(file, &error))?.trim_end())?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Generated<'a> {
    kid: &'a str,
    alg: &'a str,
    file: &'a Path,
}

fn generate(alg: Alg, kid: Option<&str>, form: Form, out: &Path) -> Ended {
    let made = SigningKey::generate(&PRIVATE, alg.algorithm(), kid, &os::OsEntropy);
    let key = made.map_err(|error| match error.kind() {
        ErrorKind::KeyUnsupported | ErrorKind::KeyRsaPkcs1 => Unusable::new(
            "RSA keys are not made here: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072, then key convert",
        ),
        _ => Unusable::of("the key", error),
    })?;
    let key = if matches!(alg, Alg::Ed25519) { key.fully_specified_name() } else { key };
    written(&key, form, out)
}

/// Writes a private key to a new file, and says its public half.
fn written(key: &SigningKey, form: Form, out: &Path) -> Ended {
    let text = private_text(key, form).map_err(|error| match error.kind() {
        ErrorKind::KeyUse => Unusable::new("a symmetric key is written as a JWK alone"),
        _ => Unusable::of("the key", error),
    })?;
    write_new(out, text.expose().trim_end().as_bytes())?;
    match key.verifying().to_public_jwk() {
        Ok(public) => say_line(&public)?,
        // A symmetric key has no public half: only its name is said.
        Err(_) => say(&Generated { kid: key.kid(), alg: key.algorithm_name(), file: out })?,
    }
    Ok(Outcome::Done)
}

fn private_text(key: &SigningKey, form: Form) -> Result<SecretText, Error> {
    match form {
        Form::Jwk => Ok(key.to_private_jwk()),
        Form::Pem => key.to_pem(),
    }
}

/// Writes a file that was not there, for its owner alone. A half-written one is taken away again.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> Result<(), Unusable> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Unusable::of(path.display(), "exists, and a key is never overwritten")
        }
        _ => Unusable::of(path.display(), error),
    })?;
    let written = file.write_all(content).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // What is left behind would be in the way of the next try.
        let _ = fs::remove_file(path);
        Unusable::of(path.display(), error)
    })
}

pub(crate) fn jwks(paths: &[PathBuf], alg: Option<Alg>) -> Ended {
    let keys = paths.iter().map(|path| key_file::public(path, alg)).collect::<Result<Vec<_>, _>>()?;
    let set = KeySet::new(keys)
        .and_then(|set| set.to_jwks())
        .map_err(|error| Unusable::of("the key set", error))?;
    say_line(&set)?;
    Ok(Outcome::Done)
}
