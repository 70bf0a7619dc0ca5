//! Reading of public keys.

use bartizan_crypto::PublicKey;
use pkcs8::{
    der::{self, Decode, Reader, SliceReader, asn1::UintRef},
    spki::SubjectPublicKeyInfoRef,
};

use crate::{
    Algorithm, Error, ErrorKind,
    key_file::kind::{Form, Kind},
    rsa,
};

pub(crate) fn read(algorithm: Algorithm, form: Form, file: &[u8]) -> Result<PublicKey, Error> {
    match form {
        Form::Spki => {
            let info = SubjectPublicKeyInfoRef::from_der(file).map_err(|_| ErrorKind::KeyFormat)?;
            Kind::of(&info.algorithm)?.check(algorithm)?;
            // A key that ends within a byte is none.
            assemble(algorithm, info.subject_public_key.as_bytes().ok_or(ErrorKind::KeyFormat)?)
        }
        Form::Pkcs1Public => {
            Kind::Rsa.check(algorithm)?;
            assemble(algorithm, file)
        }
        Form::Pkcs8 | Form::Pkcs1Private | Form::Sec1 | Form::Encrypted => Err(ErrorKind::KeySecrecy.into()),
        Form::Certificate => Err(ErrorKind::KeyFormat.into()),
    }
}

/// From the bytes that a `SubjectPublicKeyInfo` wraps: a point, or an `RSAPublicKey`.
pub(crate) fn assemble(algorithm: Algorithm, bytes: &[u8]) -> Result<PublicKey, Error> {
    let primitive = algorithm.signature().ok_or(ErrorKind::KeyUse)?;
    if algorithm.is_rsa() {
        let (n, e) = numbers(bytes).map_err(|_| ErrorKind::KeyFormat)?;
        return rsa::public(primitive, n, e);
    }
    PublicKey::new(primitive, bytes).map_err(Error::preparing)
}

fn numbers(key: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut outer = SliceReader::new(key)?;
    let numbers = outer.sequence(|reader| {
        let n = UintRef::decode(reader)?;
        Ok::<_, der::Error>((n.as_bytes(), UintRef::decode(reader)?.as_bytes()))
    })?;
    outer.finish()?;
    Ok(numbers)
}
