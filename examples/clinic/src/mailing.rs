//! Which mails are sent when: after the answer has left, and not more often than anybody wants to read them.

use std::{future::Future, time::Duration};

use bartizan::{
    audit_events::Event,
    core::{Origin, Outcome},
    field_crypto::SealedRow,
    http::Code,
    passwords::PasswordHash,
    rate_limit::{Admission, Ask, Key, OnOutage, Policy, Quota},
    sessions::{By, Purpose},
};
use bartizan_axum::Problem;

use crate::{
    Clinic, Mail,
    accounts::{Account, Found, Stored},
    authenticate::limited_name,
    clinic::SERVICE,
    letters,
    note::About,
};

/// The most mails about one account in an hour that somebody without its password can have sent.
const MOST_MAILS: u32 = 5;

impl Clinic {
    /// Adds a registered account, and has a mail sent: to the address that was given, if the name was free; to the owner of the
    /// account if it was not.
    pub(crate) fn register(
        &self,
        account: Account,
        private: SealedRow,
        email: String,
    ) -> Result<(), Problem> {
        let clinic = self.clone();
        self.errand(account.tenant.clone(), account.user.clone(), async move {
            let (tenant, user) = (account.tenant.clone(), account.user.clone());
            let registered = clinic.inner().accounts.register(account, private).await;
            if registered.map_err(|error| error.fault())? {
                return clinic.send_verification(&tenant, &user, &email).await;
            }
            let stored = clinic.stored(&tenant, &user).await?;
            if stored.is_some_and(|stored| stored.is_verified) && clinic.may_mail(&tenant, &user).await? {
                let to = clinic.opened(&tenant, &user, None).await?.email;
                clinic.send(letters::name_is_yours(&to, &user, clinic.inner().parts.clock.wall()))?;
            }
            Ok(())
        })
    }

    /// Has the mail sent once more by which an address is verified.
    pub(crate) fn mail_verification(&self, tenant: &str, user: &str) -> Result<(), Problem> {
        let (clinic, tenant, user) = (self.clone(), tenant.to_owned(), user.to_owned());
        self.errand(tenant.clone(), user.clone(), async move {
            let email = clinic.opened(&tenant, &user, None).await?.email;
            clinic.send_verification(&tenant, &user, &email).await
        })
    }

    /// Has a mail sent by which a new password can be set, if there is such an account and it has an address.
    pub(crate) fn mail_reset(&self, tenant: String, user: String) -> Result<(), Problem> {
        let clinic = self.clone();
        self.errand(tenant.clone(), user.clone(), async move {
            let stored = clinic.stored(&tenant, &user).await?;
            if !stored.is_some_and(|stored| stored.is_verified) || !clinic.may_mail(&tenant, &user).await? {
                return Ok(());
            }
            let to = clinic.opened(&tenant, &user, None).await?.email;
            let once = clinic.inner().parts.sessions.one_time();
            let token = once.make(Purpose::PASSWORD_RESET, &tenant, &user, "", &By::owner()).await?;
            clinic.send(letters::reset(&to, &user, token.secret(), clinic.inner().parts.clock.wall()))
        })
    }

    /// Tells the owner of an account that its password or its second factor was changed (ASVS 6.3.7).
    pub(crate) fn mail_changed(&self, tenant: &str, user: &str, what: &'static str) -> Result<(), Problem> {
        let (clinic, tenant, user) = (self.clone(), tenant.to_owned(), user.to_owned());
        self.errand(tenant.clone(), user.clone(), async move {
            let to = clinic.opened(&tenant, &user, None).await?.email;
            clinic.send(letters::credential_changed(&to, &user, what, clinic.inner().parts.clock.wall()))
        })
    }

    /// What the verification of an address carries: which registration it is of. A newer one of the same name has another hash.
    pub(crate) fn registration(&self, hash: &PasswordHash) -> String {
        let digest = self.inner().provider.hash().sha256(&[hash.to_phc().as_bytes()]);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    async fn send_verification(&self, tenant: &str, user: &str, email: &str) -> Result<(), Problem> {
        let Some(stored) = self.stored(tenant, user).await? else { return Ok(()) };
        if stored.is_verified || !self.may_mail(tenant, user).await? {
            return Ok(());
        }
        let data = self.registration(&stored.hash);
        let once = self.inner().parts.sessions.one_time();
        let token = once.make(Purpose::EMAIL_VERIFICATION, tenant, user, &data, &By::owner()).await?;
        self.send(letters::verify(email, user, token.secret(), self.inner().parts.clock.wall()))
    }

    async fn stored(&self, tenant: &str, user: &str) -> Result<Option<Stored>, Problem> {
        match self.inner().accounts.find(tenant, user).await.map_err(|error| error.fault())? {
            Some(Found::Account(stored)) => Ok(Some(stored)),
            Some(Found::Damaged) => Err(Code::Internal.into()),
            None => Ok(None),
        }
    }

    async fn may_mail(&self, tenant: &str, user: &str) -> Result<bool, Problem> {
        let quota = Quota::per(MOST_MAILS, Duration::from_secs(3_600)).map_err(|error| error.fault())?;
        let limit = Policy::new("mail", quota, OnOutage::Closed).map_err(|error| error.fault())?;
        let name = limited_name(tenant, user);
        let asked = self.inner().parts.limiter.check(&[Ask::new(&limit, Key::account(&name))]).await?;
        Ok(matches!(asked, Admission::Admitted(_)))
    }

    /// The accounts that a clinic starts with have no address.
    fn send(&self, mail: Mail) -> Result<(), Problem> {
        if mail.to.is_empty() {
            return Ok(());
        }
        self.inner().mailer.send(&mail).map_err(|_| Code::ServiceUnavailable.into())
    }

    /// What does not succeed is put on record: nobody else hears of it.
    fn errand(
        &self,
        tenant: String,
        user: String,
        errand: impl Future<Output = Result<(), Problem>> + Send + 'static,
    ) -> Result<(), Problem> {
        let clinic = self.clone();
        self.inner().errands.run(async move {
            if errand.await.is_ok() {
                return;
            }
            let about = About::claimed(&tenant, &user, Origin::service(SERVICE));
            // Without a recorder nothing in here works, and everybody is told so.
            let _ = clinic.note_account(Event::CONTROL_FAILED, Outcome::Failure, about, Some("mail"));
        })
    }
}
