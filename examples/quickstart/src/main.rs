//! The whole road in one file: request → token → principal → decision → plaintext → audit record.

use std::{error::Error, fs, sync::Arc};

use bartizan::{
    AccessTokens, Security,
    audit::{CheckpointKey, Log, LogConfig, VerifyOptions, verify},
    core::{Decision, Entropy, Permission, Pii, RawToken, Resource, SecretArray, Sensitive, os},
    crypto::{Provider, SignatureAlgorithm},
    crypto_ring::Ring,
    envelope::{LocalMaster, MemoryKeyStore},
    field_crypto::{Bucket, Class, Field, Fields, Opened, Place, Schema, Sealed, Shown, Type, Value},
    rbac::{Assignments, Engine, Policy},
    tokens::{AccessToken, Algorithm, SigningKey},
};

const ISSUER: &str = "https://auth.example.org";
const AUDIENCE: &str = "https://api.example.org";
const READ: Permission = Permission::literal("patient:read");

/// Who may do what. In a service this is a file.
const POLICY: &str = r#"
version = 1
[permissions]
"patient:read" = {}
[roles.doctor]
allow = ["patient:read"]
fields = { patient = ["ssn"] }
[roles.nurse]
allow = ["patient:read"]
"#;

/// A record with one field that nobody sees by accident. Its Debug shows a mask.
#[derive(Debug)]
struct Patient {
    id: String,
    ssn: Pii<String, Sensitive>,
}

const SSN: Field = Field::new("ssn", Type::Text, Class::Sensitive, Bucket::literal(32));
const PATIENTS: Schema = Schema::new("patients", "patient", Type::Text).sealed(&[SSN]);

impl Sealed for Patient {
    type View = Shown<String, Sensitive>;

    fn schema() -> &'static Schema {
        &PATIENTS
    }

    fn place(&self) -> Place<'_> {
        Place::new("north", Value::Text(&self.id))
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        to.put_pii("ssn", &self.ssn);
    }

    fn view(opened: &mut Opened<'_>) -> Result<Self::View, bartizan::field_crypto::Error> {
        opened.take("ssn")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Backends are values: primitives, randomness, time, the log, the keys.
    let (provider, entropy, clock) =
        (Arc::new(Ring::new()), Arc::new(os::OsEntropy), Arc::new(os::SystemClock));
    let folder = std::env::temp_dir().join(format!("bartizan-quickstart-{}", std::process::id()));
    let log_key = provider.generate(SignatureAlgorithm::Ed25519, &*entropy)?;
    let config = LogConfig::new(&folder, "quickstart.example");
    let checkpoint_key = CheckpointKey::new(&*provider, &log_key)?;
    let log = Log::open(config, provider.clone(), checkpoint_key, clock, &*entropy)?;
    let master = SecretArray::try_filled(|key| entropy.fill(key))?;
    let wrapper = Arc::new(LocalMaster::new(provider.clone(), &master, entropy.clone())?);
    let signing_key = SigningKey::generate(&*provider, Algorithm::EdDsa, None, &*entropy)?;

    let security = Security::builder("quickstart")
        .recorder(log.clone())
        .policy(Engine::new(Policy::parse(POLICY)?, Assignments::TokenOnly(vec![ISSUER.into()])))
        .access_tokens(AccessTokens::new(ISSUER, AUDIENCE, signing_key))
        .keys(Arc::new(MemoryKeyStore::new()), wrapper)
        .build()?;

    // A patient is sealed. What is stored holds no number in clear.
    let patient = Patient { id: "p-17".into(), ssn: Pii::new("900-12-3456".into()) };
    let row = security.vault().seal(&patient).await?;
    let length = row.cell("ssn").map_or(0, <[u8]>::len);
    println!("stored     {length} bytes of ssn; in memory it prints as {}", patient.ssn);

    for role in ["doctor", "nurse", "visitor"] {
        // Token → principal: only the verifier makes one.
        let claims = AccessToken::new("ada", AUDIENCE, "web").tenant("north").roles([role]);
        let token = security.issuer().issue(&claims)?;
        let who = security.verifier().verify(RawToken::new(token.expose()))?.principal()?;

        // Principal → decision → grant → plaintext: each step takes what only the step before it makes.
        let on = Resource::record("north", "patient", "p-17");
        match security.authorizer().decide(&who, READ, on) {
            Decision::Allow(grant) => {
                let covered = grant.covers(on)?;
                let ssn = security.vault().open::<Patient>(covered, &row).await?;
                println!("{role:<10} sees {}", ssn.text(covered)?.unwrap_or_default());
            }
            Decision::Deny(denial) => println!("{role:<10} is denied, decision {}", denial.decision()),
            Decision::Indeterminate(cause) => println!("{role:<10} must wait: {cause}"),
        }
    }

    // Every decision is in the log, and the log is proven.
    log.close()?;
    let report = verify(&folder, &VerifyOptions::new(provider).trusting(log_key.public().clone()))?;
    println!("audit log  {} entries, {}", report.entries(), report.verdict());
    fs::remove_dir_all(&folder)?;
    Ok(())
}
