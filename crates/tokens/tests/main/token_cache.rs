//! The cache of verified tokens: what it saves, and all that it must not (attack row 26).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Clock, RawToken, UnixTime};
use bartizan_crypto::rotation::Policy;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::{ManualClock, SeededEntropy};
use bartizan_tokens::{
    AccessToken, Algorithm, CacheLimits, CacheStats, Error, ErrorKind, Issuer, KeyRing, KeySet, Limits,
    Revocations, TokenCache, TokenId, TrustedIssuer, Verifier,
};
use serde::Deserialize;
use serde_json::json;

use crate::support::{AUDIENCE, Forge, ISSUER, KID, NOW, clock, signing_key, verify};

fn cache() -> TokenCache {
    TokenCache::new(&Ring::new(), &SeededEntropy::new(3)).unwrap()
}

fn limited(change: impl FnOnce(&mut CacheLimits)) -> Result<TokenCache, ErrorKind> {
    let mut limits = CacheLimits::DEFAULT;
    change(&mut limits);
    TokenCache::with_limits(&Ring::new(), &SeededEntropy::new(3), limits).map_err(|error| error.kind())
}

/// With a clock to move, from where tokens are good until `NOW + 600`.
fn verifier(keys: KeySet) -> (Arc<ManualClock>, Verifier) {
    let clock = clock();
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, keys, clock.clone()).unwrap();
    (clock, verifier)
}

fn counts(cache: &TokenCache) -> (u64, u64) {
    let CacheStats { hits, misses, .. } = cache.stats();
    (hits, misses)
}

fn forge() -> Forge {
    Forge::new(Algorithm::EdDsa)
}

const fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW + secs)
}

#[test]
fn a_token_that_is_found_says_what_it_said() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let (forge, cache) = (Forge::new(algorithm), cache());
        let verifier = forge.verifier().cache(&cache);
        let token = forge.good();
        let (first, second) = (verify(&verifier, &token).unwrap(), verify(&verifier, &token).unwrap());
        assert_eq!(counts(&cache), (1, 1));
        let said = |verified: &bartizan_tokens::Verified| {
            let principal = verified.principal().unwrap();
            let roles: Vec<String> = verified.roles().map(Into::into).collect();
            format!(
                "{principal:?} {roles:?} {:?} {} {:?}",
                verified.kid(),
                verified.claims_json(),
                verified.expires()
            )
        };
        assert_eq!(said(&first), said(&second));

        #[derive(Deserialize)]
        struct Own {
            tenant: String,
        }
        let own = verifier.verify_with::<Own>(RawToken::new(&token)).unwrap();
        assert_eq!((own.own().tenant.as_str(), counts(&cache)), ("north", (2, 1)));
    }
}

#[test]
fn without_a_cache_nothing_is_held() {
    let cache = cache();
    let verifier = forge().verifier();
    verify(&verifier, &forge().good()).unwrap();
    assert_eq!(cache.stats(), CacheStats::default());
}

#[test]
fn row_26_a_changed_token_is_another_token() {
    let (forge, cache) = (forge(), cache());
    let verifier = forge.verifier().cache(&cache);
    let token = forge.good();
    verify(&verifier, &token).unwrap();
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        assert!(verify(&verifier, &String::from_utf8(changed).unwrap()).is_err(), "{place}");
    }
    for other in [format!("{token} "), format!(" {token}"), token[..token.len() - 1].to_owned()] {
        assert!(verify(&verifier, &other).is_err());
    }
    assert_eq!(cache.stats().hits, 0);
    assert!(verify(&verifier, &token).is_ok());
}

#[test]
fn row_26_refusals_are_never_held() {
    let (forge, cache) = (forge(), cache());
    let (clock, verifier) = verifier(forge.keys());
    let verifier = verifier.cache(&cache);
    let begins_later = forge.with("nbf", json!(NOW + 100));
    let refused = [
        (forge.with("aud", json!("https://other.example")), ErrorKind::Audience),
        (forge.with("exp", json!(NOW - 100)), ErrorKind::Expired),
        (Forge::new(Algorithm::Es256).good(), ErrorKind::Algorithm),
        (begins_later.clone(), ErrorKind::NotYet),
        ("a.b.c".into(), ErrorKind::Malformed),
    ];
    for _ in 0..2 {
        for (token, kind) in &refused {
            let error = verify(&verifier, token).unwrap_err();
            assert!(error == *kind || *kind == ErrorKind::Malformed);
        }
    }
    assert_eq!((cache.stats().entries, counts(&cache)), (0, (0, 10)));
    clock.set_wall(at(100));
    assert!(verify(&verifier, &begins_later).is_ok());
}

#[test]
fn row_26_a_token_ends_at_its_exact_second_though_it_is_held() {
    let (forge, cache) = (forge(), limited(|limits| limits.max_ttl = Duration::from_secs(600)).unwrap());
    let (clock, verifier) = verifier(forge.keys());
    let verifier = verifier.leeway(Duration::ZERO).unwrap().cache(&cache);
    let token = forge.with("exp", json!(NOW + 10));
    verify(&verifier, &token).unwrap();
    clock.set_wall(UnixTime::from_nanos(at(10).as_nanos() - 1));
    verify(&verifier, &token).unwrap();
    assert_eq!(counts(&cache), (1, 1));
    clock.set_wall(at(10));
    assert_eq!(verify(&verifier, &token).unwrap_err(), ErrorKind::Expired);
}

#[test]
fn row_26_a_held_token_does_not_begin_early_when_the_clock_goes_back() {
    let (forge, cache) = (forge(), cache());
    let (clock, verifier) = verifier(forge.keys());
    let verifier = verifier.leeway(Duration::ZERO).unwrap().cache(&cache);
    let token = forge.with("nbf", json!(NOW));
    verify(&verifier, &token).unwrap();
    clock.set_wall(at(-1));
    assert_eq!(verify(&verifier, &token).unwrap_err(), ErrorKind::NotYet);
    clock.set_wall(at(0));
    verify(&verifier, &token).unwrap();
}

#[test]
fn a_token_is_held_no_longer_than_the_cache_allows() {
    let (forge, cache) = (forge(), cache());
    let (clock, verifier) = verifier(forge.keys());
    let verifier = verifier.cache(&cache);
    let token = forge.good();
    verify(&verifier, &token).unwrap();
    clock.set_wall(UnixTime::from_nanos(at(60).as_nanos() - 1));
    verify(&verifier, &token).unwrap();
    assert_eq!(counts(&cache), (1, 1));
    clock.set_wall(at(60));
    verify(&verifier, &token).unwrap();
    assert_eq!(counts(&cache), (1, 2));
    // A clock that was set back by an operator does not lengthen it.
    clock.set_wall(at(-100));
    verify(&verifier, &token).unwrap();
    assert_eq!(counts(&cache), (1, 3));
}

#[test]
fn row_26_verifiers_that_share_a_cache_share_nothing_else() {
    let (forge, cache) = (forge(), cache());
    let make = |audience: &str, keys: KeySet| {
        Verifier::access_tokens(ISSUER, audience, keys, clock()).unwrap().cache(&cache)
    };
    let token = forge.good();
    verify(&make(AUDIENCE, forge.keys()), &token).unwrap();
    let other_keys = KeySet::new([signing_key(&Ring::new(), Algorithm::Es256, KID).verifying()]).unwrap();
    for (verifier, kind) in [
        (make("https://other.example", forge.keys()), ErrorKind::Audience),
        (make(AUDIENCE, other_keys), ErrorKind::Algorithm),
        (
            Verifier::access_tokens("https://evil.example", AUDIENCE, forge.keys(), clock())
                .unwrap()
                .cache(&cache),
            ErrorKind::Issuer,
        ),
        (make(AUDIENCE, forge.keys()).max_lifetime(Duration::from_secs(60)).unwrap(), ErrorKind::Lifetime),
    ] {
        assert_eq!(verify(&verifier, &token).unwrap_err(), kind);
    }
    assert_eq!(cache.stats().hits, 0);
}

#[test]
fn row_26_a_verifier_whose_rules_change_finds_nothing_of_before() {
    let forge = forge();
    let token = forge.with("iat", json!(NOW - 10));
    let changes: [fn(Verifier) -> Verifier; 6] = [
        |verifier| verifier.leeway(Duration::from_secs(1)).unwrap(),
        |verifier| verifier.max_lifetime(Duration::from_secs(7_200)).unwrap(),
        |verifier| verifier.limits(Limits::DEFAULT).unwrap(),
        |verifier| verifier.single_tenant(),
        |verifier| verifier.revocations(Arc::new(Says::new(0))),
        |verifier| verifier.cache(&cache()),
    ];
    for change in changes {
        let cache = cache();
        let verifier = forge.verifier().cache(&cache);
        verify(&verifier, &token).unwrap();
        verify(&change(verifier), &token).unwrap();
        assert_eq!(cache.stats().hits, 0);
    }
}

/// Answers 0 good, 1 revoked, 2 unknown.
struct Says(AtomicU8);

impl Says {
    fn new(what: u8) -> Self {
        Self(AtomicU8::new(what))
    }
}

impl Revocations for Says {
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Error> {
        assert_eq!((token.issuer, token.jti), (ISSUER, Some("t-1")));
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ErrorKind::RevocationsUnavailable.into()),
        }
    }
}

#[test]
fn row_26_a_token_that_is_revoked_after_it_was_held_is_refused() {
    let (forge, cache, says) = (forge(), cache(), Arc::new(Says::new(0)));
    let verifier = forge.verifier().revocations(says.clone()).cache(&cache);
    let token = forge.good();
    verify(&verifier, &token).unwrap();
    says.0.store(2, Ordering::Relaxed);
    assert_eq!(verify(&verifier, &token).unwrap_err(), ErrorKind::RevocationsUnavailable);
    assert_eq!(cache.stats().entries, 1, "an outage says nothing about the token");
    says.0.store(1, Ordering::Relaxed);
    assert_eq!(verify(&verifier, &token).unwrap_err(), ErrorKind::Revoked);
    assert_eq!(verify(&verifier, &token).unwrap_err(), ErrorKind::Revoked);
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn row_26_a_removed_key_verifies_nothing_that_is_held() {
    let (clock, cache) = (clock(), cache());
    let provider = Arc::new(RustCrypto::new());
    let entropy = Arc::new(SeededEntropy::new(8));
    let ring =
        KeyRing::create(provider, Algorithm::EdDsa, Policy::SIGNING_KEYS, entropy.clone(), clock.wall())
            .unwrap();
    let issuer = Issuer::with_ring(ISSUER, ring.clone(), clock.clone(), entropy).unwrap();
    let verifier =
        Verifier::access_tokens(ISSUER, AUDIENCE, ring.source(), clock.clone()).unwrap().cache(&cache);
    let issued = issuer.issue(&AccessToken::new("ada", AUDIENCE, "web")).unwrap();
    verify(&verifier, issued.expose()).unwrap();
    verify(&verifier, issued.expose()).unwrap();

    // Other keys, and this one among them: verified anew, and good.
    clock.set_wall(at(400));
    ring.rotate(clock.wall()).unwrap();
    verify(&verifier, issued.expose()).unwrap();
    verify(&verifier, issued.expose()).unwrap();
    // The clock is at 400 s, so that what was held first is over as well; one more change tells the two apart.
    ring.change(bartizan_tokens::Change::Policy(Policy::SIGNING_KEYS), clock.wall()).unwrap();
    let before = counts(&cache);
    verify(&verifier, issued.expose()).unwrap();
    assert_eq!(counts(&cache), (before.0, before.1 + 1));

    let kid = ring.keys()[0].kid.clone();
    ring.revoke(&kid, clock.wall()).unwrap();
    assert_eq!(verify(&verifier, issued.expose()).unwrap_err(), ErrorKind::Key);
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn issuers_of_one_verifier_keep_their_own_keys_apart() {
    let cache = cache();
    let keys = |algorithm| Forge::new(algorithm).keys();
    let verifier = Verifier::of(
        [
            TrustedIssuer::new(ISSUER, AUDIENCE, keys(Algorithm::EdDsa)),
            TrustedIssuer::new("https://partner.example", AUDIENCE, keys(Algorithm::Es256)),
        ],
        clock(),
    )
    .unwrap()
    .cache(&cache);
    let own = Forge::new(Algorithm::EdDsa).good();
    let partner = Forge::new(Algorithm::Es256).with("iss", json!("https://partner.example"));
    for _ in 0..2 {
        assert_eq!(verify(&verifier, &own).unwrap().issuer(), ISSUER);
        assert_eq!(verify(&verifier, &partner).unwrap().issuer(), "https://partner.example");
    }
    assert_eq!(counts(&cache), (2, 2));
    assert!(verify(&verifier, &Forge::new(Algorithm::Es256).good()).is_err());
}

#[test]
fn tokens_of_shared_secrets_and_long_tokens_are_not_held() {
    let cache = cache();
    let (hmac, forge) = (Forge::new(Algorithm::Hs256), forge());
    let verifier = hmac.verifier().cache(&cache);
    let long = forge.with("note", json!("x".repeat(3_100)));
    assert!(long.len() > 4_096);
    let other = forge.verifier().cache(&cache);
    for _ in 0..2 {
        verify(&verifier, &hmac.good()).unwrap();
        verify(&other, &long).unwrap();
    }
    assert_eq!((cache.stats().entries, cache.stats().hits), (0, 0));
}

#[test]
fn a_cache_holds_no_more_tokens_and_bytes_than_it_may() {
    let forge = forge();
    let tokens: Vec<_> = (0..100).map(|n| forge.with("jti", json!(format!("t-{n}")))).collect();
    for (cache, most_entries, most_bytes) in [
        (limited(|limits| limits.entries = 16).unwrap(), 16, usize::MAX),
        (limited(|limits| limits.bytes = 10_000).unwrap(), 4_096, 10_000),
        (limited(|limits| limits.bytes = 1).unwrap(), 0, 0),
    ] {
        let verifier = forge.verifier().cache(&cache);
        for token in &tokens {
            verify(&verifier, token).unwrap();
            let CacheStats { entries, bytes, .. } = cache.stats();
            assert!(entries <= most_entries && bytes <= most_bytes, "{entries} {bytes}");
        }
        let CacheStats { entries, misses, evictions, .. } = cache.stats();
        assert_eq!(misses, 100);
        assert!(most_entries == 0 || entries as u64 + evictions == 100);
        assert!(most_entries == 0 || entries > 3);
        cache.clear();
        assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0));
    }
}

#[test]
fn what_is_used_stays_when_others_make_room() {
    let forge = forge();
    let cache = limited(|limits| limits.entries = 8).unwrap();
    let verifier = forge.verifier().cache(&cache);
    let used = forge.good();
    verify(&verifier, &used).unwrap();
    for n in 0..100 {
        verify(&verifier, &used).unwrap();
        verify(&verifier, &forge.with("jti", json!(format!("once-{n}")))).unwrap();
    }
    assert_eq!(cache.stats().hits, 100);
}

#[test]
fn limits_out_of_range_are_refused() {
    let changes: [fn(&mut CacheLimits); 9] = [
        |limits| limits.entries = 7,
        |limits| limits.entries = (1 << 20) + 1,
        |limits| limits.bytes = 0,
        |limits| limits.bytes = (1 << 30) + 1,
        |limits| limits.max_ttl = Duration::ZERO,
        |limits| limits.max_ttl = Duration::from_secs(601),
        |limits| limits.token = 0,
        |limits| limits.token = 64 * 1024 + 1,
        |limits| (limits.entries, limits.bytes) = (0, 0),
    ];
    for change in changes {
        assert_eq!(limited(change).unwrap_err(), ErrorKind::Config);
    }
    let broken = TokenCache::new(&Ring::new(), &bartizan_testkit::BrokenEntropy);
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::Entropy);
}

#[test]
fn nothing_of_a_token_is_shown() {
    let (forge, cache) = (forge(), cache());
    let verifier = forge.verifier().cache(&cache);
    let token = forge.good();
    verify(&verifier, &token).unwrap();
    let shown = format!("{cache:?} {cache:#?} {verifier:?} {:?}", cache.stats());
    let signature = token.rsplit('.').next().unwrap();
    assert!(!shown.contains("ada") && !shown.contains(signature) && !shown.contains("north"));
}

#[test]
fn threads_that_share_a_cache_agree() {
    let forge = forge();
    let cache = limited(|limits| (limits.entries, limits.bytes) = (16, 20_000)).unwrap();
    let verifier = forge.verifier().cache(&cache);
    let tokens: Vec<_> = (0..24).map(|n| (n, forge.with("sub", json!(format!("s-{n}"))))).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (verifier, tokens, cache) = (&verifier, &tokens, &cache);
            scope.spawn(move || {
                for round in 0..12 {
                    for (n, token) in tokens.iter().cycle().skip(thread * 5).take(24) {
                        assert_eq!(verify(verifier, token).unwrap().subject(), format!("s-{n}"));
                    }
                    if thread == 0 && round % 4 == 3 {
                        cache.clear();
                    }
                }
            });
        }
    });
    let CacheStats { hits, misses, .. } = cache.stats();
    assert_eq!(hits + misses, 4 * 12 * 24);
    cache.clear();
    assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0), "nothing is counted twice or lost");
}
