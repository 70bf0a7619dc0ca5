//! What a guard takes besides tokens.

use bartizan_sessions::{ApiKeys, Sessions};

use crate::{KeyPlace, Origins, SessionCookie};

/// What a guard takes besides tokens, and what it asks whether they were revoked.
///
/// ```
/// use bartizan_http::{Error, KeyPlace, Logins, Origins, SessionCookie};
/// use bartizan_sessions::{ApiKeys, Sessions};
///
/// # fn logins(sessions: Sessions, keys: ApiKeys) -> Result<Logins, Error> {
/// let logins = Logins::of(sessions)                                     // revoked tokens are refused from here on
///     .cookies(SessionCookie::Lax, Origins::of(["https://clinic.example"])?)
///     .api_keys(KeyPlace::BEARER, keys);
/// # Ok(logins)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Logins {
    pub(super) sessions: Sessions,
    pub(super) browser: Option<(SessionCookie, Origins)>,
    pub(super) keys: Option<(KeyPlace, ApiKeys)>,
}

impl Logins {
    /// Asks these sessions whether a token was revoked.
    #[must_use]
    pub const fn of(sessions: Sessions) -> Self {
        Self { sessions, browser: None, keys: None }
    }

    /// Lets browsers in by their session's cookie, and has pages of these origins alone change anything by it.
    #[must_use]
    pub fn cookies(mut self, cookie: SessionCookie, origins: Origins) -> Self {
        self.browser = Some((cookie, origins));
        self
    }

    /// Lets programs in by these API keys, presented there.
    #[must_use]
    pub fn api_keys(mut self, place: KeyPlace, keys: ApiKeys) -> Self {
        self.keys = Some((place, keys));
        self
    }
}
