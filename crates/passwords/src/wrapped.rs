//! The form of a hash around a hash: the inner scheme with its costs and salt, without its digest, then Argon2id.
//!
//! `$wrapped$bcrypt$c=12$<salt>$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use crate::{
    Error, ErrorKind,
    legacy::{Cost, Prf, Recipe},
    phc::{self, Argon2idHash},
};

pub(crate) const START: &str = "$wrapped$";

/// What comes after [`START`].
pub(crate) fn read(text: &str) -> Result<(Recipe, Argon2idHash), Error> {
    let mut parts = text.splitn(4, '$');
    let inner = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(costs), Some(salt)) => recipe(name, costs, salt),
        _ => None,
    }
    .ok_or(ErrorKind::Malformed)?
    .bounded()?;
    let outer = Argon2idHash::read(&format!("${}", parts.next().unwrap_or_default()))?;
    // One hash, one text: whatever the readers above let pass, such as another order, is not what is written.
    if write(&inner, &outer).strip_prefix(START) == Some(text) {
        Ok((inner, outer))
    } else {
        Err(ErrorKind::Malformed.into())
    }
}

pub(crate) fn write(inner: &Recipe, outer: &Argon2idHash) -> String {
    let length = inner.length;
    let costs = match inner.cost {
        Cost::Bcrypt { rounds_log2, is_of_sha256: false } => format!("bcrypt$c={rounds_log2}"),
        Cost::Bcrypt { rounds_log2, is_of_sha256: true } => format!("bcrypt-sha256$c={rounds_log2}"),
        Cost::Scrypt { log_n, r, p } => format!("scrypt$ln={log_n},r={r},p={p},l={length}"),
        Cost::Pbkdf2 { prf, rounds } => format!("{}$i={rounds},l={length}", prf.name()),
    };
    format!("{START}{costs}${}{}", STANDARD_NO_PAD.encode(&*inner.salt), outer.write())
}

fn recipe(name: &str, costs: &str, salt: &str) -> Option<Recipe> {
    let mut named = costs.split(',');
    let mut next = |name: &str| phc::decimal(named.next()?.strip_prefix(name)?.strip_prefix('=')?);
    let cost = match name {
        "bcrypt" => Cost::Bcrypt { rounds_log2: next("c")?, is_of_sha256: false },
        "bcrypt-sha256" => Cost::Bcrypt { rounds_log2: next("c")?, is_of_sha256: true },
        "scrypt" => Cost::Scrypt { log_n: next("ln")?, r: next("r")?, p: next("p")? },
        _ => Cost::Pbkdf2 { prf: Prf::named(name)?, rounds: next("i")? },
    };
    let length = match cost {
        Cost::Bcrypt { .. } => Recipe::BCRYPT_DIGEST,
        _ => usize::try_from(next("l")?).ok()?,
    };
    Some(Recipe { cost, salt: phc::bytes(salt, 1)?, length })
}
