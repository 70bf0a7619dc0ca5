//! A key ring as text: one JSON object, read strictly.

use std::{borrow::Cow, time::Duration};

use bartizan_core::{SecretText, UnixTime, json};
use bartizan_crypto::{
    Lifecycle, Provider,
    rotation::{Earlier, Key, Next, Policy, Rotation},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    Algorithm, Error, ErrorKind, KeyRules, SigningKey, VerifyingKey,
    jwk::is_kid,
    key_ring::state::{Entry, Material, State},
    names,
};

/// Most bytes of a document.
const MAX_DOCUMENT: usize = 256 * 1024;

const LIMITS: json::Limits = json::Limits { bytes: MAX_DOCUMENT, depth: 8, values: 8_192 };

const KIND: &str = "bartizan-key-ring";

/// The format that is written and read.
const FORMAT: u32 = 1;

/// The ring's own keys, whatever they are: how they came to be was decided when they were made.
const RULES: KeyRules = KeyRules::strict().danger_rsa_pkcs1();

/// No ring gets so far in its life.
const MAX_REVISION: u64 = 1 << 53;

const MAX_VERSION: u32 = 1 << 31;

/// The document. Times are nanoseconds since 1970, spans nanoseconds. Members that are not known are refused: what a later format
/// adds may be what keeps a key from being believed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    format: u32,
    #[serde(borrow)]
    id: Cow<'a, str>,
    revision: u64,
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    next_version: u32,
    policy: Spans,
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier: Option<Before>,
    #[serde(borrow)]
    keys: Vec<Stored<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spans {
    period: u64,
    longest_life: u64,
    cache_age: u64,
    skew: u64,
    spread: u64,
    next: When,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum When {
    InTime,
    Always,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    policy: Spans,
    until: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<'a> {
    version: u32,
    since: i64,
    state: Stands,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    jwk: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    alg: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Stands {
    Pending { active_from: i64 },
    Active,
    Retiring { until: i64 },
    Revoked,
}

pub(super) fn read(provider: &dyn Provider, text: &str) -> Result<State, Error> {
    json::check(text.as_bytes(), &LIMITS).map_err(|fault| match fault {
        json::JsonFault::TooLarge => ErrorKind::KeyTooLarge,
        _ => ErrorKind::KeyFormat,
    })?;
    // serde's own message may quote a key and is dropped.
    let document: Document<'_> = serde_json::from_str(text).map_err(|_| ErrorKind::KeyFormat)?;
    let algorithm = Algorithm::named(&document.algorithm).ok_or(ErrorKind::KeyUnsupported)?;
    // SECURITY: a ring whose numbers are used up could not be changed any more, not even to revoke.
    let has_room = document.revision < MAX_REVISION && document.next_version < MAX_VERSION;
    if document.kind != KIND || document.format != FORMAT || !is_kid(&document.id) || !has_room {
        return Err(ErrorKind::KeyFormat.into());
    }
    let keys = document
        .keys
        .iter()
        .map(|stored| Key::new(stored.version, stored.state.lifecycle(), UnixTime::from_nanos(stored.since)));
    let earlier = document
        .earlier
        .map(|earlier| Earlier::new(earlier.policy.policy(), UnixTime::from_nanos(earlier.until)));
    let rotation = Rotation::restore(document.policy.policy(), earlier, keys, document.next_version)
        .map_err(|_| ErrorKind::KeyFormat)?;
    let entries = document.keys.iter().map(|stored| stored.entry(provider)).collect::<Result<_, _>>()?;
    State::new(provider, document.id.into(), document.revision, algorithm, rotation, entries)
}

pub(super) fn write(state: &State) -> SecretText {
    let (rotation, entries) = (&state.rotation, &state.entries);
    // The keys' own texts, which the document takes in.
    let jwks: Vec<Option<SecretText>> = entries.iter().map(Entry::jwk).collect();
    let keys = rotation.keys().iter().zip(entries).zip(&jwks).map(|((key, entry), jwk)| Stored {
        version: key.version,
        since: key.since.as_nanos(),
        state: Stands::from(key.state),
        // INVARIANT(jwk-json): a JWK that was written here is JSON.
        jwk: jwk.as_ref().and_then(|jwk| serde_json::from_str(jwk.expose()).ok()),
        kid: jwk.is_none().then_some(Cow::Borrowed(&*entry.kid)),
        alg: jwk.is_none().then(|| entry.algorithm.name().into()),
    });
    let document = Document {
        kind: KIND.into(),
        format: FORMAT,
        id: Cow::Borrowed(&state.id),
        revision: state.revision,
        algorithm: state.algorithm.name().into(),
        next_version: rotation.next_version(),
        policy: Spans::of(rotation.policy()),
        earlier: rotation
            .earlier()
            .map(|earlier| Before { policy: Spans::of(&earlier.policy), until: earlier.until.as_nanos() }),
        keys: keys.collect(),
    };
    // Room for everything, so that no half-written copy of a key is left behind by a larger allocation.
    let texts: usize = jwks.iter().flatten().map(|jwk| jwk.expose().len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(texts + 1_024 + entries.len() * 512));
    // INVARIANT(document-json): numbers and texts alone are written, so this does not fail.
    let written = serde_json::to_writer(&mut *out, &document);
    debug_assert!(written.is_ok());
    SecretText::new(names::text(std::mem::take(&mut out)))
}

impl Entry {
    /// What is kept of it, as a JWK.
    fn jwk(&self) -> Option<SecretText> {
        match &self.material {
            Material::Whole(key) => Some(key.to_private_jwk()),
            // INVARIANT(public-half): only asymmetric keys are kept by their public half, and these are written.
            Material::Public(key) => key.to_public_jwk().ok().map(SecretText::new),
            Material::Nothing => None,
        }
    }
}

impl Stored<'_> {
    fn entry(&self, provider: &dyn Provider) -> Result<Entry, Error> {
        let revoked = || -> Option<Entry> {
            let kid = self.kid.as_deref().filter(|kid| is_kid(kid))?;
            let algorithm = Algorithm::named(self.alg.as_deref()?)?;
            Some(Entry { kid: kid.into(), algorithm, material: Material::Nothing })
        };
        match (self.jwk, &self.kid, &self.alg, &self.state) {
            (None, Some(_), Some(_), Stands::Revoked) => Ok(revoked().ok_or(ErrorKind::KeyFormat)?),
            (Some(jwk), None, None, Stands::Pending { .. } | Stands::Active) => {
                Ok(Entry::whole(SigningKey::from_jwk_with(provider, jwk.get().as_bytes(), &RULES)?))
            }
            (Some(jwk), None, None, Stands::Retiring { .. }) => {
                let jwk = jwk.get().as_bytes();
                match VerifyingKey::from_jwk_with(provider, jwk, &RULES) {
                    // A symmetric key, or one that was stored before it retired.
                    Err(error) if error.kind() == ErrorKind::KeySecrecy => {
                        Ok(Entry::whole(SigningKey::from_jwk_with(provider, jwk, &RULES)?))
                    }
                    key => Entry::public(key?),
                }
            }
            _ => Err(ErrorKind::KeyFormat.into()),
        }
    }
}

impl Stands {
    const fn lifecycle(&self) -> Lifecycle {
        match *self {
            Self::Pending { active_from } => {
                Lifecycle::Pending { active_from: UnixTime::from_nanos(active_from) }
            }
            Self::Active => Lifecycle::Active,
            Self::Retiring { until } => Lifecycle::Retiring { until: UnixTime::from_nanos(until) },
            Self::Revoked => Lifecycle::Revoked,
        }
    }
}

impl From<Lifecycle> for Stands {
    fn from(state: Lifecycle) -> Self {
        match state {
            Lifecycle::Pending { active_from } => Self::Pending { active_from: active_from.as_nanos() },
            Lifecycle::Active => Self::Active,
            Lifecycle::Retiring { until } => Self::Retiring { until: until.as_nanos() },
            Lifecycle::Revoked => Self::Revoked,
        }
    }
}

impl Spans {
    fn of(policy: &Policy) -> Self {
        // INVARIANT(spans): at most 400 days each, which fits.
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            period: nanos(policy.period),
            longest_life: nanos(policy.longest_life),
            cache_age: nanos(policy.cache_age),
            skew: nanos(policy.skew),
            spread: nanos(policy.spread),
            next: match policy.next {
                Next::InTime => When::InTime,
                _ => When::Always,
            },
        }
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::SIGNING_KEYS;
        policy.period = Duration::from_nanos(self.period);
        policy.longest_life = Duration::from_nanos(self.longest_life);
        policy.cache_age = Duration::from_nanos(self.cache_age);
        policy.skew = Duration::from_nanos(self.skew);
        policy.spread = Duration::from_nanos(self.spread);
        policy.next = match self.next {
            When::InTime => Next::InTime,
            When::Always => Next::Always,
        };
        policy
    }
}
