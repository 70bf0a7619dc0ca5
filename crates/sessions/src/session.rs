//! A session, as a store keeps it.

use std::fmt;

use bartizan_core::UnixTime;
use serde::{Deserialize, Serialize};

use crate::{Digest, Error, ErrorKind, SessionId};

/// What a session's credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A refresh token, whose secret changes at every use; the session is its family.
    Refresh,
    /// A cookie, which changes at login and when privileges change.
    Cookie,
}

impl Kind {
    /// The word in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Cookie => "cookie",
        }
    }

    /// From a store.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`].
    pub fn parse(word: &str) -> Result<Self, Error> {
        match word {
            "refresh" => Ok(Self::Refresh),
            "cookie" => Ok(Self::Cookie),
            _ => Err(ErrorKind::Integrity.into()),
        }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// Its owner logged out.
    LoggedOut,
    /// Its owner, or an administrator, ended it from elsewhere.
    Revoked,
    /// Its refresh token was used a second time.
    Reused,
    /// It made room for a newer one.
    Crowded,
    /// Another session took its place at login.
    Replaced,
    /// A password or second factor was changed.
    CredentialChanged,
}

impl Ended {
    /// The word in stores and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::Revoked => "revoked",
            Self::Reused => "reused",
            Self::Crowded => "crowded",
            Self::Replaced => "replaced",
            Self::CredentialChanged => "credential_changed",
        }
    }

    /// From a store.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`].
    pub fn parse(word: &str) -> Result<Self, Error> {
        [Self::LoggedOut, Self::Revoked, Self::Reused, Self::Crowded, Self::Replaced, Self::CredentialChanged]
            .into_iter()
            .find(|ended| ended.as_str() == word)
            .ok_or_else(|| ErrorKind::Integrity.into())
    }
}

/// What a session knows about its owner's login. A store keeps it as one text, [`Facts::to_text`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Facts {
    /// When somebody last proved who they are (`auth_time`), in whole seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Authentication context (`acr`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<Box<str>>,
    /// Authentication methods (`amr`, RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<Box<str>>,
    /// Roles at login.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Box<str>>,
    /// Groups at login.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Box<str>>,
    /// To which client it was given (`client_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Box<str>>,
    /// On what device.
    #[serde(default, skip_serializing_if = "Device::is_empty")]
    pub device: Device,
}

/// What people recognise their sessions by in a list. Personal data: shown to the owner, never in records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Device {
    /// A name for it, such as `Firefox on Linux`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// From where it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Box<str>>,
}

impl Device {
    /// A device of this name.
    pub fn named(name: impl Into<Box<str>>) -> Self {
        Self { name: Some(name.into()), address: None }
    }

    /// Seen from this address.
    #[must_use]
    pub fn at(mut self, address: impl Into<Box<str>>) -> Self {
        self.address = Some(address.into());
        self
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The most bytes that [`Facts::to_text`] may have.
pub(crate) const MAX_FACTS: usize = 4096;

impl Facts {
    /// What a store keeps: JSON, at most 4 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::Limits`].
    pub fn to_text(&self) -> Result<String, Error> {
        let text = serde_json::to_string(self).map_err(|_| Error::new(ErrorKind::Limits))?;
        if text.len() > MAX_FACTS { Err(ErrorKind::Limits.into()) } else { Ok(text) }
    }

    /// Reads what a store kept.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`].
    pub fn from_text(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_FACTS {
            return Err(ErrorKind::Integrity.into());
        }
        serde_json::from_str(text).map_err(|_| ErrorKind::Integrity.into())
    }
}

/// A session: one login of one subject on one device. All times are in whole milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// What its credential is.
    pub kind: Kind,
    /// The tenant of its subject.
    pub tenant: Box<str>,
    /// Whose it is.
    pub subject: Box<str>,
    /// When it began.
    pub begun: UnixTime,
    /// When it was last used.
    pub seen: UnixTime,
    /// When it ends unless it is used before. Kept across rotations, never after `expires`.
    pub idle_expires: UnixTime,
    /// When it ends whatever happens. Never moved.
    pub expires: UnixTime,
    /// How often its secret was changed.
    pub generation: u64,
    /// What is known of the login.
    pub facts: Facts,
}

/// A session with what proves its ownership: one row.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// The session.
    pub session: Session,
    /// The digest of its credential's selector: the row is found by it.
    pub selector: Digest,
    /// The digest of the secret that is valid now.
    pub current: Digest,
    /// The digest of the secret before it, while a grace window may be open.
    pub previous: Option<Digest>,
    /// What the current secret was derived with from the previous one; deleted when the window closes.
    pub nonce: Option<[u8; 32]>,
    /// Until when a replay of the previous secret is answered with the current one.
    pub grace_until: UnixTime,
    /// The digest of what the credential is bound to, such as a key's thumbprint.
    pub binding: Option<Digest>,
    /// When and why it ended.
    pub ended: Option<(UnixTime, Ended)>,
}

/// Whether there is a nonce, and not which: with it, whoever has the secret before has the current one.
impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSession")
            .field("session", &self.session)
            .field("has_nonce", &self.nonce.is_some())
            .field("grace_until", &self.grace_until)
            .field("is_bound", &self.binding.is_some())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
