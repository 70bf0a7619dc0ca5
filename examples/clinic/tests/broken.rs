//! A clinic with one guard broken: the demonstration must stop, and name the step.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bartizan::{
    audit::{Access, Disk, DiskFile, Lock},
    core::{
        Ask, Clock, Fact, FieldSet, Monotonic, NotRecorded, PolicyEngine, Recorder, Revision, RuleId, Sleep,
        Ticket, UnixTime, Verdict, os,
    },
    crypto_ring::Ring,
    rbac::Engine,
    tokens::{Algorithm, SigningKey},
};
use clinic::{
    Makings, Parts, Wiring,
    demo::{self, OTHER_AUDIENCE, Stopped},
};

async fn stops_at(step: &str, wiring: Wiring) {
    match demo::run(wiring, &mut io::sink()).await {
        Err(Stopped::Failed(failed)) => assert_eq!(failed.step, step, "{failed}"),
        other => panic!("expected the step “{step}” to fail, and it was {other:?}"),
    }
}

fn built(change: impl Fn(bartizan::Builder) -> bartizan::Builder + Send + Sync + 'static) -> Wiring {
    Wiring::default().assembled_by(move |makings| {
        change(makings.builder()).build().map(Parts::from).map_err(clinic::Error::part("security"))
    })
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
        makings.builder().policy(unmasked).build().map(Parts::from).map_err(clinic::Error::part("security"))
    });
    stops_at("masked view", wiring).await;
}

/// Lets nobody see their own record.
#[derive(Debug)]
struct NoOwners(Arc<Engine>);

impl PolicyEngine for NoOwners {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        match ask.who.roles() {
            [role] if &**role == "member" => (Verdict::Deny { rule: None }, Revision(0)),
            _ => self.0.decide(ask),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_knows_no_owners() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let blind = NoOwners(Arc::clone(&makings.policy));
        makings.builder().policy(blind).build().map(Parts::from).map_err(clinic::Error::part("security"))
    });
    stops_at("one's own record", wiring).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_of_another_authority() {
    let wiring = Wiring::default().assembled_by(|makings: Makings| {
        let security = clinic::Error::part("security");
        let other_key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &os::OsEntropy).unwrap();
        let other = makings.with_key(other_key).builder().build().unwrap();
        let mut parts = Parts::from(makings.builder().build().map_err(security)?);
        parts.vault = Arc::clone(other.vault());
        Ok(parts)
    });
    stops_at("role that may not", wiring).await;
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

/// Forgets to sync.
#[derive(Debug)]
struct NoSync(Arc<dyn Disk>);

#[derive(Debug)]
struct NoSyncFile(Box<dyn DiskFile>);

impl Disk for NoSync {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        self.0.lock()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(NoSyncFile(self.0.open(name, access)?)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.sync_names()
    }
}

impl DiskFile for NoSyncFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.0.is_in_place()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_fsync() {
    stops_at("loss of power", Wiring::default().before_disk(|disk| Arc::new(NoSync(disk)))).await;
}
