//! Why a clinic does not open, and what to do about it.

use std::{
    fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Why a clinic does not open.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be used.
    File(PathBuf, io::Error),
    /// The data folder is no folder.
    NoFolder(PathBuf),
    /// There is no clinic in the data folder.
    NoClinic(PathBuf),
    /// A file or folder with secrets can be read by others.
    Shared(PathBuf),
    /// Another clinic works in the data folder.
    InUse(PathBuf),
    /// A key file does not hold the key that is needed.
    Key {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// There is no such account.
    NoAccount {
        /// In this tenant.
        tenant: String,
        /// Of this name.
        user: String,
    },
    /// The address cannot be listened on.
    Address(SocketAddr, io::Error),
    /// A part of the family cannot be built or does not answer.
    Part {
        /// Which part.
        part: &'static str,
        /// What it says.
        why: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    pub(crate) fn at(path: &Path, error: io::Error) -> Self {
        Self::File(path.to_owned(), error)
    }

    /// For `map_err`: which part says it.
    pub fn part<E: std::error::Error + Send + Sync + 'static>(part: &'static str) -> impl FnOnce(E) -> Self {
        move |why| Self::Part { part, why: Box::new(why) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NoFolder(path) => write!(f, "{} is no folder", path.display()),
            Self::NoClinic(path) => {
                write!(
                    f,
                    "there is no clinic in {} yet; started without a command, one is made",
                    path.display()
                )
            }
            Self::Shared(path) => {
                write!(f, "others may read {0}; keep it for yourself: chmod go= '{0}'", path.display())
            }
            Self::InUse(path) => write!(f, "another clinic works in {}; stop it first", path.display()),
            Self::Key { file, why } => write!(f, "{}: {why}", file.display()),
            Self::NoAccount { tenant, user } => {
                write!(f, "there is no account {} in {}", user.escape_debug(), tenant.escape_debug())
            }
            Self::Address(address, error) if error.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "port {} is taken; choose another with --port, 0 takes a free one", address.port())
            }
            Self::Address(address, error) => write!(f, "{address} cannot be listened on: {error}"),
            Self::Part { part, why } => {
                write!(f, "{part}: {why}")?;
                let mut source = why.source();
                while let Some(deeper) = source {
                    write!(f, ": {deeper}")?;
                    source = deeper.source();
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Error {}
