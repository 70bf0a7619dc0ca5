//! Whether bytes encode a point of edwards25519.
//!
//! ring and AWS-LC decode a public key only while they verify, and then cannot say that the key was at fault. A key that cannot be used
//! is refused where it is prepared, so the one question that matters is asked here: does this y have an x? It is asked of public
//! bytes alone. Nothing secret passes through this file, and nothing is computed here that a signature depends on.

/// A number modulo p = 2^255 − 19, in four digits of 64 bits, the least first; not always the smallest one.
type Element = [u64; 4];

/// d = −121665 / 121666, the constant of the curve (RFC 8032 §5.1).
const D: Element =
    [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73];
const ZERO: Element = [0; 4];
const ONE: Element = [1, 0, 0, 0];
const P: Element = [!0 - 18, !0, !0, !0 >> 1];
/// p − 1.
const MINUS_ONE: Element = [!0 - 19, !0, !0, !0 >> 1];
/// (p − 1) / 2 = 2^254 − 10.
const HALF: Element = [!0 - 9, !0, !0, !0 >> 2];

/// Whether these bytes encode a point of edwards25519. For providers whose library does not tell when it prepares a key.
///
/// That is, whether x² = (y² − 1) / (dy² + 1) has a solution (RFC 8032 §5.1.3, steps 2 and 3).
///
/// The divisor is never zero, because −1/d is no square; so numerator and divisor times each other are a square where the
/// quotient is one, and Euler's criterion tells without a division. y = ±1, where x is 0 and has no sign, are of small order and
/// no [`PublicKey`](crate::PublicKey).
#[must_use]
pub fn is_ed25519_point(encoded: &[u8; 32]) -> bool {
    let y = without_sign(encoded);
    let y_squared = multiply(&y, &y);
    let numerator = add(&y_squared, &MINUS_ONE);
    let divisor = add(&multiply(&D, &y_squared), &ONE);
    let euler = smallest(power(&multiply(&numerator, &divisor), &HALF));
    euler == ONE || euler == ZERO
}

fn without_sign(encoded: &[u8; 32]) -> Element {
    let mut y = ZERO;
    let (digits, _) = encoded.as_chunks::<8>();
    y.iter_mut().zip(digits).for_each(|(digit, bytes)| *digit = u64::from_le_bytes(*bytes));
    y[3] &= !0 >> 1;
    y
}

fn add(a: &Element, b: &Element) -> Element {
    let mut sum = ZERO;
    let mut carry = 0;
    for ((digit, a), b) in sum.iter_mut().zip(a).zip(b) {
        carry += u128::from(*a) + u128::from(*b);
        *digit = low(carry);
        carry >>= 64;
    }
    fold(sum, carry)
}

fn multiply(a: &Element, b: &Element) -> Element {
    let mut wide = [0_u64; 8];
    for (at, a) in a.iter().enumerate() {
        let mut carry = 0;
        // The carry lands in the digit after the four, which is still zero.
        for (digit, b) in wide.iter_mut().skip(at).zip(b.iter().chain([&0])) {
            carry += u128::from(*digit) + u128::from(*a) * u128::from(*b);
            *digit = low(carry);
            carry >>= 64;
        }
    }
    let [l0, l1, l2, l3, high @ ..] = wide;
    let mut sum = [l0, l1, l2, l3];
    let mut carry = 0;
    for (digit, high) in sum.iter_mut().zip(high) {
        carry += u128::from(*digit) + 38 * u128::from(high);
        *digit = low(carry);
        carry >>= 64;
    }
    fold(sum, carry)
}

/// Adds what stands above 2^256 at the bottom: 2^256 = 38 modulo p.
fn fold(mut sum: Element, mut above: u128) -> Element {
    while above != 0 {
        above *= 38;
        for digit in &mut sum {
            above += u128::from(*digit);
            *digit = low(above);
            above >>= 64;
        }
    }
    sum
}

fn power(base: &Element, exponent: &Element) -> Element {
    let mut result = ONE;
    for digit in exponent.iter().rev() {
        for bit in (0..64).rev() {
            result = multiply(&result, &result);
            if digit >> bit & 1 == 1 {
                result = multiply(&result, base);
            }
        }
    }
    result
}

/// Of the numbers that are the same modulo p, the smallest. Below 2^256 there are at most two larger ones.
fn smallest(mut number: Element) -> Element {
    while number.iter().rev().ge(P.iter().rev()) {
        let mut borrow = false;
        for (digit, p) in number.iter_mut().zip(P) {
            let (less, first) = digit.overflowing_sub(p);
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            (*digit, borrow) = (less, first || second);
        }
    }
    number
}

const fn low(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_of_rfc_8032_are_points_and_so_are_their_negatives() {
        for key in [
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        ] {
            let mut point: [u8; 32] =
                std::array::from_fn(|i| u8::from_str_radix(&key[2 * i..2 * i + 2], 16).unwrap());
            assert!(is_ed25519_point(&point), "{key}");
            point[31] ^= 0x80;
            assert!(is_ed25519_point(&point), "{key}");
        }
    }

    #[test]
    fn of_small_y_those_with_an_x_are_points() {
        let points: Vec<u8> = (0..20)
            .filter(|y| is_ed25519_point(&[&[*y], [0; 31].as_slice()].concat().try_into().unwrap()))
            .collect();
        assert_eq!(points, [0, 1, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 19]);
    }

    #[test]
    fn numbers_at_the_edges_reduce() {
        let most = [!0; 4];
        assert_eq!(smallest(P), ZERO);
        assert_eq!(smallest(most), [37, 0, 0, 0]);
        assert_eq!(smallest(add(&most, &most)), [74, 0, 0, 0]);
        assert_eq!(smallest(multiply(&most, &most)), [37 * 37, 0, 0, 0]);
        assert_eq!(smallest(multiply(&MINUS_ONE, &MINUS_ONE)), ONE);
        assert_eq!(smallest(add(&MINUS_ONE, &ONE)), ZERO);
        // Fermat: every number but zero to the power of p − 1 is 1.
        for base in [2, 3, 5, 1 << 40] {
            assert_eq!(smallest(power(&[base, 7, 0, base], &MINUS_ONE)), ONE);
        }
    }
}
