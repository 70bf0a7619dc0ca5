//! Mail. This clinic has no mail server: it prints what it would send.

use std::{
    fmt,
    io::{self, Write},
};

use bartizan::core::{SecretText, UnixTime};

/// A mail to somebody. It may hold a token that opens an account: its `Debug` shows nothing.
pub struct Mail {
    /// To whom.
    pub to: String,
    /// What about.
    pub subject: &'static str,
    /// What it says.
    pub text: SecretText,
    /// When it was written.
    pub at: UnixTime,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

/// Sends mail.
pub trait Mailer: fmt::Debug + Send + Sync + 'static {
    /// Sends one. Whoever asked for it is told nothing of how that went: that would tell who has an account.
    ///
    /// # Errors
    /// When it cannot be sent.
    fn send(&self, mail: &Mail) -> io::Result<()>;
}

/// Prints mails where the clinic runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Printed;

impl Mailer for Printed {
    fn send(&self, mail: &Mail) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "\n── mail to {}: {}\n{}\n──", mail.to.escape_debug(), mail.subject, mail.text.expose())
    }
}
