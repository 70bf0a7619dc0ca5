//! The texts of credentials: what a client holds.

use std::fmt;

use bartizan_core::{RawToken, SecretText};
use bartizan_crypto::Provider;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::Digest;

macro_rules! credential {
    ($(#[$doc:meta])+ $name:ident) => {
        $(#[$doc])+
        ///
        /// It has no `Display`, its `Debug` shows nothing, and it is wiped when dropped.
        pub struct $name(SecretText);

        impl $name {
            pub(crate) const fn new(text: SecretText) -> Self {
                Self(text)
            }

            /// The text, for the one answer that hands it to its owner. Search for this name to find every place that sees it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// The text, as something that wipes itself.
            #[must_use]
            pub const fn secret(&self) -> &SecretText {
                &self.0
            }

            /// As it comes back in a request.
            #[must_use]
            pub fn as_raw(&self) -> RawToken<'_> {
                RawToken::new(self.expose())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

credential! {
    /// A refresh token: `bzr1_` and 64 characters of base64url: a selector of 128 and a secret of 256 random bits.
    RefreshToken
}

credential! {
    /// What the cookie of a session holds: `bzc1_` and 64 characters, as in a [`RefreshToken`].
    CookieToken
}

credential! {
    /// An API key: the service's prefix, `_`, and 64 characters, as in a [`RefreshToken`].
    ApiKey
}

credential! {
    /// A one-time token: `bzo1_` and 43 characters of base64url, 256 random bits.
    OnceToken
}

/// A form of credential: how its text begins, and what its parts are hashed under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form<'a> {
    pub(crate) prefix: &'a str,
    selector: &'static str,
    secret: &'static str,
}

pub(crate) const REFRESH: Form<'static> = Form {
    prefix: "bzr1_",
    selector: "bartizan refresh selector 1\0",
    secret: "bartizan refresh secret 1\0",
};

pub(crate) const COOKIE: Form<'static> =
    Form { prefix: "bzc1_", selector: "bartizan cookie selector 1\0", secret: "bartizan cookie secret 1\0" };

/// The form of API keys with this prefix, the `_` included.
pub(crate) const fn api_key(prefix: &str) -> Form<'_> {
    Form { prefix, selector: "bartizan key selector 1\0", secret: "bartizan key secret 1\0" }
}

/// Whether this is how the text of another kind of credential begins.
pub(crate) fn is_taken(prefix: &str) -> bool {
    [REFRESH.prefix, COOKIE.prefix, ONCE].contains(&prefix)
}

/// How many bytes a selector and a secret have.
const SELECTOR: usize = 16;
const PARTS: usize = SELECTOR + 32;
/// How many characters they have.
const CHARS: usize = 64;

/// The two parts of a credential, wiped when dropped.
pub(crate) struct Parts {
    bytes: Zeroizing<[u8; PARTS]>,
    /// Whether it was read from a text that was one. What was not goes the same way, with parts that nothing is stored under.
    pub(crate) is_well_formed: bool,
}

impl Form<'_> {
    /// Reads a text. Never fails: what is no credential becomes the parts of one that nobody was ever given, and so costs the same
    /// work as one that is unknown.
    pub(crate) fn parse(&self, text: RawToken<'_>) -> Parts {
        let mut bytes = Zeroizing::new([0; PARTS]);
        // SECURITY: the length is compared first, so that no text makes more work than a right one.
        let text = text.untrusted();
        let chars = text.strip_prefix(self.prefix).filter(|chars| chars.len() == CHARS);
        // 48 bytes are exactly 64 characters: no text but one decodes to them.
        let is_well_formed =
            chars.is_some_and(|chars| URL_SAFE_NO_PAD.decode_slice(chars, bytes.as_mut_slice()) == Ok(PARTS));
        if !is_well_formed {
            bytes = Zeroizing::new([0; PARTS]);
        }
        Parts { bytes, is_well_formed }
    }

    /// The text of these parts.
    pub(crate) fn write(&self, parts: &Parts) -> SecretText {
        let mut text = String::with_capacity(self.prefix.len() + CHARS);
        text.push_str(self.prefix);
        URL_SAFE_NO_PAD.encode_string(parts.bytes.as_slice(), &mut text);
        SecretText::new(text)
    }

    pub(crate) fn selector(&self, provider: &dyn Provider, parts: &Parts) -> Digest {
        digest(provider, self.selector, self.prefix, parts.selector())
    }

    pub(crate) fn secret(&self, provider: &dyn Provider, secret: &[u8; 32]) -> Digest {
        digest(provider, self.secret, self.prefix, secret)
    }
}

impl Parts {
    pub(crate) fn new(selector: &[u8; SELECTOR], secret: &[u8; 32]) -> Self {
        let mut bytes = Zeroizing::new([0; PARTS]);
        bytes.iter_mut().zip(selector.iter().chain(secret)).for_each(|(to, from)| *to = *from);
        Self { bytes, is_well_formed: true }
    }

    pub(crate) fn selector(&self) -> &[u8; SELECTOR] {
        self.bytes.first_chunk().unwrap_or(&[0; SELECTOR])
    }

    pub(crate) fn secret(&self) -> &[u8; 32] {
        self.bytes.last_chunk().unwrap_or(&[0; 32])
    }
}

const ONCE: &str = "bzo1_";
const ONCE_CHARS: usize = 43;

/// Reads a one-time token; what is none becomes one that nobody was given.
pub(crate) fn parse_once(text: RawToken<'_>) -> (Zeroizing<[u8; 32]>, bool) {
    let mut bytes = Zeroizing::new([0; 32]);
    let chars = text.untrusted().strip_prefix(ONCE).filter(|chars| chars.len() == ONCE_CHARS);
    let is_well_formed =
        chars.is_some_and(|chars| URL_SAFE_NO_PAD.decode_slice(chars, bytes.as_mut_slice()) == Ok(32));
    if is_well_formed { (bytes, true) } else { (Zeroizing::new([0; 32]), false) }
}

pub(crate) fn write_once(secret: &[u8; 32]) -> SecretText {
    let mut text = String::with_capacity(ONCE.len() + ONCE_CHARS);
    text.push_str(ONCE);
    URL_SAFE_NO_PAD.encode_string(secret, &mut text);
    SecretText::new(text)
}

pub(crate) fn once(provider: &dyn Provider, secret: &[u8; 32]) -> Digest {
    digest(provider, "bartizan once 1\0", ONCE, secret)
}

/// What a credential is bound to.
pub(crate) fn binding(provider: &dyn Provider, shown: &[u8]) -> Digest {
    digest(provider, "bartizan binding 1\0", "", shown)
}

/// SHA-256 under a label that ends in a zero and holds no other, and how the text begins, which holds none: no two labels,
/// beginnings and parts meet.
///
/// SECURITY: without its beginning, a key of one prefix would be one of every other.
fn digest(provider: &dyn Provider, label: &str, prefix: &str, part: &[u8]) -> Digest {
    Digest::from_bytes(provider.hash().sha256(&[label.as_bytes(), prefix.as_bytes(), b"\0", part]))
}

impl RefreshToken {
    /// Whether a text has the form of a refresh token; nothing is said of its worth.
    #[must_use]
    pub fn is_well_formed(text: RawToken<'_>) -> bool {
        REFRESH.parse(text).is_well_formed
    }
}

impl CookieToken {
    /// Whether a text has the form of a session's cookie; nothing is said of its worth.
    #[must_use]
    pub fn is_well_formed(text: RawToken<'_>) -> bool {
        COOKIE.parse(text).is_well_formed
    }
}

impl OnceToken {
    /// Whether a text has the form of a one-time token; nothing is said of its worth.
    #[must_use]
    pub fn is_well_formed(text: RawToken<'_>) -> bool {
        parse_once(text).1
    }
}

impl ApiKey {
    /// Whether a text has the form of an API key with this prefix, given without the `_`; nothing is said of its worth.
    #[must_use]
    pub fn is_well_formed(text: RawToken<'_>, prefix: &str) -> bool {
        let rest = text.untrusted().strip_prefix(prefix);
        rest.is_some_and(|rest| api_key("_").parse(RawToken::new(rest)).is_well_formed)
    }
}
