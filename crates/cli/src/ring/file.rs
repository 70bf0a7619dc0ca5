//! The file that holds a ring: replaced whole, by one command at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan::{
    core::{SecretBytes, SecretText, os},
    crypto::Provider,
    crypto_ring,
    tokens::{Error, ErrorKind, KeyRing},
};

use crate::{
    input,
    key_file::{PRIVATE, unusable},
    outcome::Unusable,
};

/// A ring as it stands in its file.
pub(super) struct Stored {
    pub(super) ring: KeyRing,
    /// What the file held.
    bytes: SecretBytes,
    /// The file itself, and no link to it.
    path: PathBuf,
}

impl Stored {
    pub(super) fn read(file: &Path) -> Result<Self, Unusable> {
        let bytes = input::private_file(file)?;
        let path = fs::canonicalize(file).map_err(|error| Unusable::of(file.display(), error))?;
        let text =
            std::str::from_utf8(bytes.expose()).map_err(|_| Unusable::of(file.display(), "is not UTF-8"))?;
        let document = SecretText::new(text.to_owned());
        let ring = ring(&document).map_err(|error| unusable(file, &error))?;
        Ok(Self { ring, bytes, path })
    }

    /// Writes the document in place of what was read: whole or not at all, for the owner alone.
    ///
    /// Who else changes the ring by this command waits for nobody: they find the new file and end. One that was changed since it
    /// was read stays as it is.
    pub(super) fn replace(&self, document: &SecretText) -> Result<(), Unusable> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let new = PathBuf::from(new);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Unusable::of(new.display(), "exists: the ring is being changed, or a change was cut off")
            }
            _ => Unusable::of(new.display(), error),
        })?;
        self.exchange(file, &new, document).inspect_err(|_| {
            // What is left behind would be in the way of the next try.
            let _ = fs::remove_file(&new);
        })
    }

    fn exchange(&self, mut file: File, new: &Path, document: &SecretText) -> Result<(), Unusable> {
        // SECURITY: what somebody else wrote meanwhile may be a revocation.
        if input::file(&self.path)? != self.bytes {
            return Err(Unusable::of(self.path.display(), "was changed meanwhile; nothing is written"));
        }
        let text = document.expose().as_bytes();
        let written =
            file.write_all(text).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
        written.map_err(|error| Unusable::of(new.display(), error))?;
        fs::rename(new, &self.path).map_err(|error| Unusable::of(self.path.display(), error))?;
        let folder =
            self.path.parent().map_or(Ok(()), |folder| File::open(folder).and_then(|it| it.sync_all()));
        folder.map_err(|error| Unusable::of(self.path.display(), error))
    }
}

/// RSA keys alone, which the provider of wiped keys does not know, go to ring.
fn ring(document: &SecretText) -> Result<KeyRing, Error> {
    let by =
        |provider: Arc<dyn Provider>| KeyRing::from_document(provider, document, Arc::new(os::OsEntropy));
    match by(Arc::new(PRIVATE)) {
        Err(error) if error.kind() == ErrorKind::KeyUnsupported => by(Arc::new(crypto_ring::Ring::new())),
        read => read,
    }
}
