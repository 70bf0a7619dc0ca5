//! Who somebody is: password, second factor, and the limits on guessing either. The one road for programs and for browsers.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bartizan::{
    audit_events::Event,
    core::{Fault, Outcome, Principal, SecretText},
    http::{Code, FieldError, Problem as Answer},
    passwords::{ErrorKind, Verification},
    rate_limit::{Admission, Ask, Key, KnownDevice, Login, LoginAttempt, OnOutage, Policy},
    sessions::{By, Device, Epochs, Login as NewSession},
};
use bartizan_axum::{Client, ClientIp, Problem};

use crate::{
    Clinic,
    accounts::{Found, Stored},
    clinic::SERVICE,
    note::About,
    second_factor::SecondFactor,
};

/// How strongly somebody proved who they are (`acr`).
pub(crate) const ONE_FACTOR: &str = "urn:clinic:password";
pub(crate) const TWO_FACTORS: &str = "urn:clinic:mfa";

/// Longest name of a tenant or user, in bytes.
pub(crate) const MAX_NAME: usize = 64;

/// How long a browser keeps the mark by which it is known again.
pub(crate) const DEVICE_LIVES: Duration = Duration::from_secs(180 * 86_400);

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From<'a> {
    pub(crate) client: &'a Client,
    pub(crate) address: ClientIp,
}

impl<'a> From<'a> {
    pub(crate) const fn new(client: &'a Client, address: ClientIp) -> Self {
        Self { client, address }
    }

    const fn ip(&self) -> IpAddr {
        self.address.0
    }

    /// For the record of what the owner of an account does.
    pub(crate) fn by_owner(&self) -> By<'a> {
        let by = By::owner().at(self.ip());
        match self.client.origin(SERVICE).request {
            Some(request) => by.request(request),
            None => by,
        }
    }

    /// The device, as its owner will recognise it.
    pub(crate) fn device(&self) -> Device {
        let agent = self.client.origin(SERVICE).user_agent.unwrap_or_default();
        let is_shown = !agent.is_empty() && agent.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        Device::named(if is_shown { agent } else { "unknown" }).at(self.ip().to_string())
    }
}

/// What somebody shows to log in.
pub(crate) struct Shown {
    pub(crate) tenant: String,
    pub(crate) user: String,
    pub(crate) password: SecretText,
    /// Of the second factor, or a recovery code.
    pub(crate) code: Option<SecretText>,
    /// The mark of a known device, from its cookie.
    pub(crate) device: Option<SecretText>,
}

/// Somebody who has just proved who they are.
pub(crate) struct Authenticated {
    pub(crate) tenant: String,
    pub(crate) user: String,
    /// What they hold now; from the next request on it is what they hold then.
    pub(crate) roles: Vec<String>,
    /// Whether they showed a second factor. Whoever has one had to.
    pub(crate) by_two_factors: bool,
    /// For the cookie by which the device is known from now on.
    pub(crate) device_mark: SecretText,
    /// How often everything of theirs had been ended when they began to prove it.
    epochs: Epochs,
}

impl Authenticated {
    /// What a session of theirs says. `client` is which program it is for.
    pub(crate) fn session<'a>(&'a self, from: &From<'_>, client: &str) -> NewSession<'a> {
        let (acr, amr) = assurance(self.by_two_factors);
        NewSession::new(&self.tenant, &self.user)
            .roles(self.roles.iter().map(String::as_str))
            .acr(acr)
            .amr(amr.iter().copied())
            .client(client)
            .device(from.device())
            // SECURITY: who showed a password that was changed meanwhile does not come in with it.
            .since(self.epochs)
    }
}

/// `acr` and `amr` (RFC 8176).
pub(crate) const fn assurance(by_two_factors: bool) -> (&'static str, &'static [&'static str]) {
    if by_two_factors { (TWO_FACTORS, &["pwd", "otp", "mfa"]) } else { (ONE_FACTOR, &["pwd"]) }
}

/// Finds out whether somebody is who they say, and puts on record how that ended.
///
/// Unknown tenant, unknown user, wrong password, an address that was never verified and a wrong code look alike and take alike: 401
/// `INVALID_CREDENTIALS`. Who showed the right password and no code, and has a second factor, is asked for it: 401
/// `STEP_UP_REQUIRED`. Too many failures: 429.
pub(crate) async fn authenticate(
    clinic: &Clinic,
    from: From<'_>,
    shown: Shown,
) -> Result<Authenticated, Problem> {
    check_names([("/tenant", &shown.tenant), ("/user", &shown.user)])?;
    let Shown { tenant, user, password, code, device } = shown;
    let account = limited_name(&tenant, &user);
    let device = device.and_then(|mark| clinic.inner().devices.read(&account, mark.expose()));
    let password = Arc::new(password);
    let about = About::claimed(&tenant, &user, from.client.origin(SERVICE));

    let epochs = clinic.inner().parts.sessions.epochs(&tenant, &user).await?;
    let (attempt, stored, needs_rehash) =
        check_password(clinic, from, (&tenant, &user), &password, device.as_ref(), about).await?;
    if !stored.is_verified {
        // As for a wrong password, but that the mail is sent once more: somebody may have lost it.
        clinic.mail_verification(&tenant, &user)?;
        clinic.note_account(Event::FAILED_LOGIN, Outcome::Failure, about, Some("unverified"))?;
        return Err(Code::InvalidCredentials.into());
    }
    // SECURITY: what fails from here on stays charged. Who guesses passwords while something is out must not be told by a 503 for
    // nothing which of them was right.
    let request = about.origin.request;
    let by_two_factors = match clinic.opened(&tenant, &user, request).await?.factor {
        SecondFactor::None | SecondFactor::Pending(_) => false,
        SecondFactor::Active(totp) => {
            let Some(code) = code else {
                attempt.succeeded().await;
                let reason = Some("second_factor_missing");
                clinic.note_account(Event::FAILED_LOGIN, Outcome::Failure, about, reason)?;
                return Err(Code::StepUpRequired.into());
            };
            let limit = Policy::second_factor(OnOutage::Closed);
            let key = device.as_ref().map_or_else(|| Key::account(&account), Key::device);
            let admitted = match clinic.inner().parts.limiter.check(&[Ask::new(&limit, key)]).await? {
                Admission::Admitted(admitted) => admitted,
                Admission::Refused(standing) => {
                    clinic.note_account(Event::AUTHN_LOGIN_FAIL_MAX, Outcome::Denied, about, None)?;
                    return Err(Answer::limited(Code::TooManyAuthAttempts, &standing).into());
                }
            };
            let now = clinic.inner().parts.clock.wall();
            let whose = (tenant.as_str(), user.as_str());
            if !clinic.takes_code(whose, &totp, &code, now).await?
                && !clinic.takes_recovery(whose, &stored, &code).await?
            {
                let reason = Some("second_factor_wrong");
                clinic.note_account(Event::FAILED_LOGIN, Outcome::Failure, about, reason)?;
                return Err(Code::InvalidCredentials.into());
            }
            clinic.inner().parts.limiter.give_back(admitted).await;
            true
        }
    };
    attempt.succeeded().await;
    if needs_rehash {
        rehash(clinic, (&tenant, &user), &stored, &password, about).await?;
    }
    clinic.note_account(Event::AUTHN_LOGIN_SUCCESS, Outcome::Success, about, None)?;
    let device_mark = clinic.inner().devices.issue(&account).map_err(|error| error.fault())?;
    let roles = clinic.roles_of(&tenant, &user);
    Ok(Authenticated { tenant, user, roles, by_two_factors, device_mark, epochs })
}

/// Asks somebody who is logged in for their password once more. Wrong ones count as failed logins do.
pub(crate) async fn prove_again(
    clinic: &Clinic,
    from: From<'_>,
    who: &Principal,
    password: &Arc<SecretText>,
) -> Result<Stored, Problem> {
    let about = About { origin: from.client.origin(SERVICE), ..About::known(who) };
    let whose = (who.tenant(), who.subject());
    let (attempt, stored, _) = check_password(clinic, from, whose, password, None, about).await?;
    attempt.succeeded().await;
    Ok(stored)
}

/// The account, if this is its password, and the attempt that is still charged.
async fn check_password(
    clinic: &Clinic,
    from: From<'_>,
    (tenant, user): (&str, &str),
    password: &Arc<SecretText>,
    device: Option<&KnownDevice>,
    about: About<'_>,
) -> Result<(LoginAttempt, Stored, bool), Problem> {
    let inner = clinic.inner();
    let account = limited_name(tenant, user);
    let attempt = match inner.parts.login_limits.begin(&account, from.ip(), device).await? {
        Login::Try(attempt) => attempt,
        Login::Refused(standing) => {
            clinic.note_account(Event::AUTHN_LOGIN_FAIL_MAX, Outcome::Denied, about, None)?;
            return Err(Answer::limited(Code::TooManyAuthAttempts, &standing).into());
        }
    };
    let stored = match inner.accounts.find(tenant, user).await {
        Ok(Some(Found::Account(stored))) => Some(stored),
        Ok(Some(Found::Damaged)) => return Err(Fault::Integrity.into()),
        Ok(None) => None,
        Err(error) => {
            attempt.not_tried().await;
            return Err(error.fault().into());
        }
    };
    let (passwords, shown) = (Arc::clone(&inner.parts.passwords), Arc::clone(password));
    let checked = tokio::task::spawn_blocking(move || {
        let verified = passwords.verify(&shown, stored.as_ref().map(|stored| &stored.hash));
        (verified, stored)
    });
    let (verified, stored) = checked.await.map_err(|_| Fault::Bug)?;
    match (verified, stored) {
        (Ok(Verification::Match { needs_rehash }), Some(stored)) => Ok((attempt, stored, needs_rehash)),
        (Err(error), _) if !matches!(error.kind(), ErrorKind::Empty | ErrorKind::TooLong) => {
            // Busy: the password was not looked at.
            attempt.not_tried().await;
            Err(error.fault().into())
        }
        _ => {
            let _standings = attempt.failed();
            clinic.note_account(Event::FAILED_LOGIN, Outcome::Failure, about, None)?;
            Err(Code::InvalidCredentials.into())
        }
    }
}

/// Makes a stored hash again with the current parameters. When that does not succeed now, it does with the next login.
async fn rehash(
    clinic: &Clinic,
    (tenant, user): (&str, &str),
    stored: &Stored,
    password: &Arc<SecretText>,
    about: About<'_>,
) -> Result<(), Problem> {
    let (passwords, shown) = (Arc::clone(&clinic.inner().parts.passwords), Arc::clone(password));
    let hashed = tokio::task::spawn_blocking(move || passwords.hash(&shown)).await;
    let Ok(Ok(hash)) = hashed else { return Ok(()) };
    match clinic.inner().accounts.set_password(tenant, user, Some(&stored.hash), &hash).await {
        Ok(true) => clinic.note_account(Event::PASSWORD_REHASHED, Outcome::Success, about, None),
        Ok(false) | Err(_) => Ok(()),
    }
}

/// The account's name for limits: no name has a line end, so no two accounts have one.
pub(crate) fn limited_name(tenant: &str, user: &str) -> String {
    format!("{tenant}\n{user}")
}

/// What was claimed is put on record: it has to be a name that an account could have.
pub(crate) fn check_names<const N: usize>(names: [(&'static str, &String); N]) -> Result<(), Problem> {
    let wrong = names.into_iter().filter_map(|(pointer, name)| match name.len() {
        0 => Some(FieldError::new(pointer, "required", "must not be empty")),
        1..=MAX_NAME if !name.chars().any(char::is_control) => None,
        1..=MAX_NAME => Some(FieldError::new(pointer, "invalid", "must not have control characters")),
        _ => Some(FieldError::new(pointer, "too_long", "must not be over 64 bytes")),
    });
    let wrong: Vec<FieldError> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(Answer::fields(wrong).into()) }
}
