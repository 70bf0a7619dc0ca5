//! The endpoints. No route without a policy: the router does not build otherwise.

mod api_keys;
mod audit;
mod open;
mod password;
mod patients;
mod register;
mod second_factor;
mod session;
mod sessions;

use std::{sync::Arc, time::Duration};

use bartizan::{
    core::{Attestation, Permission, Principal},
    http::{Code, RouteLimit, StepUp, Transport},
    rate_limit::{OnOutage, Policy},
    sessions::Freshness,
};
use bartizan_axum::{Problem, SecureRouter, delete, get, patch, post, put};

use crate::{Clinic, Error, authenticate::TWO_FACTORS, pages};

pub(crate) const LIST: Permission = Permission::literal("patient:list");
pub(crate) const CREATE: Permission = Permission::literal("patient:create");
pub(crate) const READ: Permission = Permission::literal("patient:read");
pub(crate) const UPDATE: Permission = Permission::literal("patient:update");
pub(crate) const DELETE: Permission = Permission::literal("patient:delete").critical();
pub(crate) const READ_AUDIT: Permission = Permission::literal("audit:read");
pub(crate) const VERIFY_AUDIT: Permission = Permission::literal("audit:verify");

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
        .catalogue(clinic.inner().permissions.iter().map(String::as_str))
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
        .route(post("/logout-all", sessions::logout_all).authenticated().fresh(NOW))
        .route(get("/sessions", sessions::list).authenticated().fresh(NOW))
        .route(delete("/sessions/{id}", sessions::end).authenticated().fresh(NOW))
        .route(post("/password", password::change).authenticated().fresh(NOW))
        .route(post("/mfa/totp", second_factor::enrol).authenticated().fresh(NOW))
        .route(post("/mfa/totp/confirm", second_factor::confirm).authenticated().fresh(NOW))
        .route(
            delete("/mfa/totp", second_factor::give_up)
                .authenticated()
                .fresh(NOW)
                .step_up(StepUp::within(JUST_NOW).acr([TWO_FACTORS])),
        )
        .route(post("/api-keys", api_keys::make).authenticated().fresh(NOW).step_up(StepUp::within(JUST_NOW)))
        .route(get("/api-keys", api_keys::list).authenticated().fresh(NOW))
        .route(
            post("/api-keys/{id}/rotate", api_keys::rotate)
                .authenticated()
                .fresh(NOW)
                .step_up(StepUp::within(JUST_NOW)),
        )
        .route(delete("/api-keys/{id}", api_keys::end).authenticated().fresh(NOW))
        .route(get("/patients", patients::list).requires(LIST).fresh(RECENT))
        .route(post("/patients", patients::create).requires(CREATE).fresh(RECENT))
        .route(get("/patients/{id}", patients::read).requires_on_record(READ).fresh(RECENT))
        .route(put("/patients/{id}", patients::replace).requires_on_record(UPDATE).fresh(RECENT))
        .route(patch("/patients/{id}", patients::change).requires_on_record(UPDATE).fresh(RECENT))
        .route(delete("/patients/{id}", patients::erase).requires_on_record(DELETE).fresh(NOW))
        .route(get("/audit", audit::query).requires(READ_AUDIT).fresh(NOW))
        .route(get("/audit/verify", audit::verify).requires(VERIFY_AUDIT).fresh(NOW))
}

/// How old what a route knows of ended sessions may be: what ends on this clinic it knows at once, and what an operator ends with
/// another program within a second or two.
const RECENT: Freshness = Freshness::Snapshot(Duration::from_secs(5));

/// For what ends sessions, changes credentials or reads the record (ASVS 7.4.1).
const NOW: Freshness = Freshness::ReadThrough;

/// How recently somebody has to have logged in for what outlives their session.
const JUST_NOW: Duration = Duration::from_secs(10 * 60);

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
