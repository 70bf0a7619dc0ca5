//! Issues access tokens.

use std::{fmt, sync::Arc};

use bartizan_core::{Clock, Entropy, SecretText};
use serde::Serialize;

use crate::{
    AccessToken, Error, ErrorKind, KeyRing, Limits, SigningKey, jws,
    key_ring::Active,
    names::{is_name, json_member},
};

/// Issues access tokens of RFC 9068 under one name, with one key or with the active key of a ring.
///
/// The time and the ids are the library's: `iat` and `exp` come from the clock, `jti` is 128 random bits.
pub struct Issuer {
    issuer: Box<str>,
    /// How every claims text begins: the opening brace and `iss`.
    begins: Box<[u8]>,
    signer: Signs,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What signs, with the header that is the same for every token of a key.
enum Signs {
    One(Arc<Active>),
    Ring(KeyRing),
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
        Self::of(issuer.into(), Signs::One(Arc::new(Active::new(Arc::new(key)))), clock, entropy)
    }

    /// An issuer of this name that signs with whatever key of the ring is active.
    ///
    /// # Errors
    /// As [`Issuer::new`].
    pub fn with_ring(
        issuer: impl Into<Box<str>>,
        ring: KeyRing,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        Self::of(issuer.into(), Signs::Ring(ring), clock, entropy)
    }

    fn of(
        issuer: Box<str>,
        signer: Signs,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        if !is_name(&issuer) {
            return Err(ErrorKind::Config.into());
        }
        let mut begins = vec![b'{'];
        json_member(&mut begins, "iss", &issuer);
        Ok(Self { issuer, begins: begins.into(), signer, clock, entropy })
    }

    /// Issues a token.
    ///
    /// # Errors
    /// [`ErrorKind::Claim`] when it is to say something that is not allowed: an empty or unprintable name, a life of nothing
    /// or over an hour, a registered claim as one's own, a claim twice, a clock before 1970; [`ErrorKind::TooLarge`] when it would be beyond
    /// [`Limits::DEFAULT`]; [`ErrorKind::Entropy`] and [`ErrorKind::Primitive`]. With a ring also [`ErrorKind::Claim`] for a life that
    /// is longer than its policy's longest, and [`ErrorKind::KeysUnavailable`] while no key is active.
    pub fn issue(&self, token: &AccessToken<'_>) -> Result<SecretText, Error> {
        self.issue_with(token, &())
    }

    /// Issues a token with claims of your own: the members of a struct or a map, written into the same object as all others.
    /// What [`Verifier::verify_with`](crate::Verifier::verify_with) reads on the other side.
    ///
    /// ```
    /// # use bartizan_core::SecretText;
    /// # use bartizan_tokens::{AccessToken, Error, Issuer};
    /// #[derive(serde::Serialize)]
    /// struct Own<'a> {
    ///     email: &'a str,
    ///     seats: &'a [u32],
    /// }
    ///
    /// # fn issue(issuer: &Issuer) -> Result<SecretText, Error> {
    /// let token = AccessToken::new("ada", "https://api.example", "web");
    /// issuer.issue_with(&token, &Own { email: "ada@example.org", seats: &[1, 2] })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Issuer::issue`]: [`ErrorKind::Claim`] for a name that is registered, taken by [`AccessToken::claim`], there twice at
    /// any level, or no name; for a number that is not finite; for what is neither struct nor map nor nothing.
    /// [`ErrorKind::TooLarge`] for more values or levels than [`Limits::DEFAULT`] has.
    pub fn issue_with<C: Serialize + ?Sized>(
        &self,
        token: &AccessToken<'_>,
        own: &C,
    ) -> Result<SecretText, Error> {
        let (active, mut claims) = self.begin(token)?;
        token.write_own(own, &mut claims)?;
        end(&active, claims)
    }

    /// The claims but for somebody's own. Their type is known where they call, and what depends on it is compiled there.
    fn begin(&self, token: &AccessToken<'_>) -> Result<(Arc<Active>, Vec<u8>), Error> {
        token.check()?;
        let active = self.active(token)?;
        let mut jti = [0; 16];
        self.entropy.fill(&mut jti)?;
        let mut claims = Vec::with_capacity(USUAL_CLAIMS);
        claims.extend_from_slice(&self.begins);
        token.write(self.clock.wall(), &jti, &mut claims)?;
        Ok((active, claims))
    }

    /// The name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// With a ring, those of [`KeyRing::signer`].
    pub fn key(&self) -> Result<Arc<SigningKey>, Error> {
        match &self.signer {
            Signs::One(active) => Ok(active.key.clone()),
            Signs::Ring(ring) => ring.signer(),
        }
    }

    /// What signs this token.
    fn active(&self, token: &AccessToken<'_>) -> Result<Arc<Active>, Error> {
        match &self.signer {
            Signs::One(active) => Ok(active.clone()),
            // SECURITY: the ring lets go of a key when the longest life is over. A token that lives longer would outlive its key.
            Signs::Ring(ring) if token.lives() > ring.policy().longest_life => {
                Err(Error::about(ErrorKind::Claim, "exp"))
            }
            Signs::Ring(ring) => ring.active(),
        }
    }
}

/// Closes the claims and signs them.
fn end(active: &Active, mut claims: Vec<u8>) -> Result<SecretText, Error> {
    claims.push(b'}');
    if claims.len() > Limits::DEFAULT.claims {
        return Err(ErrorKind::TooLarge.into());
    }
    jws::assemble(&active.key, &active.header, &claims)
}

/// Room for the claims of most tokens.
const USUAL_CLAIMS: usize = 512;

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("issuer", &self.issuer)
            .field("key", &self.key().ok())
            .finish_non_exhaustive()
    }
}
