//! What an RSA public key must be before any provider sees it (FIPS 186-5 §5.1, NIST SP 800-131A).

use std::ops::RangeInclusive;

/// Accepted sizes of a modulus, in bits.
const BITS: RangeInclusive<usize> = 2048..=8192;

/// Accepted sizes of a public exponent, in bits: what every provider of the house takes.
const EXPONENT_BITS: RangeInclusive<usize> = 2..=33;

/// Why two numbers are no RSA key that is used here. When several things are wrong, it is the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RsaFault {
    /// The modulus is empty or has leading zeros.
    ModulusForm,
    /// The exponent is empty or has leading zeros.
    ExponentForm,
    /// The modulus has under 2048 or over 8192 bits.
    ModulusSize,
    /// The exponent is even, under 3 or over 2^33 − 1.
    Exponent,
    /// The modulus is even, or of the shape of ROCA (CVE-2017-15361).
    Modulus,
}

/// What is wrong with modulus and exponent, big endian without leading zeros.
///
/// SECURITY: under e = 1 everybody signs, an even e has no inverse, and one beyond 33 bits only burdens who verifies.
pub(crate) fn fault(n: &[u8], e: &[u8]) -> Option<RsaFault> {
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let Some(size) = bits(n) else { return Some(RsaFault::ModulusForm) };
    let Some(exponent) = bits(e) else { return Some(RsaFault::ExponentForm) };
    if !BITS.contains(&size) {
        return Some(RsaFault::ModulusSize);
    }
    if !EXPONENT_BITS.contains(&exponent) || !is_odd(e) {
        return Some(RsaFault::Exponent);
    }
    (!is_odd(n) || is_roca(n)).then_some(RsaFault::Modulus)
}

/// Bits of a big-endian number, or nothing for one that is empty or has leading zeros.
fn bits(number: &[u8]) -> Option<usize> {
    let first = number.first().filter(|byte| **byte != 0)?;
    Some(number.len() * 8 - first.leading_zeros() as usize)
}

/// Whether the modulus has the shape of CVE-2017-15361 (“The Return of Coppersmith's Attack”, 2017, section 4.2): both its
/// primes are `k · M + (65537^a mod M)` with `M` the product of small primes, so modulo each of these it is a power of 65537.
///
/// SECURITY: such a key is factored in days. A random modulus has the shape with a probability of 2^-27.
fn is_roca(n: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let residue = n.iter().fold(0, |residue: u32, byte| (residue * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        loop {
            if power == residue {
                return true;
            }
            power = power * 65537 % prime;
            // Back at the start: the residue is no power.
            if power == 1 {
                return false;
            }
        }
    })
}

/// The primes up to 167 below which random numbers are no powers of 65537 often enough, as in the authors' own check.
const ROCA_PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1), DER.
pub(crate) fn encode(n: &[u8], e: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(n.len() + e.len() + 16);
    integer(n, &mut content);
    integer(e, &mut content);
    let mut out = vec![0x30];
    length(content.len(), &mut out);
    out.extend(content);
    out
}

/// Modulus and exponent of what [`encode`] wrote, and of nothing else.
pub(crate) fn decode(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, rest) = value(0x30, der)?;
    let (n, after) = value(0x02, content)?;
    let (e, end) = value(0x02, after)?;
    let unsigned = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    let (n, e) = (n.get(unsigned(n)..)?, e.get(unsigned(e)..)?);
    // SECURITY: one key has one encoding. Whatever is written otherwise differs here.
    (rest.is_empty() && end.is_empty() && encode(n, e) == der).then_some((n, e))
}

fn integer(number: &[u8], out: &mut Vec<u8>) {
    let sign = usize::from(number.first().is_none_or(|byte| byte & 0x80 != 0));
    out.push(0x02);
    length(number.len() + sign, out);
    out.extend(std::iter::repeat_n(0, sign));
    out.extend(number);
}

/// A length up to 65,535, in as few bytes as can be.
fn length(length: usize, out: &mut Vec<u8>) {
    let [.., high, low] = length.to_be_bytes();
    match (high, low) {
        (0, 0..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
}

/// The content of the first value, if it has this tag, and what follows it.
fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, content) = match der {
        [first, 0x82, high, low, rest @ ..] if *first == tag => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        [first, 0x81, length, rest @ ..] if *first == tag => (usize::from(*length), rest),
        [first, length @ 0..=0x7f, rest @ ..] if *first == tag => (usize::from(*length), rest),
        _ => return None,
    };
    content.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xc5; bits.div_ceil(8)];
        n[0] = 1 << ((bits - 1) % 8);
        n
    }

    #[test]
    fn every_fault_has_its_reason() {
        use RsaFault::{Exponent, ExponentForm, Modulus, ModulusForm, ModulusSize};
        for (n, e, reason) in [
            (modulus(2048), vec![1, 0, 1], None),
            (modulus(2047), vec![1, 0, 1], Some(ModulusSize)),
            (modulus(8192), vec![3], None),
            (modulus(8193), vec![3], Some(ModulusSize)),
            (modulus(2048), vec![1], Some(Exponent)),
            (modulus(2048), vec![], Some(ExponentForm)),
            (modulus(2048), vec![2], Some(Exponent)),
            (modulus(2048), vec![4], Some(Exponent)),
            (modulus(2048), vec![0, 3], Some(ExponentForm)),
            (modulus(2048), vec![1, 0xff, 0xff, 0xff, 0xff], None),
            (modulus(2048), vec![2, 0, 0, 0, 1], Some(Exponent)),
            (vec![], vec![3], Some(ModulusForm)),
            ([&[0], modulus(2048).as_slice()].concat(), vec![3], Some(ModulusForm)),
            ([&modulus(2048)[..255], &[0xc4]].concat(), vec![3], Some(Modulus)),
        ] {
            assert_eq!(fault(&n, &e), reason, "{} bytes, {e:?}", n.len());
        }
    }

    #[test]
    fn a_modulus_of_powers_of_65537_is_refused() {
        // 1 is a power of 65537 modulo every prime, and so is what is congruent to 1 modulo all of them.
        let product: u128 = ROCA_PRIMES.iter().map(|prime| u128::from(*prime)).product();
        let mut n = vec![0; 256];
        n[0] = 0x80;
        let residue = n.iter().fold(0_u128, |residue, byte| (residue * 256 + u128::from(*byte)) % product);
        let mut add = (product + 1 - residue) % product;
        if add.is_multiple_of(2) {
            add += product;
        }
        n[240..].copy_from_slice(&add.to_be_bytes());
        assert!(is_roca(&n));
        assert_eq!(fault(&n, &[1, 0, 1]), Some(RsaFault::Modulus));
        // The neighbour: one more prime's residue is wrong.
        let mut other = n.clone();
        other[255] ^= 2;
        assert!(!is_roca(&other));
    }

    #[test]
    fn der_is_read_as_it_is_written_and_in_no_other_form() {
        let (n, e) = (modulus(2048), vec![1, 0, 1]);
        let der = encode(&n, &e);
        assert_eq!(decode(&der), Some((n.as_slice(), e.as_slice())));
        for at in (0..9).chain(der.len() - 5..der.len() - 3) {
            let mut other = der.clone();
            other[at] ^= 1;
            assert!(decode(&other).is_none_or(|(read, _)| read != n), "{at}");
        }
        for length in 0..der.len() {
            assert_eq!(decode(&der[..length]), None);
        }
        assert_eq!(decode(&[der.as_slice(), &[0]].concat()), None);
    }
}
