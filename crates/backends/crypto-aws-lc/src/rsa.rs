//! RSASSA-PSS and RSASSA-PKCS1-v1_5 with SHA-2 (RFC 8017 §8).

use std::fmt;

use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{
        KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair, RsaParameters, RsaSignatureEncoding,
    },
};
use bartizan_core::SecretBytes;
use bartizan_crypto::{
    Error, ErrorKind, PrivateKey, PublicKey, RsaSize, SignatureAlgorithm, SignatureVerifier, Signer,
};

use crate::{error, unread_source};

pub(crate) struct RsaSigner {
    algorithm: SignatureAlgorithm,
    encoding: &'static RsaSignatureEncoding,
    length: usize,
    pair: RsaKeyPair,
}

impl RsaSigner {
    pub(crate) fn new(key: &PrivateKey) -> Result<Self, Error> {
        let algorithm = key.algorithm();
        let (encoding, _) = primitives(algorithm).ok_or(ErrorKind::Unsupported)?;
        let pair = pair(key.secret())?;
        // SECURITY: what is published must be what signs. Both are the one DER encoding of modulus and exponent.
        if pair.public_key().as_ref() != key.public().as_bytes() {
            return Err(ErrorKind::Key.into());
        }
        Ok(Self { algorithm, encoding, length: key.public().signature_len(), pair })
    }
}

impl Signer for RsaSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn signature_len(&self) -> usize {
        self.length
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        // A buffer of another length makes aws-lc-rs panic.
        if signature.len() != self.length {
            return Err(ErrorKind::TooLong.into());
        }
        self.pair.sign(self.encoding, &unread_source(), message, signature).map_err(error::impossible)
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaSigner({:?})", self.algorithm)
    }
}

pub(crate) struct RsaVerifier {
    algorithm: SignatureAlgorithm,
    key: ParsedPublicKey,
}

impl RsaVerifier {
    pub(crate) fn new(key: &PublicKey) -> Result<Self, Error> {
        let algorithm = key.algorithm();
        let (_, parameters) = primitives(algorithm).ok_or(ErrorKind::Unsupported)?;
        let key = ParsedPublicKey::new(parameters, key.as_bytes()).map_err(error::rejected)?;
        Ok(Self { algorithm, key })
    }
}

impl SignatureVerifier for RsaVerifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.key.verify_sig(message, signature).map_err(error::unverified)
    }
}

impl fmt::Debug for RsaVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaVerifier({:?})", self.algorithm)
    }
}

/// The private key of this `RSAPrivateKey`.
pub(crate) fn private_key(algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error> {
    let public = PublicKey::new(algorithm, pair(&secret)?.public_key().as_ref())?;
    Ok(PrivateKey::new(secret, public))
}

/// A new key, out of the PKCS#8 document that is the only way in which aws-lc-rs gives one away.
pub(crate) fn generate(algorithm: SignatureAlgorithm, size: RsaSize) -> Result<PrivateKey, Error> {
    let size = match size {
        RsaSize::Bits3072 => KeySize::Rsa3072,
        RsaSize::Bits4096 => KeySize::Rsa4096,
        _ => return Err(ErrorKind::Unsupported.into()),
    };
    let pair = RsaKeyPair::generate(size).map_err(error::impossible)?;
    let document = pair.as_der().map_err(error::impossible)?;
    let secret = from_document(document.as_ref()).ok_or(ErrorKind::Primitive)?;
    private_key(algorithm, secret.to_vec().into())
}

/// What aws-lc-rs prepares of an `RSAPrivateKey`; it checks that all its numbers fit each other.
fn pair(secret: &SecretBytes) -> Result<RsaKeyPair, Error> {
    let der = secret.expose();
    // aws-lc-rs leaves what follows the structure unread.
    if content(0x30, der).is_none() {
        return Err(ErrorKind::Key.into());
    }
    RsaKeyPair::from_der(der).map_err(error::rejected)
}

/// The `RSAPrivateKey` in a PKCS#8 document (RFC 5208, RFC 8017 §A.1).
fn from_document(document: &[u8]) -> Option<&[u8]> {
    content(0x04, content(0x30, document)?.strip_prefix(&VERSION_AND_ALGORITHM)?)
}

/// The content of the one value of this tag and of 256 to 65,535 bytes that the DER consists of.
fn content(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (header, content) = der.split_first_chunk::<4>()?;
    let length = u16::try_from(content.len()).ok().filter(|length| *length >= 256)?.to_be_bytes();
    (*header == [tag, 0x82, length[0], length[1]]).then_some(content)
}

/// `INTEGER 0, SEQUENCE { rsaEncryption, NULL }`.
const VERSION_AND_ALGORITHM: [u8; 18] = [
    0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
    0x00,
];

pub(crate) const fn primitives(
    algorithm: SignatureAlgorithm,
) -> Option<(&'static RsaSignatureEncoding, &'static RsaParameters)> {
    Some(match algorithm {
        SignatureAlgorithm::RsaPssSha256 => (&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256),
        SignatureAlgorithm::RsaPssSha384 => (&RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384),
        SignatureAlgorithm::RsaPssSha512 => (&RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512),
        SignatureAlgorithm::RsaPkcs1Sha256 => (&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256),
        SignatureAlgorithm::RsaPkcs1Sha384 => (&RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384),
        SignatureAlgorithm::RsaPkcs1Sha512 => (&RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_any_other_layout_is_refused() {
        let document = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        let document = document.as_ref();
        let key = from_document(document).unwrap();
        assert!(RsaKeyPair::from_der(key).is_ok());
        let layout = document.len() - key.len();
        assert_eq!(layout, 26);
        for at in 0..layout {
            let mut other = document.to_vec();
            other[at] ^= 1;
            assert!(from_document(&other).is_none(), "byte {at}");
        }
        for length in 0..document.len() {
            assert!(from_document(&document[..length]).is_none(), "{length} bytes");
        }
        assert!(from_document(&[document, &[0]].concat()).is_none());
    }
}
