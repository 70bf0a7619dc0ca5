//! Issues access tokens.

use std::{fmt, sync::Arc};

use bartizan_core::{Clock, Entropy, SecretText, json};

use crate::{AccessToken, Error, ErrorKind, Limits, SigningKey, jws, names::is_name, signing_key::random_id};

/// Issues access tokens of RFC 9068 under one name and key.
///
/// The time and the ids are the library's: `iat` and `exp` come from the clock, `jti` is 128 random bits.
pub struct Issuer {
    issuer: Box<str>,
    key: SigningKey,
    /// The same for every token of the key.
    header: Box<str>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Issuer {
    /// An issuer of this name, usually an `https` URL, as `iss` will say it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name that is empty, over 255 bytes or unprintable.
    pub fn new(
        issuer: impl Into<Box<str>>,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let issuer = issuer.into();
        if !is_name(&issuer) {
            return Err(ErrorKind::Config.into());
        }
        let header = jws::encoded_header(&key, Some("at+jwt")).into_boxed_str();
        Ok(Self { issuer, key, header, clock, entropy })
    }

    /// Issues a token.
    ///
    /// # Errors
    /// [`ErrorKind::Claim`] when it is to say something that is not allowed: an empty or unprintable name, a life of nothing
    /// or over an hour, a registered claim as one's own, a claim twice, a clock before 1970; [`ErrorKind::TooLarge`] when it would be beyond
    /// [`Limits::DEFAULT`]; [`ErrorKind::Entropy`] and [`ErrorKind::Primitive`].
    pub fn issue(&self, token: &AccessToken<'_>) -> Result<SecretText, Error> {
        token.check()?;
        let jti = random_id(&*self.entropy)?;
        let mut claims = Vec::with_capacity(512);
        token.write(&self.issuer, self.clock.wall(), &jti, &mut claims)?;
        if token.has_own_claims() {
            let limits = json::Limits {
                bytes: Limits::DEFAULT.claims,
                depth: Limits::DEFAULT.depth,
                values: Limits::DEFAULT.values,
            };
            json::check(&claims, &limits).map_err(|fault| match fault {
                json::JsonFault::TooLarge => ErrorKind::TooLarge,
                _ => ErrorKind::Claim,
            })?;
        }
        jws::assemble(&self.key, &self.header, &claims)
    }

    /// The name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("issuer", &self.issuer).field("key", &self.key).finish_non_exhaustive()
    }
}
