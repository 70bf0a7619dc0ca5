//! By what a session is named, where it is no secret.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Error, ErrorKind};

/// What a store finds a session's row by: 128 random bits. Neither the selector nor the secret of its credential.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey([u8; 16]);

impl SessionKey {
    /// From stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// For stores.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 hexadecimal digits.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How often everything of a subject, and everything of everybody, was ended when a session began. A session is alive only as
/// long as both still stand there: counters, so that no two logins in one second are confused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epochs {
    /// The subject's.
    pub subject: u32,
    /// Everybody's.
    pub global: u32,
}

/// A session's name, as access tokens carry it in `sid`: its key and the epochs in which it began, so that whoever verifies a
/// token needs no store to see that all sessions of its subject were ended since. 32 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// What the store finds it by.
    pub key: SessionKey,
    /// When it began.
    pub epochs: Epochs,
}

impl SessionId {
    /// How many characters it has.
    pub const LEN: usize = 32;

    /// Reads the text of a `sid`.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for anything but the canonical text of a session's name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 24];
        if text.len() != Self::LEN || URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) != Ok(bytes.len()) {
            return Err(ErrorKind::Refused.into());
        }
        let (key, epochs) = bytes.split_first_chunk::<16>().ok_or(ErrorKind::Refused)?;
        let (subject, global) = epochs.split_first_chunk::<4>().ok_or(ErrorKind::Refused)?;
        let global = global.first_chunk::<4>().ok_or(ErrorKind::Refused)?;
        let epochs = Epochs { subject: u32::from_be_bytes(*subject), global: u32::from_be_bytes(*global) };
        Ok(Self { key: SessionKey(*key), epochs })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        let parts = [&self.key.0[..], &self.epochs.subject.to_be_bytes(), &self.epochs.global.to_be_bytes()];
        bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
