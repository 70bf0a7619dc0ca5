//! The one credential of a request: a token, a key, or a browser's cookie.

use std::fmt;

use bartizan_core::RawToken;
use bartizan_sessions::ApiKeys;
use http::{HeaderMap, HeaderName, Uri};

use crate::{
    Error, ErrorKind, MAX_TOKEN, SessionCookie,
    bearer::{bearer, is_b64token},
};

/// What a request presents. Its `Debug` shows lengths only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// An access token, in `Authorization: Bearer`.
    Token(RawToken<'a>),
    /// An API key, where [`KeyPlace`] says.
    Key(RawToken<'a>),
    /// A browser's session, in the cookie [`SessionCookie::NAME`].
    Session(RawToken<'a>),
}

/// Where API keys are presented: in one place, which the service chooses. Never in a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPlace(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Bearer,
    Header(HeaderName),
}

impl KeyPlace {
    /// `Authorization: Bearer`, where a key is told from a token by its form.
    pub const BEARER: Self = Self(Place::Bearer);

    /// A header of its own, such as `X-API-Key`. What looks like a key in `Authorization` is then a bad token.
    ///
    /// # Errors
    /// [`ErrorKind::KeyPlace`] for a name that does not start with `x-`, or that proxies write.
    pub fn header(name: &HeaderName) -> Result<Self, Error> {
        let text = name.as_str();
        if text.len() > "x-".len() && text.starts_with("x-") && !text.starts_with("x-forwarded") {
            Ok(Self(Place::Header(name.clone())))
        } else {
            Err(Error::new(ErrorKind::KeyPlace))
        }
    }
}

/// `KeyPlace(x-api-key)`, `KeyPlace(bearer)`
impl fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Bearer => f.write_str("KeyPlace(bearer)"),
            Place::Header(name) => write!(f, "KeyPlace({name})"),
        }
    }
}

/// What a guard takes besides tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) cookies: bool,
    pub(crate) keys: Option<(KeyPlace, ApiKeys)>,
}

impl Taken {
    /// The one credential.
    ///
    /// # Errors
    /// [`ErrorKind::NoCredentials`] and [`ErrorKind::OtherScheme`] when there is none, those of [`bearer`] and
    /// [`SessionCookie::read`], and [`ErrorKind::TwoCredentials`].
    ///
    /// # Security
    /// Which of two credentials is meant cannot be told, and a proxy may have checked the other one: none is taken. A header
    /// `Authorization` of any scheme is one of them.
    pub(crate) fn one_of<'a>(&self, headers: &'a HeaderMap, uri: &Uri) -> Result<Credential<'a>, Error> {
        let (authorization, other_scheme) = match bearer(headers, uri) {
            Ok(token) => (Some(token), false),
            Err(error) if error.kind() == ErrorKind::NoCredentials => (None, false),
            Err(error) if error.kind() == ErrorKind::OtherScheme => (None, true),
            Err(error) => return Err(error),
        };
        let key = self.key_of_own_header(headers)?;
        let session = if self.cookies { SessionCookie::read(headers)? } else { None };
        match (authorization, other_scheme, key, session) {
            (Some(text), false, None, None) if self.is_key(text) => Ok(Credential::Key(text)),
            (Some(text), false, None, None) => Ok(Credential::Token(text)),
            (None, false, Some(text), None) => Ok(Credential::Key(text)),
            (None, false, None, Some(text)) => Ok(Credential::Session(text)),
            (None, false, None, None) => Err(Error::new(ErrorKind::NoCredentials)),
            (None, true, None, None) => Err(Error::new(ErrorKind::OtherScheme)),
            _ => Err(Error::new(ErrorKind::TwoCredentials)),
        }
    }

    fn key_of_own_header<'a>(&self, headers: &'a HeaderMap) -> Result<Option<RawToken<'a>>, Error> {
        let Some((KeyPlace(Place::Header(name)), _)) = &self.keys else { return Ok(None) };
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Error::new(ErrorKind::DuplicateCredentials));
        }
        if value.len() > MAX_TOKEN {
            return Err(Error::new(ErrorKind::CredentialsTooLarge));
        }
        match value.to_str() {
            Ok(text) if is_b64token(text) => Ok(Some(RawToken::new(text))),
            _ => Err(Error::new(ErrorKind::MalformedCredentials)),
        }
    }

    fn is_key(&self, text: RawToken<'_>) -> bool {
        matches!(&self.keys, Some((KeyPlace(Place::Bearer), keys)) if keys.is_well_formed(text))
    }

    /// Whether the request brings a credential of any kind, good or bad: then no cache may keep its answer.
    pub(crate) fn is_any_in(&self, headers: &HeaderMap) -> bool {
        let is_key =
            matches!(&self.keys, Some((KeyPlace(Place::Header(name)), _)) if headers.contains_key(name));
        let is_session = self.cookies && !matches!(SessionCookie::read(headers), Ok(None));
        headers.contains_key(http::header::AUTHORIZATION) || is_key || is_session
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bartizan_core::UnixTime;
    use bartizan_crypto_ring::Ring;
    use bartizan_sessions::{MemoryStore, Policy, Sessions};
    use bartizan_testkit::{ManualClock, SeededEntropy};
    use http::HeaderValue;

    use super::*;

    fn keys() -> ApiKeys {
        let clock = Arc::new(ManualClock::at(UnixTime::EPOCH));
        let (entropy, store) = (Arc::new(SeededEntropy::new(1)), Arc::new(MemoryStore::new()));
        let policy = Policy::guide();
        let sessions = Sessions::new("login", store, Arc::new(Ring::new()), entropy, clock, policy).unwrap();
        sessions.api_keys("clinic").unwrap()
    }

    fn taken(
        place: Option<KeyPlace>,
        lines: &[(&'static str, &str)],
        uri: &str,
    ) -> Result<String, ErrorKind> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let taken = Taken { cookies: true, keys: place.map(|place| (place, keys())) };
        match taken.one_of(&headers, &uri.parse().unwrap()) {
            Ok(Credential::Token(text)) => Ok(format!("token {}", text.untrusted())),
            Ok(Credential::Key(text)) => Ok(format!("key {}", text.untrusted())),
            Ok(Credential::Session(text)) => Ok(format!("session {}", text.untrusted())),
            Err(error) => Err(error.kind()),
        }
    }

    fn header() -> Option<KeyPlace> {
        Some(KeyPlace::header(&HeaderName::from_static("x-api-key")).unwrap())
    }

    const TOKEN: (&str, &str) = ("authorization", "Bearer a.b.c");
    const BASIC: (&str, &str) = ("authorization", "Basic YTpi");
    const COOKIE: (&str, &str) = ("cookie", "__Host-sid=s");
    const KEY: (&str, &str) = ("x-api-key", "ck_1");

    #[test]
    fn each_credential_alone_is_taken() {
        for (lines, expected) in [(TOKEN, "token a.b.c"), (COOKIE, "session s"), (KEY, "key ck_1")] {
            assert_eq!(taken(header(), &[lines], "/").as_deref(), Ok(expected));
        }
        let key = format!("clinic_{}", "A".repeat(64));
        let bearer = format!("Bearer {key}");
        let lines = &[("authorization", &*bearer)];
        assert_eq!(taken(Some(KeyPlace::BEARER), lines, "/"), Ok(format!("key {key}")));
        assert_eq!(taken(header(), lines, "/"), Ok(format!("token {key}")));
        assert_eq!(taken(Some(KeyPlace::BEARER), &[TOKEN], "/").as_deref(), Ok("token a.b.c"));
        assert_eq!(taken(None, &[], "/"), Err(ErrorKind::NoCredentials));
        assert_eq!(taken(None, &[BASIC], "/"), Err(ErrorKind::OtherScheme));
        assert_eq!(taken(None, &[("cookie", "a=b"), KEY], "/"), Err(ErrorKind::NoCredentials));
    }

    #[test]
    fn two_credentials_are_refused_in_every_pair() {
        for pair in
            [[TOKEN, COOKIE], [TOKEN, KEY], [COOKIE, KEY], [BASIC, COOKIE], [BASIC, KEY], [COOKIE, TOKEN]]
        {
            assert_eq!(taken(header(), &pair, "/"), Err(ErrorKind::TwoCredentials), "{pair:?}");
        }
        for one in [TOKEN, COOKIE, KEY] {
            assert_eq!(taken(header(), &[one], "/?access_token=x"), Err(ErrorKind::CredentialsInUrl));
            assert_eq!(taken(header(), &[one], "/?api_key=x"), Err(ErrorKind::CredentialsInUrl));
        }
        assert_eq!(taken(header(), &[KEY, KEY], "/"), Err(ErrorKind::DuplicateCredentials));
        assert_eq!(taken(header(), &[COOKIE, COOKIE], "/"), Err(ErrorKind::DuplicateCookie));
        assert_eq!(taken(header(), &[TOKEN, TOKEN], "/"), Err(ErrorKind::DuplicateCredentials));
    }

    #[test]
    fn a_malformed_key_is_refused() {
        for bad in ["", "a b", "a,b", "\"a\"", "a;b"] {
            assert_eq!(taken(header(), &[("x-api-key", bad)], "/"), Err(ErrorKind::MalformedCredentials));
        }
        let long = "a".repeat(MAX_TOKEN + 1);
        assert_eq!(taken(header(), &[("x-api-key", &long)], "/"), Err(ErrorKind::CredentialsTooLarge));
    }

    #[test]
    fn a_place_for_keys_cannot_be_confused_with_another() {
        for bad in ["authorization", "cookie", "x-", "host", "x-forwarded-for"] {
            assert!(KeyPlace::header(&HeaderName::from_bytes(bad.as_bytes()).unwrap()).is_err(), "{bad}");
        }
    }
}
