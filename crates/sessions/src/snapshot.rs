//! What was revoked, in this process's memory: asked for every token without a lock and without the store.

mod table;

use std::{
    convert::Infallible,
    fmt,
    hash::Hasher,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Clock, Entropy, Monotonic, SecretArray, UnixTime};
use bartizan_tokens::{Revocations, TokenId};
use siphasher::sip128::{Hasher128, SipHasher13};

use self::table::{Kept, Table};
use crate::{
    Error, ErrorKind, Position, Revocation, RevocationStore, Scope, SessionId, SessionKey, bounded::bounded,
};

/// What was revoked, as this process knows it. Cheap to clone; all clones are one.
///
/// It follows a store's feed ([`RevocationSnapshot::follow`]) and knows when it last read it to its end. Asked with a bound, it
/// answers from memory if that was not longer ago, and else [`ErrorKind::Unavailable`]: it never guesses.
///
/// Of each revoked token and session it keeps 16 bytes and an end of 4: about 20 MB for a million, as `cargo bench -p bartizan-benches --bench sessions
/// revocation_1m` counts. For a token the 16 bytes are
/// SipHash-1-3-128 of its id under a random key: as long as that key stays in this process, nobody can choose two names with one
/// fingerprint, and by chance two of a million meet once in 2^89. It is keyed because subjects choose their names, and no slower hash
/// is needed because no answer shows it.
#[derive(Clone)]
pub struct RevocationSnapshot(Arc<Shared>);

struct Shared {
    issuer: Box<str>,
    token_key: SecretArray<16>,
    subject_key: SecretArray<16>,
    sessions_apart: u128,
    clock: Arc<dyn Clock>,
    tokens: Table<Until>,
    sessions: Table<Until>,
    subjects: Table<Ending>,
    global_epoch: AtomicU32,
    global_cutoff: AtomicI64,
    position: AtomicU64,
    /// The latest second, as the wall clock had it, in which something was forgotten.
    swept_at: AtomicU32,
    was_read: AtomicBool,
    /// When the last complete reading began, in nanoseconds of the monotonic clock.
    read_at: AtomicU64,
}

/// Until when an id matters.
#[derive(Clone, Copy)]
struct Until(u32);

impl Kept for Until {
    fn joined(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    fn until(self) -> u32 {
        self.0
    }
}

/// The last ending of all sessions of a subject.
#[derive(Clone, Copy)]
struct Ending {
    epoch: u32,
    cutoff: u32,
    until: u32,
}

impl Kept for Ending {
    fn joined(self, other: Self) -> Self {
        Self {
            epoch: self.epoch.max(other.epoch),
            cutoff: self.cutoff.max(other.cutoff),
            until: self.until.max(other.until),
        }
    }

    fn until(self) -> u32 {
        self.until
    }
}

/// How many revocations are asked for at once.
const PIECE: usize = 4_096;

/// How long one call to the store may take.
const CALL: Duration = Duration::from_secs(5);

impl RevocationSnapshot {
    /// An empty one, which knows nothing until it has read a store's feed once. `issuer` is what this service's tokens say in
    /// `iss`; the ids of other issuers are not ours to know.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`].
    pub fn new(
        issuer: impl Into<Box<str>>,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let mut apart = [0; 16];
        entropy.fill(&mut apart)?;
        Ok(Self(Arc::new(Shared {
            issuer: issuer.into(),
            token_key: SecretArray::try_filled(|key| entropy.fill(key))?,
            subject_key: SecretArray::try_filled(|key| entropy.fill(key))?,
            sessions_apart: u128::from_ne_bytes(apart),
            clock,
            tokens: Table::new(),
            sessions: Table::new(),
            subjects: Table::new(),
            global_epoch: AtomicU32::new(0),
            global_cutoff: AtomicI64::new(i64::MIN),
            position: AtomicU64::new(0),
            swept_at: AtomicU32::new(0),
            was_read: AtomicBool::new(false),
            read_at: AtomicU64::new(0),
        })))
    }

    /// Reads the store's feed to its end, again and again, with a pause of `every`. For the service to spawn; it ends when it is
    /// dropped. While the store does not answer, the snapshot grows old, and is refreshed with the first reading that succeeds.
    ///
    /// A quarter of the shortest bound that a route states is a good pause.
    pub async fn follow(&self, store: Arc<dyn RevocationStore>, every: Duration) -> Infallible {
        loop {
            let _grows_old = self.refresh(&*store).await;
            self.0.clock.sleep(every).await;
        }
    }

    /// Reads the store's feed to its end once: what was revoked before this call is known after it.
    ///
    /// # Errors
    /// Those of the store, and [`ErrorKind::Unavailable`] when it takes over 5 s for a piece. What was read is kept.
    pub async fn refresh(&self, store: &dyn RevocationStore) -> Result<(), Error> {
        let shared = &self.0;
        // SECURITY: the age counts from before the reading: what is committed meanwhile may be missed.
        let began = shared.nanos();
        // SECURITY: a clock that was ahead for a while has made this forget too much: it is read again from the beginning.
        let now = secs(shared.clock.wall());
        if shared.swept_at.load(Ordering::Acquire) > now.saturating_add(60) {
            shared.swept_at.store(now, Ordering::Release);
            shared.position.store(0, Ordering::Release);
        }
        let mut after = Position(shared.position.load(Ordering::Acquire));
        loop {
            let feed = bounded(&*shared.clock, CALL, store.revocations(after, PIECE)).await?;
            self.apply(&feed.revocations);
            // SECURITY: the store has lost its end, by a failover or with a backup. What it tells from there on has positions that
            // this has passed already.
            if feed.next < after {
                shared.position.store(0, Ordering::Release);
                after = Position::default();
                continue;
            }
            // SECURITY: moved on only after it was applied: another reader that starts there passes nothing.
            shared.position.fetch_max(feed.next.0, Ordering::AcqRel);
            if !feed.more {
                break;
            }
            if feed.next <= after {
                return Err(ErrorKind::Integrity.into());
            }
            after = feed.next;
        }
        shared.read_at.fetch_max(began, Ordering::AcqRel);
        shared.was_read.store(true, Ordering::Release);
        let now = secs(shared.clock.wall());
        shared.swept_at.fetch_max(now, Ordering::AcqRel);
        shared.tokens.sweep(now);
        shared.sessions.sweep(now);
        shared.subjects.sweep(now);
        Ok(())
    }

    /// How old it is: how long ago the last complete reading began. None: there was none.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let shared = &self.0;
        let was_read = shared.was_read.load(Ordering::Acquire);
        let read_at = shared.read_at.load(Ordering::Acquire);
        was_read.then(|| Duration::from_nanos(shared.nanos().saturating_sub(read_at)))
    }

    /// Whether a token was revoked, by itself, by its session, or with all of its subject's or of everybody's.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the snapshot is older than `at_most`.
    #[inline]
    pub fn is_revoked(&self, token: &TokenId<'_>, at_most: Duration) -> Result<bool, Error> {
        if *token.issuer != *self.0.issuer {
            return Ok(false);
        }
        self.knows(token, at_most)
    }

    /// The same of a token that is known to be of this service.
    pub(crate) fn knows(&self, token: &TokenId<'_>, at_most: Duration) -> Result<bool, Error> {
        let shared = &self.0;
        self.check_age(at_most)?;
        if let Some(jti) = token.jti
            && shared.tokens.len() > 0
            && shared.tokens.get(shared.token(jti)).is_some()
        {
            return Ok(true);
        }
        if shared.ended_nothing() {
            return Ok(false);
        }
        // What is no name of a session of ours is judged as if there were none.
        let session = token.session.and_then(|text| SessionId::parse(text).ok());
        let tenant = token.tenant.unwrap_or("-");
        Ok(match session {
            Some(id) => self.is_ended(id, tenant, token.subject),
            None => self.is_cut_off(tenant, token.subject, token.issued_at),
        })
    }

    /// The same, with its bound, for a verifier of tokens.
    #[must_use]
    pub fn within(&self, at_most: Duration) -> SnapshotWithin {
        SnapshotWithin { snapshot: self.clone(), at_most }
    }

    /// How many tokens, sessions and subjects it knows of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.tokens.len() + self.0.sessions.len() + self.0.subjects.len()
    }

    /// Whether it knows of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that it takes, without what the allocator adds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.tokens.bytes() + self.0.sessions.bytes() + self.0.subjects.bytes()
    }

    /// What was revoked is known from now on. For what this node revoked itself, and for benchmarks; the feed tells it again.
    pub fn apply(&self, revocations: &[Revocation]) {
        let shared = &self.0;
        let (mut tokens, mut sessions, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
        for revocation in revocations {
            let until = secs(revocation.until);
            match &revocation.scope {
                Scope::Token(jti) => tokens.push((shared.token(jti), Until(until))),
                Scope::Session(key) => sessions.push((shared.session(*key), Until(until))),
                Scope::Subject { tenant, subject, epoch } => {
                    let ending = Ending { epoch: *epoch, cutoff: secs(revocation.at), until };
                    subjects.push((shared.subject(tenant, subject), ending));
                }
                Scope::Everything { epoch } => {
                    shared.global_epoch.fetch_max(*epoch, Ordering::AcqRel);
                    shared.global_cutoff.fetch_max(revocation.at.as_secs(), Ordering::AcqRel);
                }
            }
        }
        let now = secs(shared.clock.wall());
        shared.tokens.insert(tokens, now);
        shared.sessions.insert(sessions, now);
        shared.subjects.insert(subjects, now);
    }

    /// Whether a session ended, as far as this knows: by its key, or by an epoch.
    pub(crate) fn is_ended(&self, id: SessionId, tenant: &str, subject: &str) -> bool {
        let shared = &self.0;
        let is_earlier = id.epochs.global < shared.global_epoch.load(Ordering::Acquire);
        is_earlier
            || shared.sessions.get(shared.session(id.key)).is_some()
            || shared.ending(tenant, subject).is_some_and(|ending| id.epochs.subject < ending.epoch)
    }

    /// Without a session, the second counts: nothing is finer in a token.
    fn is_cut_off(&self, tenant: &str, subject: &str, issued_at: UnixTime) -> bool {
        let shared = &self.0;
        let issued_at = issued_at.as_secs();
        let of_all = issued_at <= shared.global_cutoff.load(Ordering::Acquire);
        of_all || shared.ending(tenant, subject).is_some_and(|ending| issued_at <= i64::from(ending.cutoff))
    }

    pub(crate) fn check_age(&self, at_most: Duration) -> Result<(), Error> {
        let is_fresh = self.age().is_some_and(|age| age <= at_most);
        if is_fresh { Ok(()) } else { Err(ErrorKind::Unavailable.into()) }
    }
}

impl Shared {
    fn nanos(&self) -> u64 {
        let since = self.clock.monotonic().since(Monotonic::from_zero(Duration::ZERO));
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether there is nothing but single tokens: no session needs to be read then.
    #[inline]
    fn ended_nothing(&self) -> bool {
        self.sessions.len() == 0
            && self.subjects.len() == 0
            && self.global_epoch.load(Ordering::Acquire) == 0
            && self.global_cutoff.load(Ordering::Acquire) == i64::MIN
    }

    #[inline]
    fn token(&self, jti: &str) -> u128 {
        SipHasher13::new_with_key(self.token_key.expose()).hash(jti.as_bytes()).as_u128()
    }

    /// A session's key is 128 random bits that this service drew: nothing has to be hashed, and the hidden number only keeps it apart
    /// from tokens.
    #[inline]
    fn session(&self, key: SessionKey) -> u128 {
        u128::from_ne_bytes(*key.as_bytes()) ^ self.sessions_apart
    }

    /// The length of the first part stands before it: no two pairs are one.
    fn subject(&self, tenant: &str, subject: &str) -> u128 {
        let mut hasher = SipHasher13::new_with_key(self.subject_key.expose());
        hasher.write_usize(tenant.len());
        hasher.write(tenant.as_bytes());
        hasher.write(subject.as_bytes());
        hasher.finish128().as_u128()
    }

    /// The last ending of all sessions of a subject. Most services have none.
    fn ending(&self, tenant: &str, subject: &str) -> Option<Ending> {
        if self.subjects.len() == 0 {
            return None;
        }
        self.subjects.get(self.subject(tenant, subject))
    }
}

/// Whole seconds since 1970, until 2106.
fn secs(time: UnixTime) -> u32 {
    u32::try_from(time.as_secs().max(0)).unwrap_or(u32::MAX)
}

/// Shows how much it knows and how old it is, and no name.
impl fmt::Debug for RevocationSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationSnapshot")
            .field("entries", &self.len())
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}

/// A [`RevocationSnapshot`] with the age that it may have, as a verifier of tokens asks it.
#[derive(Clone, Debug)]
pub struct SnapshotWithin {
    snapshot: RevocationSnapshot,
    at_most: Duration,
}

impl Revocations for SnapshotWithin {
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, bartizan_tokens::Error> {
        let answer = self.snapshot.is_revoked(token, self.at_most);
        answer.map_err(|_| bartizan_tokens::ErrorKind::RevocationsUnavailable.into())
    }
}
