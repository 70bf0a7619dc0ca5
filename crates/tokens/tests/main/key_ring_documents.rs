//! Key rings on paper: several instances, restarts, and documents that were tampered with.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use bartizan_core::{Clock, Fault, SecretText, UnixTime};
use bartizan_crypto::{Lifecycle, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_tokens::{AccessToken, Adopted, Algorithm, Change, ErrorKind, KeyRing, Verifier};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::{
    key_ring::{at, created, entropy, in_time, issuer, kid, kind, policy, published, restored, secs, verify},
    support::{AUDIENCE, ISSUER, SECRET, clock, decode, encode},
};

#[test]
fn instances_agree_through_compare_and_set() {
    let (provider, mut policy) = (Arc::new(RustCrypto::new()), in_time());
    policy.spread = secs(30);
    let one = KeyRing::create(provider.clone(), Algorithm::EdDsa, policy, entropy(), at(0)).unwrap();
    let mut stored = (one.revision(), one.to_document());
    let two = KeyRing::from_document(provider, &stored.1, entropy()).unwrap();

    // Both want to publish a key. The first to store wins; the second takes what is stored and finds nothing to do.
    let due = || Change::Due { needed: &[] };
    let drafts = [&one, &two].map(|ring| ring.prepare(due(), at(9_990)).unwrap().unwrap());
    let [won, lost] = drafts;
    assert_eq!((won.replaces(), lost.replaces(), won.revision()), (stored.0, stored.0, stored.0 + 1));
    stored = (won.revision(), won.to_document());
    assert_eq!(published(&one).len(), 1, "a draft has no effect");
    one.install(won).unwrap();
    drop(lost);
    assert_eq!(two.adopt(&stored.1, at(9_990)).unwrap(), Adopted::Taken);
    assert!(two.prepare(due(), at(9_990)).unwrap().is_none());
    assert_eq!(one.to_document(), two.to_document());
    assert_eq!(two.adopt(&stored.1, at(9_991)).unwrap(), Adopted::Unchanged);
}

#[test]
fn a_draft_of_a_ring_that_moved_on_is_refused() {
    let ring = created(Algorithm::EdDsa, policy());
    let draft = ring.prepare(Change::Rotate, at(70)).unwrap().unwrap();
    ring.revoke(&kid(&ring, 2), at(70)).unwrap();
    assert_eq!(kind(ring.install(draft)), ErrorKind::RingMoved);
    assert_eq!(ring.revision(), 2);
}

#[test]
fn an_older_or_foreign_document_is_not_adopted() {
    let ring = created(Algorithm::EdDsa, policy());
    let old = ring.to_document();
    let draft = ring.prepare(Change::Rotate, at(70)).unwrap().unwrap();
    ring.install(draft).unwrap();
    let error = ring.adopt(&old, at(71)).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::RingMoved, Fault::Busy));
    // The same revision with another content.
    let other = restored(old.expose()).unwrap();
    other.change(Change::Policy(in_time()), at(70)).unwrap();
    assert_eq!(other.revision(), ring.revision());
    assert_eq!(kind(ring.adopt(&other.to_document(), at(71))), ErrorKind::RingMoved);
    let foreign = created(Algorithm::EdDsa, policy());
    (0..5).for_each(|_| drop(foreign.change(Change::Policy(policy()), at(1)).unwrap()));
    assert_eq!(kind(ring.adopt(&foreign.to_document(), at(71))), ErrorKind::Config);
}

#[test]
fn a_revocation_that_was_not_stored_survives_what_others_stored() {
    let here = created(Algorithm::EdDsa, policy());
    let stored = here.to_document();
    let there = restored(stored.expose()).unwrap();
    let (first, second) = (kid(&here, 1), kid(&here, 2));
    // The store is down, and two keys are revoked in one instance.
    here.revoke(&first, at(71)).unwrap();
    here.revoke(&second, at(72)).unwrap();
    here.step(at(142)).unwrap();
    assert_eq!((here.replaces(), here.revision()), (1, 4));
    assert_eq!(here.adopt(&stored, at(142)).unwrap(), Adopted::Unstored);
    assert_eq!(here.revision(), 4, "nothing is given up for what was known");
    // Meanwhile another instance stores twice what still has both.
    for change in [Change::Policy(policy()), Change::Rotate] {
        let draft = there.prepare(change, at(143)).unwrap().unwrap();
        there.install(draft).unwrap();
    }
    assert!([&first, &second].iter().all(|kid| published(&there).contains(&kid.to_string())));
    assert_eq!(here.adopt(&there.to_document(), at(144)).unwrap(), Adopted::Unstored);
    assert!([&first, &second].iter().all(|kid| !published(&here).contains(&kid.to_string())));
    assert_eq!((here.replaces(), here.revision()), (there.revision(), there.revision() + 1));
    // Stored and adopted, they are revoked everywhere.
    let stored = here.to_document();
    assert_eq!(there.adopt(&stored, at(145)).unwrap(), Adopted::Taken);
    assert_eq!(here.adopt(&stored, at(145)).unwrap(), Adopted::Unchanged);
    assert_eq!((there.to_document(), here.replaces()), (here.to_document(), here.revision()));
}

/// What several instances share, and whether it can be reached.
struct Store {
    row: RefCell<(u64, String)>,
    is_up: Cell<bool>,
}

impl Store {
    fn put(&self, replaces: u64, revision: u64, document: &SecretText) -> bool {
        let mut row = self.row.borrow_mut();
        let fits = row.0 == replaces;
        if fits {
            *row = (revision, document.expose().to_owned());
        }
        fits
    }

    /// As the runbook has it (docs/howto/rotate-signing-keys.md).
    fn keep(&self, ring: &KeyRing, now: UnixTime) {
        if !self.is_up.get() {
            return;
        }
        let stored = SecretText::new(self.row.borrow().1.clone());
        if ring.adopt(&stored, now).unwrap() == Adopted::Unstored {
            assert!(self.put(ring.replaces(), ring.revision(), &ring.to_document()));
            return;
        }
        if let Some(draft) = ring.prepare(Change::Due { needed: &[] }, now).unwrap() {
            assert!(self.put(draft.replaces(), draft.revision(), &draft.to_document()));
            ring.install(draft).unwrap();
        }
    }
}

#[derive(Clone, Debug)]
enum Turn {
    Pass(u64),
    Keep(Index),
    Revoke(Index, Index),
    Store(bool),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        4 => (1_u64..4_000).prop_map(Turn::Pass),
        6 => any::<Index>().prop_map(Turn::Keep),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(ring, key)| Turn::Revoke(ring, key)),
        1 => any::<bool>().prop_map(Turn::Store),
    ];
    vec(turn, 1..60)
}

/// A document with one of everything.
fn full() -> Value {
    let ring = created(Algorithm::EdDsa, policy());
    ring.rotate(at(70)).unwrap();
    ring.revoke(&kid(&ring, 2), at(140)).unwrap();
    let mut other = policy();
    other.longest_life = secs(1_200);
    ring.change(Change::Policy(other), at(141)).unwrap();
    serde_json::from_str(ring.to_document().expose()).unwrap()
}

#[test]
fn a_document_is_read_strictly() {
    let good = full();
    assert!(good["earlier"].is_object() && good["keys"].as_array().unwrap().len() == 4);
    restored(&good.to_string()).unwrap();
    let refused = |path: &str, value: Value, kind: ErrorKind| {
        let mut document = good.clone();
        let (parent, member) = path.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[member] = value;
        assert_eq!(restored(&document.to_string()).map(|_| ()), Err(kind), "{path}");
    };
    refused("/kind", json!("jwks"), ErrorKind::KeyFormat);
    refused("/format", json!(2), ErrorKind::KeyFormat);
    refused("/id", json!(""), ErrorKind::KeyFormat);
    refused("/revision", json!(-1), ErrorKind::KeyFormat);
    refused("/revision", json!(1_u64 << 53), ErrorKind::KeyFormat);
    refused("/next_version", json!(u32::MAX), ErrorKind::KeyFormat);
    refused("/algorithm", json!("none"), ErrorKind::KeyUnsupported);
    refused("/algorithm", json!("HS256"), ErrorKind::KeyMixed);
    refused("/next_version", json!(4), ErrorKind::KeyFormat);
    refused("/more", json!(1), ErrorKind::KeyFormat);
    refused("/policy/longest_life", json!(0), ErrorKind::Config);
    refused("/policy/more", json!(0), ErrorKind::KeyFormat);
    refused("/policy/next", json!("never"), ErrorKind::KeyFormat);
    refused("/earlier/policy/skew", json!(u64::MAX), ErrorKind::Config);
    refused("/keys", json!([]), ErrorKind::KeyNone);
    let keys = |change: fn(&mut Vec<Value>), kind: ErrorKind| {
        let mut document = good.clone();
        change(document["keys"].as_array_mut().unwrap());
        assert_eq!(restored(&document.to_string()).map(|_| ()), Err(kind));
    };
    keys(|keys| keys.swap(0, 1), ErrorKind::KeyFormat);
    keys(|keys| keys[3]["state"] = json!("active"), ErrorKind::KeyFormat);
    keys(|keys| keys[3]["jwk"] = keys[2]["jwk"].clone(), ErrorKind::KeyDuplicate);
    keys(|keys| keys[1]["kid"] = keys[2]["jwk"]["kid"].clone(), ErrorKind::KeyDuplicate);
    keys(|keys| keys[1]["jwk"] = keys[2]["jwk"].clone(), ErrorKind::KeyFormat);
    keys(|keys| keys[2]["state"] = json!("revoked"), ErrorKind::KeyFormat);
    keys(|keys| keys[2]["more"] = json!(1), ErrorKind::KeyFormat);
    keys(|keys| keys[2]["state"] = json!({"retiring": {"until": 1, "more": 1}}), ErrorKind::KeyFormat);
    keys(|keys| drop(keys[2]["jwk"].as_object_mut().unwrap().remove("d")), ErrorKind::KeySecrecy);
    keys(
        |keys| keys[3]["jwk"] = json!({"kty":"oct","alg":"HS256","kid":"s","k":encode(SECRET)}),
        ErrorKind::KeyMixed,
    );
    let text = good.to_string();
    for twice in [r#"{"kind":"bartizan-key-ring","#, r#"{"\u006bind":"bartizan-key-ring","#] {
        assert_eq!(restored(&text.replacen('{', twice, 1)).map(|_| ()), Err(ErrorKind::KeyFormat));
    }
    assert_eq!(restored(&" ".repeat(256 * 1024 + 1)).map(|_| ()), Err(ErrorKind::KeyTooLarge));
}

#[derive(Clone, Debug)]
enum Event {
    Pass(i64),
    Step,
    Rotate,
    Revoke(Index),
    Life(u64),
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (1_i64..6_000).prop_map(Event::Pass),
        4 => Just(Event::Step),
        2 => Just(Event::Rotate),
        1 => any::<Index>().prop_map(Event::Revoke),
        1 => (60_u64..900).prop_map(Event::Life),
        1 => Just(Event::Restart),
    ];
    vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_document_is_the_whole_ring(symmetric in any::<bool>(), events in events()) {
        let algorithm = if symmetric { Algorithm::Hs256 } else { Algorithm::EdDsa };
        let (clock, mut ring) = (clock(), created(algorithm, policy()));
        let mut live: Vec<(String, UnixTime)> = Vec::new();
        for event in events {
            let (before, now) = (ring.revision(), clock.wall());
            match event {
                Event::Pass(time) => clock.advance(secs(time.unsigned_abs())),
                Event::Step => drop(ring.step(now).unwrap()),
                Event::Rotate => drop(ring.rotate(now)),
                Event::Revoke(which) => {
                    let keys = ring.keys();
                    let revoked = keys[which.index(keys.len())].kid.clone();
                    ring.revoke(&revoked, now).unwrap();
                    let header = |token: &String| decode(token.split('.').next().unwrap());
                    live.retain(|(token, _)| !String::from_utf8(header(token)).unwrap().contains(&*revoked));
                }
                Event::Life(life) => {
                    let mut policy = policy();
                    policy.longest_life = secs(life);
                    ring.change(Change::Policy(policy), now).unwrap();
                }
                Event::Restart => {}
            }
            prop_assert!((0..=1).contains(&(ring.revision() - before)));
            let document = ring.to_document();
            let again = restored(document.expose()).unwrap();
            prop_assert_eq!(again.to_document(), document);
            prop_assert_eq!(again.keys(), ring.keys());
            prop_assert_eq!(again.jwks().ok(), ring.jwks().ok());
            ring = again;

            // One key signs at most, and all that was signed with keys that were not revoked verifies to its end.
            let active = ring.keys().iter().filter(|key| key.state == Lifecycle::Active).count();
            prop_assert!(active <= 1);
            let (now, longest) = (clock.wall(), ring.policy().longest_life);
            if let Ok(token) = issuer(&ring, &clock).issue(&AccessToken::new("ada", AUDIENCE, "web").lifetime(longest)) {
                live.push((token.expose().to_owned(), now.saturating_add(longest)));
            }
            live.retain(|(_, end)| now < *end);
            let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, ring.source(), clock.clone()).unwrap();
            for (token, _) in &live {
                prop_assert!(verify(&verifier, token).is_ok());
            }
        }
    }

    #[test]
    fn instances_that_follow_the_runbook_agree_and_bring_no_revoked_key_back(turns in turns()) {
        let mut several = policy();
        (several.spread, several.longest_life) = (secs(20), secs(5_000));
        let (clock, first) = (clock(), created(Algorithm::EdDsa, several));
        let document = first.to_document();
        let store = Store {
            row: RefCell::new((first.revision(), document.expose().to_owned())),
            is_up: Cell::new(true),
        };
        let rings = [first, restored(document.expose()).unwrap(), restored(document.expose()).unwrap()];
        let mut revoked: [Vec<String>; 3] = Default::default();
        for turn in turns {
            match turn {
                Turn::Pass(time) => clock.advance(secs(time)),
                Turn::Keep(ring) => store.keep(&rings[ring.index(3)], clock.wall()),
                Turn::Revoke(ring, key) => {
                    let (i, keys) = (ring.index(3), rings[ring.index(3)].keys());
                    let kid = keys[key.index(keys.len())].kid.to_string();
                    rings[i].revoke(&kid, clock.wall()).unwrap();
                    revoked[i].push(kid);
                }
                Turn::Store(is_up) => store.is_up.set(is_up),
            }
            for (ring, revoked) in rings.iter().zip(&revoked) {
                let published = published(ring);
                prop_assert!(!revoked.iter().any(|kid| published.contains(kid)));
                if let Ok(key) = ring.signer() {
                    prop_assert!(published.contains(&key.kid().to_owned()));
                }
            }
        }
        store.is_up.set(true);
        for ring in rings.iter().cycle().take(12) {
            store.keep(ring, clock.wall());
        }
        let [one, two, three] = rings.each_ref().map(|ring| ring.to_document());
        prop_assert!(one == two && two == three);
        prop_assert!(!revoked.iter().flatten().any(|kid| published(&rings[0]).contains(kid)));
    }

    #[test]
    fn any_byte_of_a_document_changed_is_refused_or_another_ring(place in any::<Index>(), to in any::<u8>()) {
        let mut bytes = full().to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = to;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(ring) = restored(&text)
        {
            let written = ring.to_document();
            prop_assert_eq!(restored(written.expose()).unwrap().to_document(), written);
        }
    }
}

#[test]
fn a_ring_needs_nothing_of_one_provider() {
    let document = full().to_string();
    let providers: [Arc<dyn Provider>; 2] = [Arc::new(Ring::new()), Arc::new(RustCrypto::new())];
    for provider in providers {
        let ring = KeyRing::from_document(provider, &SecretText::new(document.clone()), entropy()).unwrap();
        assert_eq!(ring.to_document(), restored(&document).unwrap().to_document());
    }
}
