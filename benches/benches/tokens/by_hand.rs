//! What somebody in a hurry writes: the signature, issuer, audience and `exp`. No limits, no repeated members, no `typ`, no
//! `crit`, no key choice, no wiping.

use bartizan::core::{Clock, Entropy, os};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{AUDIENCE, CLIENT, EMAIL, ISSUER, PERMISSIONS, ROLE, SUBJECT};

/// Verifies, with borrowed claims.
pub(crate) fn verify(token: &str, verified: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    #[derive(Deserialize)]
    struct Claims<'a> {
        iss: &'a str,
        aud: &'a str,
        exp: i64,
        sub: &'a str,
        jti: &'a str,
    }

    let Some((signed, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    if !verified(signed.as_bytes(), &signature) {
        return false;
    }
    let Some((_, claims)) = signed.split_once('.') else { return false };
    let Ok(claims) = URL_SAFE_NO_PAD.decode(claims) else { return false };
    let Ok(claims) = serde_json::from_slice::<Claims<'_>>(&claims) else { return false };
    claims.iss == ISSUER
        && claims.aud == AUDIENCE
        && claims.exp > os::SystemClock.wall().as_secs()
        && !claims.sub.is_empty()
        && !claims.jti.is_empty()
}

/// Somebody who is passed on with the request.
#[derive(Deserialize)]
pub(crate) struct Somebody {
    iss: String,
    aud: String,
    exp: i64,
    #[expect(dead_code, reason = "The handler reads it.")]
    sub: String,
    #[expect(dead_code, reason = "The handler reads it.")]
    jti: String,
    #[expect(dead_code, reason = "The handler reads it.")]
    roles: Vec<String>,
}

/// Claims that are no others' than the service's.
#[derive(Deserialize, Serialize, PartialEq, Eq)]
pub(crate) struct Own {
    email: String,
    permissions: Vec<String>,
}

/// Verifies, and reads claims of one's own.
pub(crate) fn own(token: &str, verified: impl Fn(&[u8], &[u8]) -> bool) -> Option<Own> {
    #[derive(Deserialize)]
    struct Claims<'a> {
        iss: &'a str,
        aud: &'a str,
        exp: i64,
        email: String,
        permissions: Vec<String>,
    }

    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let claims = verified(signed.as_bytes(), &signature).then(|| signed.split_once('.'))??.1;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims = serde_json::from_slice::<Claims<'_>>(&claims).ok()?;
    let is_good =
        claims.iss == ISSUER && claims.aud == AUDIENCE && claims.exp > os::SystemClock.wall().as_secs();
    is_good.then_some(Own { email: claims.email, permissions: claims.permissions })
}

/// Verifies, and makes somebody of it.
pub(crate) fn somebody(token: &str, verified: impl Fn(&[u8], &[u8]) -> bool) -> Option<Somebody> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let claims = verified(signed.as_bytes(), &signature).then(|| signed.split_once('.'))??.1;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let somebody = serde_json::from_slice::<Somebody>(&claims).ok()?;
    let is_good =
        somebody.iss == ISSUER && somebody.aud == AUDIENCE && somebody.exp > os::SystemClock.wall().as_secs();
    is_good.then_some(somebody)
}

/// The `kid` of a token's header.
pub(crate) fn kid(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        kid: String,
    }

    let header = URL_SAFE_NO_PAD.decode(token.split_once('.')?.0).ok()?;
    Some(serde_json::from_slice::<Header>(&header).ok()?.kid)
}

/// Issues a token that says what ours says.
pub(crate) fn issue(header: &str, sign: impl Fn(&[u8]) -> [u8; 32]) -> Option<String> {
    #[derive(Serialize)]
    struct Claims<'a> {
        iss: &'a str,
        sub: &'a str,
        aud: &'a str,
        client_id: &'a str,
        iat: i64,
        exp: i64,
        jti: String,
        roles: [&'a str; 1],
        email: &'a str,
        permissions: [&'a str; 4],
    }

    let mut jti = [0; 16];
    os::OsEntropy.fill(&mut jti).ok()?;
    let iat = os::SystemClock.wall().as_secs();
    let claims = serde_json::to_vec(&Claims {
        iss: ISSUER,
        sub: SUBJECT,
        aud: AUDIENCE,
        client_id: CLIENT,
        iat,
        exp: iat + 900,
        jti: URL_SAFE_NO_PAD.encode(jti),
        roles: [ROLE],
        email: EMAIL,
        permissions: PERMISSIONS,
    })
    .ok()?;
    let mut token = String::with_capacity(600);
    token.push_str(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let signature = sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Some(token)
}
