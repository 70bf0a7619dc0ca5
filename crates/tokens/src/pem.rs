//! PEM files with a PKCS#8 private key (RFC 7468 §10, RFC 5958, RFC 8410 §7, RFC 5915 §3).

use bartizan_core::SecretArray;
use bartizan_crypto::{PrivateKey, Provider, PublicKey, SignatureAlgorithm};
use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    der::{
        Decode, Reader, SliceReader, TagNumber,
        asn1::{BitStringRef, ContextSpecific, OctetStringRef},
    },
};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind};

/// Most bytes of a PEM file.
const MAX_PEM: usize = 16 * 1024;

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Reads the private key of a file that holds no other, nor anything behind it. Text may stand before it (RFC 7468 §2).
pub(crate) fn private_key(provider: &dyn Provider, pem: &[u8]) -> Result<PrivateKey, Error> {
    if pem.len() > MAX_PEM {
        return Err(ErrorKind::KeyTooLarge.into());
    }
    let mut der = Zeroizing::new(vec![0; pem.len()]);
    let (label, der) = pem_rfc7468::decode(pem, &mut der).map_err(|_| ErrorKind::KeyFormat)?;
    if label != "PRIVATE KEY" {
        return Err(ErrorKind::KeyFormat.into());
    }
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| ErrorKind::KeyFormat)?;
    let content = info.private_key.as_bytes();
    let outer = info.public_key.as_ref().map(whole_bytes).transpose()?;
    if info.algorithm.oid == ED25519 && info.algorithm.parameters.is_none() {
        let secret = <&OctetStringRef>::from_der(content).map_err(|_| ErrorKind::KeyFormat)?;
        return assemble(provider, SignatureAlgorithm::Ed25519, secret.as_bytes(), outer);
    }
    let curve = info.algorithm.parameters_oid().ok();
    if info.algorithm.oid == EC && curve == Some(P256) {
        let (secret, inner) = ec_private_key(content).map_err(|_| ErrorKind::KeyFormat)?;
        let inner = inner.as_ref().map(whole_bytes).transpose()?;
        // SECURITY: of two public halves only one can belong to the private one.
        if inner.is_some() && outer.is_some() && inner != outer {
            return Err(ErrorKind::KeyFormat.into());
        }
        return assemble(provider, SignatureAlgorithm::EcdsaP256Sha256, secret, inner.or(outer));
    }
    Err(ErrorKind::KeyUnsupported.into())
}

/// A public half that ends within a byte is none.
fn whole_bytes<'a>(bits: &BitStringRef<'a>) -> Result<&'a [u8], Error> {
    bits.as_bytes().ok_or_else(|| ErrorKind::KeyFormat.into())
}

/// With the public half that the file has, or else the one that the provider computes. A half that does not belong to the
/// other is found when the key is prepared.
fn assemble(
    provider: &dyn Provider,
    algorithm: SignatureAlgorithm,
    secret: &[u8],
    public: Option<&[u8]>,
) -> Result<PrivateKey, Error> {
    let bytes: &[u8; 32] = secret.try_into().map_err(|_| ErrorKind::KeyFormat)?;
    let secret = SecretArray::try_filled(|place| {
        place.copy_from_slice(bytes);
        Ok::<_, Error>(())
    })?;
    match public {
        Some(public) => {
            let public = PublicKey::new(algorithm, public).map_err(Error::preparing)?;
            Ok(PrivateKey::new(secret, public))
        }
        None => provider.private_key(algorithm, secret).map_err(Error::preparing),
    }
}

/// `ECPrivateKey ::= SEQUENCE { 1, OCTET STRING, [0] parameters OPTIONAL, [1] BIT STRING OPTIONAL }`.
fn ec_private_key(der: &[u8]) -> pkcs8::der::Result<(&[u8], Option<BitStringRef<'_>>)> {
    let mut reader = SliceReader::new(der)?;
    let key = reader.sequence(|reader| {
        let version = u8::decode(reader)?;
        let secret = <&OctetStringRef>::decode(reader)?;
        let curve = ContextSpecific::<ObjectIdentifier>::decode_explicit(reader, TagNumber(0))?;
        let public = ContextSpecific::<BitStringRef<'_>>::decode_explicit(reader, TagNumber(1))?;
        let fits = version == 1 && curve.is_none_or(|curve| curve.value == P256);
        let public = public.map(|public| public.value);
        if fits { Ok((secret.as_bytes(), public)) } else { Err(reader.error(pkcs8::der::ErrorKind::Failed)) }
    })?;
    reader.finish()?;
    Ok(key)
}
