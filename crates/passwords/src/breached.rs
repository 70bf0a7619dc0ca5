//! Passwords that have become known, in a file small enough to keep beside the service.
//!
//! # The file, version 1
//!
//! All numbers are little-endian. A password is its SHA-1, as in the lists that are published; of that the first `bucket` bits
//! name one of 2^bucket pages and the next `value` bits are kept, so that what is asked for is found wrongly with a
//! probability of `entries` / 2^(bucket + value).
//!
//! | bytes | |
//! |---|---|
//! | 8 | `bzbreach` |
//! | … | the pages, one after the other |
//! | 4 × 2^bucket | the length of each page |
//! | 40 | the footer: `bzbreach`, version (1), bucket, value and rice (one byte each), CRC-32 of the lengths (4), entries (8), length of the pages (8), zeros (4), CRC-32 of the rest of the footer (4) |
//!
//! A page is the number of its values (4), the values, and a CRC-32 of the page's number (4) and the two. Values are sorted;
//! each is written as its distance from the one before (from −1 at first), less one, in a Rice code: the distance divided by
//! 2^rice in unary (so many ones and a zero), then the remainder in `rice` bits, all from the highest bit of a byte down; zeros
//! fill the last byte.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{Read, Seek, SeekFrom},
    sync::{Mutex, PoisonError},
};

use bartizan_core::SecretText;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, normal};

mod build;
mod footer;
mod page;

pub use build::{BreachedBuilder, BreachedSummary};
use footer::{Footer, io, opened};

/// Passwords that have become known, to be refused (SP 800-63B-4 section 3.1.1.2, ASVS 6.2.12). Asked without a network.
///
/// Made by a [`BreachedBuilder`], or by `bartizan password breached build`. What stands in it is always found. What does not is
/// found as well with the probability that [`BreachedFilter::false_positive_rate`] states, and its user picks another.
pub struct BreachedFilter {
    footer: Footer,
    /// Where each page starts, and where the last one ends: offsets from the start of the file.
    starts: Vec<u64>,
    source: Source,
}

enum Source {
    Memory(Vec<u8>),
    /// A lookup seeks and reads.
    File(Mutex<File>),
}

impl BreachedFilter {
    /// Keeps the file open and reads a page of it, some 2 KiB, for each password. Memory: eight bytes for some 700 passwords.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`] when it cannot be read, [`ErrorKind::Filter`] when it is malformed or damaged. Pages are looked
    /// at when they are needed: see [`BreachedFilter::verify`].
    pub fn from_file(mut file: File) -> Result<Self, Error> {
        let length = file.seek(SeekFrom::End(0)).map_err(io)?;
        let (footer, starts) = opened(&mut file, length)?;
        Ok(Self { footer, starts, source: Source::File(Mutex::new(file)) })
    }

    /// Keeps all of it in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`] when it is malformed or damaged.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let length = u64::try_from(bytes.len()).map_err(|_| ErrorKind::Filter)?;
        let (footer, starts) = opened(&mut std::io::Cursor::new(&bytes), length)?;
        Ok(Self { footer, starts, source: Source::Memory(bytes) })
    }

    /// Whether a password has become known, in Normalization Form C.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`]; [`ErrorKind::FilterIo`] and [`ErrorKind::Filter`] when the page cannot be read.
    pub fn contains(&self, password: &SecretText) -> Result<bool, Error> {
        self.contains_normal(&normal::form(password)?)
    }

    /// Whether the password of this SHA-1 has become known.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`] and [`ErrorKind::Filter`] when the page cannot be read.
    pub fn contains_sha1(&self, hash: &[u8; 20]) -> Result<bool, Error> {
        let (page, value) = self.footer.shape.place(page::key(hash));
        let bytes = self.page(page)?;
        page::contains(&bytes, page, self.footer.shape, value)
    }

    pub(crate) fn contains_normal(&self, normal: &str) -> Result<bool, Error> {
        self.contains_sha1(&Zeroizing::new(sha1(normal.as_bytes())))
    }

    /// How many passwords are in it. Two whose hashes begin alike count once.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.footer.entries
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// With which probability a password is found that is not in it.
    #[must_use]
    pub fn false_positive_rate(&self) -> f64 {
        self.footer.shape.rate(self.footer.entries)
    }

    /// Reads all of it: every page is whole, and together they have as many values as the file says.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`] when it cannot be read, [`ErrorKind::Filter`] when it is damaged.
    pub fn verify(&self) -> Result<(), Error> {
        let mut entries = 0_u64;
        for page in 0..self.footer.shape.pages() {
            entries += u64::from(page::count(&self.page(page)?, page, self.footer.shape)?);
        }
        if entries == self.len() { Ok(()) } else { Err(ErrorKind::Filter.into()) }
    }

    fn page(&self, page: u32) -> Result<Cow<'_, [u8]>, Error> {
        let at = usize::try_from(page).map_err(|_| ErrorKind::Filter)?;
        let &[start, end] = self.starts.get(at..at + 2).unwrap_or_default() else {
            return Err(ErrorKind::Filter.into());
        };
        // INVARIANT(pages): starts ascend within the file by at most `MAX_PAGE`; `opened` has seen to it.
        let length = usize::try_from(end - start).map_err(|_| ErrorKind::Filter)?;
        match &self.source {
            Source::Memory(bytes) => {
                let start = usize::try_from(start).map_err(|_| ErrorKind::Filter)?;
                Ok(Cow::Borrowed(bytes.get(start..start + length).ok_or(ErrorKind::Filter)?))
            }
            Source::File(file) => {
                let mut page = vec![0; length];
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start)).map_err(io)?;
                file.read_exact(&mut page).map_err(io)?;
                Ok(Cow::Owned(page))
            }
        }
    }
}

impl fmt::Debug for BreachedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedFilter").field("entries", &self.len()).finish_non_exhaustive()
    }
}

/// SHA-1 is broken as a proof and good enough as a name: the published lists name passwords by it. Whoever finds another
/// password with the hash of a breached one gets it refused.
fn sha1(text: &[u8]) -> [u8; 20] {
    Sha1::digest(text).into()
}
