//! Sessions that were found a moment ago, in this process's memory.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bartizan_core::{Monotonic, PrincipalFacts, UnixTime};

use crate::{Digest, Facts, SessionId, StoredSession};

/// A fixed number of places, each for four sessions: what is put in last pushes out what was put in first. So it is bounded, and
/// whoever is pushed out is asked of the store again.
pub(crate) struct Local {
    places: Box<[Mutex<Place>]>,
}

#[derive(Default)]
struct Place {
    sessions: [Option<Box<Kept>>; 4],
    next: u8,
}

/// A session as it was found, in about 300 bytes. Without its device: nobody decides by it.
#[derive(Clone)]
pub(crate) struct Kept {
    /// 128 bits of the selector's digest: enough to find it by, as the secret's is compared in full.
    selector: [u8; 16],
    pub(crate) secret: Digest,
    pub(crate) id: SessionId,
    pub(crate) seen: UnixTime,
    pub(crate) idle_expires: UnixTime,
    pub(crate) expires: UnixTime,
    found: Monotonic,
    auth_time: Option<i64>,
    texts: Box<[u8]>,
}

impl Local {
    /// For about this many sessions.
    pub(crate) fn new(sessions: usize) -> Self {
        let places = sessions.div_ceil(4).max(1);
        Self { places: (0..places).map(|_| Mutex::new(Place::default())).collect() }
    }

    /// The session of this selector, if it was found at most so long ago.
    pub(crate) fn get(&self, selector: &Digest, now: Monotonic, at_most: Duration) -> Option<Box<Kept>> {
        let short = short(selector);
        let place = self.place(short)?.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = place.sessions.iter().flatten().find(|kept| kept.selector == short)?;
        (now.since(kept.found) <= at_most).then(|| kept.clone())
    }

    pub(crate) fn put(&self, row: &StoredSession, now: Monotonic) {
        let Some(kept) = Kept::of(row, now) else { return };
        let Some(place) = self.place(kept.selector) else { return };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let at = place.sessions.iter().position(|other| match other {
            Some(other) => other.selector == kept.selector,
            None => true,
        });
        let next = usize::from(place.next % 4);
        if at.is_none() {
            place.next = place.next.wrapping_add(1);
        }
        if let Some(slot) = place.sessions.get_mut(at.unwrap_or(next)) {
            *slot = Some(Box::new(kept));
        }
    }

    pub(crate) fn forget(&self, selector: &Digest) {
        self.change(selector, |slot| *slot = None);
    }

    /// It was used now, and lives on until then.
    pub(crate) fn seen(&self, selector: &Digest, now: UnixTime, idle_expires: UnixTime) {
        self.change(selector, |slot| {
            if let Some(kept) = slot {
                kept.seen = kept.seen.max(now);
                kept.idle_expires = kept.idle_expires.max(idle_expires).min(kept.expires);
            }
        });
    }

    fn change(&self, selector: &Digest, change: impl FnOnce(&mut Option<Box<Kept>>)) {
        let short = short(selector);
        let Some(place) = self.place(short) else { return };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let slot =
            place.sessions.iter_mut().find(|slot| slot.as_ref().is_some_and(|kept| kept.selector == short));
        if let Some(slot) = slot {
            change(slot);
        }
    }

    /// Only what a store knows is put in, and its digests are evenly spread: nobody can aim at a place.
    fn place(&self, selector: [u8; 16]) -> Option<&Mutex<Place>> {
        let spread = u128::from_be_bytes(selector) >> 64;
        let at = (spread * self.places.len() as u128) >> 64;
        self.places.get(usize::try_from(at).unwrap_or_default())
    }

    /// The bytes that it takes, without what the allocator adds.
    pub(crate) fn bytes(&self) -> usize {
        let of = |kept: &Kept| size_of::<Kept>() + kept.texts.len();
        let places = self.places.iter().map(|place| {
            let place = place.lock().unwrap_or_else(PoisonError::into_inner);
            place.sessions.iter().flatten().map(|kept| of(kept)).sum::<usize>()
        });
        self.places.len() * size_of::<Mutex<Place>>() + places.sum::<usize>()
    }

    pub(crate) fn len(&self) -> usize {
        let count = |place: &Mutex<Place>| {
            place.lock().unwrap_or_else(PoisonError::into_inner).sessions.iter().flatten().count()
        };
        self.places.iter().map(count).sum()
    }
}

fn short(selector: &Digest) -> [u8; 16] {
    selector.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl Kept {
    pub(crate) fn of(row: &StoredSession, now: Monotonic) -> Option<Self> {
        let session = &row.session;
        Some(Self {
            selector: short(&row.selector),
            secret: row.current,
            id: session.id,
            seen: session.seen,
            idle_expires: session.idle_expires,
            expires: session.expires,
            found: now,
            auth_time: session.facts.auth_time,
            texts: pack(&session.tenant, &session.subject, &session.facts)?,
        })
    }

    /// Whose it is: tenant and subject. None cannot be, as only this crate packs.
    pub(crate) fn owner(&self) -> Option<(&str, &str)> {
        let mut texts = Texts(&self.texts);
        Some((texts.one()?, texts.one()?))
    }

    /// What the session says of its owner.
    pub(crate) fn facts(&self) -> Option<PrincipalFacts> {
        let mut texts = Texts(&self.texts);
        let (tenant, subject, acr) = (texts.one()?, texts.one()?, texts.one()?);
        let mut facts =
            PrincipalFacts::new(tenant, subject).with_acr(Some(acr).filter(|acr| !acr.is_empty()));
        facts = facts.with_roles(texts.list()?);
        facts = facts.with_teams(texts.list()?);
        facts = facts.with_amr(texts.list()?);
        facts.authenticated = self.auth_time.map(UnixTime::from_secs);
        Some(facts)
    }
}

/// Each text behind its length, each list behind its number. None when something is too long, which no session of ours is.
fn pack(tenant: &str, subject: &str, facts: &Facts) -> Option<Box<[u8]>> {
    let mut packed = Vec::new();
    let one = |packed: &mut Vec<u8>, text: &str| {
        packed.push(u8::try_from(text.len()).ok()?);
        packed.extend_from_slice(text.as_bytes());
        Some(())
    };
    for text in [tenant, subject, facts.acr.as_deref().unwrap_or_default()] {
        one(&mut packed, text)?;
    }
    for list in [&facts.roles, &facts.teams, &facts.amr] {
        packed.push(u8::try_from(list.len()).ok()?);
        list.iter().try_for_each(|text| one(&mut packed, text))?;
    }
    Some(packed.into_boxed_slice())
}

struct Texts<'a>(&'a [u8]);

impl<'a> Texts<'a> {
    fn one(&mut self) -> Option<&'a str> {
        let (length, rest) = self.0.split_first()?;
        let (text, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn list(&mut self) -> Option<Vec<&'a str>> {
        let (count, rest) = self.0.split_first()?;
        self.0 = rest;
        (0..*count).map(|_| self.one()).collect()
    }
}

/// Shows how full it is.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("places", &self.places.len()).finish_non_exhaustive()
    }
}
