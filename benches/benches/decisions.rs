//! What a decision costs: engine, one condition, record and grant together.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use bartizan::{
    audit::{CheckpointKey, Log, LogConfig},
    core::{
        Attestation, Authorizer, Decision, JobPolicy, Permission, Principal, PrincipalFacts, Resource,
        danger_unrecorded, os,
    },
    crypto::{Provider, SignatureAlgorithm},
    crypto_ring::Ring,
    rbac::{Assignments, Engine, HeldAssignments, Policy},
};
use bartizan_benches::{Bench, Case};

const READ: Permission = Permission::literal("patient:read");

const POLICY: &str = r#"
version = 1
[permissions]
"patient:read" = { scopes = ["own", "all"] }
"patient:update" = {}
"patient:delete" = {}
[conditions.inside]
address = ["10.0.0.0/8"]
[roles.staff]
allow = [{ permission = "patient:read:all", when = "inside" }]
fields = { patient = ["name"] }
[roles.doctor]
inherits = ["staff"]
allow = ["patient:update"]
fields = { patient = ["ssn", "medicalRecord"] }
[roles.researcher]
deny = ["patient:delete"]
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    let folder = tempfile::tempdir()?;
    let provider = Arc::new(Ring::new());
    let key = provider.generate(SignatureAlgorithm::Ed25519, &os::OsEntropy)?;
    let checkpoint_key = CheckpointKey::new(&*provider, &key)?;
    let config = LogConfig::new(folder.path().join("log"), "bench.example");
    let log = Log::open(config, provider, checkpoint_key, Arc::new(os::SystemClock), &os::OsEntropy)?;

    let facts = PrincipalFacts::new("north", "ada").with_roles(["doctor", "researcher", "staff"]);
    let inside = IpAddr::V4(Ipv4Addr::new(10, 20, 30, 40));
    let ada = Principal::attested(Attestation::Assertion, facts)?.in_request(Some(inside), None)?;
    let record = Resource::record("north", "patient", "5f0c7e0a-1f7b-4d0e-9d1a-0b6c1d2e3f40");
    let clock = Arc::new(os::SystemClock);
    let recorded =
        Authorizer::new("bench", engine()?, JobPolicy::none(), log.clone(), clock.clone(), &os::OsEntropy)?;
    let silent = Arc::new(danger_unrecorded());
    let unrecorded = Authorizer::new("bench", engine()?, JobPolicy::none(), silent, clock, &os::OsEntropy)?;
    granted(&recorded, &ada, record)?;

    // The budget is 250 ns for all three. The floor is the same without the record.
    bench.run(
        Case::new("authorize_with_grant", || granted(&recorded, &ada, record).is_ok())
            .floor(|| granted(&unrecorded, &ada, record).is_ok())
            .between(|| log.flush().is_ok())
            // So many facts fit into the queue before the thread that writes them is woken.
            .in_bursts_of(512),
    );
    bench.finish();
    Ok(())
}

fn engine() -> Result<Engine, bartizan::rbac::Error> {
    let held = ["doctor", "researcher", "staff"]
        .into_iter()
        .fold(HeldAssignments::new(), |held, role| held.assign("north", "ada", role));
    Ok(Engine::new(Policy::parse(POLICY)?, Assignments::Held(held)))
}

/// Decides and ties the grant to its record; anything but an allow would make the figure worthless.
fn granted(authorizer: &Authorizer, who: &Principal, on: Resource<'_>) -> Result<(), &'static str> {
    match authorizer.decide(who, READ, on) {
        Decision::Allow(grant) => grant.covers(on).map(|_| ()).map_err(|_| "the grant is for another record"),
        Decision::Deny(_) | Decision::Indeterminate(_) => Err("it was not allowed"),
    }
}
