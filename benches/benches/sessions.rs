//! What it costs to know whether a token was revoked, and whose cookie this is; and what is kept for it.
//!
//! Exchanging a refresh token in each store is `sessions_stores.rs`.

use std::{
    collections::HashMap,
    error::Error,
    future::Future,
    pin::pin,
    sync::{Arc, RwLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bartizan::{
    core::{Clock, UnixTime, os},
    crypto_ring::Ring,
    tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verified, Verifier},
};
use bartizan_benches::{Bench, Case};
use bartizan_core::RawToken;
use bartizan_sessions::{
    By, CookieToken, Device, Error as SessionsError, ErrorKind, Freshness, Login, MemoryStore, Policy,
    Revocation, RevocationSnapshot, Scope, SessionKey, Sessions,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

const ISSUER: &str = "https://auth.example.org";
const API: &str = "https://api.example.org";
/// Older than any bench takes.
const DAY: Duration = Duration::from_secs(86_400);

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    revocation(&mut bench)?;
    cookies(&mut bench)?;
    bench.finish();
    Ok(())
}

/// How many tokens are revoked, and how many others are asked for: one of ten asked is revoked.
const REVOKED: u64 = 1_000_000;
const ASKED: usize = 100_000;

/// The `jti` of token `number`, as our issuer draws them: 128 bits.
fn jti(number: u64) -> String {
    URL_SAFE_NO_PAD.encode(jti_bytes(number))
}

fn jti_bytes(number: u64) -> [u8; 16] {
    let high = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17) ^ 0xD1B5_4A32_D192_ED03;
    let low = high.wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ number;
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

fn revocation(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(os::SystemClock);
    let (store, mut kept) = (MemoryStore::new(), None);
    let now = clock.wall();
    let until = now.saturating_add(DAY);
    let taken = allocation_counter::measure(|| {
        kept = RevocationSnapshot::new(ISSUER, &os::OsEntropy, clock.clone()).ok();
        let Some(snapshot) = &kept else { return };
        for piece in 0..REVOKED / 1_000 {
            let revoke =
                |n| Revocation { scope: Scope::Token(jti(piece * 1_000 + n).into()), at: now, until };
            snapshot.apply(&(0..1_000).map(revoke).collect::<Vec<_>>());
        }
    });
    let snapshot = kept.ok_or("there is no snapshot")?;
    if snapshot.len() as u64 != REVOKED {
        return Err("not all tokens are revoked".into());
    }
    println!(
        "revocation_1m: {} ids, {:.1} bytes an id",
        snapshot.len(),
        taken.bytes_current as f64 / REVOKED as f64
    );
    at_once(snapshot.refresh(&store))?;

    // A token of our own, of which the id alone is changed: all that a verifier asks.
    let token = verified(clock.clone())?;
    let texts: Vec<String> = (0..ASKED as u64)
        .map(|n| if n % 10 == 0 { jti(n.wrapping_mul(7_919) % REVOKED) } else { jti(REVOKED + n * 31) })
        .collect();
    let hits = |answers: &[bool]| answers.iter().filter(|answer| **answer).count();
    let answers: Result<Vec<bool>, SessionsError> = texts
        .iter()
        .map(|jti| {
            let mut id = token.id();
            id.jti = Some(jti);
            snapshot.is_revoked(&id, DAY)
        })
        .collect();
    if hits(&answers?) != ASKED / 10 {
        return Err("not one of ten is revoked".into());
    }
    // The ids are random, so that each is looked for in another place; the texts come one after the other, as a token's text is at hand
    // when it was just verified.
    let (mut next, mut their_next) = (texts.iter().cycle(), texts.iter().cycle());
    // What somebody in a hurry writes: no sessions, no subjects, no age, and a lock.
    let by_hand: RwLock<HashMap<String, u64>> =
        RwLock::new((0..REVOKED).map(|number| (jti(number), number)).collect());
    bench.run(
        Case::new("revocation_1m", || {
            let mut id = token.id();
            id.jti = next.next().map(String::as_str);
            snapshot.is_revoked(&id, DAY).is_ok()
        })
        .floor(|| {
            by_hand.read().is_ok_and(|ids| ids.contains_key(their_next.next().map_or("", String::as_str)))
        }),
    );
    let (hot, jti) = (token.id(), token.jti().unwrap_or_default());
    bench.run(
        Case::new("revocation_1m_hot", || snapshot.is_revoked(&hot, DAY).is_ok())
            .limit(|| clock.monotonic())
            .floor(|| by_hand.read().is_ok_and(|ids| ids.contains_key(jti))),
    );
    // And where sessions and all sessions of subjects were ended too, so that the token's session and subject are looked for as well.
    let ended = |n: u64| {
        let key = SessionKey::from_bytes(jti_bytes(n));
        let subject = Scope::Subject { tenant: "north".into(), subject: n.to_string().into(), epoch: 1 };
        [Scope::Session(key), subject].map(|scope| Revocation { scope, at: now, until })
    };
    snapshot.apply(&(0..10_000).flat_map(ended).collect::<Vec<_>>());
    bench.run(Case::new("revocation_all_kinds_hot", || snapshot.is_revoked(&hot, DAY).is_ok()));
    Ok(())
}

/// An access token that bears a session's name.
fn verified(clock: Arc<dyn Clock>) -> Result<Verified, Box<dyn Error>> {
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &os::OsEntropy)?;
    let keys = KeySet::new([key.verifying()])?;
    let issuer = Issuer::new(ISSUER, key, clock.clone(), Arc::new(os::OsEntropy))?;
    let (session, _) = at_once(sessions(clock.clone())?.begin(&login("ada"), &By::owner()))?;
    let claims = AccessToken::new("ada", API, "web").tenant("north").session(session.id.to_string());
    let token = issuer.issue(&claims)?;
    Ok(Verifier::access_tokens(ISSUER, API, keys, clock)?.verify(RawToken::new(token.expose()))?)
}

/// How many sessions are kept.
const KEPT: usize = 50_000;

fn cookies(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(os::SystemClock);
    let snapshot = RevocationSnapshot::new(ISSUER, &os::OsEntropy, clock.clone())?;
    at_once(snapshot.refresh(&MemoryStore::new()))?;
    let asked = sessions(clock)?;
    let subjects: Vec<String> = (0..KEPT).map(|n| format!("0192f7c2-5b1e-7c3a-9d4e-{n:012}")).collect();
    let cookies: Vec<CookieToken> = subjects
        .iter()
        .map(|subject| at_once(asked.login(&login(subject), &By::owner())).map(|(_, cookie)| cookie))
        .collect::<Result<_, _>>()?;
    let mut kept = None;
    let taken = allocation_counter::measure(|| {
        let node = asked.keeping(&snapshot, KEPT * 2);
        for cookie in &cookies {
            let _found = at_once(node.check(cookie.as_raw(), Freshness::Snapshot(DAY)));
        }
        kept = Some(node);
    });
    let node = kept.ok_or("there is no node")?;
    let (held, _) = node.kept();
    println!("cookie_kept: {held} sessions, {:.0} bytes a session", taken.bytes_current as f64 / held as f64);
    let cookie = cookies.first().ok_or("there is no cookie")?;
    bench.run(Case::new("cookie_kept", || {
        at_once(node.check(cookie.as_raw(), Freshness::Snapshot(DAY))).is_ok()
    }));
    bench.run(Case::new("cookie_read_through_memory", || {
        at_once(asked.check(cookie.as_raw(), Freshness::ReadThrough)).is_ok()
    }));
    Ok(())
}

fn sessions(clock: Arc<dyn Clock>) -> Result<Sessions, Box<dyn Error>> {
    let store = Arc::new(MemoryStore::with_rows(10_000_000));
    let (provider, entropy) = (Arc::new(Ring::new()), Arc::new(os::OsEntropy));
    Ok(Sessions::new(ISSUER, store, provider, entropy, clock, Policy::guide())?)
}

fn login(subject: &str) -> Login<'_> {
    Login::new("clinic-north", subject)
        .roles(["doctor", "head-of-ward"])
        .teams(["ward-3"])
        .amr(["pwd", "otp"])
        .acr("urn:example:mfa")
        .authenticated_at(UnixTime::from_secs(1_700_000_000))
        .device(Device::named("Firefox on Linux").at("2001:db8::1"))
}

/// The answer of a future that does not wait, as none does whose store is in memory.
fn at_once<T>(future: impl Future<Output = Result<T, SessionsError>>) -> Result<T, SessionsError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(ErrorKind::Busy.into()),
    }
}
