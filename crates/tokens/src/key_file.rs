//! Keys in files: PEM (RFC 7468) and DER.
//!
//! Private keys are read from PKCS#8 (`PRIVATE KEY`, RFC 5958), PKCS#1 (`RSA PRIVATE KEY`, RFC 8017 §A.1.2) and SEC 1
//! (`EC PRIVATE KEY`, RFC 5915), public ones from a `SubjectPublicKeyInfo` (`PUBLIC KEY`, RFC 5280 §4.1.2.7) and PKCS#1
//! (`RSA PUBLIC KEY`). They are written as PKCS#8 and `SubjectPublicKeyInfo`, which everybody reads. For JWKs there are
//! [`SigningKey::from_jwk`](crate::SigningKey::from_jwk) and its like.
//!
//! A file says what kind of key it holds and rarely what for: an RSA key fits six algorithms. So whoever reads names the
//! algorithm, and a key that does not fit it is refused. A file holds exactly one key; text may stand before it (RFC 7468 §2),
//! nothing behind it, and all together is at most 16 KiB. What was decoded on the way is wiped.
//!
//! ```
//! use bartizan_crypto_ring::Ring;
//! use bartizan_tokens::{Algorithm, SigningKey, VerifyingKey, key_file};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pem = "-----BEGIN PRIVATE KEY-----
//! MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
//! -----END PRIVATE KEY-----
//! ";
//! let key = SigningKey::from_pem(&Ring::new(), Algorithm::EdDsa, Some("2026-11"), pem.as_bytes())?;
//! assert_eq!(key.to_pem()?.expose(), pem);
//!
//! // For a peer that does not read JWKs.
//! let public = key.verifying().to_pem()?;
//! assert_eq!(key_file::algorithm_of(public.as_bytes())?, Some(Algorithm::EdDsa));
//! let same = VerifyingKey::from_pem(&Ring::new(), Algorithm::EdDsa, Some("2026-11"), public.as_bytes())?;
//! assert_eq!(same.thumbprint(&Ring::new()), key.verifying().thumbprint(&Ring::new()));
//! # Ok(())
//! # }
//! ```

mod certificate;
mod kind;
mod pem;
mod private;
mod public;
mod write;

use bartizan_core::{SecretBytes, SecretText};
use bartizan_crypto::{PrivateKey, Provider, PublicKey};
use zeroize::Zeroizing;

use crate::{
    Algorithm, Error, ErrorKind,
    key_file::{kind::Form, pem::Block},
};

/// Most bytes of a file.
pub(crate) const MAX_FILE: usize = 16 * 1024;

/// Reads a private key from PEM.
///
/// A file of an EC or Ed25519 key may lack the public half where the provider can compute it.
///
/// # Errors
/// [`ErrorKind::KeyFormat`] for what is no such file, [`ErrorKind::KeyTooLarge`] over 16 KiB, [`ErrorKind::KeyEncrypted`] for an
/// encrypted key, [`ErrorKind::KeySecrecy`] for a public key or a certificate, [`ErrorKind::KeyUse`] for a key that does not fit the algorithm,
/// [`ErrorKind::KeyUnsupported`] for other kinds of keys, RSA keys of more than two primes, or a missing public half that the
/// provider cannot compute; [`ErrorKind::KeySize`] and [`ErrorKind::KeyWeak`] for RSA keys that are too small, too large or known to be
/// weak; [`ErrorKind::KeyUnusable`] for a key that is none. Whether the halves belong together is found when the key is prepared.
pub fn private_from_pem(
    provider: &dyn Provider,
    algorithm: Algorithm,
    pem: &[u8],
) -> Result<PrivateKey, Error> {
    let mut buffer = Zeroizing::new(Vec::new());
    let Block { form, der } = pem::decode(pem, &mut buffer)?;
    private::read(provider, algorithm, form, der)
}

/// Reads a private key from DER: PKCS#8, PKCS#1 or SEC 1, told apart by their shape.
///
/// # Errors
/// As [`private_from_pem`].
pub fn private_from_der(
    provider: &dyn Provider,
    algorithm: Algorithm,
    der: &[u8],
) -> Result<PrivateKey, Error> {
    private::read(provider, algorithm, Form::of(der)?, der)
}

/// Reads a public key from PEM.
///
/// # Errors
/// As [`private_from_pem`], but [`ErrorKind::KeySecrecy`] for a private key: what is to be public has leaked its secret. A
/// certificate is [`ErrorKind::KeyFormat`]: see [`danger_public_from_certificate_pem`].
pub fn public_from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<PublicKey, Error> {
    let mut buffer = Zeroizing::new(Vec::new());
    let Block { form, der } = pem::decode(pem, &mut buffer)?;
    public::read(algorithm, form, der)
}

/// Reads a public key from DER: a `SubjectPublicKeyInfo` or PKCS#1, told apart by their shape.
///
/// # Errors
/// As [`public_from_pem`].
pub fn public_from_der(algorithm: Algorithm, der: &[u8]) -> Result<PublicKey, Error> {
    public::read(algorithm, Form::of(der)?, der)
}

/// Takes the public key out of an X.509 certificate in PEM, and believes nothing else that it says.
///
/// # Security
/// Not one statement of the certificate is verified: no signature, no chain, no validity, no name, no revocation, no key
/// usage. An expired or forged certificate gives its key all the same. So it is exactly as trustworthy as the place where
/// the file came from: read one that you keep yourself, and none that came with a token.
///
/// # Errors
/// [`ErrorKind::KeyFormat`] for what is no certificate or for a chain of several; else as [`public_from_pem`].
pub fn danger_public_from_certificate_pem(algorithm: Algorithm, pem: &[u8]) -> Result<PublicKey, Error> {
    let mut buffer = Zeroizing::new(Vec::new());
    let Block { form, der } = pem::decode(pem, &mut buffer)?;
    certified(algorithm, form, der)
}

/// Takes the public key out of an X.509 certificate in DER, and believes nothing else that it says.
///
/// # Security
/// As [`danger_public_from_certificate_pem`]: nothing of the certificate is verified.
///
/// # Errors
/// As [`danger_public_from_certificate_pem`].
pub fn danger_public_from_certificate_der(algorithm: Algorithm, der: &[u8]) -> Result<PublicKey, Error> {
    certified(algorithm, Form::of(der)?, der)
}

fn certified(algorithm: Algorithm, form: Form, der: &[u8]) -> Result<PublicKey, Error> {
    match form {
        Form::Certificate => public::read(algorithm, Form::Spki, certificate::key_info(der)?),
        Form::Pkcs8 | Form::Pkcs1Private | Form::Sec1 | Form::Encrypted => Err(ErrorKind::KeySecrecy.into()),
        Form::Spki | Form::Pkcs1Public => Err(ErrorKind::KeyFormat.into()),
    }
}

/// The only algorithm that the key in this file fits, or none for an RSA key, which fits several. PEM or DER, private,
/// public or a certificate.
///
/// # Errors
/// [`ErrorKind::KeyFormat`], [`ErrorKind::KeyTooLarge`], [`ErrorKind::KeyEncrypted`], [`ErrorKind::KeyUnsupported`]. The key itself
/// is not looked at: that this succeeds does not mean that it can be used.
pub fn algorithm_of(file: &[u8]) -> Result<Option<Algorithm>, Error> {
    let mut buffer = Zeroizing::new(Vec::new());
    let (form, der) = if is_pem(file) {
        let Block { form, der } = pem::decode(file, &mut buffer)?;
        (form, der)
    } else {
        (Form::of(file)?, file)
    };
    Ok(kind::of_file(form, der)?.only_algorithm())
}

/// Whether the file looks like PEM: a boundary stands somewhere in it.
#[must_use]
pub fn is_pem(file: &[u8]) -> bool {
    memchr::memmem::find(file, b"-----BEGIN ").is_some()
}

/// Writes a private key as PKCS#8 in PEM (`PRIVATE KEY`), for a file that only its owner reads. An RSA key is written under the
/// identifier that fits all its algorithms.
///
/// # Errors
/// [`ErrorKind::KeyUnsupported`] for an algorithm that is none of tokens.
pub fn private_to_pem(key: &PrivateKey) -> Result<SecretText, Error> {
    pem::encode_secret("PRIVATE KEY", write::pkcs8(key)?.expose())
}

/// Writes a private key as PKCS#8 in DER.
///
/// # Errors
/// As [`private_to_pem`].
pub fn private_to_der(key: &PrivateKey) -> Result<SecretBytes, Error> {
    write::pkcs8(key)
}

/// Writes a public key as a `SubjectPublicKeyInfo` in PEM (`PUBLIC KEY`).
///
/// # Errors
/// [`ErrorKind::KeyUnsupported`] for an algorithm that is none of tokens.
pub fn public_to_pem(key: &PublicKey) -> Result<String, Error> {
    pem::encode("PUBLIC KEY", &write::spki(key)?)
}

/// Writes a public key as a `SubjectPublicKeyInfo` in DER.
///
/// # Errors
/// As [`public_to_pem`].
pub fn public_to_der(key: &PublicKey) -> Result<Vec<u8>, Error> {
    write::spki(key)
}
