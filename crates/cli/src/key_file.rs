//! Reading of key files for all commands: JWK, PEM or DER, private or public.

use std::path::Path;

use bartizan::{
    crypto::Provider,
    crypto_ring::Ring,
    tokens::{Algorithm, Error, ErrorKind, KeyRules, KeySet, SigningKey, VerifyingKey, key_file},
};
use bartizan_crypto_rustcrypto::RustCrypto;
use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

use crate::{
    args::{Alg, Keys},
    input,
    outcome::{Unusable, note},
};

/// For whatever holds private keys: its keys are wiped, and it computes the public half of any of them. RSA keys alone, which
/// it does not know, go to ring.
pub(crate) const PRIVATE: RustCrypto = RustCrypto::new();

/// A private key: a JWK, or PKCS#8, PKCS#1 or SEC 1 in PEM or DER.
pub(crate) fn private(file: &Path, alg: Option<Alg>) -> Result<SigningKey, Unusable> {
    signing(input::private_file(file)?.expose(), alg).map_err(|error| unusable(file, &error))
}

/// The public half of a key file, private or public, for others to know. What has no name is named by its thumbprint, but for
/// public JWKs, which stay as they are.
pub(crate) fn public(file: &Path, alg: Option<Alg>) -> Result<VerifyingKey, Unusable> {
    let bytes = input::file(file)?;
    let read =
        verifying(file, bytes.expose(), alg).and_then(|key| match (key.kid(), key.thumbprint(&PRIVATE)) {
            (None, Some(thumbprint)) if !is_json(bytes.expose()) => named(&key, Some(&thumbprint)),
            _ => Ok(key),
        });
    read.map_err(|error| unusable(file, &error))
}

/// The keys to believe. A private key file serves as its public half; a symmetric one as itself.
pub(crate) fn believed(keys: &Keys, alg: Option<Alg>) -> Result<KeySet, Unusable> {
    match (&keys.jwk, &keys.jwks) {
        (Some(file), None) => {
            let bytes = input::file(file)?;
            believed_key(file, bytes.expose(), alg)
                .and_then(|key| KeySet::new([key]))
                .map_err(|error| unusable(file, &error))
        }
        (None, Some(file)) => {
            let bytes = input::file(file)?;
            believed_set(file, bytes.expose(), alg).map_err(|error| unusable(file, &error))
        }
        _ => Err(Unusable::new("name the keys with --jwk or --jwks")),
    }
}

fn believed_set(file: &Path, bytes: &[u8], alg: Option<Alg>) -> Result<KeySet, Error> {
    let ring = Ring::new();
    let (set, skipped) = match KeySet::from_jwks_with(&ring, bytes, &rules(alg)) {
        // A set of shared secrets alone is one's own file. Any other set with a secret in it is believed in nothing.
        Err(error) if error.kind() == ErrorKind::KeySecrecy => KeySet::from_secret_jwks(&ring, bytes)
            .map_err(|other| match other.kind() {
                ErrorKind::KeyMixed => error,
                _ => other,
            }),
        read => read,
    }?;
    for key in skipped {
        let member = key.member.map(|member| format!(" ({member})")).unwrap_or_default();
        note(format_args!("{}: key {} was left out: {}{member}", file.display(), key.index, key.reason));
    }
    Ok(set)
}

fn believed_key(file: &Path, bytes: &[u8], alg: Option<Alg>) -> Result<VerifyingKey, Error> {
    if !is_json(bytes) {
        // Names of keys stand in no such file, so it is believed for every one.
        return named(&verifying(file, bytes, alg)?, None);
    }
    match verifying(file, bytes, alg) {
        Ok(key) if is_named(bytes) || key.algorithm().is_symmetric() => Ok(key),
        Ok(key) => named(&key, None),
        Err(error) if error.kind() == ErrorKind::KeyAlgorithm => {
            let name = alg.map_or(Algorithm::Hs256, Alg::algorithm).name();
            let completed = Zeroizing::new(with_algorithm(bytes, name));
            // What is no symmetric key stays refused for what it lacks.
            let key = VerifyingKey::from_secret_jwk(&Ring::new(), &completed).map_err(|other| match other
                .kind()
            {
                ErrorKind::KeySecrecy | ErrorKind::KeyFormat | ErrorKind::KeyUse => error,
                _ => other,
            })?;
            note(format_args!("{}: names no algorithm and is taken for {name}", file.display()));
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

/// Whatever the file holds, as what verifies.
fn verifying(file: &Path, bytes: &[u8], alg: Option<Alg>) -> Result<VerifyingKey, Error> {
    if is_json(bytes) {
        let key = with_either(|provider| VerifyingKey::from_jwk_with(provider, bytes, &rules(alg)));
        let key = match key {
            Err(error) if error.kind() == ErrorKind::KeySecrecy => half(bytes, alg),
            read => read,
        }?;
        return if fits(alg, key.algorithm()) { Ok(key) } else { Err(ErrorKind::KeyUse.into()) };
    }
    let algorithm = algorithm(bytes, alg)?;
    let read = match key_file::is_pem(bytes) {
        true => key_file::public_from_pem(algorithm, bytes),
        false => key_file::public_from_der(algorithm, bytes),
    };
    let public = match read {
        Err(error) if error.kind() == ErrorKind::KeySecrecy => return half(bytes, alg),
        Err(error) if error.kind() == ErrorKind::KeyFormat => {
            let read = match key_file::is_pem(bytes) {
                true => key_file::danger_public_from_certificate_pem(algorithm, bytes),
                false => key_file::danger_public_from_certificate_der(algorithm, bytes),
            };
            let public = read.map_err(|_| error)?;
            note(format_args!(
                "{}: the key of a certificate, of which nothing else is verified",
                file.display()
            ));
            public
        }
        read => read?,
    };
    with_either(|provider| match algorithm.is_rsa_pkcs1() {
        true => VerifyingKey::danger_rsa_pkcs1(provider, None, &public),
        false => VerifyingKey::from_public(provider, None, &public),
    })
}

/// The public half of a private key; a symmetric one serves as itself, whether it has a name or not.
fn half(bytes: &[u8], alg: Option<Alg>) -> Result<VerifyingKey, Error> {
    match signing(bytes, alg) {
        Err(error) if error.kind() == ErrorKind::KeyUnnamed => {
            VerifyingKey::from_secret_jwk(&Ring::new(), bytes)
        }
        read => read.map(|key| key.verifying()),
    }
}

fn signing(bytes: &[u8], alg: Option<Alg>) -> Result<SigningKey, Error> {
    if is_json(bytes) {
        let key = with_either(|provider| SigningKey::from_jwk_with(provider, bytes, &rules(alg)))?;
        return if fits(alg, key.algorithm()) { Ok(key) } else { Err(ErrorKind::KeyUse.into()) };
    }
    let algorithm = algorithm(bytes, alg)?;
    let key = with_either(|provider| {
        let key = match key_file::is_pem(bytes) {
            true => key_file::private_from_pem(provider, algorithm, bytes),
            false => key_file::private_from_der(provider, algorithm, bytes),
        }?;
        match algorithm.is_rsa_pkcs1() {
            true => SigningKey::danger_rsa_pkcs1(provider, None, &key),
            false => SigningKey::from_private(provider, None, &key),
        }
    })?;
    Ok(if matches!(alg, Some(Alg::Ed25519)) { key.fully_specified_name() } else { key })
}

/// The same key under another name or none. Verifying needs no secret half, so ring does it, which is the fastest.
pub(crate) fn named(key: &VerifyingKey, kid: Option<&str>) -> Result<VerifyingKey, Error> {
    let public = key.public().ok_or(ErrorKind::KeySecrecy)?;
    match key.algorithm().is_rsa_pkcs1() {
        true => VerifyingKey::danger_rsa_pkcs1(&Ring::new(), kid, public),
        false => VerifyingKey::from_public(&Ring::new(), kid, public),
    }
}

/// The algorithm of a file without names of algorithms: the one it was said to be for, or the only one that it fits.
fn algorithm(bytes: &[u8], alg: Option<Alg>) -> Result<Algorithm, Error> {
    match alg {
        Some(alg) => Ok(alg.algorithm()),
        None => Ok(key_file::algorithm_of(bytes)?.ok_or(ErrorKind::KeyAlgorithm)?),
    }
}

/// Who names RS256 on the command line asks for it.
fn rules(alg: Option<Alg>) -> KeyRules {
    let rules = KeyRules::strict();
    match alg.map(Alg::algorithm) {
        Some(algorithm) if algorithm.is_rsa_pkcs1() => rules.danger_rsa_pkcs1().rsa_without_alg(algorithm),
        Some(algorithm) if algorithm.is_rsa() => rules.rsa_without_alg(algorithm),
        _ => rules,
    }
}

fn fits(alg: Option<Alg>, algorithm: Algorithm) -> bool {
    alg.is_none_or(|alg| alg.algorithm() == algorithm)
}

fn with_either<T>(read: impl Fn(&dyn Provider) -> Result<T, Error>) -> Result<T, Error> {
    match read(&PRIVATE) {
        Err(error) if error.kind() == ErrorKind::KeyUnsupported => read(&Ring::new()),
        read => read,
    }
}

fn is_named(jwk: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Named {
        kid: Option<IgnoredAny>,
    }

    serde_json::from_slice::<Named>(jwk).is_ok_and(|named| named.kid.is_some())
}

/// A secret may come without `alg`, as in RFC 7515 A.1.1. Had the key named one, it would now stand twice, and that is refused.
fn with_algorithm(jwk: &[u8], name: &str) -> Vec<u8> {
    let members = jwk.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    [format!(r#"{{"alg":"{name}","#).as_bytes(), members].concat()
}

/// Neither PEM nor DER, whose first byte opens a sequence: a JWK, or what is refused as one.
fn is_json(bytes: &[u8]) -> bool {
    !key_file::is_pem(bytes) && bytes.first() != Some(&0x30)
}

pub(crate) fn unusable(file: &Path, error: &Error) -> Unusable {
    let hint = match error.kind() {
        ErrorKind::KeyAlgorithm => ": name it with --alg",
        ErrorKind::KeyRsaPkcs1 => ": name it with --alg if you must",
        _ => "",
    };
    Unusable::of(file.display(), format_args!("{error}{hint}"))
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

    fn read(jwk: &[u8], alg: Option<Alg>) -> Result<VerifyingKey, Error> {
        believed_key(Path::new("k"), jwk, alg)
    }

    #[test]
    fn a_secret_without_algorithm_is_for_hs256_unless_said_otherwise() {
        assert_eq!(read(A1.as_bytes(), None).unwrap().algorithm(), Algorithm::Hs256);
        assert_eq!(read(A1.as_bytes(), Some(Alg::Hs512)).unwrap().algorithm(), Algorithm::Hs512);
        assert_eq!(read(A1.as_bytes(), Some(Alg::Es256)).unwrap_err().kind(), ErrorKind::KeyAlgorithm);
    }

    #[test]
    fn a_secret_for_something_else_stays_refused() {
        for (member, kind) in [
            (r#""alg":"RS256""#, ErrorKind::KeyUse),
            (r#""alg":"A256GCM""#, ErrorKind::KeyUnsupported),
            (r#""use":"enc""#, ErrorKind::KeyUse),
            (r#""key_ops":["encrypt"]"#, ErrorKind::KeyUse),
            (r#""alg":"ES256""#, ErrorKind::KeyUse),
        ] {
            let jwk = A1.replacen('{', &format!("{{{member},"), 1);
            assert_eq!(read(jwk.as_bytes(), None).unwrap_err().kind(), kind, "{member}");
        }
        let short = br#"{"kty":"oct","k":"c2hvcnQ"}"#;
        assert_eq!(read(short, None).unwrap_err().kind(), ErrorKind::SecretTooShort);
        let other = A1.replacen('{', r#"{"alg":"HS256","kid":"k","#, 1);
        assert_eq!(read(other.as_bytes(), Some(Alg::Hs384)).unwrap_err().kind(), ErrorKind::KeyUse);
    }

    #[test]
    fn a_private_key_without_kid_is_believed_for_every_kid() {
        assert_eq!(read(ED.as_bytes(), None).unwrap().kid(), None);
        let named = ED.replacen('{', r#"{"kid":"k1","#, 1);
        assert_eq!(read(named.as_bytes(), None).unwrap().kid(), Some("k1"));
    }
}
