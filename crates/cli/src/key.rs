//! `bartizan key` and `bartizan jwks`, and reading of key files for all other commands.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bartizan::{
    core::os,
    crypto_ring::Ring,
    tokens::{Algorithm, Error, ErrorKind, KeySet, SigningKey, VerifyingKey},
};
use bartizan_crypto_rustcrypto::RustCrypto;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    args::{Alg, Key, Keys},
    input,
    outcome::{Ended, Outcome, Unusable, note, say, say_line},
};

pub(crate) fn run(command: &Key) -> Ended {
    match command {
        Key::Generate { alg, kid, out } => generate(*alg, kid.as_deref(), out),
        Key::Public { file } => {
            let key = public(file)?;
            if key.algorithm().is_symmetric() {
                return Err(Unusable::of(file.display(), "a symmetric key has no public half"));
            }
            say_line(&key.to_public_jwk().map_err(|error| unusable(file, error))?)?;
            Ok(Outcome::Done)
        }
    }
}

/// For whatever holds private keys: its keys are wiped, and it computes the public half of any of them.
pub(crate) const PRIVATE: RustCrypto = RustCrypto::new();

#[derive(Serialize)]
struct Generated<'a> {
    kid: &'a str,
    alg: &'a str,
    file: &'a Path,
}

fn generate(alg: Alg, kid: Option<&str>, out: &Path) -> Ended {
    let algorithm = match alg {
        Alg::EdDsa => Algorithm::EdDsa,
        Alg::Es256 => Algorithm::Es256,
        Alg::Hs256 => Algorithm::Hs256,
    };
    let key = SigningKey::generate(&PRIVATE, algorithm, kid, &os::OsEntropy)
        .map_err(|error| Unusable::of("the key", error))?;
    write_new(out, key.to_private_jwk().expose().as_bytes())?;
    match key.verifying().to_public_jwk() {
        Ok(public) => say_line(&public)?,
        // A symmetric key has no public half: only its name is said.
        Err(_) => say(&Generated { kid: key.kid(), alg: algorithm.name(), file: out })?,
    }
    Ok(Outcome::Done)
}

/// Writes a file that was not there, for its owner alone. A half-written one is taken away again.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Unusable> {
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

pub(crate) fn jwks(files: &[PathBuf]) -> Ended {
    let keys = files.iter().map(|file| public(file)).collect::<Result<Vec<_>, _>>()?;
    let set = KeySet::new(keys)
        .and_then(|set| set.to_jwks())
        .map_err(|error| Unusable::of("the key set", error))?;
    say_line(&set)?;
    Ok(Outcome::Done)
}

/// A private key: a JWK, or PKCS#8 in PEM.
pub(crate) fn private(file: &Path) -> Result<SigningKey, Unusable> {
    signing(input::private_file(file)?.expose()).map_err(|error| unusable(file, error))
}

fn signing(bytes: &[u8]) -> Result<SigningKey, Error> {
    if is_pem(bytes) {
        return SigningKey::from_pem(&PRIVATE, None, bytes);
    }
    SigningKey::from_jwk(&PRIVATE, bytes)
}

/// The public half of a key file, private or public, for others to know.
pub(crate) fn public(file: &Path) -> Result<VerifyingKey, Unusable> {
    let bytes = input::file(file)?;
    let key = match VerifyingKey::from_jwk(&PRIVATE, bytes.expose()) {
        Ok(key) => Ok(key),
        Err(error) if is_pem(bytes.expose()) || error.kind() == ErrorKind::KeySecrecy => {
            signing(bytes.expose()).map(|key| key.verifying())
        }
        Err(error) => Err(error),
    };
    key.map_err(|error| unusable(file, error))
}

/// The keys to believe. A private key file serves as its public half; a symmetric one as itself.
pub(crate) fn believed(keys: &Keys) -> Result<KeySet, Unusable> {
    match (&keys.jwk, &keys.jwks) {
        (Some(file), None) => {
            let bytes = input::file(file)?;
            believed_key(file, bytes.expose())
                .and_then(|key| KeySet::new([key]))
                .map_err(|error| unusable(file, error))
        }
        (None, Some(file)) => {
            let bytes = input::file(file)?;
            believed_set(file, bytes.expose()).map_err(|error| unusable(file, error))
        }
        _ => Err(Unusable::new("name the keys with --jwk or --jwks")),
    }
}

fn believed_set(file: &Path, bytes: &[u8]) -> Result<KeySet, Error> {
    let ring = Ring::new();
    let (set, skipped) = match KeySet::from_jwks(&ring, bytes) {
        // A set of shared secrets alone is one's own file. Any other set with a secret in it is believed in nothing.
        Err(error) if error.kind() == ErrorKind::KeySecrecy => KeySet::from_secret_jwks(&ring, bytes)
            .map_err(|other| match other.kind() {
                ErrorKind::KeyMixed => error,
                _ => other,
            }),
        read => read,
    }?;
    for key in skipped {
        note(format_args!("{}: key {} was left out: {}", file.display(), key.index, key.reason));
    }
    Ok(set)
}

/// Verifying needs no secret half, so ring does it, which is the fastest.
fn believed_key(file: &Path, bytes: &[u8]) -> Result<VerifyingKey, Error> {
    let ring = Ring::new();
    if is_pem(bytes) {
        return half(bytes);
    }
    match VerifyingKey::from_jwk(&ring, bytes) {
        Err(error) if error.kind() == ErrorKind::KeySecrecy => {}
        read => return read,
    }
    match VerifyingKey::from_secret_jwk(&ring, bytes) {
        Err(error) if error.kind() == ErrorKind::KeySecrecy => half(bytes),
        Err(error) if error.kind() == ErrorKind::KeyUse => {
            let named = Zeroizing::new(with_only_algorithm(bytes));
            let key = VerifyingKey::from_secret_jwk(&ring, &named);
            let key =
                key.map_err(|other| if other.kind() == ErrorKind::KeyFormat { error } else { other })?;
            note(format_args!("{}: names no algorithm and is taken for HS256", file.display()));
            Ok(key)
        }
        read => read,
    }
}

/// The public half of a private key, believed for every `kid` when the file names none.
fn half(private: &[u8]) -> Result<VerifyingKey, Error> {
    #[derive(Deserialize)]
    struct Named {
        kid: Option<IgnoredAny>,
    }

    let public = signing(private)?.verifying().to_public_jwk()?;
    let is_named = serde_json::from_slice::<Named>(private).is_ok_and(|named| named.kid.is_some());
    let mut members: Map<String, Value> = serde_json::from_str(&public).map_err(|_| ErrorKind::Primitive)?;
    if !is_named {
        members.remove("kid");
    }
    let public = serde_json::to_vec(&members).map_err(|_| ErrorKind::Primitive)?;
    VerifyingKey::from_jwk(&Ring::new(), &public)
}

/// A secret without `alg`, as in RFC 7515 A.1.1, can only be for HS256: there is no other symmetric algorithm here. Had the
/// key named one, it would now stand twice, and that is refused.
fn with_only_algorithm(jwk: &[u8]) -> Vec<u8> {
    let members = jwk.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    [br#"{"alg":"HS256","#, members].concat()
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"-----BEGIN")
}

fn unusable(file: &Path, error: Error) -> Unusable {
    Unusable::of(file.display(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515 A.1.1.
    const A1: &str = r#"{"kty":"oct",
        "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    /// RFC 8037 A.1.
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn read(jwk: &[u8]) -> Result<VerifyingKey, Error> {
        believed_key(Path::new("k"), jwk)
    }

    #[test]
    fn a_secret_without_algorithm_is_for_hs256() {
        assert_eq!(read(A1.as_bytes()).unwrap().algorithm(), Algorithm::Hs256);
    }

    #[test]
    fn a_secret_for_something_else_stays_refused() {
        for (member, kind) in [
            (r#""alg":"HS512""#, ErrorKind::KeyUnsupported),
            (r#""alg":"RS256""#, ErrorKind::KeyUnsupported),
            (r#""use":"enc""#, ErrorKind::KeyUse),
            (r#""key_ops":["sign"]"#, ErrorKind::KeyUse),
            (r#""alg":"ES256""#, ErrorKind::KeyUse),
        ] {
            let jwk = A1.replacen('{', &format!("{{{member},"), 1);
            assert_eq!(read(jwk.as_bytes()).unwrap_err().kind(), kind, "{member}");
        }
        let short = br#"{"kty":"oct","k":"c2hvcnQ"}"#;
        assert_eq!(read(short).unwrap_err().kind(), ErrorKind::SecretTooShort);
    }

    #[test]
    fn a_private_key_without_kid_is_believed_for_every_kid() {
        assert_eq!(read(ED.as_bytes()).unwrap().kid(), None);
        let named = ED.replacen('{', r#"{"kid":"k1","#, 1);
        assert_eq!(read(named.as_bytes()).unwrap().kid(), Some("k1"));
    }
}
