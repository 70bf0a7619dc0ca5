//! Writing of keys: PKCS#8 (RFC 5958) and `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).

use bartizan_core::SecretBytes;
use bartizan_crypto::{PrivateKey, PublicKey, SignatureAlgorithm};
use pkcs8::ObjectIdentifier;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind,
    der::{CONTEXT_1, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, bits, element},
    key_file::kind::{EC, ED25519, P256, P384, RSA},
};

/// Version 0, as OpenSSL up to 3.0 reads no other; the public half of an EC key stands inside, that of an Ed25519 key nowhere.
pub(crate) fn pkcs8(key: &PrivateKey) -> Result<SecretBytes, Error> {
    let identifier = identifier(key.algorithm())?;
    let inner = match key.algorithm() {
        SignatureAlgorithm::Ed25519 => element(OCTET_STRING, &[key.secret().expose()]),
        algorithm if algorithm.is_rsa() => Zeroizing::new(key.secret().expose().to_vec()),
        _ => {
            let secret = element(OCTET_STRING, &[key.secret().expose()]);
            let public = element(CONTEXT_1, &[&bits(key.public().as_bytes())]);
            element(SEQUENCE, &[&[0x02, 0x01, 0x01], &secret, &public])
        }
    };
    let content = element(OCTET_STRING, &[&inner]);
    let mut file = element(SEQUENCE, &[&[0x02, 0x01, 0x00], &identifier, &content]);
    Ok(SecretBytes::new(std::mem::take(&mut file)))
}

pub(crate) fn spki(key: &PublicKey) -> Result<Vec<u8>, Error> {
    let mut file = element(SEQUENCE, &[&identifier(key.algorithm())?, &bits(key.as_bytes())]);
    Ok(std::mem::take(&mut file))
}

fn identifier(algorithm: SignatureAlgorithm) -> Result<Zeroizing<Vec<u8>>, Error> {
    let name = |oid: ObjectIdentifier| element(OBJECT_IDENTIFIER, &[oid.as_bytes()]);
    Ok(match algorithm {
        SignatureAlgorithm::Ed25519 => element(SEQUENCE, &[&name(ED25519)]),
        SignatureAlgorithm::EcdsaP256Sha256 => element(SEQUENCE, &[&name(EC), &name(P256)]),
        SignatureAlgorithm::EcdsaP384Sha384 => element(SEQUENCE, &[&name(EC), &name(P384)]),
        rsa if rsa.is_rsa() => element(SEQUENCE, &[&name(RSA), &element(NULL, &[])]),
        _ => return Err(ErrorKind::KeyUnsupported.into()),
    })
}
