//! Scope keys: whose they are, how they are named, and what is wrapped.

use std::{convert::Infallible, fmt, sync::Arc};

use bartizan_core::{Entropy, SecretArray, UnixTime};
use bartizan_crypto::{Hash, Kdf, Lifecycle, Provider};
use subtle::ConstantTimeEq;

use crate::{
    Error, ErrorKind,
    name::check,
    pae::{Piece, with_pae},
};

/// The id of a scope key: 8 random bytes, unique in its store. It stands in every cell that the key sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, Error> {
        let mut id = [0; 8];
        entropy.fill(&mut id)?;
        Ok(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whose key, and for what: a tenant or one subject of it, and a purpose. Keys of different scopes share nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    tenant: &'a str,
    subject: Option<&'a str>,
    purpose: &'a str,
}

impl<'a> Scope<'a> {
    /// The scope of a tenant for a purpose, such as `fields`. In a service with one tenant its name is `-`.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] for an empty name, [`ErrorKind::TooLong`] for one over 255 bytes.
    pub fn new(tenant: &'a str, purpose: &'a str) -> Result<Self, Error> {
        check(tenant)?;
        check(purpose)?;
        Ok(Self { tenant, subject: None, purpose })
    }

    /// The scope of one subject of the tenant, whose data can then be shredded by itself.
    ///
    /// # Errors
    /// As [`Scope::new`].
    pub fn of_subject(mut self, subject: &'a str) -> Result<Self, Error> {
        check(subject)?;
        self.subject = Some(subject);
        Ok(self)
    }

    /// The tenant; never empty.
    #[must_use]
    pub const fn tenant(&self) -> &'a str {
        self.tenant
    }

    /// The subject, if the key is one subject's.
    #[must_use]
    pub const fn subject(&self) -> Option<&'a str> {
        self.subject
    }

    /// The purpose; never empty.
    #[must_use]
    pub const fn purpose(&self) -> &'a str {
        self.purpose
    }
}

/// Tenants and subjects may be personal data: only the purpose is shown.
impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

/// A scope that owns its names.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct OwnedScope {
    pub(crate) tenant: Box<str>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) purpose: Box<str>,
}

impl OwnedScope {
    pub(crate) fn borrowed(&self) -> Scope<'_> {
        Scope { tenant: &self.tenant, subject: self.subject.as_deref(), purpose: &self.purpose }
    }
}

impl From<Scope<'_>> for OwnedScope {
    fn from(scope: Scope<'_>) -> Self {
        Self {
            tenant: scope.tenant.into(),
            subject: scope.subject.map(Into::into),
            purpose: scope.purpose.into(),
        }
    }
}

/// One key as a store keeps it. The key itself is in there only wrapped.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRow {
    /// The key's id.
    pub id: KeyId,
    /// Its tenant.
    pub tenant: Box<str>,
    /// Its subject, if it is one subject's.
    pub subject: Option<Box<str>>,
    /// Its purpose.
    pub purpose: Box<str>,
    /// Its number in its scope: 1, 2, 3, …
    pub version: u32,
    /// Where it stands.
    pub state: Lifecycle,
    /// The wrapped key; empty when it is destroyed. At most [`MAX_WRAPPED`] bytes.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created: UnixTime,
}

/// Longest wrapped key, in bytes.
pub const MAX_WRAPPED: usize = 16_384;

impl KeyRow {
    /// A row, for stores.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] or [`ErrorKind::TooLong`] for names that no scope has, [`ErrorKind::TooLong`] for a wrapped key of
    /// over [`MAX_WRAPPED`] bytes.
    pub fn new(
        id: KeyId,
        scope: Scope<'_>,
        version: u32,
        state: Lifecycle,
        wrapped: Vec<u8>,
        created: UnixTime,
    ) -> Result<Self, Error> {
        if wrapped.len() > MAX_WRAPPED {
            return Err(ErrorKind::TooLong.into());
        }
        let OwnedScope { tenant, subject, purpose } = scope.into();
        Ok(Self { id, tenant, subject, purpose, version, state, wrapped, created })
    }

    /// Its scope.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope { tenant: &self.tenant, subject: self.subject.as_deref(), purpose: &self.purpose }
    }

    /// What its wrapping is bound to.
    #[must_use]
    pub fn context(&self) -> KeyContext<'_> {
        KeyContext { scope: self.scope(), version: self.version, id: self.id }
    }
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("version", &self.version)
            .field("state", &self.state)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// What a wrapped key is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyContext<'a> {
    scope: Scope<'a>,
    version: u32,
    id: KeyId,
}

impl<'a> KeyContext<'a> {
    /// The binding of one key.
    #[must_use]
    pub const fn new(scope: Scope<'a>, version: u32, id: KeyId) -> Self {
        Self { scope, version, id }
    }

    /// Whose key, and for what.
    #[must_use]
    pub const fn scope(&self) -> Scope<'a> {
        self.scope
    }

    /// Its number in its scope.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// SHA-256 of the context. It holds no name, so it may stand in the encryption context of a KMS, which logs it.
    #[must_use]
    pub fn digest(&self, hash: &dyn Hash) -> [u8; 32] {
        self.with_pae(&[], |parts| hash.sha256(parts))
    }

    /// `before ‖ PAE("bartizan/key/v1", tenant, subject or empty, purpose, version, key id)`, as parts.
    pub(crate) fn with_pae<R>(&self, before: &[&[u8]], work: impl FnOnce(&[&[u8]]) -> R) -> R {
        let version = self.version.to_be_bytes();
        let pieces: [Piece<'_>; 6] = [
            Piece::of(KEY_LABEL.as_slice()),
            Piece::of(self.scope.tenant.as_bytes()),
            Piece::of(self.scope.subject.unwrap_or_default().as_bytes()),
            Piece::of(self.scope.purpose.as_bytes()),
            Piece::of(version.as_slice()),
            Piece::of(self.id.as_bytes().as_slice()),
        ];
        with_pae(before, &pieces, work)
    }
}

const KEY_LABEL: &[u8; 15] = b"bartizan/key/v1";

/// What is wrapped: a key of 32 bytes, and SHA-256 of its context, so that a wrapper that cannot bind a context does not
/// let one key pass for another.
pub(crate) fn payload(hash: &dyn Hash, key: &SecretArray<32>, context: &KeyContext<'_>) -> SecretArray<64> {
    let digest = context.digest(hash);
    let filled = SecretArray::try_filled(|place: &mut [u8; 64]| {
        for (to, from) in place.iter_mut().zip(key.expose().iter().chain(&digest)) {
            *to = *from;
        }
        Ok::<(), Infallible>(())
    });
    match filled {
        Ok(payload) => payload,
        Err(never) => match never {},
    }
}

/// The key of a payload, once its context fits.
///
/// # Errors
/// [`ErrorKind::Integrity`] for another length or context.
pub(crate) fn key_of_payload(
    hash: &dyn Hash,
    payload: &[u8],
    context: &KeyContext<'_>,
) -> Result<SecretArray<32>, Error> {
    let (key, digest) = match payload.split_first_chunk::<32>() {
        Some((key, digest)) if digest.len() == 32 => (key, digest),
        _ => return Err(ErrorKind::Integrity.into()),
    };
    // SECURITY: what stops a wrapped key from being moved to another tenant's row when the wrapper binds no context.
    if !bool::from(context.digest(hash).ct_eq(digest)) {
        return Err(ErrorKind::Integrity.into());
    }
    SecretArray::try_filled(|place| {
        place.copy_from_slice(key);
        Ok(())
    })
}

/// A scope key, ready for use. Cheap to clone; its bytes are held by the provider alone.
#[derive(Clone)]
pub struct ScopeKey(Arc<Prepared>);

struct Prepared {
    id: KeyId,
    scope: OwnedScope,
    version: u32,
    state: Lifecycle,
    kdf: Arc<dyn Kdf>,
}

impl ScopeKey {
    pub(crate) fn prepare(
        provider: &dyn Provider,
        context: &KeyContext<'_>,
        state: Lifecycle,
        key: &SecretArray<32>,
    ) -> Result<Self, Error> {
        Ok(Self(Arc::new(Prepared {
            id: context.id,
            scope: context.scope.into(),
            version: context.version,
            state,
            kdf: provider.kdf(key)?,
        })))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// Whose it is, and for what.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        self.0.scope.borrowed()
    }

    /// Its number in its scope.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Where it stood when it was loaded.
    #[must_use]
    pub fn state(&self) -> Lifecycle {
        self.0.state
    }

    pub(crate) fn kdf(&self) -> &dyn Kdf {
        &*self.0.kdf
    }
}

impl fmt::Debug for ScopeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeKey")
            .field("id", &self.0.id)
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}
