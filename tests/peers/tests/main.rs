//! Tests against other implementations: an OpenID provider, Cognito, npm's jose, PyJWT, joserfc, and cell v1 in Python.
#![cfg(test)]

#[path = "main/cells.rs"]
mod cells;
#[path = "main/cognito.rs"]
mod cognito;
#[path = "main/jose.rs"]
mod jose;
#[path = "main/oidc.rs"]
mod oidc;
#[path = "main/support.rs"]
mod support;
