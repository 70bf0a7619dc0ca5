//! Types that hold secrets: no `Display`, no `Serialize`, no `Clone`, a `Debug` that shows nothing, equality in constant
//! time, wiped when dropped.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing, optimization_barrier};

/// Secret bytes of any length.
pub struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    /// Takes the bytes over: as they are when there is no spare capacity, else into a place of their size, and what they were
    /// in is wiped. So no unwiped copy stays behind here; copies that the caller made earlier are the caller's.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        // SECURITY: only then are they neither moved nor shrunk, which would leave a copy behind.
        if bytes.capacity() == bytes.len() {
            return Self(bytes.into_boxed_slice());
        }
        let bytes = Zeroizing::new(bytes);
        Self(Box::from(bytes.as_slice()))
    }

    /// The bytes. Search for this name to find every place that sees them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl<const N: usize> From<SecretArray<N>> for SecretBytes {
    fn from(array: SecretArray<N>) -> Self {
        Self::from(&array)
    }
}

/// A copy: the array is wiped by whoever holds it.
impl<const N: usize> From<&SecretArray<N>> for SecretBytes {
    fn from(array: &SecretArray<N>) -> Self {
        Self::new(array.expose().to_vec())
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

/// A secret text, such as a password.
pub struct SecretText(Box<str>);

impl SecretText {
    /// Takes the text over: as it is when it has no spare capacity, else into a place of its size, and what it was in is
    /// wiped. So no unwiped copy stays behind here; copies that the caller made earlier are the caller's.
    #[must_use]
    pub fn new(text: String) -> Self {
        // SECURITY: only then is it neither moved nor shrunk, which would leave a copy behind.
        if text.capacity() == text.len() {
            return Self(text.into_boxed_str());
        }
        let text = Zeroizing::new(text);
        Self(Box::from(text.as_str()))
    }

    /// The text. Search for this name to find every place that sees it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.0).into_boxed_bytes());
    }
}

/// Wipes in one go: a volatile wipe writes every byte alone, which shows in `cargo bench -p bartizan-benches --bench tokens hs256_issue`.
///
/// SECURITY: the barrier is read by nobody and cannot be seen through, so that what is written before it is written.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// A secret of exactly `N` bytes, such as a key.
pub struct SecretArray<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretArray<N> {
    /// Takes the bytes over and wipes the argument.
    #[must_use]
    pub fn new(mut bytes: [u8; N]) -> Self {
        let held = Box::new(bytes);
        bytes.zeroize();
        Self(held)
    }

    /// Lets `fill` write the secret in its final place.
    ///
    /// # Errors
    /// What `fill` answers.
    pub fn try_filled<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The bytes. Search for this name to find every place that sees them.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for SecretArray<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

macro_rules! shows_nothing {
    ([$($generics:tt)*] $type:ty, $expose:expr) => {
        impl<$($generics)*> fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[secret]")
            }
        }

        impl<$($generics)*> PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                let expose: fn(&$type) -> &[u8] = $expose;
                expose(self).ct_eq(expose(other)).into()
            }
        }

        impl<$($generics)*> Eq for $type {}
    };
}

shows_nothing!([] SecretBytes, |secret| secret.expose());
shows_nothing!([] SecretText, |secret| secret.expose().as_bytes());
shows_nothing!([const N: usize] SecretArray<N>, |secret| secret.expose().as_slice());

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "canary-5f1d";

    #[test]
    fn debug_shows_nothing_in_either_form() {
        let bytes = SecretBytes::new(CANARY.as_bytes().to_vec());
        let text = SecretText::new(CANARY.to_owned());
        let array = SecretArray::new([0x63; 32]);
        let shown = format!("{bytes:?} {bytes:#?} {text:?} {text:#?} {array:?} {array:#?}");
        assert!(!shown.contains("canary") && !shown.contains("99") && !shown.contains("63"), "{shown}");
    }

    #[test]
    fn what_has_no_spare_room_stays_where_it_is_and_what_has_is_moved_whole() {
        for spare in [0, 1, 100] {
            let mut bytes = Vec::with_capacity(CANARY.len() + spare);
            bytes.extend_from_slice(CANARY.as_bytes());
            let text = String::from_utf8(bytes.clone()).unwrap();
            let mut roomy = String::with_capacity(CANARY.len() + spare);
            roomy.push_str(&text);
            let (bytes_were, text_was) = (bytes.as_ptr(), roomy.as_ptr());
            let (bytes, text) = (SecretBytes::new(bytes), SecretText::new(roomy));
            assert_eq!((bytes.expose(), text.expose()), (CANARY.as_bytes(), CANARY));
            assert_eq!(
                (bytes.expose().as_ptr() == bytes_were, text.expose().as_ptr() == text_was),
                (spare == 0, spare == 0)
            );
        }
    }

    #[test]
    fn equality_compares_every_byte() {
        assert_eq!(SecretArray::new([1; 32]), SecretArray::new([1; 32]));
        let mut other = [1; 32];
        other[31] = 2;
        assert_ne!(SecretArray::new([1; 32]), SecretArray::new(other));
        assert_ne!(SecretBytes::new(vec![1, 2]), SecretBytes::new(vec![1, 2, 3]));
    }
}
