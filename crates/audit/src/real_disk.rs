//! The file system.

use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    path::Path,
    sync::Arc,
};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags};

use crate::{
    Error, ErrorKind,
    disk::{Access, Disk, DiskFile, Lock},
};

/// A directory of the file system.
///
/// All files are reached from the directory's own descriptor, without following a link in their names, and are made with
/// mode 0600. The lock is `flock` on the directory itself: there is no lock file that somebody could remove. On network file
/// systems `flock` and `fdatasync` promise less; keep the log on a local one.
#[derive(Debug)]
pub struct RealDisk {
    directory: Arc<OwnedFd>,
}

impl RealDisk {
    /// Opens a directory, and makes it with mode 0700 if it is absent; its parent must exist.
    ///
    /// # Errors
    /// [`ErrorKind::Directory`] when it is no directory, cannot be made, or everybody may write to it.
    pub fn create(directory: &Path) -> Result<Self, Error> {
        match rustix::fs::mkdir(directory, Mode::RWXU) {
            Ok(()) => {
                let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
                let parent = open_directory(parent.unwrap_or_else(|| Path::new(".")))?;
                rustix::fs::fsync(parent).map_err(io::Error::from)?;
            }
            Err(rustix::io::Errno::EXIST) => {}
            Err(_) => return Err(ErrorKind::Directory.into()),
        }
        Self::open(directory)
    }

    /// Opens a directory that exists.
    ///
    /// # Errors
    /// [`ErrorKind::Directory`] when it is none, or everybody may write to it.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let disk = Self::open_to_read(directory)?;
        let mode = rustix::fs::fstat(&disk.directory).map_err(io::Error::from)?.st_mode;
        // SECURITY: whoever may write to the directory may put another file in the place of the log's.
        if Mode::from_raw_mode(mode).contains(Mode::WOTH) {
            return Err(ErrorKind::Directory.into());
        }
        Ok(disk)
    }

    /// Opens a directory that exists, whoever may write to it: evidence is copied to all sorts of places.
    pub(crate) fn open_to_read(directory: &Path) -> Result<Self, Error> {
        Ok(Self { directory: Arc::new(open_directory(directory)?) })
    }
}

fn open_directory(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|_| ErrorKind::Directory.into())
}

impl Disk for RealDisk {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        // A second opening of the same directory, so that the lock ends with its own descriptor.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = rustix::fs::openat(&*self.directory, ".", flags, Mode::empty())?;
        rustix::fs::flock(&own, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(RealLock { _directory: own }))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&*self.directory)? {
            // A name that is not UTF-8 is none of the log's.
            if let Ok(name) = entry?.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let base = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::Append => OFlags::RDWR | OFlags::APPEND,
            Access::NewAppend => OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL,
            Access::Write => OFlags::RDWR,
            Access::NewWrite => OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
        };
        let file = rustix::fs::openat(&*self.directory, name, base | flags, Mode::RUSR | Mode::WUSR)?;
        // SECURITY: a pipe or device in the log's place would swallow or invent entries.
        if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Box::new(RealFile {
            file: file.into(),
            directory: Arc::clone(&self.directory),
            name: name.into(),
        }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&*self.directory, name, AtFlags::empty())?)
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&*self.directory)?)
    }
}

#[derive(Debug)]
struct RealLock {
    _directory: OwnedFd,
}

impl Lock for RealLock {}

#[derive(Debug)]
struct RealFile {
    file: File,
    directory: Arc<OwnedFd>,
    name: Box<str>,
}

impl DiskFile for RealFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut &self.file, bytes)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let ours = rustix::fs::fstat(&self.file)?;
        match rustix::fs::statat(&*self.directory, &*self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
