//! An authenticator app: what a user has on a phone (RFC 6238).

use std::error::Error;

use bartizan::{
    core::{Clock, SecretText, os},
    passwords::{Enrolment, Step},
};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// With one secret.
pub struct App(Vec<u8>);

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("App")
    }
}

impl App {
    /// With the secret of a URI, as a picture would bring it.
    ///
    /// # Errors
    /// When it is no such URI.
    pub fn scanned(uri: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let enrolment = Enrolment::parse(&SecretText::new(uri.to_owned()))?;
        Ok(Self(enrolment.totp().secret().expose().to_vec()))
    }

    /// The code of now, or of so many half minutes later.
    ///
    /// # Errors
    /// Never with a secret that was scanned.
    pub fn code(&self, later: u64) -> Result<String, Box<dyn Error + Send + Sync>> {
        let step = Step::at(os::SystemClock.wall()).number() + later;
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0)?;
        mac.update(&step.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let offset = usize::from(tag.last().ok_or("no tag")? & 0x0f);
        let word = tag.get(offset..).and_then(|rest| rest.first_chunk()).ok_or("no tag")?;
        Ok(format!("{:06}", (u32::from_be_bytes(*word) & 0x7fff_ffff) % 1_000_000))
    }
}
