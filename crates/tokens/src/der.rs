//! Writing of DER (X.690): the few elements of which key files are made. All of it is wiped, as some of it is secret.

use zeroize::Zeroizing;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const CONTEXT_0: u8 = 0xa0;
pub(crate) const CONTEXT_1: u8 = 0xa1;

/// An element whose content is the parts, one after the other. For contents of up to 65,535 bytes, as all keys are.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // Room for everything, so that no half-written copy of a secret is left behind by a larger allocation.
    let mut out = Zeroizing::new(Vec::with_capacity(length + 4));
    let [.., high, low] = length.to_be_bytes();
    out.push(tag);
    match (high, low) {
        (0, 0..=0x7f) => out.push(low),
        (0, _) => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    parts.iter().for_each(|part| out.extend(*part));
    out
}

/// A number, big endian without leading zeros.
pub(crate) fn unsigned(number: &[u8]) -> Zeroizing<Vec<u8>> {
    let needs_sign = number.first().is_none_or(|byte| byte & 0x80 != 0);
    element(INTEGER, &[if needs_sign { &[0] } else { &[] }, number])
}

/// A bit string of whole bytes.
pub(crate) fn bits(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    element(BIT_STRING, &[&[0], bytes])
}
