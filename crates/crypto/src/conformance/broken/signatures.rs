//! Broken signers and verifiers.

use std::{cmp::Ordering, fmt, sync::Arc};

use super::Defect;
use crate::{
    Error, ErrorKind, SignatureAlgorithm, SignatureVerifier, Signer,
    conformance::{ed25519, p256, support::hex_array},
    is_small_order_ed25519,
};

pub(super) struct BrokenSigner {
    pub(super) inner: Arc<dyn Signer>,
    pub(super) secret: [u8; 32],
    pub(super) defect: Defect,
}

impl Signer for BrokenSigner {
    fn algorithm(&self) -> SignatureAlgorithm {
        match (self.defect, self.inner.algorithm()) {
            (Defect::SignerNamesAnotherAlgorithm, SignatureAlgorithm::Ed25519) => {
                SignatureAlgorithm::EcdsaP256Sha256
            }
            (Defect::SignerNamesAnotherAlgorithm, SignatureAlgorithm::EcdsaP256Sha256) => {
                SignatureAlgorithm::Ed25519
            }
            (_, algorithm) => algorithm,
        }
    }

    fn sign_into(&self, message: &[u8], signature: &mut [u8]) -> Result<(), Error> {
        let signature = match signature.split_at_mut_checked(64) {
            Some((beginning, _)) if self.defect == Defect::SignerTakesLongBuffers => beginning,
            _ => signature,
        };
        self.inner.sign_into(message, signature)?;
        if self.defect == Defect::SignerFlipsABit {
            signature.first_mut().into_iter().for_each(|byte| *byte ^= 1);
        }
        Ok(())
    }
}

impl fmt::Debug for BrokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.defect != Defect::SignerShowsItsKey {
            return self.inner.fmt(f);
        }
        self.secret.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
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
    pub(super) defect: Defect,
}

impl SignatureVerifier for BrokenVerifier {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.inner.algorithm()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match self.judged(signature) {
            Judged::Good => Ok(()),
            Judged::Bad => Err(ErrorKind::Unverified.into()),
            Judged::As(other) => self.inner.verify(message, &other),
            Judged::AsIs => self.inner.verify(message, signature),
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
    fn judged(&self, signature: &[u8]) -> Judged {
        let is_p256 = self.algorithm() == SignatureAlgorithm::EcdsaP256Sha256;
        let halves = signature.first_chunk::<32>().zip(signature.last_chunk::<32>());
        let whole = halves.filter(|_| signature.len() == 64);
        match (self.defect, whole) {
            (Defect::VerifierTakesAnything, _) => Judged::Good,
            (Defect::VerifierIgnoresTheRest, _) => {
                signature.get(..64).map_or(Judged::AsIs, |whole| Judged::As(whole.to_vec()))
            }
            (Defect::VerifierFillsUp, None) if signature.len() < 64 => {
                let zeros = vec![0; 64 - signature.len()];
                Judged::As(if is_p256 { [zeros.as_slice(), signature] } else { [signature, &zeros] }.concat())
            }
            (Defect::P256TakesDer, _) if is_p256 => from_der(signature).map_or(Judged::AsIs, Judged::As),
            (Defect::P256TakesZeros, Some((r, s))) if is_p256 && [r, s] == [&[0; 32]; 2] => Judged::Good,
            (Defect::P256ReducesNumbers, Some((r, s))) if is_p256 => {
                Judged::As([reduced(r, order_of_p256()), reduced(s, order_of_p256())].concat())
            }
            (Defect::P256RefusesHighS, Some((_, [0x80..=0xff, ..]))) if is_p256 => Judged::Bad,
            (Defect::Ed25519TakesSmallR, Some((r, _))) if !is_p256 && is_small_order_ed25519(r) => {
                Judged::Good
            }
            (Defect::Ed25519ReducesS, Some((r, s))) if !is_p256 => {
                let mut big_endian = *s;
                big_endian.reverse();
                let mut s = reduced(&big_endian, order_of_ed25519());
                s.reverse();
                Judged::As([*r, s].concat())
            }
            _ => Judged::AsIs,
        }
    }
}

/// The numbers of `SEQUENCE { INTEGER, INTEGER }`, whatever follows them.
fn from_der(der: &[u8]) -> Option<Vec<u8>> {
    let [0x30, _, 2, rest @ ..] = der else {
        return None;
    };
    let (r, rest) = split_number(rest)?;
    let (s, _) = split_number(rest.strip_prefix(&[2])?)?;
    Some([r, s].concat())
}

fn split_number(bytes: &[u8]) -> Option<([u8; 32], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (number, rest) = rest.split_at_checked(usize::from(*length))?;
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    let filled = [vec![0; 32_usize.checked_sub(number.len())?].as_slice(), number].concat();
    Some((filled.try_into().ok()?, rest))
}

/// The rest after division, both big endian.
fn reduced(number: &[u8; 32], order: [u8; 32]) -> [u8; 32] {
    let mut rest = *number;
    while rest.cmp(&order) != Ordering::Less {
        let mut borrow = 0;
        for (digit, less) in rest.iter_mut().rev().zip(order.iter().rev()) {
            let difference = i16::from(*digit) - i16::from(*less) - borrow;
            *digit = difference.to_le_bytes()[0];
            borrow = i16::from(difference < 0);
        }
    }
    rest
}

fn order_of_p256() -> [u8; 32] {
    hex_array(p256::ORDER).unwrap_or([0xff; 32])
}

fn order_of_ed25519() -> [u8; 32] {
    let mut order = hex_array(ed25519::ORDER).unwrap_or([0xff; 32]);
    order.reverse();
    order
}
