//! Broken signers and verifiers.

use std::{
    cmp::Ordering,
    fmt,
    sync::{Arc, OnceLock},
};

use bartizan_core::SecretBytes;

use super::{Defect, rsa};
use crate::{
    Error, ErrorKind, Provider, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer,
    conformance::{ed25519, p256, p384, support::hex},
    is_small_order_ed25519,
};

pub(super) struct BrokenSigner {
    pub(super) inner: Arc<dyn Signer>,
    pub(super) secret: SecretBytes,
    pub(super) defect: Defect,
    /// The first message and its signature.
    pub(super) first: OnceLock<(Vec<u8>, Vec<u8>)>,
}

impl Signer for BrokenSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        match (self.defect, self.inner.algorithm()) {
            (Defect::SignerNamesAnotherAlgorithm, SignatureAlgorithm::Ed25519) => {
                SignatureAlgorithm::EcdsaP256Sha256
            }
            (Defect::SignerNamesAnotherAlgorithm, _) => SignatureAlgorithm::Ed25519,
            (_, algorithm) => algorithm,
        }
    }

    fn signature_len(&self) -> usize {
        self.inner.signature_len()
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        let signature = match signature.split_at_mut_checked(self.signature_len()) {
            Some((beginning, _)) if self.defect == Defect::SignerTakesLongBuffers => beginning,
            _ => signature,
        };
        self.inner.sign_into(message, signature)?;
        if self.defect == Defect::SignerFlipsABit {
            signature.last_mut().into_iter().for_each(|byte| *byte ^= 1);
        }
        if self.defect == Defect::SignerKeepsItsSalt {
            let (signed, first) = self.first.get_or_init(|| (message.to_vec(), signature.to_vec()));
            if signed == message {
                signature.copy_from_slice(first);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for BrokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.defect != Defect::SignerShowsItsKey {
            return self.inner.fmt(f);
        }
        self.secret.expose().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Verifies nothing.
#[derive(Debug)]
pub(super) struct Stone(pub(super) SignatureAlgorithm);

impl SignatureVerifier for Stone {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.0
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> Result<(), Error> {
        Err(ErrorKind::Unverified.into())
    }
}

#[derive(Debug)]
pub(super) struct BrokenVerifier {
    pub(super) inner: Arc<dyn SignatureVerifier>,
    pub(super) key: PublicKey,
    /// One without the defect.
    pub(super) provider: Arc<dyn Provider>,
    pub(super) defect: Defect,
}

impl SignatureVerifier for BrokenVerifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let judged = match self.algorithm() {
            _ if self.defect == Defect::VerifierTakesAnything => Judged::Good,
            SignatureAlgorithm::Ed25519 => self.judged_ed25519(signature),
            SignatureAlgorithm::EcdsaP256Sha256 => self.judged_ecdsa(signature, p256::CURVE.order),
            SignatureAlgorithm::EcdsaP384Sha384 => self.judged_ecdsa(signature, p384::CURVE.order),
            _ => self.judged_rsa(message, signature),
        };
        match judged {
            Judged::Good => Ok(()),
            Judged::Bad => Err(ErrorKind::Unverified.into()),
            Judged::As(other) => self.inner.verify(message, &other),
            Judged::AsIs => self.inner.verify(message, &self.brought_to_length(signature)),
        }
    }
}

/// What the defect makes of a signature before it is verified.
enum Judged {
    AsIs,
    As(Vec<u8>),
    Good,
    Bad,
}

impl BrokenVerifier {
    /// What every algorithm can get wrong.
    fn brought_to_length(&self, signature: &[u8]) -> Vec<u8> {
        let zeros = vec![0; self.key.signature_len().saturating_sub(signature.len())];
        match (self.defect, self.algorithm()) {
            (Defect::VerifierIgnoresTheRest, _) => {
                signature.get(..self.key.signature_len()).unwrap_or(signature).to_vec()
            }
            (Defect::VerifierFillsUp, SignatureAlgorithm::Ed25519) => [signature, &zeros].concat(),
            (Defect::VerifierFillsUp, _) => [zeros.as_slice(), signature].concat(),
            _ => signature.to_vec(),
        }
    }

    fn judged_ed25519(&self, signature: &[u8]) -> Judged {
        let halves = signature.first_chunk::<32>().zip(signature.last_chunk::<32>());
        match (self.defect, halves.filter(|_| signature.len() == 64)) {
            (Defect::Ed25519TakesSmallR, Some((r, _))) if is_small_order_ed25519(r) => Judged::Good,
            (Defect::Ed25519ReducesS, Some((r, s))) => {
                let mut big_endian = *s;
                big_endian.reverse();
                let mut order = hex(ed25519::ORDER).unwrap_or_default();
                order.reverse();
                let mut s = reduced(&big_endian, &order);
                s.reverse();
                Judged::As([r.as_slice(), &s].concat())
            }
            _ => Judged::AsIs,
        }
    }

    fn judged_ecdsa(&self, signature: &[u8], order: &str) -> Judged {
        let order = hex(order).unwrap_or_default();
        let whole = signature.len() == 2 * order.len();
        match (self.defect, signature.split_at_checked(order.len()).filter(|_| whole)) {
            (Defect::EcdsaTakesDer, _) => from_der(signature, order.len()).map_or(Judged::AsIs, Judged::As),
            (Defect::EcdsaTakesZeros, Some(_)) if signature.iter().all(|byte| *byte == 0) => Judged::Good,
            (Defect::EcdsaReducesNumbers, Some((r, s))) => {
                Judged::As([reduced(r, &order), reduced(s, &order)].concat())
            }
            (Defect::EcdsaRefusesHighS, Some((_, [0x80..=0xff, ..]))) => Judged::Bad,
            _ => Judged::AsIs,
        }
    }

    fn judged_rsa(&self, message: &[u8], signature: &[u8]) -> Judged {
        let (n, e) = self.key.rsa_numbers().unwrap_or_default();
        let good = match self.defect {
            Defect::RsaReducesSignatures if signature.len() == n.len() => {
                return Judged::As(reduced(signature, n));
            }
            Defect::RsaTakesEachAlgorithm => SignatureAlgorithm::ALL.iter().any(|algorithm| {
                let key = PublicKey::rsa(*algorithm, n, e);
                key.and_then(|key| self.provider.verifier(&key)?.verify(message, signature)).is_ok()
            }),
            Defect::RsaPkcs1SkipsThePadding
            | Defect::RsaPkcs1TakesAMissingNull
            | Defect::RsaPssTakesAnySalt
                if signature.len() == n.len() =>
            {
                let encoded = rsa::power(signature, e, n);
                let hash = self.provider.hash();
                match self.defect {
                    Defect::RsaPssTakesAnySalt => {
                        rsa::is_pss_with_any_salt(hash, self.algorithm(), message, &encoded)
                    }
                    defect => {
                        let whole = defect == Defect::RsaPkcs1TakesAMissingNull;
                        rsa::is_lax_pkcs1(hash, self.algorithm(), message, &encoded, whole)
                    }
                }
            }
            _ => false,
        };
        if good { Judged::Good } else { Judged::AsIs }
    }
}

/// The numbers of `SEQUENCE { INTEGER, INTEGER }`, each of this length, whatever follows them.
fn from_der(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let [0x30, _, 2, rest @ ..] = der else {
        return None;
    };
    let (r, rest) = split_number(rest, length)?;
    let (s, _) = split_number(rest.strip_prefix(&[2])?, length)?;
    Some([r, s].concat())
}

fn split_number(bytes: &[u8], length: usize) -> Option<(Vec<u8>, &[u8])> {
    let (coded, rest) = bytes.split_first()?;
    let (number, rest) = rest.split_at_checked(usize::from(*coded))?;
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    Some(([vec![0; length.checked_sub(number.len())?].as_slice(), number].concat(), rest))
}

/// The rest after division, both big endian and of one length.
fn reduced(number: &[u8], order: &[u8]) -> Vec<u8> {
    let mut rest = number.to_vec();
    while rest.as_slice().cmp(order) != Ordering::Less {
        let mut borrow = 0;
        for (digit, less) in rest.iter_mut().rev().zip(order.iter().rev()) {
            let difference = i16::from(*digit) - i16::from(*less) - borrow;
            *digit = difference.to_le_bytes()[0];
            borrow = i16::from(difference < 0);
        }
    }
    rest
}
