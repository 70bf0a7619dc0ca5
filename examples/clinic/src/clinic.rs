//! One clinic: its folder, its database, its log, and the parts that guard them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bartizan::{
    audit::Log,
    audit_events::Event,
    core::{
        Clock, Entropy, Fact, Fault, Origin, Outcome, Pii, Revision, SecretText, Subject, Target, UnixTime,
        os,
    },
    crypto::{Provider, PublicKey},
    crypto_ring::Ring,
    envelope::LocalMaster,
    field_crypto::{ErrorKind, SealedRow},
    rate_limit::{DeviceMarks, Limiter, MemoryLimits},
    rbac::{
        Assignments, Engine, HeldAssignments, LiveDriver, LivePolicy, LoadErrorKind, Policy, PolicySource,
    },
    sessions::By,
};
use bartizan_axum::{Clients, Problem};
use bartizan_keys_sqlite::SqliteKeyStore;
use bartizan_sessions_sqlite::SqliteSessionStore;
use bartizan_sqlite_writer::{Database, Place};

use crate::{
    Error, Folder, Mailer, Makings, Parts, Wiring,
    accounts::{Account, Accounts},
    errands::Errands,
    folder::Keys,
    patient::Patient,
    patients::Patients,
    permission::May,
    private::{Private, PrivateData},
    roles::Roles,
    seed, setup,
};

/// The service's name in records.
pub(crate) const SERVICE: &str = "clinic";

/// How long an answer waits for a role that was given beside the administration.
const ROLES_WITHIN: Duration = Duration::from_secs(5);

/// How many keys the limits remember, of 25 bytes each.
const LIMITED_KEYS: usize = 100_000;

/// One clinic. Cheap to clone.
#[derive(Clone)]
pub struct Clinic(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) folder: Folder,
    pub(crate) parts: Parts,
    pub(crate) accounts: Accounts,
    pub(crate) private: PrivateData,
    pub(crate) patients: Patients,
    pub(crate) policy: Arc<Engine>,
    pub(crate) live: LivePolicy,
    /// What keeps the policy and the roles of now; taken by whoever lets it run.
    driver: Mutex<Option<LiveDriver>>,
    pub(crate) devices: DeviceMarks,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) errands: Errands,
    pub(crate) clients: Clients,
    pub(crate) log: Arc<Log>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) checkpoint_key: PublicKey,
    pub(crate) audience: &'static str,
}

/// Somebody who may log in, with the password that is told once.
pub struct Credential {
    /// In which tenant.
    pub tenant: String,
    /// Who.
    pub user: String,
    /// As what.
    pub role: String,
    /// With which password.
    pub password: SecretText,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({} of {})", self.user, self.tenant)
    }
}

impl Clinic {
    /// Opens the clinic in a folder. A new one is given keys, accounts and patients; the credentials of the new accounts are
    /// answered, this once.
    ///
    /// # Errors
    /// When the folder cannot be used, its log was cut or damaged, a key is gone or not the one that sealed the database, or a
    /// part cannot be built.
    pub async fn open(
        folder: Folder,
        clock: Arc<dyn Clock>,
        wiring: &Wiring,
    ) -> Result<(Self, Vec<Credential>), Error> {
        let entropy: Arc<dyn Entropy> = Arc::new(os::OsEntropy);
        let provider: Arc<dyn Provider> = Arc::new(Ring::new());

        let in_database = || Error::part("clinic.db");
        let database = Arc::new(Database::open(Place::File(folder.database())).map_err(in_database())?);
        let accounts = Accounts::open(Arc::clone(&database)).await.map_err(in_database())?;
        let patients = Patients::open(Arc::clone(&database)).await.map_err(in_database())?;
        let private = PrivateData::open(Arc::clone(&database)).await.map_err(in_database())?;
        let session_store =
            SqliteSessionStore::open(Arc::clone(&database)).await.map_err(Error::part("clinic.db"))?;
        let key_store = SqliteKeyStore::open(Arc::clone(&database)).await.map_err(in_database())?;
        let mut people = accounts.all().await.map_err(in_database())?;
        // Accounts and patients come into the database in one write, the last of the first start: a clinic without accounts
        // is one that was never started, or one whose first start did not come to its end.
        let keys = if people.is_empty() { Keys::MayBeDrawn } else { Keys::MustExist };

        let master_key = folder.master_key(keys, &*entropy)?;
        let master = LocalMaster::new(Arc::clone(&provider), &master_key, Arc::clone(&entropy))
            .map_err(Error::part("master key"))?;
        let signing_key = setup::signing_key(&folder, &*provider, &*entropy)?;
        let (log, checkpoint_key) = setup::open_log(&folder, keys, &provider, &clock, &*entropy, wiring)?;
        let (new_accounts, credentials) = match keys {
            Keys::MayBeDrawn => setup::new_accounts(&entropy)?,
            Keys::MustExist => (Vec::new(), Vec::new()),
        };
        people.extend(new_accounts.iter().map(Account::role));

        let roles = Roles::open(Arc::clone(&database), wiring.policy(), Arc::clone(&clock)).await;
        let roles = Arc::new(roles.map_err(Error::part("policy"))?);
        let loaded = roles.load().await.map_err(Error::part("policy"))?;
        let policy = Policy::read_for::<May>(&loaded.policy).map_err(Error::part("policy"))?;
        let held = Assignments::HeldOnly(loaded.held.into_iter().collect::<HeldAssignments>());
        let policy = Arc::new(Engine::new(policy, held).with_revision(loaded.revision));
        let limits = MemoryLimits::new(LIMITED_KEYS, Arc::clone(&clock), &*entropy);
        let limits = Arc::new(limits.map_err(Error::part("limits"))?);
        let parts = wiring.assemble(Makings {
            policy: Arc::clone(&policy),
            assignments: roles.clone(),
            log: Arc::clone(&log),
            signing_key,
            audience: wiring.audience(),
            key_store: Arc::new(key_store),
            key_wrapper: Arc::new(master),
            session_store: Arc::new(session_store),
            origins: wiring.origins()?,
            limiter: Arc::new(Limiter::in_memory(limits)),
            clock: Arc::clone(&clock),
        })?;

        match keys {
            Keys::MayBeDrawn => {
                fill(&database, &parts, new_accounts).await?;
                let loaded = roles.load().await.map_err(Error::part("policy"))?;
                policy.load(policy.policy(), loaded.held.into_iter().collect(), loaded.revision);
            }
            Keys::MustExist => check_master_key(&folder, &parts, &people).await?,
        }
        let recorder = Arc::clone(&parts.recorder);
        let (live, driver) = LivePolicy::follow(roles, Arc::clone(&policy), recorder, Arc::clone(&clock))
            .as_service(SERVICE)
            .with_permissions_of::<May>()
            .build();
        for (tenant, user) in accounts.bare().await.map_err(in_database())? {
            let row = parts.vault.seal(&Private::none(&tenant, &user)).await.map_err(Error::part("vault"))?;
            private.add(row).await.map_err(in_database())?;
        }
        if let Some(upkeep) = &parts.upkeep {
            upkeep.refresh().await.map_err(Error::part("sessions"))?;
        }
        let devices = DeviceMarks::new(&*provider, &folder.device_key(&*entropy)?, clock, entropy)
            .map_err(Error::part("device key"))?;
        let clinic = Self(Arc::new(Inner {
            folder,
            parts,
            accounts,
            private,
            patients,
            policy,
            live,
            driver: Mutex::new(Some(driver)),
            devices,
            mailer: wiring.mailer(),
            errands: Errands::default(),
            clients: wiring.clients(),
            log,
            provider,
            checkpoint_key,
            audience: wiring.audience(),
        }));
        clinic.note(Event::SYS_STARTUP)?;
        Ok((clinic, credentials))
    }

    /// Gives an account another password, and answers it.
    ///
    /// # Errors
    /// When there is no such account, or it cannot be stored.
    pub async fn new_password(&self, tenant: &str, user: &str) -> Result<Credential, Error> {
        let people = self.0.accounts.all().await.map_err(Error::part("clinic.db"))?;
        let Some((tenant, user, role)) = people.into_iter().find(|(t, u, _)| t == tenant && u == user) else {
            return Err(Error::NoAccount { tenant: tenant.to_owned(), user: user.to_owned() });
        };
        let (password, hash) = setup::new_password(&self.0.parts.passwords, &*self.0.parts.entropy)?;
        self.0.accounts.set_password(&tenant, &user, None, &hash).await.map_err(Error::part("clinic.db"))?;
        let ended = self.0.parts.sessions.credential_changed(&tenant, &user, &By::owner()).await;
        ended.map_err(Error::part("sessions"))?;
        let named = Target::Named { kind: "account", name: &user };
        let who = Subject::Process("operator");
        let fact = Event::AUTHN_PASSWORD_CHANGE.fact(
            Outcome::Success,
            self.now(),
            who,
            named,
            Origin::service(SERVICE),
        );
        self.record(&fact)?;
        self.deliver().await?;
        Ok(Credential { tenant, user, role, password })
    }

    /// Writes the log's last checkpoint and closes it. Nothing can be decided after that.
    ///
    /// # Errors
    /// When the log cannot be closed in order.
    pub fn close(self) -> Result<(), Error> {
        self.note(Event::SYS_SHUTDOWN)?;
        self.0.log.close().map(|_| ()).map_err(Error::part("audit log"))
    }

    /// Brings what happened to sessions to the record, before it is closed.
    pub(crate) async fn deliver(&self) -> Result<(), Error> {
        match &self.0.parts.upkeep {
            Some(upkeep) => upkeep.deliver().await.map_err(Error::part("sessions")),
            None => Ok(()),
        }
    }

    /// Keeps the policy and everybody's roles as they are in the database and in the policy's file, for as long as it is polled.
    pub(crate) async fn follow_policy(&self) {
        let driver = self.0.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(driver) = driver {
            match driver.run().await {}
        }
    }

    /// Waits until decisions are made by the roles of this revision.
    pub(crate) async fn knows_roles_of(&self, revision: Revision) -> Result<(), Problem> {
        self.0.live.refresh();
        match tokio::time::timeout(ROLES_WITHIN, self.0.live.reached(revision)).await {
            Ok(Ok(())) => Ok(()),
            // Another policy is refused. The roles came, and the last good one goes on.
            Ok(Err(error)) if matches!(error.kind(), LoadErrorKind::Policy | LoadErrorKind::Guard) => Ok(()),
            Ok(Err(error)) => Err(error.fault().into()),
            Err(_) => Err(Fault::Busy.into()),
        }
    }

    /// What somebody holds now, without what that inherits.
    pub(crate) fn roles_of(&self, tenant: &str, user: &str) -> Vec<String> {
        let roles = self.0.policy.snapshot();
        roles.assigned_roles(tenant, user, self.now()).into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    fn now(&self) -> UnixTime {
        self.0.parts.clock.wall()
    }

    fn note(&self, event: Event) -> Result<(), Error> {
        let target = Target::Named { kind: "service", name: SERVICE };
        self.record(&event.fact(
            Outcome::Success,
            self.now(),
            Subject::Process(SERVICE),
            target,
            Origin::service(SERVICE),
        ))
    }

    fn record(&self, fact: &Fact<'_>) -> Result<(), Error> {
        self.0.parts.recorder.record(fact).map(|_| ()).map_err(Error::part("audit log"))
    }
}

impl fmt::Debug for Clinic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clinic").field(&self.0.folder).finish()
    }
}

/// The first accounts and patients, in one write.
async fn fill(database: &Database, parts: &Parts, accounts: Vec<Account>) -> Result<(), Error> {
    let mut rows: Vec<SealedRow> = Vec::new();
    for chart in seed::CHARTS {
        rows.push(parts.vault.seal(&Patient::from(chart)).await.map_err(Error::part("vault"))?);
    }
    let mut private: Vec<SealedRow> = Vec::new();
    for Account { tenant, user, .. } in &accounts {
        let row = parts.vault.seal(&Private::none(tenant, user)).await;
        private.push(row.map_err(Error::part("vault"))?);
    }
    let write = database.write(move |sql| {
        private.iter().try_for_each(|row| PrivateData::put(sql, row).map(drop))?;
        accounts.iter().try_for_each(|account| Accounts::add(sql, account).map(drop))?;
        rows.iter().try_for_each(|row| Patients::add(sql, row).map(drop))
    });
    write.await.map_err(Error::part("clinic.db"))
}

/// Sees to it at the start that the master key is the one that wrapped the tenants' keys, and not at the first patient.
async fn check_master_key(
    folder: &Folder,
    parts: &Parts,
    roles: &[(String, String, String)],
) -> Result<(), Error> {
    for (tenant, ..) in roles {
        // Sealed with the tenant's key, and thrown away.
        let text = || "-".to_owned();
        let (name, ssn) = (Pii::new(text()), Pii::new(text()));
        let (credit_card, medical_record) = (Pii::new(text()), Pii::new(text()));
        let patient = Patient {
            tenant: tenant.clone(),
            id: text(),
            owner: text(),
            name,
            ssn,
            credit_card,
            medical_record,
        };
        parts.vault.seal(&patient).await.map_err(|error| match error.kind() {
            ErrorKind::KeyManagement => {
                let why =
                    "it is not the key that clinic.db was sealed with; put that one back from its backup";
                Error::Key { file: folder.master_file(), why }
            }
            _ => Error::part("vault")(error),
        })?;
    }
    Ok(())
}
