//! Reading of private keys.

use bartizan_core::SecretBytes;
use bartizan_crypto::{PrivateKey, Provider};
use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    der::{
        self, Decode, Reader, SliceReader, TagNumber,
        asn1::{BitStringRef, ContextSpecific, OctetStringRef},
    },
};

use crate::{
    Algorithm, Error, ErrorKind,
    key_file::{
        kind::{Form, Kind},
        public,
    },
    rsa::{self, Numbers},
};

pub(crate) fn read(
    provider: &dyn Provider,
    algorithm: Algorithm,
    form: Form,
    file: &[u8],
) -> Result<PrivateKey, Error> {
    match form {
        Form::Pkcs8 => pkcs8(provider, algorithm, file),
        Form::Pkcs1Private => {
            Kind::Rsa.check(algorithm)?;
            rsa_key(algorithm, file, None)
        }
        Form::Sec1 => ec_key(provider, algorithm, &ec(file)?, None),
        Form::Encrypted => Err(ErrorKind::KeyEncrypted.into()),
        Form::Spki | Form::Pkcs1Public | Form::Certificate => Err(ErrorKind::KeySecrecy.into()),
    }
}

fn pkcs8(provider: &dyn Provider, algorithm: Algorithm, file: &[u8]) -> Result<PrivateKey, Error> {
    let info = PrivateKeyInfoRef::from_der(file).map_err(|_| ErrorKind::KeyFormat)?;
    let kind = Kind::of(&info.algorithm)?;
    kind.check(algorithm)?;
    let content = info.private_key.as_bytes();
    let outer = info.public_key.as_ref().map(whole_bytes).transpose()?;
    match kind {
        Kind::Ed25519 => {
            let seed = <&OctetStringRef>::from_der(content).map_err(|_| ErrorKind::KeyFormat)?;
            assemble(provider, algorithm, seed.as_bytes(), outer)
        }
        Kind::P256 | Kind::P384 => {
            let key = ec(content)?;
            // The curve stands outside, and inside it must be the same if it stands there at all.
            if key.curve.is_some_and(|curve| Kind::of_curve(curve) != Some(kind)) {
                return Err(ErrorKind::KeyFormat.into());
            }
            ec_key(provider, algorithm, &key, outer)
        }
        Kind::Rsa | Kind::Pss(_) => rsa_key(algorithm, content, outer),
    }
}

/// A public half that ends within a byte is none.
fn whole_bytes<'a>(bits: &BitStringRef<'a>) -> Result<&'a [u8], Error> {
    bits.as_bytes().ok_or_else(|| ErrorKind::KeyFormat.into())
}

fn rsa_key(algorithm: Algorithm, key: &[u8], outer: Option<&[u8]>) -> Result<PrivateKey, Error> {
    let primitive = algorithm.signature().ok_or(ErrorKind::KeyUse)?;
    let numbers = Numbers::read(key)?;
    let public = rsa::public(primitive, numbers.n, numbers.e)?;
    // SECURITY: of two public halves only one can belong to the private one.
    if outer.is_some_and(|outer| outer != public.as_bytes()) {
        return Err(ErrorKind::KeyFormat.into());
    }
    Ok(PrivateKey::new(numbers.write(), public))
}

/// An `ECPrivateKey`.
pub(crate) struct EcKey<'a> {
    secret: &'a [u8],
    pub(crate) curve: Option<ObjectIdentifier>,
    public: Option<BitStringRef<'a>>,
}

/// Reads an `ECPrivateKey ::= SEQUENCE { 1, OCTET STRING, [0] parameters OPTIONAL, [1] BIT STRING OPTIONAL }`.
pub(crate) fn ec(key: &[u8]) -> Result<EcKey<'_>, Error> {
    let read = || {
        let mut outer = SliceReader::new(key)?;
        let key = outer.sequence(|reader| {
            let version = u8::decode(reader)?;
            let secret = <&OctetStringRef>::decode(reader)?.as_bytes();
            let curve = ContextSpecific::<ObjectIdentifier>::decode_explicit(reader, TagNumber(0))?;
            let public = ContextSpecific::<BitStringRef<'_>>::decode_explicit(reader, TagNumber(1))?;
            if version != 1 {
                return Err(reader.error(der::ErrorKind::Failed));
            }
            Ok(EcKey { secret, curve: curve.map(|it| it.value), public: public.map(|it| it.value) })
        })?;
        outer.finish()?;
        Ok(key)
    };
    read().map_err(|_: der::Error| ErrorKind::KeyFormat.into())
}

fn ec_key(
    provider: &dyn Provider,
    algorithm: Algorithm,
    key: &EcKey<'_>,
    outer: Option<&[u8]>,
) -> Result<PrivateKey, Error> {
    if let Some(curve) = key.curve {
        Kind::of_curve(curve).ok_or(ErrorKind::KeyUnsupported)?.check(algorithm)?;
    } else if !matches!(algorithm, Algorithm::Es256 | Algorithm::Es384) {
        return Err(ErrorKind::KeyUse.into());
    }
    let inner = key.public.as_ref().map(whole_bytes).transpose()?;
    // SECURITY: of two public halves only one can belong to the private one.
    if inner.is_some() && outer.is_some() && inner != outer {
        return Err(ErrorKind::KeyFormat.into());
    }
    assemble(provider, algorithm, key.secret, inner.or(outer))
}

/// With the public half that the file has, or else the one that the provider computes. A half that does not belong to the
/// other is found when the key is prepared.
fn assemble(
    provider: &dyn Provider,
    algorithm: Algorithm,
    secret: &[u8],
    public: Option<&[u8]>,
) -> Result<PrivateKey, Error> {
    let primitive = algorithm.signature().ok_or(ErrorKind::KeyUse)?;
    if primitive.secret_len() != Some(secret.len()) {
        return Err(ErrorKind::KeyFormat.into());
    }
    let secret = SecretBytes::new(secret.to_vec());
    match public {
        Some(public) => Ok(PrivateKey::new(secret, public::assemble(algorithm, public)?)),
        None => provider.private_key(primitive, secret).map_err(Error::preparing),
    }
}
