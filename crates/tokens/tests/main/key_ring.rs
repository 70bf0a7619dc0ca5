//! Key rings: what they show, do, refuse, and write down.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Fault, RawToken, SecretText, UnixTime};
use bartizan_crypto::{
    Consumer, Consumers, Lifecycle, Why,
    rotation::{Next, Policy, Step},
};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::{BrokenEntropy, ManualClock, RepeatingEntropy, SeededEntropy};
use bartizan_tokens::{
    AccessToken, Algorithm, Change, Error, ErrorKind, Issuer, KeyRing, KeySet, SigningKey, Verifier, key_file,
};
use serde_json::Value;

use crate::support::{AUDIENCE, ISSUER, NOW, SECRET, clock, encode, signing_key};

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW + secs)
}

/// A new key every 10,000 s, known 70 s ahead, kept for 610 s.
pub(crate) fn policy() -> Policy {
    let mut policy = Policy::SIGNING_KEYS;
    (policy.period, policy.longest_life) = (secs(10_000), secs(600));
    (policy.cache_age, policy.skew) = (secs(60), secs(10));
    policy
}

pub(crate) fn in_time() -> Policy {
    let mut policy = policy();
    policy.next = Next::InTime;
    policy
}

pub(crate) fn created(algorithm: Algorithm, policy: Policy) -> KeyRing {
    KeyRing::create(Arc::new(RustCrypto::new()), algorithm, policy, entropy(), at(0)).unwrap()
}

/// Another sequence each time: rings that draw the same bytes would make the same keys.
pub(crate) fn entropy() -> Arc<SeededEntropy> {
    static SEED: AtomicU64 = AtomicU64::new(0);
    Arc::new(SeededEntropy::new(SEED.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) fn restored(document: &str) -> Result<KeyRing, ErrorKind> {
    let document = SecretText::new(document.to_owned());
    KeyRing::from_document(Arc::new(RustCrypto::new()), &document, entropy()).map_err(|error| error.kind())
}

pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn states(ring: &KeyRing) -> Vec<(u32, Lifecycle)> {
    ring.keys().iter().map(|key| (key.version, key.state)).collect()
}

pub(crate) fn kid(ring: &KeyRing, version: u32) -> Box<str> {
    ring.keys().iter().find(|key| key.version == version).unwrap().kid.clone()
}

pub(crate) fn issuer(ring: &KeyRing, clock: &Arc<ManualClock>) -> Issuer {
    Issuer::with_ring(ISSUER, ring.clone(), clock.clone(), entropy()).unwrap()
}

fn token(issuer: &Issuer) -> String {
    let token = AccessToken::new("ada", AUDIENCE, "web").lifetime(secs(600));
    issuer.issue(&token).unwrap().expose().to_owned()
}

pub(crate) fn verify(verifier: &Verifier, token: &str) -> Result<String, ErrorKind> {
    let verified = verifier.verify(RawToken::new(token)).map_err(|error| error.kind())?;
    Ok(verified.kid().unwrap().to_owned())
}

pub(crate) fn published(ring: &KeyRing) -> Vec<String> {
    let jwks: Value = serde_json::from_str(ring.jwks().unwrap().json()).unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|jwk| jwk["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_ring_goes_through_its_steps_and_every_token_verifies_until_it_ends() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let (clock, ring) = (clock(), created(algorithm, policy()));
        let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, ring.source(), clock.clone()).unwrap();
        let issuer = issuer(&ring, &clock);
        let (first, second) = (kid(&ring, 1), kid(&ring, 2));

        assert_eq!(ring.look_again(at(0)), at(10_000));
        assert!(ring.step(at(9_999)).unwrap().steps().is_empty());
        clock.set_wall(at(9_999));
        let last = token(&issuer);
        assert_eq!(verify(&verifier, &last).as_deref(), Ok(&*first));

        clock.set_wall(at(10_000));
        let plan = ring.step(at(10_000)).unwrap();
        let switch = Step::Activate { version: 2, replaces: Some((1, at(10_610))) };
        assert_eq!(plan.steps(), [switch, Step::Publish { version: 3, active_from: at(10_070) }]);
        assert_eq!(verify(&verifier, &token(&issuer)).as_deref(), Ok(&*second));
        assert_eq!(issuer.key().unwrap().kid(), &*second);
        clock.set_wall(at(10_598));
        assert_eq!(verify(&verifier, &last).as_deref(), Ok(&*first));

        assert_eq!(ring.step(plan.look_again()).unwrap().steps(), [Step::Drop { version: 1 }]);
        assert_eq!(verify(&verifier, &last), Err(ErrorKind::Key));
        assert_eq!(ring.look_again(at(10_610)), at(20_000));
    }
}

#[test]
fn the_public_set_has_pending_active_and_retiring_keys_and_says_how_long_it_may_be_kept() {
    let ring = created(Algorithm::EdDsa, policy());
    ring.rotate(at(70)).unwrap();
    ring.revoke(&kid(&ring, 2), at(140)).unwrap();
    let kinds = |state: &Lifecycle| match state {
        Lifecycle::Pending { .. } => "pending",
        Lifecycle::Active => "active",
        Lifecycle::Retiring { .. } => "retiring",
        Lifecycle::Revoked => "revoked",
    };
    let states: Vec<_> = ring.keys().iter().map(|key| kinds(&key.state)).collect();
    assert_eq!(states, ["retiring", "revoked", "active", "pending"]);
    let mut kids = [1, 3, 4].map(|version| kid(&ring, version).to_string());
    kids.sort_unstable();
    assert_eq!(published(&ring), kids);
    let jwks = ring.jwks().unwrap();
    assert_eq!((jwks.max_age(), jwks.cache_control().as_str()), (secs(60), "public, max-age=60"));
    let (set, skipped) = KeySet::from_jwks(&Ring::new(), jwks.json().as_bytes()).unwrap();
    assert_eq!((set.keys().count(), skipped.len()), (3, 0));
    // The tag is the content's.
    let again = KeyRing::from_document(Arc::new(Ring::new()), &ring.to_document(), entropy()).unwrap();
    assert_eq!(again.jwks().unwrap().etag(), jwks.etag());
    ring.rotate(at(300)).unwrap();
    assert_ne!(ring.jwks().unwrap().etag(), jwks.etag());
}

#[test]
fn an_early_rotation_is_refused_and_names_the_earliest_time() {
    let ring = created(Algorithm::EdDsa, policy());
    let error = ring.rotate(at(69)).unwrap_err();
    assert_eq!(
        (error.kind(), error.fault(), error.earliest()),
        (ErrorKind::KeyLife, Fault::Caller, Some(at(70)))
    );
    ring.rotate(at(70)).unwrap();
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &*entropy()).unwrap();
    let error = ring.change(Change::Publish(key), at(70)).unwrap_err();
    assert_eq!((error.kind(), error.earliest()), (ErrorKind::KeyLife, None), "one is pending already");
}

#[test]
fn a_revoked_key_is_out_at_once_and_a_known_one_takes_over() {
    let (clock, ring) = (clock(), created(Algorithm::EdDsa, policy()));
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, ring.source(), clock.clone()).unwrap();
    let issuer = issuer(&ring, &clock);
    clock.set_wall(at(70));
    let (first, second) = (kid(&ring, 1), kid(&ring, 2));
    let stolen = token(&issuer);
    ring.revoke(&first, at(70)).unwrap();
    assert_eq!(verify(&verifier, &stolen), Err(ErrorKind::Key));
    assert!(!published(&ring).contains(&first.to_string()));
    assert_eq!(verify(&verifier, &token(&issuer)).as_deref(), Ok(&*second));

    // The next one is not known yet: nothing is signed rather than what nobody can check.
    ring.revoke(&second, at(71)).unwrap();
    let token = AccessToken::new("ada", AUDIENCE, "web").lifetime(secs(600));
    let error = issuer.issue(&token).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::KeysUnavailable, Fault::Backend));
    assert_eq!(kind(ring.signer()), ErrorKind::KeysUnavailable);
    let next = ring.look_again(at(71));
    assert_eq!(next, at(140));
    ring.step(next).unwrap();
    assert!(issuer.issue(&token).is_ok());
    assert_eq!(kind(ring.revoke("nobody", next)), ErrorKind::KeyUnknown);
}

#[test]
fn tokens_that_would_outlive_their_key_are_not_issued() {
    let (clock, ring) = (clock(), created(Algorithm::EdDsa, policy()));
    let issuer = issuer(&ring, &clock);
    let lives = |life| issuer.issue(&AccessToken::new("ada", AUDIENCE, "web").lifetime(secs(life)));
    assert!(lives(600).is_ok());
    let error = lives(601).unwrap_err();
    assert_eq!((error.kind(), error.claim()), (ErrorKind::Claim, Some("exp")));
}

#[test]
fn a_symmetric_ring_is_never_published() {
    let ring = created(Algorithm::Hs256, policy());
    assert_eq!(kind(ring.jwks()), ErrorKind::KeySecrecy);
}

#[test]
fn keys_of_both_kinds_and_keys_of_one_id_are_refused() {
    let ring = created(Algorithm::EdDsa, in_time());
    let before = ring.to_document();
    let secret = signing_key(&Ring::new(), Algorithm::Hs256, "s");
    assert_eq!(kind(ring.change(Change::Publish(secret), at(1))), ErrorKind::KeyMixed);
    assert_eq!(kind(ring.change(Change::Algorithm(Algorithm::Hs256), at(1))), ErrorKind::KeyMixed);
    let named =
        |kid: &str| SigningKey::generate(&Ring::new(), Algorithm::Es256, Some(kid), &*entropy()).unwrap();
    let first = kid(&ring, 1);
    assert_eq!(kind(ring.change(Change::Publish(named(&first)), at(1))), ErrorKind::KeyDuplicate);
    assert_eq!(ring.to_document(), before, "what is refused changes nothing");

    // Another asymmetric algorithm is welcome, but not under the id of a revoked key.
    ring.change(Change::Publish(named("x")), at(1)).unwrap();
    ring.revoke("x", at(2)).unwrap();
    assert_eq!(kind(ring.change(Change::Publish(named("x")), at(3))), ErrorKind::KeyDuplicate);
    ring.change(Change::Publish(named("y")), at(3)).unwrap();
    ring.rotate(at(73)).unwrap();
    assert_eq!(ring.signer().unwrap().kid(), "y");

    let secret = created(Algorithm::Hs256, in_time());
    assert_eq!(kind(secret.change(Change::Publish(named("z")), at(1))), ErrorKind::KeyMixed);
}

#[test]
fn randomness_that_repeats_itself_makes_no_second_key() {
    let repeating = Arc::new(RepeatingEntropy::of([7; 32]));
    let made = KeyRing::create(Arc::new(RustCrypto::new()), Algorithm::EdDsa, policy(), repeating, at(0));
    assert_eq!(kind(made), ErrorKind::KeyDuplicate);
    let broken = KeyRing::create(
        Arc::new(RustCrypto::new()),
        Algorithm::EdDsa,
        policy(),
        Arc::new(BrokenEntropy),
        at(0),
    );
    assert_eq!(kind(broken), ErrorKind::Entropy);
}

#[test]
fn the_algorithm_of_later_keys_can_be_changed() {
    let ring = created(Algorithm::EdDsa, in_time());
    ring.change(Change::Algorithm(Algorithm::Es256), at(1)).unwrap();
    ring.step(at(9_930)).unwrap();
    ring.step(at(10_000)).unwrap();
    let algorithms: Vec<_> = ring.keys().iter().map(|key| key.algorithm).collect();
    assert_eq!(algorithms, [Algorithm::EdDsa, Algorithm::Es256]);
    assert_eq!(ring.signer().unwrap().algorithm(), Algorithm::Es256);
}

#[test]
fn a_ring_of_rs256_is_one_that_began_with_such_a_key() {
    let file = include_bytes!("../fixtures/openssl/rsa.pkcs8.der");
    let ring = Ring::new();
    let rs256 = |kid: &str| {
        let key = key_file::private_from_der(&ring, Algorithm::Rs256, file).unwrap();
        SigningKey::danger_rsa_pkcs1(&ring, Some(kid), &key).unwrap()
    };
    let start = |policy| KeyRing::with_key(Arc::new(Ring::new()), rs256("one"), policy, entropy(), at(0));
    // ring makes no RSA keys, so the next has to be brought.
    assert_eq!(kind(start(policy())), ErrorKind::KeyUnsupported);
    let keys = start(in_time()).unwrap();
    assert_eq!(kind(keys.step(at(9_930))), ErrorKind::KeyUnsupported);
    keys.change(Change::Publish(rs256("two")), at(9_930)).unwrap();
    keys.step(at(10_000)).unwrap();
    let again = KeyRing::from_document(Arc::new(Ring::new()), &keys.to_document(), entropy()).unwrap();
    assert_eq!(again.signer().unwrap().kid(), "two");
    assert_eq!(again.keys().iter().map(|key| key.algorithm).collect::<Vec<_>>(), [Algorithm::Rs256; 2]);
    // No other ring comes to it by the way.
    let made = KeyRing::create(Arc::new(Ring::new()), Algorithm::Rs256, policy(), entropy(), at(0));
    assert_eq!(kind(made), ErrorKind::KeyRsaPkcs1);
    let other = created(Algorithm::EdDsa, policy());
    assert_eq!(kind(other.change(Change::Algorithm(Algorithm::Rs256), at(1))), ErrorKind::KeyRsaPkcs1);
}

#[test]
fn later_keys_have_the_name_of_the_first_in_headers() {
    for (given, name) in [(false, "EdDSA"), (true, "Ed25519")] {
        let key = signing_key(&RustCrypto::new(), Algorithm::EdDsa, "k");
        let key = if given { key.fully_specified_name() } else { key };
        let ring = KeyRing::with_key(Arc::new(RustCrypto::new()), key, policy(), entropy(), at(0)).unwrap();
        ring.rotate(at(70)).unwrap();
        let ring = restored(ring.to_document().expose()).unwrap();
        ring.rotate(at(140)).unwrap();
        assert_eq!(ring.signer().unwrap().algorithm_name(), name);
        let named = format!(r#""alg":"{name}""#);
        assert_eq!(ring.jwks().unwrap().json().matches(&named).count(), 4);
    }
}

#[test]
fn a_service_with_one_key_goes_over_to_a_ring() {
    let key = signing_key(&RustCrypto::new(), Algorithm::EdDsa, "old");
    let ring = KeyRing::with_key(Arc::new(RustCrypto::new()), key, policy(), entropy(), at(0)).unwrap();
    assert_eq!(ring.signer().unwrap().kid(), "old");
    assert_eq!(states(&ring), [(1, Lifecycle::Active), (2, Lifecycle::Pending { active_from: at(70) })]);
}

#[test]
fn policies_that_a_ring_cannot_keep_are_refused() {
    let refused = |change: fn(&mut Policy)| {
        let mut policy = policy();
        change(&mut policy);
        let made = KeyRing::create(Arc::new(Ring::new()), Algorithm::EdDsa, policy, entropy(), at(0));
        assert_eq!(kind(made), ErrorKind::Config, "{policy:?}");
        assert_eq!(
            kind(created(Algorithm::EdDsa, in_time()).change(Change::Policy(policy), at(1))),
            ErrorKind::Config
        );
    };
    refused(|policy| policy.longest_life = Duration::ZERO);
    refused(|policy| policy.longest_life = Duration::MAX);
    refused(|policy| policy.cache_age = secs(401 * 86_400));
    refused(|policy| (policy.period, policy.longest_life) = (secs(1), secs(86_400)));
}

#[test]
fn a_key_that_signs_no_more_is_kept_without_its_private_half() {
    let canary = encode(SECRET);
    for (algorithm, kept) in [(Algorithm::EdDsa, false), (Algorithm::Es256, false), (Algorithm::Hs256, true)]
    {
        let key = signing_key(&RustCrypto::new(), algorithm, "old");
        let ring = KeyRing::with_key(Arc::new(RustCrypto::new()), key, policy(), entropy(), at(0)).unwrap();
        assert!(ring.to_document().expose().contains(&canary));
        ring.rotate(at(70)).unwrap();
        assert_eq!(ring.to_document().expose().contains(&canary), kept, "who verifies needs a shared secret");
        ring.revoke("old", at(71)).unwrap();
        assert!(!ring.to_document().expose().contains(&canary));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let ring = created(Algorithm::EdDsa, policy());
    let document: Value = serde_json::from_str(ring.to_document().expose()).unwrap();
    let draft = ring.prepare(Change::Rotate, at(70)).unwrap().unwrap();
    let key = signing_key(&RustCrypto::new(), Algorithm::EdDsa, "k");
    let shown = format!(
        "{ring:?} {ring:#?} {draft:?} {draft:#?} {:?} {} {:?}",
        ring.keys(),
        ring.jwks().unwrap().json(),
        Change::Publish(key),
    );
    for stored in document["keys"].as_array().unwrap() {
        let secret = stored["jwk"]["d"].as_str().unwrap();
        assert!(secret.len() == 43 && !shown.contains(secret));
    }
    assert!(!shown.contains(&encode(SECRET)));
    let jwks: Value = serde_json::from_str(ring.jwks().unwrap().json()).unwrap();
    for jwk in jwks["keys"].as_array().unwrap() {
        let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    }
    // Nor is it in what is wrong with a document.
    let broken = ring.to_document().expose().replace("\"active\"", "\"asleep\"");
    let document = SecretText::new(broken);
    let error = KeyRing::from_document(Arc::new(Ring::new()), &document, entropy()).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let shown = format!("{error} {error:?} {source:?}");
    assert!(!shown.contains("asleep") && !shown.contains("\"d\""), "{shown}");
}

/// Lets go of everything, and takes its time.
struct Slow(Arc<ManualClock>);

#[async_trait::async_trait]
impl Consumer for Slow {
    async fn applied(&self, _: u32) {}

    async fn may_retire(&self, _: u32) -> bool {
        self.0.advance(secs(200));
        true
    }
}

#[test]
fn a_key_whose_time_comes_while_others_are_asked_about_does_not_end_unasked() {
    let (clock, ring) = (clock(), created(Algorithm::EdDsa, policy()));
    ring.rotate(at(70)).unwrap();
    ring.rotate(at(140)).unwrap();
    // The first ends at 680, the second at 750.
    clock.set_wall(at(700));
    let consumers = Consumers::new(secs(500)).with("slow", Arc::new(Slow(clock.clone())));
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    drop(sendable(ring.step_with(&consumers, &*clock)));
    let held = ready(sendable(ring.holding(&consumers, &*clock)));
    assert_eq!((held.asked, held.versions()), (at(1_100), vec![]), "two were asked about");
}

struct Database(bool);

#[async_trait::async_trait]
impl Consumer for Database {
    async fn applied(&self, _: u32) {}

    async fn may_retire(&self, _: u32) -> bool {
        self.0
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("waits"),
    }
}

#[test]
fn a_key_that_a_consumer_needs_stays_and_is_reported() {
    let (clock, ring) = (clock(), created(Algorithm::EdDsa, in_time()));
    ring.step(at(9_930)).unwrap();
    ring.step(at(10_000)).unwrap();
    clock.set_wall(at(10_610));
    let needing = Consumers::new(secs(5)).with("database", Arc::new(Database(false)));
    let stepped = ready(ring.step_with(&needing, &*clock)).unwrap();
    assert_eq!(stepped.plan.held().collect::<Vec<_>>(), [1]);
    let [(1, holding)] = stepped.held.keys.as_slice() else { panic!("{stepped:?}") };
    assert_eq!((&*holding[0].consumer, holding[0].why), ("database", Why::Needed));
    assert_eq!(published(&ring).len(), 2);

    clock.set_wall(stepped.plan.look_again());
    let free = Consumers::new(secs(5)).with("database", Arc::new(Database(true)));
    let stepped = ready(ring.step_with(&free, &*clock)).unwrap();
    assert_eq!(stepped.plan.steps(), [Step::Drop { version: 1 }]);
    assert!(stepped.held.keys.is_empty() && stepped.uninformed.is_empty());
}
