//! What can go wrong in this crate.

use std::fmt;

use bartizan_core::{Fault, NoEntropy, UnixTime};
use bartizan_crypto::NotPossible;

/// An error of this crate. It never holds text of a token or bytes of a key.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    claim: Option<&'static str>,
    earliest: Option<UnixTime>,
    source: Option<bartizan_crypto::Error>,
}

/// What happened.
///
/// The first group is about a token, the second about keys and arguments, the third about this program's surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is no compact JWS of three canonical base64url parts, or what a part holds is no JSON of its shape.
    #[error("the token is malformed")]
    Malformed,
    /// Something is beyond its limit.
    #[error("the token is beyond a limit")]
    TooLarge,
    /// A member stands twice in one JSON object, or once more in other letter case.
    #[error("a member of the token stands twice")]
    Duplicate,
    /// The header names no algorithm, an unknown one, or another than the key's.
    #[error("the algorithm is not that of the key")]
    Algorithm,
    /// No key fits the header, or more than one might.
    #[error("no key fits the token")]
    Key,
    /// The header makes something critical. Nothing is understood that may be made critical.
    #[error("the header makes something critical")]
    Critical,
    /// The header brings its own key, changes the encoding, or is that of an encrypted token.
    #[error("the header asks for what is never done")]
    Header,
    /// The token is of another type.
    #[error("the token is of another type")]
    Type,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// A required claim is absent.
    #[error("a required claim is missing")]
    MissingClaim,
    /// A claim has the wrong JSON type or a value outside its range.
    #[error("a claim has the wrong type or range")]
    ClaimType,
    /// The issuer is another, or is not among those that are trusted, or that of the actor is another.
    #[error("the token is from another issuer")]
    Issuer,
    /// The audience is another.
    #[error("the token is for another audience")]
    Audience,
    /// The token has ended. Only said of tokens whose signature, issuer and audience are right.
    #[error("the token has expired")]
    Expired,
    /// The token begins, or was issued, in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// The token lives longer than the verifier allows, or ends before it begins.
    #[error("the token's life is too long or inverted")]
    Lifetime,
    /// The token is bound to a key of its sender (`cnf`), and this is no verifier of such bindings.
    #[error("the token is bound to a sender's key")]
    Bound,
    /// The token names another tenant than the one that its issuer speaks for.
    #[error("the token is of another tenant")]
    Tenant,
    /// The `nonce` of an ID token is another than the one that was sent, is missing, or none was sent.
    #[error("the nonce is not the one that was sent")]
    Nonce,
    /// An ID token was issued to another party (`azp`), or it has several audiences and does not say to whom.
    #[error("the token was issued to another party")]
    AuthorizedParty,
    /// The authentication is older than was asked, or of another class.
    #[error("the authentication is too old or of another class")]
    Authentication,
    /// The access token or code beside an ID token is not the one that its `at_hash` or `c_hash` names.
    #[error("what came with the token does not belong to it")]
    TokenHash,
    /// The token was revoked.
    #[error("the token was revoked")]
    Revoked,

    /// Whether the token was revoked could not be found out. An outage, and no judgement of the token.
    #[error("revocations are not available")]
    RevocationsUnavailable,

    /// The issuer's keys could not be fetched yet, or are too old to be believed. An outage, and no judgement of the token.
    #[error("the issuer's keys are not available")]
    KeysUnavailable,

    /// An issuer, audience, key id or limit that was passed in is empty, too long or out of its range.
    #[error("an argument is empty, too long or out of range")]
    Config,
    /// A text is no JWK, JWKS, PEM or DER of its shape, or a member stands twice in it.
    #[error("the key is malformed")]
    KeyFormat,
    /// A key document is larger, or has more keys, than is allowed.
    #[error("the key document is beyond a limit")]
    KeyTooLarge,
    /// A key's `alg`, `crv`, `use` and `key_ops` do not fit each other or the purpose.
    #[error("the key is not for this use")]
    KeyUse,
    /// The key is of a type or algorithm that is not supported here, or not by the provider.
    #[error("the key's type or algorithm is not supported")]
    KeyUnsupported,
    /// The key is no point of its curve, or its halves do not belong together.
    #[error("the key cannot be used")]
    KeyUnusable,
    /// A key without a `kid` where one is needed to choose it.
    #[error("the key has no id")]
    KeyUnnamed,
    /// An RSA key or a symmetric one does not say its algorithm, and several would fit.
    #[error("the key does not say its algorithm")]
    KeyAlgorithm,
    /// The key is for RSASSA-PKCS1-v1_5 (RS256, RS384, RS512), and nobody asked for that.
    #[error("the key is for an algorithm that was not asked for")]
    KeyRsaPkcs1,
    /// An RSA key is smaller than 2048 or larger than 8192 bits.
    #[error("the key is too small or too large")]
    KeySize,
    /// An RSA key is known to be weak: its exponent is even, 1 or beyond 33 bits, or its modulus is even or of the shape of ROCA.
    #[error("the key is known to be weak")]
    KeyWeak,
    /// The key is encrypted, and nothing is decrypted here.
    #[error("the key is encrypted")]
    KeyEncrypted,
    /// A secret is shorter than the tags that it makes: 32 bytes for HS256, 48 for HS384, 64 for HS512.
    #[error("the secret is too short")]
    SecretTooShort,
    /// A secret is a key file: PEM, DER, a certificate, a JWK or JWKS. Such text is not secret.
    #[error("the secret is a key file")]
    SecretIsKey,
    /// A private or symmetric key where a public one is expected, or the other way round.
    #[error("the key is private where a public one is expected or the other way round")]
    KeySecrecy,
    /// Two keys of a set have the same `kid`.
    #[error("two keys of the set have one id")]
    KeyDuplicate,
    /// A set mixes symmetric and asymmetric keys.
    #[error("the set mixes symmetric and asymmetric keys")]
    KeyMixed,
    /// A set has no usable key.
    #[error("the set has no usable key")]
    KeyNone,
    /// A key ring has no such key.
    #[error("the key ring has no such key")]
    KeyUnknown,
    /// A key of a ring cannot take this step, or not yet: [`Error::earliest`].
    #[error("the key's life has no such step now")]
    KeyLife,
    /// A key ring was changed meanwhile, or a document of it is older than what it holds.
    #[error("the key ring has moved on")]
    RingMoved,
    /// A token to be issued has an empty or unprintable name, a registered claim among its own, or a life out of range.
    #[error("a claim of the token to be issued is not allowed")]
    Claim,

    /// Random bytes could not be drawn.
    #[error("random bytes could not be drawn")]
    Entropy,
    /// A primitive failed on valid input.
    #[error("a primitive failed on valid input")]
    Primitive,
}

impl ErrorKind {
    /// A stable word for records and machine-readable answers. Words are never changed or given twice.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Duplicate => "duplicate",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Critical => "crit",
            Self::Header => "header",
            Self::Type => "typ",
            Self::Signature => "signature",
            Self::MissingClaim => "missing_claim",
            Self::ClaimType => "claim_type",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Lifetime => "lifetime",
            Self::Bound => "bound",
            Self::Tenant => "tenant",
            Self::Nonce => "nonce",
            Self::AuthorizedParty => "azp",
            Self::Authentication => "authentication",
            Self::TokenHash => "token_hash",
            Self::Revoked => "revoked",
            Self::RevocationsUnavailable => "revocations_unavailable",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Config => "config",
            Self::KeyFormat => "key_format",
            Self::KeyTooLarge => "key_too_large",
            Self::KeyUse => "key_use",
            Self::KeyUnsupported => "key_unsupported",
            Self::KeyUnusable => "key_unusable",
            Self::KeyUnnamed => "key_unnamed",
            Self::KeyAlgorithm => "key_algorithm",
            Self::KeyRsaPkcs1 => "key_rsa_pkcs1",
            Self::KeySize => "key_size",
            Self::KeyWeak => "key_weak",
            Self::KeyEncrypted => "key_encrypted",
            Self::SecretTooShort => "secret_too_short",
            Self::SecretIsKey => "secret_is_key",
            Self::KeySecrecy => "key_secrecy",
            Self::KeyDuplicate => "key_duplicate",
            Self::KeyMixed => "key_mixed",
            Self::KeyNone => "key_none",
            Self::KeyUnknown => "key_unknown",
            Self::KeyLife => "key_life",
            Self::RingMoved => "ring_moved",
            Self::Claim => "claim",
            Self::Entropy => "entropy",
            Self::Primitive => "primitive",
        }
    }
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind, claim: None, earliest: None, source: None }
    }

    pub(crate) const fn about(kind: ErrorKind, claim: &'static str) -> Self {
        Self { claim: Some(claim), ..Self::new(kind) }
    }

    /// A key that the provider refuses to prepare.
    pub(crate) fn preparing(source: bartizan_crypto::Error) -> Self {
        use bartizan_crypto::ErrorKind as Crypto;
        let kind = match source.kind() {
            Crypto::Unsupported => ErrorKind::KeyUnsupported,
            Crypto::Entropy => ErrorKind::Entropy,
            Crypto::Primitive => ErrorKind::Primitive,
            _ => ErrorKind::KeyUnusable,
        };
        Self { source: Some(source), ..Self::new(kind) }
    }

    /// A prepared key that fails to sign.
    pub(crate) fn signing(source: bartizan_crypto::Error) -> Self {
        let kind = match source.kind() {
            bartizan_crypto::ErrorKind::Entropy => ErrorKind::Entropy,
            _ => ErrorKind::Primitive,
        };
        Self { source: Some(source), ..Self::new(kind) }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable word of [`ErrorKind::code`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Which registered claim or member of a key it is about, where that is known.
    #[must_use]
    pub const fn claim(&self) -> Option<&'static str> {
        self.claim
    }

    /// Who has to act: the peer about a token, the caller about keys and arguments.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Malformed
            | ErrorKind::TooLarge
            | ErrorKind::Duplicate
            | ErrorKind::Algorithm
            | ErrorKind::Key
            | ErrorKind::Critical
            | ErrorKind::Header
            | ErrorKind::Type
            | ErrorKind::Signature
            | ErrorKind::MissingClaim
            | ErrorKind::ClaimType
            | ErrorKind::Issuer
            | ErrorKind::Audience
            | ErrorKind::Expired
            | ErrorKind::NotYet
            | ErrorKind::Lifetime
            | ErrorKind::Bound
            | ErrorKind::Tenant
            | ErrorKind::Nonce
            | ErrorKind::AuthorizedParty
            | ErrorKind::Authentication
            | ErrorKind::TokenHash
            | ErrorKind::Revoked => Fault::Peer,
            ErrorKind::Config
            | ErrorKind::KeyFormat
            | ErrorKind::KeyTooLarge
            | ErrorKind::KeyUse
            | ErrorKind::KeyUnsupported
            | ErrorKind::KeyUnusable
            | ErrorKind::KeyUnnamed
            | ErrorKind::KeyAlgorithm
            | ErrorKind::KeyRsaPkcs1
            | ErrorKind::KeySize
            | ErrorKind::KeyWeak
            | ErrorKind::KeyEncrypted
            | ErrorKind::SecretTooShort
            | ErrorKind::SecretIsKey
            | ErrorKind::KeySecrecy
            | ErrorKind::KeyDuplicate
            | ErrorKind::KeyMixed
            | ErrorKind::KeyNone
            | ErrorKind::KeyUnknown
            | ErrorKind::KeyLife
            | ErrorKind::Claim => Fault::Caller,
            ErrorKind::KeysUnavailable | ErrorKind::RevocationsUnavailable | ErrorKind::Entropy => {
                Fault::Backend
            }
            ErrorKind::RingMoved => Fault::Busy,
            ErrorKind::Primitive => Fault::Bug,
        }
    }

    /// From when on a step in the life of a key is possible, where waiting helps.
    #[must_use]
    pub const fn earliest(&self) -> Option<UnixTime> {
        self.earliest
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.claim {
            Some(claim) => write!(f, "{} ({claim})", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<NoEntropy> for Error {
    fn from(source: NoEntropy) -> Self {
        Self { source: Some(source.into()), ..Self::new(ErrorKind::Entropy) }
    }
}

impl From<NotPossible> for Error {
    fn from(source: NotPossible) -> Self {
        Self { earliest: source.earliest(), ..Self::new(ErrorKind::KeyLife) }
    }
}
