//! Signing keys that follow each other: made, published, used, retired and revoked in time.

mod document;
mod published;
mod state;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use bartizan_core::{Clock, Entropy, SecretText, UnixTime};
use bartizan_crypto::{
    Consumers, Holding, Lifecycle, Provider,
    rotation::{Plan, Policy, Step},
};

use crate::{
    Algorithm, Error, ErrorKind, KeySource, SigningKey, key_source::KeyPublisher, signing_key::random_id,
};

pub use published::Jwks;
pub(crate) use state::Active;
use state::State;

/// The signing keys of one issuer, each with its [`Lifecycle`]. Cheap to clone; all clones are the same ring.
///
/// A key is published before it signs, so that whoever keeps a copy of the JWKS knows it by then; one key signs at a time; the one
/// before verifies until the last token that it signed has ended. How long that takes is the [`Policy`]'s, and none of it can be
/// cut short, except by [`KeyRing::revoke`].
///
/// Readers ([`KeyRing::signer`], [`KeyRing::jwks`], verifiers with [`KeyRing::source`], an
/// [`Issuer`](crate::Issuer::with_ring)) never lock and never wait. All else is for a task of its own:
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use bartizan_core::{Clock, os};
/// use bartizan_crypto::rotation::Policy;
/// use bartizan_crypto_ring::Ring;
/// use bartizan_tokens::{Algorithm, Error, Issuer, KeyRing, Verifier};
///
/// const ISSUER: &str = "https://login.example";
///
/// fn build(clock: Arc<dyn Clock>) -> Result<(KeyRing, Issuer, Verifier), Error> {
///     let (provider, entropy) = (Arc::new(Ring::new()), Arc::new(os::OsEntropy));
///     // Tokens of up to 15 minutes, a JWKS that is kept for 5, a new key every 30 days.
///     let mut policy = Policy::SIGNING_KEYS;
///     policy.longest_life = Duration::from_secs(15 * 60);
///     let ring = KeyRing::create(provider, Algorithm::EdDsa, policy, entropy.clone(), clock.wall())?;
///     let issuer = Issuer::with_ring(ISSUER, ring.clone(), clock.clone(), entropy)?;
///     let verifier = Verifier::access_tokens(ISSUER, "https://api.example", ring.source(), clock)?;
///     Ok((ring, issuer, verifier))
/// }
///
/// async fn keep(ring: KeyRing, clock: Arc<dyn Clock>) -> Result<(), Error> {
///     loop {
///         let plan = ring.step(clock.wall())?;
///         clock.sleep(plan.look_again().since(clock.wall())).await;
///     }
/// }
/// # build(Arc::new(os::SystemClock))?;
/// # Ok::<(), Error>(())
/// ```
///
/// A ring that outlives its process is written down before it takes effect: [`KeyRing::prepare`], store
/// [`Draft::to_document`], [`KeyRing::install`]. Several instances of one issuer store by compare-and-set
/// ([`Draft::replaces`]) and take what others stored with [`KeyRing::adopt`], at least once in the policy's `spread`.
#[derive(Clone)]
pub struct KeyRing(Arc<Shared>);

struct Shared {
    provider: Arc<dyn Provider>,
    entropy: Arc<dyn Entropy>,
    state: ArcSwap<State>,
    source: KeySource,
    /// Held while the state is swapped, by nobody who reads.
    publisher: Mutex<KeyPublisher>,
}

/// What is to change about a ring.
#[derive(Debug)]
#[non_exhaustive]
pub enum Change<'a> {
    /// Whatever is due. Retiring keys of these versions stay though their time has come: [`KeyRing::holding`] knows which.
    Due {
        /// Versions.
        needed: &'a [u32],
    },
    /// The pending key takes over now, before the period of the active one ends.
    Rotate,
    /// This key comes next instead of one that is made. Its `kid` must be new.
    Publish(SigningKey),
    /// The key of this `kid` is revoked at once, whatever its state. What it signed is refused from now on.
    Revoke(&'a str),
    /// Another policy. What was made under the one before keeps its spans.
    Policy(Policy),
    /// Keys that are made from now on have this algorithm. None of RS256, RS384 and RS512: publish such a key instead.
    Algorithm(Algorithm),
}

/// A ring as it will be. It takes effect when it is installed.
#[must_use]
pub struct Draft {
    base: Arc<State>,
    state: State,
    plan: Plan,
}

/// A key of a ring, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingKey {
    /// Its id in headers.
    pub kid: Box<str>,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its number in the ring.
    pub version: u32,
    /// Where it stands.
    pub state: Lifecycle,
    /// Since when.
    pub since: UnixTime,
}

/// What became of a document that was to be adopted. Exhaustive: what is not stored must not be overlooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Adopted {
    /// The ring is as the document says already.
    Unchanged,
    /// The ring is now as the document says.
    Taken,
    /// The ring holds revocations that were made here and are not in the document: these stay. Store the ring, in place of this
    /// document.
    Unstored,
}

/// What a step with consumers did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stepped {
    /// What was done, and when to look again.
    pub plan: Plan,
    /// What stays only for the sake of consumers.
    pub held: Held,
    /// Consumers that did not take note of the new active key in time.
    pub uninformed: Vec<Box<str>>,
}

/// Retiring keys whose time has come and that consumers still need.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Held {
    /// Up to when every key whose time has come was asked about: the time to prepare [`Change::Due`] for.
    pub asked: UnixTime,
    /// Their versions, each with the consumers that need it or did not answer.
    pub keys: Vec<(u32, Vec<Holding>)>,
}

impl Held {
    /// The versions, for [`Change::Due`].
    #[must_use]
    pub fn versions(&self) -> Vec<u32> {
        self.keys.iter().map(|(version, _)| *version).collect()
    }
}

/// Longest span of a policy.
const MAX_SPAN: Duration = Duration::from_secs(400 * 86_400);

impl KeyRing {
    /// A new ring with its first key, which is active at once: nobody knows any key of this issuer yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a policy whose longest life is zero, that has a span of over 400 days, or would keep over 30
    /// retiring keys at a time. Those of [`SigningKey::generate`].
    pub fn create(
        provider: Arc<dyn Provider>,
        algorithm: Algorithm,
        policy: Policy,
        entropy: Arc<dyn Entropy>,
        now: UnixTime,
    ) -> Result<Self, Error> {
        let key = SigningKey::generate(&*provider, algorithm, None, &*entropy)?;
        Self::with_key(provider, key, policy, entropy, now)
    }

    /// A new ring whose first key is this one: a service that had one key until now. Later keys are made of its algorithm, also
    /// where that is RS256, RS384 or RS512.
    ///
    /// # Errors
    /// As [`KeyRing::create`]. A provider that makes no keys of the algorithm, as ring makes no RSA keys, is
    /// [`ErrorKind::KeyUnsupported`] unless the policy publishes the next key in time, and then as soon as that is due: bring it
    /// with [`Change::Publish`] before.
    pub fn with_key(
        provider: Arc<dyn Provider>,
        key: SigningKey,
        policy: Policy,
        entropy: Arc<dyn Entropy>,
        now: UnixTime,
    ) -> Result<Self, Error> {
        let id = random_id(&*entropy)?.into_boxed_str();
        let state = State::first(&*provider, &*entropy, id, key, policy, now)?;
        Ok(Self::of(provider, entropy, state))
    }

    /// A ring as it was stored.
    ///
    /// # Errors
    /// [`ErrorKind::KeyFormat`] and [`ErrorKind::KeyTooLarge`] for the text; [`ErrorKind::KeyDuplicate`],
    /// [`ErrorKind::KeyMixed`]; [`ErrorKind::Config`] as [`KeyRing::create`]; for its keys those of [`SigningKey::from_jwk`].
    ///
    /// # Security
    /// The document holds private keys, and whoever writes it chooses them: keep it where only the issuer reads and writes. An
    /// older document brings revoked keys back; a ring that runs refuses it, one that starts cannot tell.
    pub fn from_document(
        provider: Arc<dyn Provider>,
        document: &SecretText,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let state = document::read(&*provider, document.expose())?;
        Ok(Self::of(provider, entropy, state))
    }

    fn of(provider: Arc<dyn Provider>, entropy: Arc<dyn Entropy>, state: State) -> Self {
        let (source, publisher) = KeySource::live(None);
        publish(&publisher, &state);
        let publisher = Mutex::new(publisher);
        Self(Arc::new(Shared { provider, entropy, state: ArcSwap::from_pointee(state), source, publisher }))
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// [`ErrorKind::KeysUnavailable`] when the active key was revoked and the next is not yet known everywhere.
    pub fn signer(&self) -> Result<Arc<SigningKey>, Error> {
        Ok(self.active()?.key.clone())
    }

    /// The same with the header of its access tokens.
    pub(crate) fn active(&self) -> Result<Arc<Active>, Error> {
        self.0.state.load().active.clone().ok_or_else(|| ErrorKind::KeysUnavailable.into())
    }

    /// The public keys that are pending, active or retiring, for everybody who verifies.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for a ring of symmetric keys: they are never published.
    pub fn jwks(&self) -> Result<Arc<Jwks>, Error> {
        self.0.state.load().jwks.clone().ok_or_else(|| ErrorKind::KeySecrecy.into())
    }

    /// The keys for verifiers in this process, which follow the ring at once.
    #[must_use]
    pub fn source(&self) -> KeySource {
        self.0.source.clone()
    }

    /// The keys, in the order in which they were made.
    #[must_use]
    pub fn keys(&self) -> Vec<RingKey> {
        let state = self.0.state.load();
        let keys = state.entries.iter().zip(state.rotation.keys()).map(|(entry, key)| RingKey {
            kid: entry.kid.clone(),
            algorithm: entry.algorithm,
            version: key.version,
            state: key.state,
            since: key.since,
        });
        keys.collect()
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> Policy {
        *self.0.state.load().rotation.policy()
    }

    /// Goes up with every change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.state.load().revision
    }

    /// When something will be due.
    #[must_use]
    pub fn look_again(&self, now: UnixTime) -> UnixTime {
        let state = self.0.state.load();
        let is_due = !state.rotation.plan(now, |_| false).steps().is_empty();
        if is_due { now } else { state.rotation.look_again(now) }
    }

    /// The ring as a document, with all that [`KeyRing::from_document`] needs: private keys too. At most 256 KiB of JSON.
    #[must_use]
    pub fn to_document(&self) -> SecretText {
        document::write(&self.0.state.load())
    }

    /// Does whatever is due, at once. For an issuer of one instance whose keys may end with its process, or that stores
    /// [`KeyRing::to_document`] afterwards.
    ///
    /// # Errors
    /// As [`KeyRing::prepare`] and [`KeyRing::install`].
    pub fn step(&self, now: UnixTime) -> Result<Plan, Error> {
        self.change(Change::Due { needed: &[] }, now)
    }

    /// Does whatever is due, at once, except to end keys that a consumer needs; and tells the consumers of a new active key.
    ///
    /// # Errors
    /// As [`KeyRing::step`].
    ///
    /// # Cancel safety
    /// The step is taken or not. Consumers may not have been told.
    pub async fn step_with(&self, consumers: &Consumers, clock: &dyn Clock) -> Result<Stepped, Error> {
        let held = self.holding(consumers, clock).await;
        let plan = self.change(Change::Due { needed: &held.versions() }, held.asked)?;
        let mut uninformed = Vec::new();
        for step in plan.steps() {
            if let Step::Activate { version, .. } = step {
                uninformed.extend(consumers.applied(*version, clock).await);
            }
        }
        Ok(Stepped { plan, held, uninformed })
    }

    /// Asks the consumers about every retiring key whose time has come.
    ///
    /// # Cancel safety
    /// Asking changes nothing.
    pub async fn holding(&self, consumers: &Consumers, clock: &dyn Clock) -> Held {
        let (mut free, mut keys) = (Vec::new(), Vec::<(u32, Vec<Holding>)>::new());
        loop {
            // Asking takes time, in which the time of another key may come. A key that nobody was asked about does not end.
            let asked = clock.wall();
            let is_open =
                |version: &u32| !free.contains(version) && keys.iter().all(|(held, _)| held != version);
            let next = self.0.state.load().rotation.over(asked).find(is_open);
            let Some(version) = next else {
                return Held { asked, keys };
            };
            match consumers.holding(version, clock).await {
                holding if holding.is_empty() => free.push(version),
                holding => keys.push((version, holding)),
            }
        }
    }

    /// The pending key takes over at once. See [`Change::Rotate`].
    ///
    /// # Errors
    /// [`ErrorKind::KeyLife`] while somebody may not know the pending key yet; [`Error::earliest`] says from when on they do.
    /// Else as [`KeyRing::step`].
    pub fn rotate(&self, now: UnixTime) -> Result<Plan, Error> {
        self.change(Change::Rotate, now)
    }

    /// Revokes a key at once: it is out of the public set, tokens that it signed are refused by verifiers with
    /// [`KeyRing::source`], also those that a cache holds, and its private half is wiped as soon as nobody signs with it. This takes
    /// effect here before it is stored, and stays through every [`KeyRing::adopt`]; store the ring afterwards.
    ///
    /// If it was the active key, a pending one that everybody knows takes over in the same moment. Else nothing is signed until
    /// one is known: [`KeyRing::signer`] says [`ErrorKind::KeysUnavailable`]. If no next key can be made just now, the key is revoked
    /// all the same, and the next [`KeyRing::step`] says why; bring a key with [`Change::Publish`]. Where none is left, verifiers
    /// say [`ErrorKind::KeysUnavailable`].
    ///
    /// # Errors
    /// [`ErrorKind::KeyUnknown`]; else as [`KeyRing::step`].
    ///
    /// # Security
    /// Whoever verifies with a copy of the JWKS believes the key until that copy is too old: up to the policy's cache age.
    /// A set without any key is refused by many, ours among them, who then believe the one before until its hard end: do not leave
    /// it empty for long.
    pub fn revoke(&self, kid: &str, now: UnixTime) -> Result<Plan, Error> {
        self.change(Change::Revoke(kid), now)
    }

    /// Makes a change that takes effect at once.
    ///
    /// # Errors
    /// As [`KeyRing::prepare`] and [`KeyRing::install`].
    pub fn change(&self, change: Change<'_>, now: UnixTime) -> Result<Plan, Error> {
        match self.prepare(change, now)? {
            Some(Draft { base, state, plan }) => self.swap(&base, state).map(|()| plan),
            None => Ok(Plan::new(Vec::new(), self.look_again(now))),
        }
    }

    /// Prepares a change without making it; nothing when it is [`Change::Due`] and nothing is.
    ///
    /// # Errors
    /// [`ErrorKind::KeyLife`] when the life of a key has no such step yet, with the earliest time, or not at all: a key is
    /// pending already. [`ErrorKind::KeyUnknown`]; [`ErrorKind::KeyDuplicate`] for a `kid` that the ring has or had;
    /// [`ErrorKind::KeyMixed`] for a symmetric key beside asymmetric ones; [`ErrorKind::KeyTooLarge`] for over 64 keys;
    /// [`ErrorKind::KeyRsaPkcs1`] for such an algorithm; [`ErrorKind::Config`] as [`KeyRing::create`]; those of
    /// [`SigningKey::generate`].
    pub fn prepare(&self, change: Change<'_>, now: UnixTime) -> Result<Option<Draft>, Error> {
        let base = self.0.state.load_full();
        let after = base.after(&*self.0.provider, &*self.0.entropy, change, now)?;
        Ok(after.map(|(state, plan)| Draft { base, state, plan }))
    }

    /// Makes a prepared change, once it is stored.
    ///
    /// # Errors
    /// [`ErrorKind::RingMoved`] when the ring was changed since the draft was prepared: prepare anew.
    pub fn install(&self, draft: Draft) -> Result<Plan, Error> {
        let Draft { base, state, plan } = draft;
        self.swap(&base, State { stored: state.revision, ..state })?;
        Ok(plan)
    }

    /// Takes what is stored, by whatever instance. What was changed here and not stored is given up, but for revocations.
    ///
    /// # Errors
    /// [`ErrorKind::RingMoved`] for an older revision than was stored, another content of the same one, or when the ring is
    /// changed meanwhile; [`ErrorKind::Config`] for the document of another ring; else as [`KeyRing::from_document`].
    pub fn adopt(&self, document: &SecretText, now: UnixTime) -> Result<Adopted, Error> {
        let provider = &*self.0.provider;
        let mut state = document::read(provider, document.expose())?;
        let base = self.0.state.load_full();
        if state.id != base.id {
            return Err(ErrorKind::Config.into());
        }
        if state.revision == base.revision && document::write(&base) == document::write(&state) {
            if base.stored < base.revision {
                self.swap(&base, state)?;
            }
            return Ok(Adopted::Unchanged);
        }
        if state.revision == base.stored && base.stored < base.revision {
            return Ok(Adopted::Unstored);
        }
        // SECURITY: an older document brings back keys that were replaced, and makes them sign again.
        if state.revision <= base.stored {
            return Err(ErrorKind::RingMoved.into());
        }
        let mut adopted = Adopted::Taken;
        let stored = state.revision;
        let revision = stored.checked_add(1).ok_or(ErrorKind::RingMoved)?;
        // SECURITY: what was revoked here stays revoked, whatever others have stored meanwhile.
        let revoked = base.entries.iter().zip(base.rotation.keys());
        for (entry, _) in revoked.filter(|(_, key)| key.state == Lifecycle::Revoked) {
            let there = state.version(&entry.kid).and_then(|version| state.rotation.state(version));
            if there.is_some_and(|there| there != Lifecycle::Revoked) {
                let change = Change::Revoke(&entry.kid);
                if let Some((still, _)) = state.after(provider, &*self.0.entropy, change, now)? {
                    (state, adopted) = (State { revision, stored, ..still }, Adopted::Unstored);
                }
            }
        }
        self.swap(&base, state)?;
        Ok(adopted)
    }

    /// The revision of the stored document that [`KeyRing::to_document`] is to take the place of.
    #[must_use]
    pub fn replaces(&self) -> u64 {
        self.0.state.load().stored
    }

    fn swap(&self, base: &Arc<State>, next: State) -> Result<(), Error> {
        let publisher = self.0.publisher.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&self.0.state.load(), base) {
            return Err(ErrorKind::RingMoved.into());
        }
        // Verifiers first: nothing is signed that they do not know.
        publish(&publisher, &next);
        self.0.state.store(Arc::new(next));
        Ok(())
    }
}

/// Tells verifiers which keys there are. Where all were revoked there are none: an outage, and no grant.
fn publish(publisher: &KeyPublisher, state: &State) {
    match &state.trusted {
        Some(keys) => publisher.publish(keys.clone(), None),
        None => publisher.withdraw(),
    }
}

impl Draft {
    /// The revision of the stored document that [`Draft::to_document`] is to take the place of: store it only if that is the one
    /// which is stored.
    #[must_use]
    pub fn replaces(&self) -> u64 {
        self.base.stored
    }

    /// The revision that the ring will have.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.state.revision
    }

    /// As [`KeyRing::to_document`], after the change.
    #[must_use]
    pub fn to_document(&self) -> SecretText {
        document::write(&self.state)
    }

    /// What will be done, and when to look again then.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Shows the keys by id and state.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("revision", &self.revision()).field("keys", &self.keys()).finish()
    }
}

/// Shows what will be done.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("revision", &self.revision())
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
