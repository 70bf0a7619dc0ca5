//! The endpoints. No route without a policy: the router does not build otherwise.

mod api_keys;
mod audit;
mod emergencies;
mod open;
mod password;
mod patients;
mod register;
mod roles;
mod second_factor;
mod session;
mod sessions;

use std::{sync::Arc, time::Duration};

use bartizan::{
    core::{Attestation, Permission, Principal},
    http::{Code, RouteLimit, StepUp, Transport},
    rate_limit::{OnOutage, Policy},
    rbac::Permissions,
    sessions::Freshness,
};
use bartizan_axum::{Problem, SecureRouter, delete, get, patch, post, put};

use crate::{Clinic, Error, authenticate::TWO_FACTORS, pages, permission::May};

pub(crate) const LIST: Permission = May::ListPatients.permission();
pub(crate) const CREATE: Permission = May::CreatePatient.permission();
pub(crate) const READ: Permission = May::ReadPatient.permission();
pub(crate) const UPDATE: Permission = May::UpdatePatient.permission();
pub(crate) const DELETE: Permission = May::ErasePatient.permission();
pub(crate) const RESCUE: Permission = May::RescuePatient.permission();
pub(crate) const READ_AUDIT: Permission = May::ReadAudit.permission();
pub(crate) const VERIFY_AUDIT: Permission = May::VerifyAudit.permission();
pub(crate) const ASSIGN: Permission = May::AssignRoles.permission();

/// All routes of a clinic.
///
/// # Errors
/// When a route has no policy, or names a permission that the policy file does not know.
pub(crate) fn router(clinic: Clinic) -> Result<axum::Router, Error> {
    secured(&clinic).build_with_state(clinic).map_err(Error::part("routes"))
}

/// Which route needs what, as a table.
#[must_use]
pub fn routes_table(clinic: &Clinic) -> String {
    secured(clinic).inventory().to_string()
}

fn secured(clinic: &Clinic) -> SecureRouter<Clinic> {
    let router = for_programs(clinic).error_pages(pages::problem);
    pages::routes().into_iter().fold(router, SecureRouter::route)
}

fn for_programs(clinic: &Clinic) -> SecureRouter<Clinic> {
    let parts = &clinic.inner().parts;
    SecureRouter::new(Arc::clone(&parts.guard), Arc::clone(&parts.authorizer), Arc::clone(&parts.entropy))
        .catalogue(May::ALL.iter().map(ToString::to_string))
        .transport(Transport::PlainLoopback)
        .clients(clinic.inner().clients.clone())
        .route(get("/health", open::health).public("says that the process lives, and nothing else"))
        .route(get("/.well-known/jwks.json", open::jwks).public("public keys are public"))
        .route(post("/register", register::register).public("how an account is had").limit(general()))
        .route(post("/verify-email", register::verify_email).public("by a mailed token").limit(general()))
        // Limited by its failures alone, see `authenticate`.
        .route(post("/login", session::login).public("how a token is had"))
        .route(post("/token", session::refresh).public("by a refresh token").limit(general()))
        .route(post("/password/reset", password::forgotten).public("asks for a mail").limit(general()))
        .route(post("/password/reset/confirm", password::reset).public("by a mailed token").limit(general()))
        .route(get("/me", session::me).authenticated().fresh(RECENT))
        .route(post("/logout", sessions::logout).authenticated().fresh(NOW))
        .route(post("/logout-all", sessions::logout_all).authenticated().fresh(NOW).step_up(recent_login()))
        .route(get("/sessions", sessions::list).authenticated().fresh(NOW).step_up(recent_login()))
        .route(delete("/sessions/{id}", sessions::end).authenticated().fresh(NOW).step_up(recent_login()))
        .route(post("/password", password::change).authenticated().fresh(NOW))
        .route(post("/mfa/totp", second_factor::enrol).authenticated().fresh(NOW))
        .route(post("/mfa/totp/confirm", second_factor::confirm).authenticated().fresh(NOW))
        .route(
            delete("/mfa/totp", second_factor::give_up)
                .authenticated()
                .fresh(NOW)
                .step_up(recent_login().acr([TWO_FACTORS])),
        )
        .route(post("/api-keys", api_keys::make).authenticated().fresh(NOW).step_up(recent_login()))
        .route(get("/api-keys", api_keys::list).authenticated().fresh(NOW))
        .route(
            post("/api-keys/{id}/rotate", api_keys::rotate)
                .authenticated()
                .fresh(NOW)
                .step_up(recent_login()),
        )
        .route(delete("/api-keys/{id}", api_keys::end).authenticated().fresh(NOW))
        .route(get("/patients", patients::list).requires(LIST).fresh(RECENT))
        .route(post("/patients", patients::create).requires(CREATE).fresh(RECENT))
        .route(get("/patients/{id}", patients::read).requires_on_record(READ).fresh(RECENT))
        .route(put("/patients/{id}", patients::replace).requires_on_record(UPDATE).fresh(RECENT))
        .route(patch("/patients/{id}", patients::change).requires_on_record(UPDATE).fresh(RECENT))
        .route(delete("/patients/{id}", patients::erase).requires_on_record(DELETE).fresh(NOW))
        .route(get("/patients/{id}/rescue", patients::rescue).requires_on_record(RESCUE).fresh(NOW))
        .route(
            post("/emergencies", emergencies::declare)
                .authenticated()
                .fresh(NOW)
                .step_up(recent_login().acr([TWO_FACTORS])),
        )
        .route(get("/emergencies", emergencies::unreviewed).requires(ASSIGN).fresh(NOW))
        .route(post("/emergencies/{user}/review", emergencies::review).requires_on_record(ASSIGN).fresh(NOW))
        .route(get("/roles", roles::list).requires(ASSIGN).fresh(NOW))
        .route(post("/roles", roles::give).requires_on_record(ASSIGN).fresh(NOW))
        .route(delete("/roles/{user}/{role}", roles::take).requires_on_record(ASSIGN).fresh(NOW))
        .route(get("/audit", audit::query).requires(READ_AUDIT).fresh(NOW))
        .route(get("/audit/verify", audit::verify).requires(VERIFY_AUDIT).fresh(NOW))
}

/// How old what a route knows of ended sessions may be: what ends on this clinic it knows at once, and what an operator ends with
/// another program within a second or two.
const RECENT: Freshness = Freshness::Snapshot(Duration::from_secs(5));

/// For what ends sessions, changes credentials or reads the record (ASVS 7.4.1).
const NOW: Freshness = Freshness::ReadThrough;

/// How recently somebody has to have logged in for what outlives their session, and for what they have elsewhere (ASVS 7.5.2): whoever has
/// one session of theirs by now, and not their password, neither sees the others nor ends them.
pub(crate) const fn recent_login() -> StepUp {
    StepUp::within(Duration::from_secs(10 * 60))
}

/// 100 requests in 15 minutes from one address, on each of the public routes together.
fn general() -> RouteLimit {
    RouteLimit::by_address(Policy::general(OnOutage::Closed))
}

/// SECURITY: an API key acts for its owner in what its scopes say. It is not its owner: it ends no sessions, changes no credentials and
/// makes no further keys.
fn in_person(who: &Principal) -> Result<(), Problem> {
    match who.how() {
        Attestation::Token | Attestation::Session if who.session().is_some() => Ok(()),
        _ => Err(Code::Forbidden.into()),
    }
}
