//! What every [`KeyWrapper`] does.

use std::{fmt, sync::Arc};

use bartizan_core::SecretArray;
use bartizan_crypto::Provider;

use crate::{
    Error, ErrorKind, KeyContext, KeyId, KeyWrapper, MAX_WRAPPED, Scope,
    key::{key_of_payload, payload},
};

use super::{Outcome, block_on, hold};

/// A wrapper, and primitives to check with what it answers.
pub struct Wrappers {
    wrapper: Arc<dyn KeyWrapper>,
    provider: Arc<dyn Provider>,
}

impl Wrappers {
    /// A wrapper under test.
    #[must_use]
    pub fn new(wrapper: Arc<dyn KeyWrapper>, provider: Arc<dyn Provider>) -> Self {
        Self { wrapper, provider }
    }

    fn wrap(&self, context: &KeyContext<'_>) -> Result<Vec<u8>, Error> {
        block_on(self.wrapper.wrap(context, &payload(self.provider.hash(), &key(), context)))
    }

    /// As a keyring does it: unwrap, then check length and context.
    fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretArray<32>, Error> {
        let payload = block_on(self.wrapper.unwrap(context, wrapped))?;
        key_of_payload(self.provider.hash(), payload.expose(), context)
    }

    fn refuses(&self, context: &KeyContext<'_>, wrapped: &[u8], what: &'static str) -> Outcome {
        let error = match self.unwrap(context, wrapped) {
            Ok(_) => return hold(false, what),
            Err(error) => error,
        };
        let fits = matches!(error.kind(), ErrorKind::Integrity | ErrorKind::WrappingKey);
        hold(fits, "a bad wrap is not told apart from an outage")
    }
}

impl fmt::Debug for Wrappers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wrappers").field(&self.wrapper).finish()
    }
}

/// In every shape of context.
///
/// # Errors
/// How the driver breaks this.
pub fn what_is_wrapped_unwraps(wrappers: &Wrappers) -> Outcome {
    for context in contexts()? {
        let wrapped = wrappers.wrap(&context)?;
        hold(wrapped.len() <= MAX_WRAPPED, "a wrap is too long")?;
        hold(wrappers.unwrap(&context, &wrapped)? == key(), "another key comes out than went in")?;
    }
    Ok(())
}

/// Tenant, subject, purpose, version and id.
///
/// # Errors
/// How the driver breaks this.
pub fn a_key_unwraps_in_its_own_context_alone(wrappers: &Wrappers) -> Outcome {
    let contexts = contexts()?;
    for (at, context) in contexts.iter().enumerate() {
        let wrapped = wrappers.wrap(context)?;
        for other in contexts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other) {
            wrappers.refuses(other, &wrapped, "a key unwraps in another context")?;
        }
    }
    Ok(())
}

/// No eight bytes of it.
///
/// # Errors
/// How the driver breaks this.
pub fn a_wrap_shows_nothing_of_the_key(wrappers: &Wrappers) -> Outcome {
    let (wrapped, key) = (wrappers.wrap(&context()?)?, key());
    let shows = key.expose().windows(8).any(|part| wrapped.windows(8).any(|window| window == part));
    hold(!shows, "a wrap shows the key")
}

/// A wrap does not tell that two keys are one.
///
/// # Errors
/// How the driver breaks this.
pub fn two_wraps_of_one_key_differ(wrappers: &Wrappers) -> Outcome {
    let context = context()?;
    hold(wrappers.wrap(&context)? != wrappers.wrap(&context)?, "two wraps of one key are alike")
}

/// Every byte, its lowest and its highest bit.
///
/// # Errors
/// How the driver breaks this.
pub fn an_altered_wrap_is_refused(wrappers: &Wrappers) -> Outcome {
    let context = context()?;
    let wrapped = wrappers.wrap(&context)?;
    for at in 0..wrapped.len() {
        for bit in [1, 0x80] {
            let mut altered = wrapped.clone();
            altered.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
            wrappers.refuses(&context, &altered, "an altered wrap unwraps")?;
        }
    }
    Ok(())
}

/// Every truncation, and one byte more at either end.
///
/// # Errors
/// How the driver breaks this.
pub fn a_shortened_or_lengthened_wrap_is_refused(wrappers: &Wrappers) -> Outcome {
    let context = context()?;
    let wrapped = wrappers.wrap(&context)?;
    for length in 0..wrapped.len() {
        wrappers.refuses(&context, wrapped.get(..length).unwrap_or_default(), "a shortened wrap unwraps")?;
    }
    for longer in [[wrapped.as_slice(), &[0]].concat(), [&[0], wrapped.as_slice()].concat()] {
        wrappers.refuses(&context, &longer, "a lengthened wrap unwraps")?;
    }
    Ok(())
}

/// Nothing, zeros, and too much.
///
/// # Errors
/// How the driver breaks this.
pub fn bytes_that_are_no_wrap_are_refused(wrappers: &Wrappers) -> Outcome {
    let context = context()?;
    for length in [0, 1, 64, 146, MAX_WRAPPED] {
        for byte in [0, 0xFD, 0xFF] {
            wrappers.refuses(&context, &vec![byte; length], "bytes that are no wrap unwrap")?;
        }
    }
    // The payload itself, unwrapped.
    let bare = payload(wrappers.provider.hash(), &key(), &context);
    wrappers.refuses(&context, bare.expose(), "a bare key unwraps")
}

/// For records and messages.
///
/// # Errors
/// How the driver breaks this.
pub fn a_wrapper_has_a_name(wrappers: &Wrappers) -> Outcome {
    hold(!wrappers.wrapper.describe().is_empty(), "a wrapper has no name")
}

fn context() -> Result<KeyContext<'static>, Error> {
    Ok(KeyContext::new(Scope::new("north", "fields")?, 1, KeyId::from_bytes([7; 8])))
}

/// Each differs from the first in one thing.
fn contexts() -> Result<[KeyContext<'static>; 7], Error> {
    let id = KeyId::from_bytes([7; 8]);
    Ok([
        context()?,
        KeyContext::new(Scope::new("south", "fields")?, 1, id),
        KeyContext::new(Scope::new("north", "audit")?, 1, id),
        KeyContext::new(Scope::new("north", "fields")?.of_subject("ada")?, 1, id),
        KeyContext::new(Scope::new("north", "fields")?, 2, id),
        KeyContext::new(Scope::new("north", "fields")?, 1, KeyId::from_bytes([8; 8])),
        // The same names, divided elsewhere.
        KeyContext::new(Scope::new("nort", "fields")?.of_subject("h")?, 1, id),
    ])
}

fn key() -> SecretArray<32> {
    let mut key = [0; 32];
    for (byte, n) in key.iter_mut().zip(100..) {
        *byte = n;
    }
    SecretArray::new(key)
}
