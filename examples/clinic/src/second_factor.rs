//! What an account keeps sealed, opened under a grant: its address, and the second factor.
//!
//! Nobody is logged in yet when a login needs the second factor's secret: the clinic itself asks for it, as the job `clinic-login`,
//! and each time that stands on record before it is opened.

use bartizan::{
    core::{
        Attestation, FieldSet, JobPolicy, Permission, Principal, PrincipalFacts, Realm, Resource, SecretText,
        UnixTime,
    },
    field_crypto::{Changes, SealedRow, Value},
    http::{Code, authorize_durably},
    passwords::{Enrolment, RecoverySet, Redemption, Totp, TotpSecret, TotpVerification},
};
use bartizan_axum::Problem;

use crate::{
    Clinic,
    accounts::Stored,
    private::{EMAIL, KIND, Private, TOTP},
};

/// Reading an account's sealed data, for the job that does it.
const READ_ACCOUNT: Permission = Permission::literal("account:read");

/// The job.
const JOB: &str = "clinic-login";

/// What the clinic's jobs may do.
pub(crate) fn jobs() -> JobPolicy {
    JobPolicy::none().allow(JOB, READ_ACCOUNT, FieldSet::named([EMAIL, TOTP]))
}

/// An account's sealed data, opened.
pub(crate) struct Opened {
    row: SealedRow,
    pub(crate) email: String,
    pub(crate) factor: SecondFactor,
}

/// Whether an account has a second factor.
pub(crate) enum SecondFactor {
    None,
    /// Its owner has seen the secret, and not shown yet that their app has it: logins do not ask for it.
    Pending(Totp),
    Active(Totp),
}

/// What the sealed field begins with.
const PENDING: &str = "pending ";
const ACTIVE: &str = "active ";

impl SecondFactor {
    fn read(sealed: &SecretText) -> Result<Self, Problem> {
        let totp = |text: &str| {
            let secret = TotpSecret::from_base32(&SecretText::new(text.to_owned()));
            secret.map(Totp::new).map_err(|_| Problem::from(Code::Internal))
        };
        match sealed.expose() {
            "" => Ok(Self::None),
            text => match (text.strip_prefix(PENDING), text.strip_prefix(ACTIVE)) {
                (Some(secret), _) => totp(secret).map(Self::Pending),
                (_, Some(secret)) => totp(secret).map(Self::Active),
                _ => Err(Code::Internal.into()),
            },
        }
    }

    fn sealed(&self) -> SecretText {
        SecretText::new(match self {
            Self::None => String::new(),
            Self::Pending(totp) => format!("{PENDING}{}", totp.secret().to_base32().expose()),
            Self::Active(totp) => format!("{ACTIVE}{}", totp.secret().to_base32().expose()),
        })
    }
}

impl Clinic {
    /// Opens an account's sealed data, in the request of this id.
    pub(crate) async fn opened(
        &self,
        tenant: &str,
        user: &str,
        request: Option<&str>,
    ) -> Result<Opened, Problem> {
        let inner = self.inner();
        let row = inner.private.find(tenant, user).await.map_err(|error| error.fault())?;
        let row = row.ok_or(Code::Internal)?;
        let mut facts = PrincipalFacts::new("-", JOB).with_request(request);
        facts.realm = Realm::System;
        let job = Principal::attested(Attestation::Process, facts).map_err(|_| Code::Internal)?;
        let resource = Resource::record(tenant, KIND, user);
        let grant = authorize_durably(&inner.parts.authorizer, &job, READ_ACCOUNT, resource).await?;
        let covered = grant.covers(resource).map_err(|_| Code::Internal)?;
        let view = inner.parts.vault.open::<Private>(covered, &row).await.map_err(|error| error.fault())?;
        let email = view.email(covered).map_err(|_| Code::Internal)?;
        let factor = SecondFactor::read(&view.totp(covered).map_err(|_| Code::Internal)?)?;
        Ok(Opened { row, email, factor })
    }

    /// Seals another second factor in the place of the one that was opened: 409 if somebody else did meanwhile.
    pub(crate) async fn set_factor(&self, opened: &Opened, factor: &SecondFactor) -> Result<(), Problem> {
        let inner = self.inner();
        let sealed = factor.sealed();
        let changes = Changes::none().set(TOTP, Value::Text(sealed.expose()));
        let row = inner.parts.vault.update::<Private>(&opened.row, &changes).await;
        let row = row.map_err(|error| error.fault())?;
        let replaced =
            inner.private.replace(opened.row.version(), row).await.map_err(|error| error.fault())?;
        if replaced { Ok(()) } else { Err(Code::Conflict.into()) }
    }

    /// Whether this is a code of the second factor, and uses it up: no code is good twice.
    pub(crate) async fn takes_code(
        &self,
        (tenant, user): (&str, &str),
        totp: &Totp,
        code: &SecretText,
        now: UnixTime,
    ) -> Result<bool, Problem> {
        match totp.verify(code, now, None) {
            TotpVerification::Match(step) => {
                let once = self.inner().parts.sessions.one_time();
                Ok(once.advance(tenant, user, "totp", step.number()).await?)
            }
            TotpVerification::Reused | TotpVerification::Mismatch => Ok(false),
        }
    }

    /// Whether this is one of the account's recovery codes, and uses it up.
    pub(crate) async fn takes_recovery(
        &self,
        (tenant, user): (&str, &str),
        stored: &Stored,
        code: &SecretText,
    ) -> Result<bool, Problem> {
        let inner = self.inner();
        let Some(text) = &stored.recovery else { return Ok(false) };
        let set = RecoverySet::parse(text).map_err(|error| error.fault())?;
        let Redemption::Match(rest) = set.redeem(&*inner.provider, code) else { return Ok(false) };
        // Of two who show one code at once, one is too late.
        let used = inner.accounts.use_recovery(tenant, user, text, &rest.to_text()).await;
        Ok(used.map_err(|error| error.fault())?)
    }

    /// What an app is given: the secret as a text to type and as a picture to scan.
    pub(crate) fn enrolment(&self, totp: Totp, user: &str) -> Result<(SecretText, SecretText), Problem> {
        let enrolment = Enrolment::new(totp, "clinic", user).map_err(|error| error.fault())?;
        Ok((enrolment.to_uri(), enrolment.to_qr_svg().map_err(|error| error.fault())?))
    }
}
