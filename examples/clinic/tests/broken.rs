//! A clinic with one guard broken: the demonstration must stop, and name the step.

use std::{
    io,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bartizan::{
    audit::crash::WithoutSync,
    core::{
        Ask, Clock, Entropy, Fact, FieldSet, Monotonic, NoEntropy, NotRecorded, Outcome, PolicyEngine,
        Recorder, Revision, RuleId, SecretArray, SecretBytes, Sleep, Ticket, UnixTime, Verdict, os,
    },
    crypto_ring::Ring,
    envelope::{self, KeyContext, KeyWrapper},
    http::Guard,
    rate_limit::{LoginLimits, OnOutage, Quota},
    rbac::{Administration, Assignments, Engine, Policy, Snapshot},
    tokens::{Algorithm, Issuer, KeySet, SigningKey, Verifier, VerifyingKey},
};
use clinic::{
    ISSUER, Makings, Wiring,
    demo::{self, OTHER_AUDIENCE, STRANGER, Stopped},
};

use crate::stores::{Fault, Stored};

async fn stops_at(step: &str, wiring: Wiring) {
    match demo::run(wiring, &mut io::sink()).await {
        Err(Stopped::Failed(failed)) => assert_eq!(failed.step, step, "{failed}"),
        other => panic!("expected the step “{step}” to fail, and it was {other:?}"),
    }
}

fn built(change: impl Fn(bartizan::Builder) -> bartizan::Builder + Send + Sync + 'static) -> Wiring {
    Wiring::default().assembled_by(move |makings| makings.assembled_with(&change))
}

/// Allows everything to everybody.
#[derive(Debug)]
struct AllowAll;

impl PolicyEngine for AllowAll {
    fn decide(&self, _: &Ask<'_>) -> (Verdict, Revision) {
        (Verdict::Allow { rule: RuleId(0), clear: FieldSet::everything(), until: UnixTime::MAX }, Revision(0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_allows_all() {
    stops_at("role that may not", built(|builder| builder.policy(AllowAll))).await;
}

/// Shows every field to whoever may see the record at all.
#[derive(Debug)]
struct Unmasked(Arc<Engine>);

impl PolicyEngine for Unmasked {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        match self.0.decide(ask) {
            (Verdict::Allow { rule, until, .. }, at) => {
                (Verdict::Allow { rule, clear: FieldSet::everything(), until }, at)
            }
            denied => denied,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_forgets_the_field_sets() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let unmasked = Unmasked(Arc::clone(&makings.policy));
        makings.assembled_with(|builder| builder.policy(unmasked))
    });
    stops_at("masked view", wiring).await;
}

/// Lets nobody see their own record.
#[derive(Debug)]
struct NoOwners(Arc<Engine>);

impl PolicyEngine for NoOwners {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        let mut roles = ask.who.roles().iter();
        match (roles.next(), roles.next()) {
            (Some("member"), None) => (Verdict::Deny { rule: None }, Revision(0)),
            _ => self.0.decide(ask),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_knows_no_owners() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let blind = NoOwners(Arc::clone(&makings.policy));
        makings.assembled_with(|builder| builder.policy(blind))
    });
    stops_at("one's own record", wiring).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_of_another_authority() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let other_key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &os::OsEntropy).unwrap();
        let other = makings.with_key(other_key).builder().build().unwrap();
        let mut parts = makings.assembled()?;
        parts.vault = Arc::clone(other.vault());
        Ok(parts)
    });
    stops_at("log in", wiring).await;
}

/// Asks the token who has which role.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_believes_the_token_about_roles() {
    let policy = Policy::parse(include_str!("../policy.toml")).unwrap();
    let believing = Engine::new(policy, Assignments::TokenOnly(vec![ISSUER.to_owned()]));
    let believing = Arc::new(believing);
    stops_at("role that may not", built(move |builder| builder.policy(Arc::clone(&believing)))).await;
}

/// Decides for ever by the roles that there were at its first decision.
#[derive(Debug)]
struct Frozen(Arc<Engine>, OnceLock<Arc<Snapshot>>);

impl PolicyEngine for Frozen {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        self.1.get_or_init(|| self.0.snapshot()).decide(ask)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_hears_of_no_change() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let frozen = Frozen(Arc::clone(&makings.policy), OnceLock::new());
        makings.assembled_with(|builder| builder.policy(frozen))
    });
    stops_at("roles given and taken", wiring).await;
}

/// Takes it for an emergency that nobody declared.
#[derive(Debug)]
struct Alarmed(Arc<Engine>);

impl PolicyEngine for Alarmed {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        match self.0.decide(ask) {
            (Verdict::Deny { .. }, at) if ask.permission.as_str() == "patient:rescue" => {
                (Verdict::Allow { rule: RuleId(0), clear: FieldSet::everything(), until: UnixTime::MAX }, at)
            }
            decided => decided,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_for_which_it_is_always_an_emergency() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let alarmed = Alarmed(Arc::clone(&makings.policy));
        makings.assembled_with(|builder| builder.policy(alarmed))
    });
    stops_at("break-glass", wiring).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administration_that_keeps_to_itself_what_it_does() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let (engine, assignments) = (Arc::clone(&makings.policy), Arc::clone(&makings.assignments));
        let clock = Arc::clone(&makings.clock);
        let mut parts = makings.assembled()?;
        let authority = parts.authorizer.authority();
        let quiet = Administration::new("clinic", engine, authority, Arc::new(Dropping), clock);
        parts.administration = Arc::new(quiet.kept_in(assignments));
        Ok(parts)
    });
    stops_at("audit trail", wiring).await;
}

/// Lets doctors read whatever there is, whoever it belongs to.
#[derive(Debug)]
struct NoTenants(Arc<Engine>);

impl PolicyEngine for NoTenants {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        let is_doctor = ask.who.roles().len() == 1 && ask.who.roles().contains("doctor");
        match (is_doctor, ask.permission.as_str(), self.0.decide(ask)) {
            (true, "patient:read", (Verdict::Deny { .. }, at)) => {
                (Verdict::Allow { rule: RuleId(0), clear: FieldSet::everything(), until: UnixTime::MAX }, at)
            }
            (_, _, decided) => decided,
        }
    }
}

/// Not every guard stands alone: tenants are kept apart by the authorizer before any engine is asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_forgets_tenants_is_held_by_the_authorizer() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let blind = NoTenants(Arc::clone(&makings.policy));
        makings.assembled_with(|builder| builder.policy(blind))
    });
    let ended = demo::run(wiring, &mut io::sink()).await;
    assert!(ended.is_ok(), "{ended:?}");
}

/// The guard of a clinic whose verifier also believes other keys.
fn believing(others: impl Fn() -> Vec<VerifyingKey> + Send + Sync + 'static) -> Wiring {
    Wiring::default().assembled_by(move |makings: Makings| {
        let keys = [vec![makings.signing_key.verifying()], others()].concat();
        let (audience, clock) = (makings.audience, Arc::clone(&makings.clock));
        let mut parts = makings.assembled()?;
        let verifier =
            Verifier::access_tokens(ISSUER, audience, KeySet::new(keys).unwrap(), Arc::clone(&clock))
                .unwrap();
        let guard = Guard::new("clinic", verifier, Arc::clone(&parts.recorder), clock).unwrap();
        parts.guard = Arc::new(guard.logins(parts.logins()).limited_by(Arc::clone(&parts.limiter)));
        Ok(parts)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_believes_a_stranger_too() {
    stops_at("forged tokens", believing(|| vec![demo::stranger(STRANGER).unwrap().verifying()])).await;
}

/// What the tests above and below change is what makes the demonstration stop, and not that they change something.
#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_put_together_by_other_hands_in_the_same_way_passes() {
    assert!(demo::run(believing(Vec::new), &mut io::sink()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_keeps_its_refusals_to_itself() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let keys = KeySet::new([makings.signing_key.verifying()]).unwrap();
        let (audience, clock) = (makings.audience, Arc::clone(&makings.clock));
        let mut parts = makings.assembled()?;
        let verifier = Verifier::access_tokens(ISSUER, audience, keys, Arc::clone(&clock)).unwrap();
        let guard = Guard::new("clinic", verifier, Arc::new(Dropping), clock).unwrap();
        parts.guard = Arc::new(guard.logins(parts.logins()).limited_by(Arc::clone(&parts.limiter)));
        Ok(parts)
    });
    stops_at("audit trail", wiring).await;
}

/// Leaves the tenants' keys as they are.
#[derive(Debug)]
struct Bare;

#[async_trait]
impl KeyWrapper for Bare {
    fn describe(&self) -> String {
        "bare".to_owned()
    }

    async fn wrap(&self, _: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, envelope::Error> {
        Ok(payload.expose().to_vec())
    }

    async fn unwrap(&self, _: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, envelope::Error> {
        Ok(SecretBytes::new(wrapped.to_vec()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_that_does_not_wrap() {
    let wiring = Wiring::default().assembled_by(|mut makings: Makings| {
        makings.key_wrapper = Arc::new(Bare);
        makings.assembled()
    });
    stops_at("stolen database", wiring).await;
}

/// Draws the same bytes every time.
#[derive(Debug)]
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(7);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_repeats_itself() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let same = makings.signing_key.to_private_jwk();
        let same = SigningKey::from_jwk(&Ring::new(), same.expose().as_bytes()).unwrap();
        let issuer = Issuer::new(ISSUER, same, Arc::clone(&makings.clock), Arc::new(Sevens)).unwrap();
        let mut parts = makings.assembled()?;
        parts.issuer = Arc::new(issuer);
        Ok(parts)
    });
    stops_at("log in", wiring).await;
}

/// The keys of two tenants would be one.
#[tokio::test(flavor = "multi_thread")]
async fn randomness_that_repeats_itself_keeps_the_clinic_closed() {
    let stopped = demo::run(built(|builder| builder.entropy(Arc::new(Sevens))), &mut io::sink()).await;
    assert!(matches!(stopped, Err(Stopped::Closed(_))), "{stopped:?}");
}

/// Says that it recorded, and did not.
#[derive(Debug)]
struct Dropping;

impl Recorder for Dropping {
    fn record(&self, _: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        Ok(Ticket(0))
    }

    fn poll_durable(&self, _: Ticket, _: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_drops() {
    stops_at("audit trail", built(|builder| builder.recorder(Arc::new(Dropping)))).await;
}

/// Keeps what went well.
#[derive(Debug)]
struct Proud(Arc<dyn Recorder>);

impl Recorder for Proud {
    fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        if fact.outcome == Outcome::Denied { Ok(Ticket(0)) } else { self.0.record(fact) }
    }

    fn poll_durable(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        if ticket == Ticket(0) { Poll::Ready(Ok(())) } else { self.0.poll_durable(ticket, cx) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_drops_denials() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let proud = Arc::new(Proud(Arc::clone(&makings.log) as Arc<dyn Recorder>));
        makings.assembled_with(|builder| builder.recorder(proud))
    });
    stops_at("audit trail", wiring).await;
}

/// Takes nothing.
#[derive(Debug)]
struct Refusing;

impl Recorder for Refusing {
    fn record(&self, _: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        Err(NotRecorded)
    }

    fn poll_durable(&self, _: Ticket, _: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        Poll::Ready(Err(NotRecorded))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_refuses_keeps_the_clinic_closed() {
    let stopped = demo::run(built(|builder| builder.recorder(Arc::new(Refusing))), &mut io::sink()).await;
    assert!(matches!(stopped, Err(Stopped::Closed(_))), "{stopped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_of_another_audience() {
    stops_at("token for another service", Wiring::default().for_audience(OTHER_AUDIENCE)).await;
}

/// Some minutes behind the world.
#[derive(Debug)]
struct Slow;

impl Clock for Slow {
    fn wall(&self) -> UnixTime {
        os::SystemClock.wall().saturating_sub(Duration::from_secs(100))
    }

    fn monotonic(&self) -> Monotonic {
        os::SystemClock.monotonic()
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_takes_ended_tokens() {
    stops_at("expired token", built(|builder| builder.clock(Arc::new(Slow)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_fsync() {
    stops_at("loss of power", Wiring::default().before_disk(|disk| Arc::new(WithoutSync(disk)))).await;
}

fn on_a_store(fault: Fault) -> Wiring {
    Wiring::default().assembled_by(move |mut makings: Makings| {
        makings.session_store = Arc::new(Stored::with(fault.clone(), Arc::clone(&makings.session_store)));
        makings.assembled()
    })
}

/// What is wrong with the stores below is what makes the demonstration stop, and not that there is something before them.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_behind_another_one_passes() {
    let ended = demo::run(on_a_store(Fault::None), &mut io::sink()).await;
    assert!(ended.is_ok(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgets_reuse() {
    stops_at("refresh token used twice", on_a_store(Fault::ForgetsReuse)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_keeps_what_ended_to_itself() {
    stops_at("log out everywhere", on_a_store(Fault::TellsNothing)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_takes_codes_twice() {
    stops_at("second factor", on_a_store(Fault::CountsNothing)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_keeps_mailed_tokens() {
    stops_at("register", on_a_store(Fault::KeepsTokens)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_admit_all() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let mut parts = makings.assembled()?;
        let all = Quota::per(1_000_000, Duration::from_secs(1)).unwrap();
        let limits = LoginLimits::new(Arc::clone(&parts.limiter), OnOutage::Closed);
        parts.login_limits = Arc::new(limits.with_pair(all).with_address(all).with_account(all));
        Ok(parts)
    });
    stops_at("stuffing", wiring).await;
}

/// A guard that asks nobody whether a token was revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_knows_no_sessions() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let keys = KeySet::new([makings.signing_key.verifying()]).unwrap();
        let (audience, clock) = (makings.audience, Arc::clone(&makings.clock));
        let mut parts = makings.assembled()?;
        let verifier = Verifier::access_tokens(ISSUER, audience, keys, Arc::clone(&clock)).unwrap();
        let guard = Guard::new("clinic", verifier, Arc::clone(&parts.recorder), clock).unwrap();
        parts.guard = Arc::new(guard.limited_by(Arc::clone(&parts.limiter)));
        Ok(parts)
    });
    stops_at("second factor", wiring).await;
}
