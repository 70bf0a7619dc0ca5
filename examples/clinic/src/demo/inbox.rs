//! Where the demonstration's users read their mail.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::step::Trouble;
use crate::{Mail, Mailer};

/// To whom, what about, and what it says, of each mail.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Vec<(String, String)>>);

impl Mailer for Inbox {
    fn send(&self, mail: &Mail) -> io::Result<()> {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push((mail.to.clone(), mail.text.expose().to_owned()));
        Ok(())
    }
}

impl Inbox {
    /// The texts of the mails to somebody so far.
    pub(crate) fn of(&self, to: &str) -> Vec<String> {
        let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().filter(|(known, _)| known == to).map(|(_, text)| text.clone()).collect()
    }

    /// The token in the last of so many mails to somebody, once they are there.
    pub(crate) async fn token(&self, to: &str, mails: usize) -> Result<String, Trouble> {
        for _ in 0..100 {
            let texts = self.of(to);
            if let Some(last) = texts.last().filter(|_| texts.len() >= mails) {
                let token = last.lines().map(str::trim).find(|line| line.starts_with("bzo1_"));
                return Ok(token.ok_or("a mail without a token")?.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("no mail to {to} after five seconds").into())
    }
}
