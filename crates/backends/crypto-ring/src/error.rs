//! ring's errors in our words. They say next to nothing, so each place names what it can only have been.

use bartizan_crypto::{Error, ErrorKind};
use ring::error::{KeyRejected, Unspecified};

/// The halves of a key do not belong together, or are no key.
///
/// ring also answers this when its source fails while it draws the salt of ECDSA nonces; the two cannot be told apart.
pub(crate) fn rejected(_: KeyRejected) -> Error {
    ErrorKind::Key.into()
}

/// A signature or tag does not verify.
pub(crate) fn unverified(_: Unspecified) -> Error {
    ErrorKind::Unverified.into()
}

/// ring's own source failed: all that can fail in making an ECDSA key, or a signature with a key that has been checked.
pub(crate) fn no_entropy(_: Unspecified) -> Error {
    ErrorKind::Entropy.into()
}

/// The only limit of the call is its length.
pub(crate) fn too_long(_: Unspecified) -> Error {
    ErrorKind::TooLong.into()
}

/// What the documentation of ring rules out.
pub(crate) fn impossible(_: Unspecified) -> Error {
    ErrorKind::Primitive.into()
}
