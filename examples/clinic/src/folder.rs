//! The data folder: keys, database and audit log of one clinic, readable by its owner alone.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan::{
    core::{Entropy, SecretArray, SecretBytes},
    crypto::{PrivateKey, Provider, PublicKey, SignatureAlgorithm},
    tokens::VerifyingKey,
};

use crate::Error;

/// Where everything lies. Locked for this one clinic until the last clone is dropped. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// `flock` on the folder itself: there is no lock file that somebody could remove, and none is left behind by a crash.
    _lock: Arc<File>,
}

/// Whether a key that is not there may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Nothing was sealed or signed with one yet.
    MayBeDrawn,
    /// SECURITY: a new key in the place of a lost one would leave everything closed that the old one sealed.
    MustExist,
}

impl Folder {
    /// Opens the folder, which is made with mode 0700 if it is absent.
    ///
    /// # Errors
    /// When it cannot be made, is no folder, others may read it, or another clinic works in it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::at(path, error)),
        }
        Self::lock(path)
    }

    /// Opens the folder of a clinic that was started before.
    ///
    /// # Errors
    /// Those of [`Folder::open`], and when there is no clinic in it.
    pub fn existing(path: &Path) -> Result<Self, Error> {
        if !path.join(DATABASE).exists() {
            return Err(Error::NoClinic(path.to_owned()));
        }
        Self::lock(path)
    }

    fn lock(path: &Path) -> Result<Self, Error> {
        let folder = File::open(path).map_err(|error| Error::at(path, error))?;
        if !folder.metadata().map_err(|error| Error::at(path, error))?.is_dir() {
            return Err(Error::NoFolder(path.to_owned()));
        }
        refuse_if_shared(&folder, path)?;
        match folder.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Arc::new(folder) }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(Error::at(path, error)),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The folder of the audit log.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit")
    }

    /// The public key of the audit log's checkpoints, for whoever verifies the log.
    #[must_use]
    pub fn checkpoint_jwk(&self) -> PathBuf {
        self.path.join("checkpoint.jwk")
    }

    /// The master key's file.
    pub(crate) fn master_file(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// The master key, which wraps the tenants' keys.
    pub(crate) fn master_key(&self, keys: Keys, entropy: &dyn Entropy) -> Result<SecretArray<32>, Error> {
        self.drawn(&self.master_file(), keys, entropy)
    }

    /// The key of the marks by which devices are known again. Without its file a new one is made, and no device is known.
    pub(crate) fn device_key(&self, entropy: &dyn Entropy) -> Result<SecretArray<32>, Error> {
        self.drawn(&self.path.join("device.key"), Keys::MayBeDrawn, entropy)
    }

    /// The key that signs the audit log's checkpoints.
    pub(crate) fn checkpoint_key(
        &self,
        keys: Keys,
        provider: &dyn Provider,
        entropy: &dyn Entropy,
    ) -> Result<PrivateKey, Error> {
        let seed = self.drawn(&self.path.join("checkpoint.key"), keys, entropy)?;
        provider.private_key(SignatureAlgorithm::Ed25519, seed.into()).map_err(Error::part("checkpoint key"))
    }

    /// Writes the public half of the checkpoint key where whoever verifies the log finds it.
    pub(crate) fn publish(&self, provider: &dyn Provider, key: &PublicKey) -> Result<(), Error> {
        let jwk = VerifyingKey::from_public(provider, None, key)
            .and_then(|public| public.to_public_jwk())
            .map_err(Error::part("checkpoint key"))?;
        let path = &self.checkpoint_jwk();
        if fs::read(path).ok().as_deref() == Some(jwk.as_bytes()) {
            return Ok(());
        }
        write_beside(path, jwk.as_bytes())
            .and_then(|beside| fs::rename(beside, path))
            .map_err(|error| Error::at(path, error))
    }

    /// The key that signs access tokens, as a JWK. Without its file a new one is made, and all tokens end.
    pub(crate) fn signing_key(
        &self,
        make: impl FnOnce() -> Result<SecretBytes, Error>,
    ) -> Result<SecretBytes, Error> {
        self.key_file(&self.signing_file(), Keys::MayBeDrawn, make)
    }

    pub(crate) fn signing_file(&self) -> PathBuf {
        self.path.join("signing.jwk")
    }

    /// 32 random bytes.
    fn drawn(&self, path: &Path, keys: Keys, entropy: &dyn Entropy) -> Result<SecretArray<32>, Error> {
        let bytes = self.key_file(path, keys, || {
            let mut key = vec![0; 32];
            entropy.fill(&mut key).map_err(Error::part("randomness"))?;
            Ok(SecretBytes::new(key))
        })?;
        let mut key = [0; 32];
        if bytes.expose().len() != key.len() {
            return Err(Error::Key { file: path.to_owned(), why: "it must hold exactly 32 bytes" });
        }
        key.copy_from_slice(bytes.expose());
        Ok(SecretArray::new(key))
    }

    /// A key file: read if it is there, else made by `make` and written with mode 0600 before it is used.
    fn key_file(
        &self,
        path: &Path,
        keys: Keys,
        make: impl FnOnce() -> Result<SecretBytes, Error>,
    ) -> Result<SecretBytes, Error> {
        match File::open(path) {
            Ok(file) => {
                refuse_if_shared(&file, path)?;
                let mut bytes = Vec::with_capacity(4096);
                file.take(64 * 1024).read_to_end(&mut bytes).map_err(|error| Error::at(path, error))?;
                Ok(SecretBytes::new(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && keys == Keys::MayBeDrawn => {
                let secret = make()?;
                self.write_key(path, secret.expose()).map_err(|error| Error::at(path, error))?;
                Ok(secret)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let why = "it is gone, and nothing can take its place; put it back from its backup";
                Err(Error::Key { file: path.to_owned(), why })
            }
            Err(error) => Err(Error::at(path, error)),
        }
    }

    /// A key file is there whole or not at all, and durable before anything is sealed with it.
    fn write_key(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::rename(write_beside(path, bytes)?, path)?;
        File::open(&self.path)?.sync_all()
    }
}

/// Writes and syncs a file that only its owner may read, beside its final place.
fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(beside)
}

/// SECURITY: a key that others may read is no key.
fn refuse_if_shared(file: &File, path: &Path) -> Result<(), Error> {
    let mode = file.metadata().map_err(|error| Error::at(path, error))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(Error::Shared(path.to_owned())) }
}

const DATABASE: &str = "clinic.db";
