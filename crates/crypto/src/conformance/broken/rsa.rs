//! What broken verifiers of RSA accept: the public operation, and readings of the padding that are not strict.
//!
//! For the suite alone: nothing here is fast, and nothing is in constant time.

use crate::{Hash, SignatureAlgorithm};

/// PKCS #1 v1.5 of which only the hash at the end counts; or, as a `whole`, one whose name of the hash lacks its parameter.
pub(super) fn is_lax_pkcs1(
    hash: &dyn Hash,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    encoded: &[u8],
    whole: bool,
) -> bool {
    let (digest, name) = match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => (hash.sha256(&[message]).to_vec(), 1),
        SignatureAlgorithm::RsaPkcs1Sha384 => (hash.sha384(&[message]).to_vec(), 2),
        SignatureAlgorithm::RsaPkcs1Sha512 => (hash.sha512(&[message]).to_vec(), 3),
        _ => return false,
    };
    if !whole {
        return encoded.ends_with(&digest);
    }
    let Ok(length) = u8::try_from(digest.len()) else { return false };
    // `SEQUENCE { SEQUENCE { OID }, OCTET STRING }`, where the inner sequence should hold a NULL, too.
    let before = [
        &[0x30, length + 15, 0x30, 11, 0x06, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, name],
        [0x04, length].as_slice(),
    ]
    .concat();
    let mut expected = vec![0xff; encoded.len().saturating_sub(before.len() + digest.len())];
    expected.iter_mut().zip([0, 1]).for_each(|(byte, first)| *byte = first);
    expected.last_mut().into_iter().for_each(|last| *last = 0);
    expected.extend(before);
    expected.extend(digest);
    encoded == expected
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2) for a modulus of whole bytes, with the salt as long as it happens to be.
pub(super) fn is_pss_with_any_salt(
    hash: &dyn Hash,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    encoded: &[u8],
) -> bool {
    let hashed = |parts: &[&[u8]]| match algorithm {
        SignatureAlgorithm::RsaPssSha256 => hash.sha256(parts).to_vec(),
        SignatureAlgorithm::RsaPssSha384 => hash.sha384(parts).to_vec(),
        SignatureAlgorithm::RsaPssSha512 => hash.sha512(parts).to_vec(),
        _ => Vec::new(),
    };
    let digest = hashed(&[message]);
    let Some((rest, [0xbc])) = encoded.split_at_checked(encoded.len().saturating_sub(1)) else {
        return false;
    };
    let (masked, h) = rest.split_at(rest.len().saturating_sub(digest.len()));
    let mask = (0..16_u32).flat_map(|counter| hashed(&[h, &counter.to_be_bytes()]));
    let mut block: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    block.first_mut().into_iter().for_each(|first| *first &= 0x7f);
    let zeros = block.iter().take_while(|byte| **byte == 0).count();
    match block.get(zeros..) {
        Some([1, salt @ ..]) => hashed(&[&[0; 8], &digest, salt]) == h,
        _ => false,
    }
}

/// `base` to the power of `exponent` modulo an odd number, big endian, by the method of Montgomery (1985).
pub(super) fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let modulus = Modulus::new(modulus);
    let base = modulus.multiply(&digits(base), &modulus.r_squared);
    let mut result = modulus.multiply(&modulus.one(), &modulus.r_squared);
    for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
        result = modulus.multiply(&result, &result);
        if bit == 1 {
            result = modulus.multiply(&result, &base);
        }
    }
    modulus.multiply(&result, &modulus.one()).iter().rev().flat_map(|digit| digit.to_be_bytes()).collect()
}

/// A modulus n in digits of 64 bits, the least first, and R = 2^64 to the power of how many there are.
struct Modulus {
    digits: Vec<u64>,
    /// −1/n modulo 2^64.
    inverse: u64,
    r_squared: Vec<u64>,
}

impl Modulus {
    fn new(modulus: &[u8]) -> Self {
        let digits = digits(modulus);
        let least = digits.first().copied().unwrap_or(1);
        // Newton's method doubles the number of right bits; n is its own inverse in the lowest three.
        let inverse = (0..5)
            .fold(least, |inverse, _| inverse.wrapping_mul(2_u64.wrapping_sub(least.wrapping_mul(inverse))));
        let mut modulus = Self { r_squared: Vec::new(), inverse: inverse.wrapping_neg(), digits };
        let mut power = modulus.one();
        for _ in 0..128 * modulus.digits.len() {
            let top = power.last().is_some_and(|digit| digit >> 63 == 1);
            let mut carry = 0;
            for digit in &mut power {
                (*digit, carry) = (*digit << 1 | carry, *digit >> 63);
            }
            modulus.subtract_once(&mut power, top);
        }
        modulus.r_squared = power;
        modulus
    }

    fn one(&self) -> Vec<u64> {
        let mut one = vec![0; self.digits.len()];
        one.first_mut().into_iter().for_each(|digit| *digit = 1);
        one
    }

    /// `a · b / R` modulo n.
    fn multiply(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let mut sum = vec![0; self.digits.len() + 2];
        for digit in a {
            add_product(&mut sum, *digit, b);
            let factor = sum.first().copied().unwrap_or_default().wrapping_mul(self.inverse);
            add_product(&mut sum, factor, &self.digits);
            // The least digit is zero now, and becomes the highest.
            sum.rotate_left(1);
        }
        let over = sum.get(self.digits.len()).is_some_and(|digit| *digit != 0);
        sum.truncate(self.digits.len());
        self.subtract_once(&mut sum, over);
        sum
    }

    /// Subtracts n where the number, or the one that did not fit, is not below it.
    fn subtract_once(&self, number: &mut [u64], over: bool) {
        if !over && number.iter().rev().lt(self.digits.iter().rev()) {
            return;
        }
        let mut borrow = false;
        for (digit, less) in number.iter_mut().zip(&self.digits) {
            let (difference, first) = digit.overflowing_sub(*less);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            (*digit, borrow) = (difference, first || second);
        }
    }
}

fn add_product(sum: &mut [u64], digit: u64, number: &[u64]) {
    let mut carry = 0_u128;
    for (to, from) in sum.iter_mut().zip(number.iter().chain(std::iter::repeat(&0))) {
        carry += u128::from(*to) + u128::from(digit) * u128::from(*from);
        *to = carry as u64;
        carry >>= 64;
    }
}

/// Digits of 64 bits, the least first, of a number of whole digits.
fn digits(number: &[u8]) -> Vec<u64> {
    let (_, digits) = number.as_rchunks::<8>();
    digits.iter().rev().map(|bytes| u64::from_be_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_right() {
        // 2^256 − 189 is a prime: Fermat, and 3^5 = 243.
        let mut prime = vec![0xff; 32];
        prime[31] = 0x43;
        let mut base = vec![0; 32];
        base[31] = 3;
        assert_eq!(power(&base, &[5], &prime), [vec![0; 31], vec![243]].concat());
        let mut less_one = prime.clone();
        less_one[31] -= 1;
        assert_eq!(power(&base, &less_one, &prime), [vec![0; 31], vec![1]].concat());
        assert_eq!(power(&less_one, &[2], &prime), [vec![0; 31], vec![1]].concat());
    }
}
