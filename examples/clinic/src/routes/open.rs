//! What anybody may ask.

use axum::{Json, extract::State, http::header::CONTENT_TYPE, response::IntoResponse};
use bartizan::tokens::KeySet;
use bartizan_axum::Problem;
use serde_json::json;

use crate::Clinic;

pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// The keys that verify our tokens (RFC 7517).
pub(super) async fn jwks(State(clinic): State<Clinic>) -> Result<impl IntoResponse, Problem> {
    let key = clinic.inner().parts.issuer.key();
    let set = key
        .and_then(|key| KeySet::new([key.verifying()]))
        .and_then(|set| set.to_jwks())
        .map_err(|error| error.fault())?;
    Ok(([(CONTENT_TYPE, "application/jwk-set+json")], set))
}
