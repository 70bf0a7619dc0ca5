//! How other systems write their hashes.

use base64::{
    Engine, alphabet,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, STANDARD, STANDARD_NO_PAD},
    },
};
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind,
    legacy::{Cost, Prf, Recipe},
    phc::decimal,
};

type Bytes = Zeroizing<Vec<u8>>;

/// A digest and what it was made of, from the text of another system.
pub(crate) fn read(text: &str) -> Result<(Recipe, Bytes), Error> {
    let known = django(text).or_else(|| spring(text)).or_else(|| modular(text));
    let Some((recipe, digest)) = known else {
        let is_refused = REFUSED.iter().any(|start| text.starts_with(start));
        return Err(if is_refused { ErrorKind::Refused } else { ErrorKind::Malformed }.into());
    };
    Ok((recipe.bounded()?, digest))
}

/// `name$…`, without a `$` before it.
fn django(text: &str) -> Option<(Recipe, Bytes)> {
    let (name, rest) = text.split_once('$')?;
    match name {
        "bcrypt" => bcrypt(rest, false),
        "bcrypt_sha256" => bcrypt(rest, true),
        "pbkdf2_sha256" => django_pbkdf2(Prf::Sha256, rest),
        "pbkdf2_sha1" => django_pbkdf2(Prf::Sha1, rest),
        "scrypt" => {
            let [n, salt, r, p, digest] = parts(rest)?;
            let cost = Cost::Scrypt { log_n: log2(decimal(n)?)?, r: decimal(r)?, p: decimal(p)? };
            with(cost, raw(salt), padded(digest)?)
        }
        _ => None,
    }
}

/// Django's salts are texts, and their bytes are the salt.
fn django_pbkdf2(prf: Prf, rest: &str) -> Option<(Recipe, Bytes)> {
    let [rounds, salt, digest] = parts(rest)?;
    with(Cost::Pbkdf2 { prf, rounds: decimal(rounds)? }, raw(salt), padded(digest)?)
}

/// `{name}…`.
fn spring(text: &str) -> Option<(Recipe, Bytes)> {
    let (name, rest) = text.strip_prefix('{')?.split_once('}')?;
    match name {
        "bcrypt" => bcrypt(rest, false),
        // `Pbkdf2PasswordEncoder` writes salt and digest and no costs: those of its defaults before 5.8 and since.
        "pbkdf2" => spring_pbkdf2(Prf::Sha1, 185_000, 8, rest),
        "pbkdf2@SpringSecurity_v5_8" => spring_pbkdf2(Prf::Sha256, 310_000, 16, rest),
        "scrypt" | "scrypt@SpringSecurity_v5_8" => {
            let [costs, salt, digest] = parts(rest.strip_prefix('$')?)?;
            let is_hex = costs.bytes().all(|byte| byte.is_ascii_hexdigit());
            let costs = u32::from_str_radix(costs, 16).ok().filter(|_| is_hex)?;
            let cost = Cost::Scrypt { log_n: costs >> 16, r: costs >> 8 & 0xff, p: costs & 0xff };
            with(cost, padded(salt)?, padded(digest)?)
        }
        _ => None,
    }
}

fn spring_pbkdf2(prf: Prf, rounds: u32, salt: usize, hex: &str) -> Option<(Recipe, Bytes)> {
    let bytes = from_hex(hex)?;
    let (salt, digest) = bytes.split_at_checked(salt)?;
    // Both defaults make digests of 256 bits.
    if digest.len() != 32 {
        return None;
    }
    let (salt, digest) = (Zeroizing::new(salt.to_vec()), Zeroizing::new(digest.to_vec()));
    with(Cost::Pbkdf2 { prf, rounds }, salt, digest)
}

/// `$name$…`: bcrypt's own form, the PHC string format, and passlib's older one for PBKDF2.
fn modular(text: &str) -> Option<(Recipe, Bytes)> {
    if text.starts_with("$2") {
        return bcrypt(text, false);
    }
    let [name, costs, salt, digest] = parts(text.strip_prefix('$')?)?;
    if name == "scrypt" {
        let [log_n, r, p] = listed(costs)?;
        let cost = Cost::Scrypt {
            log_n: decimal(log_n.strip_prefix("ln=")?)?,
            r: decimal(r.strip_prefix("r=")?)?,
            p: decimal(p.strip_prefix("p=")?)?,
        };
        return with(cost, plain(salt)?, plain(digest)?);
    }
    // SHA-1 has no name in the PHC form that all agree on.
    let prf = Prf::named(name).filter(|prf| !matches!(prf, Prf::Sha1))?;
    let Some(rounds) = costs.strip_prefix("i=") else {
        return with(Cost::Pbkdf2 { prf, rounds: decimal(costs)? }, dotted(salt)?, dotted(digest)?);
    };
    let (rounds, length) = match rounds.split_once(",l=") {
        Some((rounds, length)) => (rounds, Some(decimal(length)?)),
        None => (rounds, None),
    };
    let digest = plain(digest)?;
    if length.is_some_and(|length| u32::try_from(digest.len()) != Ok(length)) {
        return None;
    }
    with(Cost::Pbkdf2 { prf, rounds: decimal(rounds)? }, plain(salt)?, digest)
}

/// `$2b$12$`, 22 characters of salt, 31 of digest.
fn bcrypt(text: &str, is_of_sha256: bool) -> Option<(Recipe, Bytes)> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| text.strip_prefix(version))?;
    let (rounds, rest) = rest.split_once('$')?;
    // Two digits always: `04`.
    let is_plain = rounds.len() == 2 && rounds.bytes().all(|byte| byte.is_ascii_digit());
    let rounds_log2 = rounds.parse().ok().filter(|_| is_plain)?;
    let (salt, digest) = rest.split_at_checked(22)?;
    if digest.len() != 31 {
        return None;
    }
    let [salt, digest] = [salt, digest].map(|text| BCRYPT.decode(text).ok().map(Zeroizing::new));
    with(Cost::Bcrypt { rounds_log2, is_of_sha256 }, salt?, digest?)
}

#[expect(clippy::unnecessary_wraps, reason = "It ends every reader above, which all answer an option.")]
fn with(cost: Cost, salt: Bytes, digest: Bytes) -> Option<(Recipe, Bytes)> {
    Some((Recipe { cost, salt, length: digest.len() }, digest))
}

/// Exactly so many parts between `$`.
fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.splitn(N + 1, '$').collect::<Vec<_>>().try_into().ok()
}

fn listed<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.splitn(N + 1, ',').collect::<Vec<_>>().try_into().ok()
}

fn log2(n: u32) -> Option<u32> {
    n.is_power_of_two().then(|| n.ilog2())
}

fn raw(text: &str) -> Bytes {
    Zeroizing::new(text.as_bytes().to_vec())
}

fn plain(text: &str) -> Option<Bytes> {
    STANDARD_NO_PAD.decode(text).ok().map(Zeroizing::new)
}

fn padded(text: &str) -> Option<Bytes> {
    STANDARD.decode(text).ok().map(Zeroizing::new)
}

/// passlib's base64: `.` for `+`, no padding.
fn dotted(text: &str) -> Option<Bytes> {
    if text.contains('+') {
        return None;
    }
    plain(&Zeroizing::new(text.replace('.', "+")))
}

fn from_hex(text: &str) -> Option<Bytes> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let digits = text.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() {
        return None;
    }
    for pair in digits {
        let mut byte = 0;
        for digit in pair {
            byte = byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
        bytes.push(byte);
    }
    Some(bytes)
}

/// Some systems wrote the last character of a salt with stray bits; all readers ignore them.
const BCRYPT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

/// What protects nothing, is another function under a known name, or was made by a broken one. Django's and Spring's names.
const REFUSED: [&str; 18] = [
    "{noop}",
    "{plain",
    "{MD4}",
    "{MD5}",
    "{SHA",
    "{sha",
    "{SSHA",
    "{ldap}",
    "md5$",
    "sha1$",
    "sha256$",
    "unsalted_md5$",
    "unsalted_sha1$",
    "crypt$",
    "$1$",
    "$2$",
    "$2x$",
    "$apr1$",
];
