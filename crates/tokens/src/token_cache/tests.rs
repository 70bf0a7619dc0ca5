//! A hash that an attacker would like.

use std::sync::Arc;

use bartizan_core::{RawToken, UnixTime};
use bartizan_crypto::{Kdf, Mac, MacAlgorithm, MacTag, PrivateKey, PublicKey, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{ManualClock, SeededEntropy};

use super::*;
use crate::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verifier};

/// A provider whose MAC tells inputs apart in its last byte only: all tokens fall into one set, under one tag.
#[derive(Debug)]
struct Colliding(Ring);

#[derive(Debug)]
struct CollidingMac(Arc<dyn Mac>);

impl Mac for CollidingMac {
    fn algorithm(&self) -> MacAlgorithm {
        self.0.algorithm()
    }

    fn tag(&self, parts: &[&[u8]]) -> MacTag {
        let mut tag = [7; 32];
        tag[31] = self.0.tag(parts).as_bytes()[31];
        MacTag::new(&tag)
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), bartizan_crypto::Error> {
        self.0.verify(parts, tag)
    }
}

impl Provider for Colliding {
    fn name(&self) -> &'static str {
        "colliding"
    }

    fn can(&self, ability: bartizan_crypto::Ability) -> bool {
        self.0.can(ability)
    }

    fn hash(&self) -> &dyn bartizan_crypto::Hash {
        self.0.hash()
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, bartizan_crypto::Error> {
        Ok(Arc::new(CollidingMac(self.0.mac(algorithm, key)?)))
    }

    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, bartizan_crypto::Error> {
        self.0.kdf(key)
    }

    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn bartizan_crypto::Aead) -> Result<(), bartizan_crypto::Error>,
    ) -> Result<(), bartizan_crypto::Error> {
        self.0.with_aead(key, work)
    }

    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn bartizan_crypto::Signer>, bartizan_crypto::Error> {
        self.0.signer(key)
    }

    fn verifier(
        &self,
        key: &PublicKey,
    ) -> Result<Arc<dyn bartizan_crypto::SignatureVerifier>, bartizan_crypto::Error> {
        self.0.verifier(key)
    }

    fn private_key(
        &self,
        algorithm: SignatureAlgorithm,
        secret: bartizan_core::SecretBytes,
    ) -> Result<PrivateKey, bartizan_crypto::Error> {
        self.0.private_key(algorithm, secret)
    }

    fn generate(
        &self,
        algorithm: SignatureAlgorithm,
        entropy: &dyn Entropy,
    ) -> Result<PrivateKey, bartizan_crypto::Error> {
        self.0.generate(algorithm, entropy)
    }
}

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://api.example";

#[test]
fn row_26_tokens_whose_hashes_nearly_collide_are_told_apart() {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let entropy = Arc::new(SeededEntropy::new(1));
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &*entropy).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let issuer = Issuer::new(ISSUER, key, clock.clone(), entropy.clone()).unwrap();
    let cache = TokenCache::new(&Colliding(Ring::new()), &*entropy).unwrap();
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, keys, clock).unwrap().cache(&cache);

    // As this verifier, the first of its cache, places them. Those that are the same in all 256 bits are left out: the MAC does not
    // make such.
    let view = View { cache: cache.clone(), verifier: 0 };
    let (mut places, mut tokens) = (vec![], vec![]);
    while tokens.len() < 8 {
        let subject = format!("s-{}", tokens.len());
        let token = issuer.issue(&AccessToken::new(subject.as_str(), AUDIENCE, "web")).unwrap();
        let place = view.place(token.expose()).unwrap().0;
        assert_eq!(place[..31], [7; 31]);
        if !places.contains(&place) {
            places.push(place);
            tokens.push((subject, token));
        }
    }
    for _ in 0..2 {
        for (subject, token) in &tokens {
            let verified = verifier.verify(RawToken::new(token.expose())).unwrap();
            assert_eq!(verified.subject(), subject);
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (8, 8, 8), "one set, and each found in it");
}

#[test]
fn row_26_a_hit_asks_for_the_time_itself_and_not_how_long_it_may_be_held() {
    let now = UnixTime::from_secs(1_700_000_000);
    let (clock, entropy) = (Arc::new(ManualClock::at(now)), Arc::new(SeededEntropy::new(1)));
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &*entropy).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let issuer = Issuer::new(ISSUER, key, clock.clone(), entropy.clone()).unwrap();
    let cache = TokenCache::new(&Ring::new(), &*entropy).unwrap();
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, keys, clock).unwrap().cache(&cache);
    let life = Duration::from_secs(60);
    let token = issuer.issue(&AccessToken::new("ada", AUDIENCE, "web").lifetime(life)).unwrap();
    verifier.verify(RawToken::new(token.expose())).unwrap();

    let view = View { cache: cache.clone(), verifier: 0 };
    let facts = view.find(&view.place(token.expose()).unwrap(), now).unwrap();
    let leeway = Duration::from_secs(30);
    let (begins, ends) = (now.saturating_sub(leeway), now.saturating_add(life + leeway));
    let just_before = |time: UnixTime| UnixTime::from_nanos(time.as_nanos() - 1);
    let asked = |at| verifier.is_as_verified(&facts, at).map_err(|error| error.kind());
    assert_eq!([asked(begins), asked(just_before(ends))], [Ok(true), Ok(true)]);
    assert_eq!(asked(just_before(begins)), Err(ErrorKind::NotYet));
    assert_eq!(asked(ends), Err(ErrorKind::Expired));
}
