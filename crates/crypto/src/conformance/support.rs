//! What the cases share.

use bartizan_core::{Entropy, NoEntropy};

use super::Failure;
use crate::{Error, ErrorKind, PrivateKey, PublicKey, SignatureAlgorithm};

pub(super) type Outcome = Result<usize, Failure>;

/// The parts of a message, cut in all the ways that [`for_each_cut`] knows.
pub(super) type Parts<'a> = &'a [&'a [u8]];

pub(super) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure(what())) }
}

/// Refused, and with this kind.
pub(super) fn ensure_refused<T>(
    result: Result<T, Error>,
    kind: ErrorKind,
    what: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(Failure(format!("{}: refused as “{error}”, not as “{kind}”", what()))),
        Ok(_) => Err(Failure(format!("{}: accepted what it must refuse", what()))),
    }
}

pub(super) fn hex(text: &str) -> Result<Vec<u8>, Failure> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
    let digits = digits.ok_or_else(|| Failure(format!("not hexadecimal: {text}")))?;
    let (pairs, rest) = digits.as_chunks::<2>();
    ensure(rest.is_empty(), || format!("half a byte: {text}"))?;
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

pub(super) fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Failure> {
    bytes.try_into().map_err(|_| Failure(format!("{} bytes, not {N}", bytes.len())))
}

pub(super) fn hex_array<const N: usize>(text: &str) -> Result<[u8; N], Failure> {
    array(&hex(text)?)
}

/// From hexadecimal digits.
pub(super) fn private_key(
    algorithm: SignatureAlgorithm,
    secret: &str,
    public: &str,
) -> Result<PrivateKey, Failure> {
    Ok(PrivateKey::new(hex(secret)?, public_key(algorithm, public)?))
}

/// From hexadecimal digits.
pub(super) fn public_key(algorithm: SignatureAlgorithm, public: &str) -> Result<PublicKey, Failure> {
    Ok(PublicKey::new(algorithm, &hex(public)?)?)
}

/// `length` bytes of which no two neighbours are alike.
pub(super) fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

/// Calls `work` with a message of `length` bytes whole, cut in two at every place, cut in three with the middle at every place,
/// byte by byte, and as nothing at all. `work` is told the whole message, too.
pub(super) fn for_each_cut(
    length: usize,
    mut work: impl FnMut(&[u8], Parts<'_>) -> Result<(), Failure>,
) -> Outcome {
    let message = pattern(length);
    let mut ran = 0;
    let mut each = |whole: &[u8], parts: Parts<'_>| {
        ran += 1;
        work(whole, parts)
    };
    each(&[], &[])?;
    each(&message, &[&message])?;
    each(&message, &message.chunks(1).collect::<Vec<_>>())?;
    for (at, _) in message.iter().enumerate() {
        let (head, tail) = message.split_at(at);
        each(&message, &[head, tail])?;
        let (first, second) = tail.split_at(1.min(tail.len()));
        each(&message, &[head, &[], first, second])?;
    }
    Ok(ran)
}

/// Gives one byte again and again.
#[derive(Debug)]
pub(super) struct Constant(pub(super) u8);

impl Entropy for Constant {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        buffer.fill(self.0);
        Ok(())
    }
}

/// Never delivers.
#[derive(Debug)]
pub(super) struct Broken;

impl Entropy for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

/// Gives bytes that differ from call to call. No randomness at all.
#[derive(Debug, Default)]
pub(super) struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).wrapping_add(1));
        Ok(())
    }
}
