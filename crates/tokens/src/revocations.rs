//! Asks whether a token was revoked, where it is verified.

use std::fmt;

use bartizan_core::UnixTime;

use crate::Error;

/// Knows which tokens were revoked. Asked for every token, after everything else about it was found good, and again whenever
/// it comes out of a cache.
///
/// It runs on the request path: it has to answer from memory, without waiting, without a lock that a writer may hold for long.
/// A service that keeps revocations in a store follows that store beside the requests and answers from its last snapshot.
pub trait Revocations: Send + Sync {
    /// Whether the token must not be believed any more.
    ///
    /// # Errors
    /// When it doesn't know: [`ErrorKind::RevocationsUnavailable`](crate::ErrorKind::RevocationsUnavailable). The verifier answers
    /// that, whatever the error is: closed, and an outage rather than a refusal.
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Error>;
}

/// By what a token is revoked: its own id, its session, its subject together with when it was issued.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct TokenId<'a> {
    /// Who issued it (`iss`). The other names are unique for this issuer only.
    pub issuer: &'a str,
    /// Its id (`jti`); absent in tokens of a shape that does without.
    pub jti: Option<&'a str>,
    /// In which tenant (`tenant`), as the verifier knows it.
    pub tenant: Option<&'a str>,
    /// Of whom it speaks (`sub`).
    pub subject: &'a str,
    /// The session (`sid`).
    pub session: Option<&'a str>,
    /// When it was issued (`iat`), in whole seconds. Who revokes everything before a moment revokes the second of that moment too.
    pub issued_at: UnixTime,
}

/// Shows when it was issued, and nobody's name.
impl fmt::Debug for TokenId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenId").field("issued_at", &self.issued_at).finish_non_exhaustive()
    }
}
