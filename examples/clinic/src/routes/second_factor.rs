//! The second factor of whoever asks: an app that shows six digits, and codes for the day when it is lost.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use bartizan::{
    audit_events::Event,
    core::{Outcome, SecretText},
    http::{Code, Problem as Answer},
    passwords::{RecoveryCodes, Totp, TotpHash, TotpSecret},
    rate_limit::{Admission, Ask, Key, OnOutage, Policy},
    sessions::{By, Login},
};
use bartizan_axum::{Client, ClientIp, Problem, StrictJson, Who};
use serde::{Deserialize, Serialize};

use super::{
    in_person,
    session::{CLIENT, Pair},
};
use crate::{
    Clinic,
    authenticate::{From, assurance, limited_name, prove_again},
    note::About,
    second_factor::SecondFactor,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Enrol {
    password: String,
}

/// The secret, shown this once. Logins ask for codes only when one was [confirmed](confirm).
#[derive(Serialize)]
struct Enrolled {
    uri: String,
    qr: String,
}

/// Draws a secret for an app, for somebody who shows their password once more. One that is in force has to be given up first.
pub(super) async fn enrol(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    Who(who): Who,
    StrictJson(Enrol { password }): StrictJson<Enrol>,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let (from, password) = (From::new(&client, address), Arc::new(SecretText::new(password)));
    prove_again(&clinic, from, &who, &password).await?;
    let opened = clinic.opened(who.tenant(), who.subject(), who.request()).await?;
    if matches!(opened.factor, SecondFactor::Active(_)) {
        return Err(Code::Conflict.into());
    }
    let entropy = &*clinic.inner().parts.entropy;
    let secret = TotpSecret::generate(entropy, TotpHash::Sha1).map_err(|error| error.fault())?;
    let shown = TotpSecret::from_base32(&secret.to_base32()).map_err(|error| error.fault())?;
    clinic.set_factor(&opened, &SecondFactor::Pending(Totp::new(secret))).await?;
    let (uri, qr) = clinic.enrolment(Totp::new(shown), who.subject())?;
    Ok(Json(Enrolled { uri: uri.expose().to_owned(), qr: qr.expose().to_owned() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    code: String,
}

/// What whoever has a second factor now needs: codes for the day when the app is lost, shown this once, and new tokens.
#[derive(Serialize)]
struct Confirmed {
    recovery_codes: Vec<String>,
    #[serde(flatten)]
    pair: Pair,
}

/// A code of the app puts the second factor into force. All sessions that began without it end; a new one begins.
pub(super) async fn confirm(
    State(clinic): State<Clinic>,
    client: Client,
    address: ClientIp,
    Who(who): Who,
    StrictJson(Confirm { code }): StrictJson<Confirm>,
) -> Result<impl IntoResponse, Problem> {
    in_person(&who)?;
    let inner = clinic.inner();
    let (tenant, user) = (who.tenant(), who.subject());
    let (limit, name) = (Policy::second_factor(OnOutage::Closed), limited_name(tenant, user));
    let admitted = match inner.parts.limiter.check(&[Ask::new(&limit, Key::account(&name))]).await? {
        Admission::Admitted(admitted) => admitted,
        Admission::Refused(standing) => {
            return Err(Answer::limited(Code::TooManyAuthAttempts, &standing).into());
        }
    };
    let opened = clinic.opened(tenant, user, who.request()).await?;
    let SecondFactor::Pending(totp) = &opened.factor else { return Err(Code::Conflict.into()) };
    let code = SecretText::new(code);
    if !clinic.takes_code((tenant, user), totp, &code, inner.parts.clock.wall()).await? {
        let about = About::known(&who);
        clinic.note_account(Event::FAILED_LOGIN, Outcome::Failure, about, Some("second_factor_wrong"))?;
        return Err(Code::InvalidCredentials.into());
    }
    inner.parts.limiter.give_back(admitted).await;
    let codes =
        RecoveryCodes::generate(&*inner.provider, &*inner.parts.entropy).map_err(|error| error.fault())?;
    let secret = TotpSecret::from_base32(&totp.secret().to_base32()).map_err(|error| error.fault())?;
    clinic.set_factor(&opened, &SecondFactor::Active(Totp::new(secret))).await?;
    let set = codes.set().to_text();
    let stored = inner.accounts.set_recovery(tenant, user, Some(&set)).await;
    stored.map_err(|error| error.fault())?;
    inner.parts.sessions.credential_changed(tenant, user, &By::principal(&who)).await?;
    let about = About::known(&who);
    clinic.note_account(Event::SYS_MONITOR_ENABLED, Outcome::Success, about, Some("second_factor"))?;
    clinic.mail_changed(tenant, user, "second factor")?;

    let from = From::new(&client, address);
    let (acr, amr) = assurance(true);
    let login = Login::new(tenant, user)
        .roles(who.roles().iter())
        .acr(acr)
        .amr(amr.iter().copied())
        .client(CLIENT)
        .device(from.device());
    let (session, refresh) = inner.parts.sessions.begin(&login, &from.by_owner()).await?;
    let pair = Pair::of(&clinic, session, &refresh)?;
    let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    Ok(Json(Confirmed { recovery_codes, pair }))
}

/// Gives the second factor up, for somebody who has just logged in with it. All sessions end.
pub(super) async fn give_up(State(clinic): State<Clinic>, Who(who): Who) -> Result<StatusCode, Problem> {
    in_person(&who)?;
    let (tenant, user) = (who.tenant(), who.subject());
    let opened = clinic.opened(tenant, user, who.request()).await?;
    if matches!(opened.factor, SecondFactor::None) {
        return Err(Code::NotFound.into());
    }
    clinic.set_factor(&opened, &SecondFactor::None).await?;
    let accounts = &clinic.inner().accounts;
    accounts.set_recovery(tenant, user, None).await.map_err(|error| error.fault())?;
    clinic.inner().parts.sessions.credential_changed(tenant, user, &By::principal(&who)).await?;
    let about = About::known(&who);
    clinic.note_account(Event::SYS_MONITOR_DISABLED, Outcome::Success, about, Some("second_factor"))?;
    clinic.mail_changed(tenant, user, "second factor")?;
    Ok(StatusCode::NO_CONTENT)
}
