//! The errors of aws-lc-rs in our words. They say next to nothing, so each place names what it can only have been.

use aws_lc_rs::error::{KeyRejected, Unspecified};
use bartizan_crypto::{Error, ErrorKind};

/// The halves of a key do not belong together, or are no key.
pub(crate) fn rejected(_: KeyRejected) -> Error {
    ErrorKind::Key.into()
}

/// A signature or tag does not verify.
pub(crate) fn unverified(_: Unspecified) -> Error {
    ErrorKind::Unverified.into()
}

/// The only limit of the call is its length.
pub(crate) fn too_long(_: Unspecified) -> Error {
    ErrorKind::TooLong.into()
}

/// What the documentation of aws-lc-rs rules out.
pub(crate) fn impossible(_: Unspecified) -> Error {
    ErrorKind::Primitive.into()
}
