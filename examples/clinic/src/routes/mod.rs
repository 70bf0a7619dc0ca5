//! The endpoints. No route without a policy: the router does not build otherwise.

mod audit;
mod open;
mod patients;
mod session;

use std::sync::Arc;

use bartizan::{core::Permission, http::Transport};
use bartizan_axum::{Clients, SecureRouter, delete, get, patch, post, put};

use crate::{Clinic, Error};

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
    let parts = &clinic.inner().parts;
    SecureRouter::new(Arc::clone(&parts.guard), Arc::clone(&parts.authorizer), Arc::clone(&parts.entropy))
        .catalogue(clinic.inner().permissions.iter().map(String::as_str))
        .transport(Transport::PlainLoopback)
        .clients(Clients::Direct)
        .route(get("/health", open::health).public("says that the process lives, and nothing else"))
        .route(get("/.well-known/jwks.json", open::jwks).public("public keys are public"))
        .route(post("/login", session::login).public("how a token is had"))
        .route(get("/me", session::me).authenticated())
        .route(get("/patients", patients::list).requires(LIST))
        .route(post("/patients", patients::create).requires(CREATE))
        .route(get("/patients/{id}", patients::read).requires_on_record(READ))
        .route(put("/patients/{id}", patients::replace).requires_on_record(UPDATE))
        .route(patch("/patients/{id}", patients::change).requires_on_record(UPDATE))
        .route(delete("/patients/{id}", patients::erase).requires_on_record(DELETE))
        .route(get("/audit", audit::query).requires(READ_AUDIT))
        .route(get("/audit/verify", audit::verify).requires(VERIFY_AUDIT))
}
