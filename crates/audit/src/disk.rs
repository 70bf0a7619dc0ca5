//! The seam to the medium: the few things that the log asks of a directory.

use std::{fmt::Debug, io};

/// One directory. [`RealDisk`](crate::RealDisk) is the file system; `crash::CrashDisk` is a model that loses power.
///
/// Names are plain file names without a separator.
pub trait Disk: Debug + Send + Sync {
    /// Takes the directory for one writer, until the lock is dropped.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another has it.
    fn lock(&self) -> io::Result<Box<dyn Lock>>;

    /// The names of all files.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens or makes a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] and [`io::ErrorKind::AlreadyExists`] as the access asks, and when it is no regular file.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Removes a file's name.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns once all names made and removed so far would survive a loss of power.
    ///
    /// # Errors
    /// When that cannot be promised.
    fn sync_names(&self) -> io::Result<()>;
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// An existing file, to read only.
    Read,
    /// An existing file, to read and to append to.
    Append,
    /// A file that must not exist yet, to append to.
    NewAppend,
    /// An existing file, to read and to overwrite.
    Write,
    /// A file that must not exist yet, to overwrite.
    NewWrite,
}

/// One open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// When it cannot be told.
    fn length(&self) -> io::Result<u64>;

    /// Reads some bytes; none at the end.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some bytes at the end.
    ///
    /// # Errors
    /// When nothing could be written.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Writes some bytes at a place.
    ///
    /// # Errors
    /// When nothing could be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts the file.
    ///
    /// # Errors
    /// When it could not be cut.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Returns once all that was written, and the length, would survive a loss of power.
    ///
    /// # Errors
    /// When that cannot be promised. Nothing is known of the file's content then, and a second call proves nothing: the
    /// system may have dropped what it could not write.
    fn sync(&self) -> io::Result<()>;

    /// Whether the file's name still leads to this file.
    ///
    /// # Errors
    /// When it cannot be told.
    fn is_in_place(&self) -> io::Result<bool>;
}

/// Held by the one writer of a directory; dropping it lets the next one in.
pub trait Lock: Debug + Send + Sync {}

/// Appends all of it.
pub(crate) fn append_all(file: &dyn DiskFile, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        bytes = rest(bytes, file.append(bytes))?;
    }
    Ok(())
}

/// Writes all of it at a place.
pub(crate) fn write_all_at(file: &dyn DiskFile, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = rest(bytes, file.write_at(bytes, offset))?;
        offset += (bytes.len() - left.len()) as u64;
        bytes = left;
    }
    Ok(())
}

/// Reads until the buffer is full or the file ends; how many bytes that were.
pub(crate) fn read_full_at(file: &dyn DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while let Some(free) = buffer.get_mut(read..).filter(|free| !free.is_empty()) {
        match file.read_at(free, offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

fn rest(bytes: &[u8], written: io::Result<usize>) -> io::Result<&[u8]> {
    match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Ok(count) => bytes.get(count..).ok_or_else(|| io::Error::other("more was written than was asked")),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(bytes),
        Err(error) => Err(error),
    }
}
