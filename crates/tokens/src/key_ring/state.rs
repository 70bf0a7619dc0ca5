//! A key ring at one moment.

use std::sync::Arc;

use bartizan_core::{Entropy, UnixTime};
use bartizan_crypto::{
    Lifecycle, Provider,
    rotation::{Plan, Policy, Rotation, Step},
};

use crate::{
    Algorithm, Error, ErrorKind, Jwks, KeySet, SigningKey, VerifyingKey,
    jws::encoded_header,
    key_ring::{Change, MAX_SPAN},
};

/// A ring at one moment. Never changed: a change makes the next one.
pub(crate) struct State {
    /// 128 random bits that tell this ring from others.
    pub(super) id: Box<str>,
    /// One more with every change.
    pub(super) revision: u64,
    /// The newest revision that all instances know: less only while a revocation was made here and not stored yet.
    pub(super) stored: u64,
    /// Of keys that are made.
    pub(super) algorithm: Algorithm,
    pub(super) rotation: Rotation,
    /// INVARIANT(entries): one for every key of the rotation, in its order, and with the material that the state asks for.
    pub(super) entries: Vec<Entry>,
    /// Those that verify; none where all that there is was revoked.
    pub(super) trusted: Option<KeySet>,
    pub(super) active: Option<Arc<Active>>,
    /// Of asymmetric keys.
    pub(super) jwks: Option<Arc<Jwks>>,
}

/// One key of the ring.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) kid: Box<str>,
    pub(super) algorithm: Algorithm,
    pub(super) material: Material,
}

/// What is kept of a key.
#[derive(Clone)]
pub(super) enum Material {
    /// All of it: it signs, will sign, or is symmetric and verifies.
    Whole(Arc<SigningKey>),
    /// Its public half: it never signs again.
    Public(VerifyingKey),
    /// Nothing: it is revoked.
    Nothing,
}

/// The key that signs, and the header of access tokens under it.
pub(crate) struct Active {
    pub(crate) key: Arc<SigningKey>,
    pub(crate) header: Box<str>,
}

impl Active {
    pub(crate) fn new(key: Arc<SigningKey>) -> Self {
        let header = encoded_header(&key, Some("at+jwt")).into_boxed_str();
        Self { key, header }
    }
}

impl Entry {
    pub(super) fn whole(key: SigningKey) -> Self {
        Self { kid: key.kid().into(), algorithm: key.algorithm(), material: Material::Whole(Arc::new(key)) }
    }

    pub(super) fn public(key: VerifyingKey) -> Result<Self, Error> {
        let kid = key.kid().ok_or(ErrorKind::KeyUnnamed)?.into();
        Ok(Self { kid, algorithm: key.algorithm(), material: Material::Public(key) })
    }

    fn signing(&self) -> Option<&Arc<SigningKey>> {
        match &self.material {
            Material::Whole(key) => Some(key),
            _ => None,
        }
    }

    fn verifying(&self) -> Option<VerifyingKey> {
        match &self.material {
            Material::Whole(key) => Some(key.verifying()),
            Material::Public(key) => Some(key.clone()),
            Material::Nothing => None,
        }
    }

    /// Lets go of what the state has no use for. SECURITY: what is not there cannot sign and cannot leak.
    fn fit(&mut self, state: Lifecycle) {
        match (state, &self.material) {
            (Lifecycle::Revoked, _) => self.material = Material::Nothing,
            (Lifecycle::Retiring { .. }, Material::Whole(key)) if !self.algorithm.is_symmetric() => {
                self.material = Material::Public(key.verifying());
            }
            _ => {}
        }
    }

    fn fits(&self, state: Lifecycle) -> bool {
        match (state, &self.material) {
            (Lifecycle::Pending { .. } | Lifecycle::Active, Material::Whole(_)) => true,
            (Lifecycle::Retiring { .. }, Material::Whole(_)) => self.algorithm.is_symmetric(),
            (Lifecycle::Retiring { .. }, Material::Public(_)) => !self.algorithm.is_symmetric(),
            (Lifecycle::Revoked, Material::Nothing) => true,
            _ => false,
        }
    }
}

impl State {
    /// Checks everything that a ring promises.
    ///
    /// # Errors
    /// [`ErrorKind::KeyDuplicate`], [`ErrorKind::KeyMixed`], [`ErrorKind::KeyTooLarge`], [`ErrorKind::KeyNone`],
    /// [`ErrorKind::KeyFormat`] when keys and states do not belong together, [`ErrorKind::Config`] for the policy.
    pub(super) fn new(
        provider: &dyn Provider,
        id: Box<str>,
        revision: u64,
        algorithm: Algorithm,
        rotation: Rotation,
        mut entries: Vec<Entry>,
    ) -> Result<Self, Error> {
        check(rotation.policy())?;
        if let Some(earlier) = rotation.earlier() {
            check(&earlier.policy)?;
        }
        let states = rotation.keys();
        entries.iter_mut().zip(states).for_each(|(entry, key)| entry.fit(key.state));
        let fits = entries.iter().zip(states).all(|(entry, key)| entry.fits(key.state));
        if entries.len() != states.len() || !fits {
            return Err(ErrorKind::KeyFormat.into());
        }
        // SECURITY: the id of a revoked key is not given to another, which whoever remembers the first would refuse or, worse, take
        // for it.
        let mut kids: Vec<&str> = entries.iter().map(|entry| &*entry.kid).collect();
        kids.sort_unstable();
        if kids.iter().zip(kids.iter().skip(1)).any(|(a, b)| a == b) {
            return Err(ErrorKind::KeyDuplicate.into());
        }
        let verifying: Vec<_> = entries.iter().filter_map(Entry::verifying).collect();
        // SECURITY: the next key is of the kind that the others are, so that the set never mixes the kinds.
        if verifying.iter().any(|key| key.algorithm().is_symmetric() != algorithm.is_symmetric()) {
            return Err(ErrorKind::KeyMixed.into());
        }
        let trusted = match verifying.is_empty() && !entries.is_empty() {
            true => None,
            false => Some(KeySet::new(verifying)?),
        };
        let active = entries.iter().zip(states).find(|(_, key)| key.state == Lifecycle::Active);
        let active = active.and_then(|(entry, _)| match &entry.material {
            Material::Whole(key) => Some(Arc::new(Active::new(key.clone()))),
            _ => None,
        });
        let jwks = match algorithm.is_symmetric() {
            true => None,
            false => Some(Arc::new(Jwks::new(provider, trusted.as_ref(), rotation.policy().cache_age)?)),
        };
        Ok(Self { id, revision, stored: revision, algorithm, rotation, entries, trusted, active, jwks })
    }

    /// The first state of a ring, with this key active.
    pub(super) fn first(
        provider: &dyn Provider,
        entropy: &dyn Entropy,
        id: Box<str>,
        key: SigningKey,
        policy: Policy,
        now: UnixTime,
    ) -> Result<Self, Error> {
        let algorithm = key.algorithm();
        let (mut rotation, mut entries) = (Rotation::new(policy), vec![Entry::whole(key)]);
        rotation.advance(now, |_| false);
        while entries.len() < rotation.keys().len() {
            let like = entries.iter().find_map(Entry::signing).cloned();
            entries.push(Entry::whole(make(provider, algorithm, like.as_deref(), entropy)?));
        }
        Self::new(provider, id, 1, algorithm, rotation, entries)
    }

    /// The state after a change, and what was done for it; nothing when nothing is due.
    pub(super) fn after(
        &self,
        provider: &dyn Provider,
        entropy: &dyn Entropy,
        change: Change<'_>,
        now: UnixTime,
    ) -> Result<Option<(Self, Plan)>, Error> {
        let Change::Revoke(kid) = change else {
            return self.changed(provider, entropy, change, Next::Made, now);
        };
        // SECURITY: a key that has leaked goes, also where no next one can be made: by a provider that makes none, or without
        // randomness. The next step says why there is none.
        let revoked = |next| self.changed(provider, entropy, Change::Revoke(kid), next, now);
        revoked(Next::Made).or_else(|_| revoked(Next::Left))
    }

    fn changed(
        &self,
        provider: &dyn Provider,
        entropy: &dyn Entropy,
        change: Change<'_>,
        next: Next,
        now: UnixTime,
    ) -> Result<Option<(Self, Plan)>, Error> {
        let (mut rotation, mut entries) = (self.rotation.clone(), self.entries.clone());
        let (mut algorithm, mut given) = (self.algorithm, None);
        let due = matches!(change, Change::Due { .. });
        let is_ahead = matches!(change, Change::Revoke(_)) || self.stored < self.revision;
        let mut steps = match change {
            Change::Due { needed } => {
                let plan = rotation.advance(now, |version| needed.contains(&version));
                if plan.steps().is_empty() {
                    return Ok(None);
                }
                plan.steps().to_vec()
            }
            Change::Rotate => vec![rotation.activate(now)?],
            Change::Publish(key) => {
                given = Some(key);
                vec![rotation.publish(now)?]
            }
            Change::Revoke(kid) => {
                let version = self.version(kid).ok_or(ErrorKind::KeyUnknown)?;
                rotation.revoke(version, now)?;
                vec![]
            }
            Change::Policy(policy) => {
                rotation.change(policy, now);
                vec![]
            }
            Change::Algorithm(later) if later.is_rsa_pkcs1() => return Err(ErrorKind::KeyRsaPkcs1.into()),
            Change::Algorithm(later) => {
                algorithm = later;
                vec![]
            }
        };
        match next {
            Next::Made if due => {}
            Next::Made => steps.extend(rotation.succeed(now)),
            // A key that is known already takes over all the same.
            Next::Left if rotation.active().is_none() => steps.extend(rotation.activate(now)),
            Next::Left => {}
        }
        for step in &steps {
            if let Step::Publish { .. } = step {
                let key = match given.take() {
                    Some(key) => key,
                    None => {
                        let like = entries.iter().rev().find_map(Entry::signing).cloned();
                        make(provider, algorithm, like.as_deref(), entropy)?
                    }
                };
                entries.push(Entry::whole(key));
            }
        }
        // The entries of what is no longer there go. New ones have the last versions and stand last.
        let made = self.rotation.next_version()..rotation.next_version();
        let versions = self.rotation.keys().iter().map(|key| key.version).chain(made);
        let entries = versions.zip(entries).filter(|(version, _)| rotation.state(*version).is_some());
        let entries = entries.map(|(_, entry)| entry).collect();
        let look_again = rotation.look_again(now);
        let revision = self.revision.checked_add(1).ok_or(ErrorKind::RingMoved)?;
        let state = Self::new(provider, self.id.clone(), revision, algorithm, rotation, entries)?;
        let stored = if is_ahead { self.stored } else { revision };
        Ok(Some((Self { stored, ..state }, Plan::new(steps, look_again))))
    }

    pub(super) fn version(&self, kid: &str) -> Option<u32> {
        let mut keys = self.entries.iter().zip(self.rotation.keys());
        keys.find(|(entry, _)| &*entry.kid == kid).map(|(_, key)| key.version)
    }
}

/// What becomes of the key that is due next.
#[derive(Clone, Copy)]
enum Next {
    Made,
    /// It is left for a later step.
    Left,
}

/// A key that comes after `like`, under the name that this one has in headers.
fn make(
    provider: &dyn Provider,
    algorithm: Algorithm,
    like: Option<&SigningKey>,
    entropy: &dyn Entropy,
) -> Result<SigningKey, Error> {
    if let Some(primitive) = algorithm.signature().filter(|_| algorithm.is_rsa_pkcs1()) {
        // The ring began with such a key, which only the constructor of this name makes: its owner has decided.
        let key = provider.generate(primitive, entropy).map_err(Error::preparing)?;
        return SigningKey::danger_rsa_pkcs1(provider, None, &key);
    }
    let key = SigningKey::generate(provider, algorithm, None, entropy)?;
    let is_specific = like.is_some_and(|like| like.algorithm_name() == algorithm.fully_specified_name());
    Ok(if is_specific { key.fully_specified_name() } else { key })
}

/// Spans that a ring of at most 64 keys can keep.
fn check(policy: &Policy) -> Result<(), Error> {
    let spans = [policy.period, policy.longest_life, policy.cache_age, policy.skew, policy.spread];
    let each = policy.period.max(policy.lead());
    // So many keys at least are retiring at the same time when all goes by the clock.
    let fits = policy.overlap() <= each.saturating_mul(MOST_RETIRING);
    if fits && !policy.longest_life.is_zero() && spans.iter().all(|span| *span <= MAX_SPAN) {
        Ok(())
    } else {
        Err(ErrorKind::Config.into())
    }
}

const MOST_RETIRING: u32 = 30;
