//! What a key file holds: its form, and the kind of its key.

use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    der::{
        self, Decode, Reader, SliceReader, Tag, TagNumber,
        asn1::{AnyRef, ContextSpecific},
    },
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef},
};

use crate::{
    Algorithm, Error, ErrorKind,
    key_file::{MAX_FILE, certificate, private},
};

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Pkcs8,
    Pkcs1Private,
    Sec1,
    Encrypted,
    Spki,
    Pkcs1Public,
    Certificate,
}

impl Form {
    /// Of a DER file, by the tags of what stands in its sequence. Whether it is well-formed is found when it is read.
    pub(crate) fn of(file: &[u8]) -> Result<Self, Error> {
        if file.len() > MAX_FILE {
            return Err(ErrorKind::KeyTooLarge.into());
        }
        let mut tags = tags(file).map_err(|_| ErrorKind::KeyFormat)?.into_iter().flatten();
        Ok(match (tags.next(), tags.next(), tags.next()) {
            (Some(Tag::Integer), Some(Tag::Sequence), Some(Tag::OctetString)) => Self::Pkcs8,
            (Some(Tag::Integer), Some(Tag::Integer), Some(Tag::Integer)) => Self::Pkcs1Private,
            (Some(Tag::Integer), Some(Tag::OctetString), _) => Self::Sec1,
            (Some(Tag::Sequence), Some(Tag::OctetString), None) => Self::Encrypted,
            (Some(Tag::Sequence), Some(Tag::BitString), None) => Self::Spki,
            (Some(Tag::Integer), Some(Tag::Integer), None) => Self::Pkcs1Public,
            (Some(Tag::Sequence), Some(Tag::Sequence), Some(Tag::BitString)) => Self::Certificate,
            _ => return Err(ErrorKind::KeyFormat.into()),
        })
    }
}

/// The first three tags in a sequence that ends with the file.
fn tags(file: &[u8]) -> der::Result<[Option<Tag>; 3]> {
    let mut outer = SliceReader::new(file)?;
    let tags = outer.sequence(|reader| {
        let mut tags = [None; 3];
        for place in &mut tags {
            if !reader.is_finished() {
                *place = Some(Tag::peek(reader)?);
                reader.tlv_bytes()?;
            }
        }
        // What stands behind them is looked at when the file is read.
        let rest = reader.remaining_len();
        reader.read_slice(rest)?;
        Ok::<_, der::Error>(tags)
    })?;
    outer.finish()?;
    Ok(tags)
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ed25519,
    P256,
    P384,
    Rsa,
    /// An RSA key that is for RSASSA-PSS alone (RFC 4055 §3.1), perhaps with one hash alone.
    Pss(Option<Algorithm>),
}

impl Kind {
    /// Of an algorithm identifier, parameters included.
    pub(crate) fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Self, Error> {
        let parameters = identifier.parameters;
        match identifier.oid {
            // RFC 8410 §3: no parameters.
            ED25519 if parameters.is_none() => Ok(Self::Ed25519),
            // RFC 5480 §2.1.1: a curve by its name, and no other way.
            EC => match parameters.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok()) {
                Some(P256) => Ok(Self::P256),
                Some(P384) => Ok(Self::P384),
                _ => Err(ErrorKind::KeyUnsupported.into()),
            },
            // RFC 3279 §2.3.1: NULL.
            RSA if parameters == Some(AnyRef::NULL) => Ok(Self::Rsa),
            RSASSA_PSS => match parameters {
                None => Ok(Self::Pss(None)),
                Some(parameters) => pss(parameters).map(|algorithm| Self::Pss(Some(algorithm))),
            },
            ED25519 | RSA => Err(ErrorKind::KeyFormat.into()),
            _ => Err(ErrorKind::KeyUnsupported.into()),
        }
    }

    /// Whether a key of this kind may be used with the algorithm.
    pub(crate) fn check(self, algorithm: Algorithm) -> Result<(), Error> {
        let fits = match self {
            Self::Rsa => algorithm.is_rsa(),
            Self::Pss(None) => algorithm.is_rsa() && !algorithm.is_rsa_pkcs1(),
            only => only.only_algorithm() == Some(algorithm),
        };
        if fits { Ok(()) } else { Err(ErrorKind::KeyUse.into()) }
    }

    pub(crate) const fn only_algorithm(self) -> Option<Algorithm> {
        match self {
            Self::Ed25519 => Some(Algorithm::EdDsa),
            Self::P256 => Some(Algorithm::Es256),
            Self::P384 => Some(Algorithm::Es384),
            Self::Rsa => None,
            Self::Pss(algorithm) => algorithm,
        }
    }

    pub(crate) const fn of_curve(curve: ObjectIdentifier) -> Option<Self> {
        match curve {
            P256 => Some(Self::P256),
            P384 => Some(Self::P384),
            _ => None,
        }
    }
}

/// Of a whole file.
pub(crate) fn of_file(form: Form, file: &[u8]) -> Result<Kind, Error> {
    match form {
        Form::Pkcs8 => {
            let info = PrivateKeyInfoRef::from_der(file).map_err(|_| ErrorKind::KeyFormat)?;
            Kind::of(&info.algorithm)
        }
        Form::Spki => spki(file),
        Form::Certificate => spki(certificate::key_info(file)?),
        Form::Sec1 => {
            let curve = private::ec(file)?.curve.ok_or(ErrorKind::KeyUnsupported)?;
            Ok(Kind::of_curve(curve).ok_or(ErrorKind::KeyUnsupported)?)
        }
        Form::Pkcs1Private | Form::Pkcs1Public => Ok(Kind::Rsa),
        Form::Encrypted => Err(ErrorKind::KeyEncrypted.into()),
    }
}

fn spki(info: &[u8]) -> Result<Kind, Error> {
    let info = SubjectPublicKeyInfoRef::from_der(info).map_err(|_| ErrorKind::KeyFormat)?;
    Kind::of(&info.algorithm)
}

/// The one algorithm of JWS that parameters of RSASSA-PSS leave (RFC 4055 §3.1, RFC 7518 §3.5): both hashes the same, and no
/// longer salt asked for than the hash is long. Parameters that leave none are [`ErrorKind::KeyUse`].
fn pss(parameters: AnyRef<'_>) -> Result<Algorithm, Error> {
    let read = parameters.sequence(|reader| {
        let hash = ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(reader, TagNumber(0))?;
        let mask = ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(reader, TagNumber(1))?;
        let salt = ContextSpecific::<u16>::decode_explicit(reader, TagNumber(2))?;
        let trailer = ContextSpecific::<u16>::decode_explicit(reader, TagNumber(3))?;
        Ok::<_, der::Error>((hash, mask, salt, trailer))
    });
    let (hash, mask, salt, trailer) = read.map_err(|_| ErrorKind::KeyFormat)?;
    // Without a hash or mask function it is SHA-1.
    let (Some(hash), Some(mask)) = (hash, mask) else {
        return Err(ErrorKind::KeyUse.into());
    };
    let inner = mask.value.parameters.and_then(|inner| inner.decode_as::<AlgorithmIdentifierRef<'_>>().ok());
    let (algorithm, length) = hashed(&hash.value).ok_or(ErrorKind::KeyUse)?;
    let fits = mask.value.oid == MGF1
        && inner.and_then(|inner| hashed(&inner)) == Some((algorithm, length))
        && salt.map_or(DEFAULT_SALT, |salt| salt.value) <= length
        && trailer.is_none_or(|trailer| trailer.value == 1);
    if fits { Ok(algorithm) } else { Err(ErrorKind::KeyUse.into()) }
}

/// The algorithm with this hash, and the length of the hash in bytes. Parameters are absent or NULL (RFC 4055 §2.1).
fn hashed(hash: &AlgorithmIdentifierRef<'_>) -> Option<(Algorithm, u16)> {
    if hash.parameters.is_some_and(|parameters| parameters != AnyRef::NULL) {
        return None;
    }
    match hash.oid {
        SHA256 => Some((Algorithm::Ps256, 32)),
        SHA384 => Some((Algorithm::Ps384, 48)),
        SHA512 => Some((Algorithm::Ps512, 64)),
        _ => None,
    }
}

/// RFC 4055 §3.1.
const DEFAULT_SALT: u16 = 20;

pub(crate) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(crate) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(crate) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
