//! How much of a token is read.

use crate::{Error, ErrorKind};

/// How much of a token is read. Whatever is beyond is refused before it costs anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most bytes of the whole token: 8 KiB; up to 64 KiB.
    pub token: usize,
    /// Most bytes of the encoded header: 2 KiB; up to 8 KiB.
    pub header: usize,
    /// Most bytes of the decoded claims or payload: 6 KiB; up to 48 KiB.
    pub claims: usize,
    /// Deepest nesting of header and claims, the outermost object counted: 16; up to 64.
    pub depth: usize,
    /// Most members and elements of the claims, all levels together: 512; up to 4,096. A header has at most 32.
    pub values: usize,
    /// Most bytes of a `kid`: 128; up to 512.
    pub kid: usize,
    /// Most entries of `aud`: 32; up to 256.
    pub audiences: usize,
}

impl Limits {
    /// The limits that are given for each field.
    pub const DEFAULT: Self = Self {
        token: 8 * 1024,
        header: 2 * 1024,
        claims: 6 * 1024,
        depth: 16,
        values: 512,
        kid: 128,
        audiences: 32,
    };

    const MOST: Self = Self {
        token: 64 * 1024,
        header: 8 * 1024,
        claims: 48 * 1024,
        depth: 64,
        values: 4_096,
        kid: 512,
        audiences: 256,
    };

    /// # Errors
    /// [`ErrorKind::Config`] when a limit is zero or over what is given for its field.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let fields = |limits: &Self| {
            [
                limits.token,
                limits.header,
                limits.claims,
                limits.depth,
                limits.values,
                limits.kid,
                limits.audiences,
            ]
        };
        let fits = fields(&self).iter().zip(fields(&Self::MOST)).all(|(is, most)| (1..=most).contains(is));
        if fits { Ok(self) } else { Err(ErrorKind::Config.into()) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
