//! The numbers of RSA keys: what they must be, and how they stand in files (RFC 8017 §A.1.2).

use bartizan_core::SecretBytes;
use bartizan_crypto::{PublicKey, RsaFault, SignatureAlgorithm};
use pkcs8::der::{self, Decode, Reader, SliceReader, asn1::UintRef};

use crate::{
    Error, ErrorKind,
    der::{SEQUENCE, element, unsigned},
};

/// A public key, or the reason why these numbers, big endian, are none.
pub(crate) fn public(algorithm: SignatureAlgorithm, n: &[u8], e: &[u8]) -> Result<PublicKey, Error> {
    PublicKey::rsa(algorithm, n, e).map_err(|error| match PublicKey::rsa_fault(n, e) {
        Some(RsaFault::ModulusForm) => Error::about(ErrorKind::KeyFormat, "n"),
        Some(RsaFault::ExponentForm) => Error::about(ErrorKind::KeyFormat, "e"),
        Some(RsaFault::ModulusSize) => Error::about(ErrorKind::KeySize, "n"),
        Some(RsaFault::Exponent) => Error::about(ErrorKind::KeyWeak, "e"),
        Some(_) => Error::about(ErrorKind::KeyWeak, "n"),
        None => Error::preparing(error),
    })
}

/// The numbers of a private key of two primes, big endian without leading zeros.
pub(crate) struct Numbers<'a> {
    pub(crate) n: &'a [u8],
    pub(crate) e: &'a [u8],
    pub(crate) d: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
    pub(crate) dp: &'a [u8],
    pub(crate) dq: &'a [u8],
    pub(crate) qi: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// From an `RSAPrivateKey`.
    pub(crate) fn read(key: &'a [u8]) -> Result<Self, Error> {
        let (version, numbers) = sequence(key).map_err(|_| ErrorKind::KeyFormat)?;
        match version {
            0 => Ok(numbers),
            // More than two primes.
            1 => Err(ErrorKind::KeyUnsupported.into()),
            _ => Err(ErrorKind::KeyFormat.into()),
        }
    }

    /// The `RSAPrivateKey`.
    pub(crate) fn write(&self) -> SecretBytes {
        let numbers = self.in_order().map(unsigned);
        let [n, e, d, p, q, dp, dq, qi] = &numbers;
        let version = [0x02, 0x01, 0x00];
        let mut key = element(SEQUENCE, &[&version, n, e, d, p, q, dp, dq, qi]);
        SecretBytes::new(std::mem::take(&mut key))
    }

    pub(crate) const fn in_order(&self) -> [&'a [u8]; 8] {
        [self.n, self.e, self.d, self.p, self.q, self.dp, self.dq, self.qi]
    }
}

fn sequence(key: &[u8]) -> der::Result<(u8, Numbers<'_>)> {
    let mut outer = SliceReader::new(key)?;
    let read = outer.sequence(|reader| {
        let version = u8::decode(reader)?;
        let mut next = || UintRef::decode(reader).map(|number| number.as_bytes());
        let numbers = Numbers {
            n: next()?,
            e: next()?,
            d: next()?,
            p: next()?,
            q: next()?,
            dp: next()?,
            dq: next()?,
            qi: next()?,
        };
        if version == 1 {
            // Read over, as the key is refused for it.
            der::asn1::AnyRef::decode(reader)?;
        }
        Ok::<_, der::Error>((version, numbers))
    })?;
    outer.finish()?;
    Ok(read)
}
