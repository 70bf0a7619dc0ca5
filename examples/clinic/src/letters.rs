//! The mails that a clinic sends.

use bartizan::core::{SecretText, UnixTime};

use crate::mail::Mail;

/// One of them.
fn letter(to: &str, at: UnixTime, subject: &'static str, text: String) -> Mail {
    Mail { to: to.to_owned(), subject, text: SecretText::new(text), at }
}

/// To an address that is to be verified.
pub(crate) fn verify(to: &str, user: &str, token: &SecretText, at: UnixTime) -> Mail {
    let text = format!(
        "Somebody registered as {user} with this address. If it was you, verify it within 24 hours with this token:\n\n  {}\n\n\
         If it was not, do nothing: without the token nobody can use the account.",
        token.expose()
    );
    letter(to, at, "Verify your address", text)
}

/// To the owner of an account whose name somebody tried to register.
pub(crate) fn name_is_yours(to: &str, user: &str, at: UnixTime) -> Mail {
    let text = format!(
        "Somebody tried to register with your name, {user}. Your account is as it was.\n\
         If it was you: you have an account already, and can ask for a new password."
    );
    letter(to, at, "Somebody tried to register with your name", text)
}

/// To the owner of an account who may have forgotten the password.
pub(crate) fn reset(to: &str, user: &str, token: &SecretText, at: UnixTime) -> Mail {
    let text = format!(
        "Somebody asked for a new password for {user}. If it was you, set one within an hour with this token:\n\n  {}\n\n\
         If it was not, do nothing: your password is as it was.",
        token.expose()
    );
    letter(to, at, "Set a new password", text)
}

/// To the owner of an account whose password or second factor was changed. `what` is what, and how.
pub(crate) fn credential_changed(to: &str, user: &str, what: &str, at: UnixTime) -> Mail {
    let text = format!(
        "The {what} of {user} was changed, and everybody who was logged in as {user} was logged out.\n\
         If it was not you, ask for a new password now."
    );
    letter(to, at, "A credential of yours was changed", text)
}
