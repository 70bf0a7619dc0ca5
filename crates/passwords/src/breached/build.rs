//! Makes a file of breached passwords from lists of any length, in bounded memory.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{BufRead, Read, Write},
    path::{Path, PathBuf},
};

use unicode_normalization::UnicodeNormalization;

use super::{
    footer::{Footer, MAGIC, io},
    page::{self, Shape},
    sha1,
};
use crate::{Error, ErrorKind};

/// Makes the file of a [`BreachedFilter`](crate::BreachedFilter).
///
/// Lists may come in any order and overlap. They are kept in memory up to 64 MiB (eight million passwords) and beyond that in
/// 256 files in a folder, eight bytes for each password, which are removed at the end. Then one of them after the other is
/// sorted in memory: a two-hundred-and-fifty-sixth of the whole, 32 MiB for a thousand million passwords.
///
/// ```
/// use bartizan_core::SecretText;
/// use bartizan_passwords::{BreachedBuilder, BreachedFilter};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let mut builder = BreachedBuilder::new(folder);
/// let list = "21BD12DC183F740EE76F27B78EB39C8AD972A757:83129\n".as_bytes();   // P@ssw0rd, as in published lists
/// builder.read_hashes(list, 1, &mut |lines| eprintln!("{lines} lines"))?;
/// builder.add_password("correct horse battery staple")?;
/// let mut bytes = Vec::new();
/// let summary = builder.finish(&mut bytes)?;
/// assert_eq!(summary.entries(), 2);
///
/// let filter = BreachedFilter::from_bytes(bytes)?;
/// assert!(filter.contains(&SecretText::new("P@ssw0rd".to_owned()))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BreachedBuilder {
    folder: PathBuf,
    rate: u8,
    memory: u64,
    parts: Vec<Part>,
    held: u64,
    hashes: u64,
    lines: u64,
    skipped: u64,
}

/// What was made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreachedSummary {
    entries: u64,
    bytes: u64,
    rate: f64,
    skipped: u64,
}

impl BreachedSummary {
    /// How many passwords are in the file; those whose hashes begin alike count once.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// How long the file is.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// With which probability a password is found that is not in it.
    #[must_use]
    pub const fn false_positive_rate(&self) -> f64 {
        self.rate
    }

    /// Lines that were left out: seen too rarely, or no password that could ever be set.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl BreachedBuilder {
    /// Builds with `folder` for what does not fit into memory. It must exist; two builders never share one.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            rate: RATE,
            memory: MEMORY,
            parts: (0..PARTS).map(|_| Part::default()).collect(),
            held: 0,
            hashes: 0,
            lines: 0,
            skipped: 0,
        }
    }

    /// One password in `one_in` is to be found though it is not there, or fewer: 65,536 unless said otherwise, rounded up to a
    /// power of two, from 128 to 2^30. Twice as many cost a bit for each password.
    #[must_use]
    pub fn one_in(mut self, one_in: u32) -> Self {
        let bits = one_in.clamp(1 << 7, 1 << 30).next_power_of_two().trailing_zeros();
        self.rate = u8::try_from(bits).unwrap_or(RATE);
        self
    }

    /// Bytes that are held in memory before the folder is used.
    #[must_use]
    pub const fn holding(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Adds the SHA-1 of a password.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`] when the folder cannot be written to.
    pub fn add_sha1(&mut self, hash: &[u8; 20]) -> Result<(), Error> {
        let key = page::key(hash);
        if let Some(part) = self.parts.get_mut(usize::from(hash[0])) {
            part.held.push(key);
        }
        self.hashes += 1;
        self.held += 8;
        if self.held > self.memory { self.spill() } else { Ok(()) }
    }

    /// Adds a password, in Normalization Form C, as it is looked for.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`] when the folder cannot be written to.
    pub fn add_password(&mut self, password: &str) -> Result<(), Error> {
        if password.is_ascii() {
            return self.add_sha1(&sha1(password.as_bytes()));
        }
        self.add_sha1(&sha1(password.nfc().collect::<String>().as_bytes()))
    }

    /// Adds a list of hashes as they are published: on each line a SHA-1 of 40 hexadecimal digits and, optionally, a colon and
    /// how often it was seen. Those seen less than `least` times are left out; without a number it is once. `progress` is told
    /// how many lines have been read, a million at a time.
    ///
    /// # Errors
    /// [`ErrorKind::List`] for a line of another form; [`BreachedBuilder::lines`] says which. [`ErrorKind::FilterIo`].
    pub fn read_hashes(
        &mut self,
        list: impl BufRead,
        least: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        self.read(list, progress, |builder, line| {
            let (hash, seen) = hash_line(line).ok_or(ErrorKind::List)?;
            if seen < least {
                builder.skipped += 1;
                return Ok(());
            }
            builder.add_sha1(&hash)
        })
    }

    /// Adds a list of passwords, one a line, as they are. Lines that are empty, no UTF-8 or over 4,096 bytes are left out: nobody
    /// sets such a password.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`].
    pub fn read_passwords(&mut self, list: impl BufRead, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        self.read(list, progress, |builder, line| match std::str::from_utf8(line) {
            Ok(password) if !password.is_empty() && password.len() <= MAX_LINE => {
                builder.add_password(password)
            }
            _ => {
                builder.skipped += 1;
                Ok(())
            }
        })
    }

    /// How many lines have been read.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Sorts what was added and writes the file.
    ///
    /// # Errors
    /// [`ErrorKind::List`] when nothing was added, or what was is no hashes: they pile up. [`ErrorKind::FilterIo`].
    pub fn finish(mut self, out: &mut impl Write) -> Result<BreachedSummary, Error> {
        if self.hashes == 0 {
            return Err(ErrorKind::List.into());
        }
        let shape = Shape::for_hashes(self.hashes, self.rate);
        let mut writer =
            Pages { out, shape, page: 0, values: Vec::new(), lengths: Vec::new(), entries: 0, bytes: 0 };
        writer.out.write_all(&MAGIC).map_err(io)?;
        for part in &mut self.parts {
            for key in part.taken()? {
                let (page, value) = shape.place(key);
                writer.up_to(page)?;
                if writer.values.last() != Some(&value) {
                    writer.values.push(value);
                }
            }
        }
        writer.up_to(shape.pages())?;
        let footer = Footer {
            shape,
            entries: writer.entries,
            pages: writer.bytes,
            lengths: crc32fast::hash(&writer.lengths),
        };
        writer.out.write_all(&writer.lengths).map_err(io)?;
        writer.out.write_all(&footer.to_bytes()).map_err(io)?;
        writer.out.flush().map_err(io)?;
        let around = MAGIC.len() + writer.lengths.len() + footer.to_bytes().len();
        Ok(BreachedSummary {
            entries: footer.entries,
            bytes: footer.pages + around as u64,
            rate: shape.rate(footer.entries),
            skipped: self.skipped,
        })
    }

    fn read(
        &mut self,
        mut list: impl BufRead,
        progress: &mut dyn FnMut(u64),
        mut take: impl FnMut(&mut Self, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut line = Vec::new();
        loop {
            line.clear();
            // SECURITY: a list without line breaks is read in pieces of this size.
            let read = list.by_ref().take(MAX_LINE as u64 + 2).read_until(b'\n', &mut line).map_err(io)?;
            if read == 0 {
                return Ok(());
            }
            self.lines += 1;
            let is_cut = line.last() != Some(&b'\n') && read > MAX_LINE;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            take(self, text.strip_suffix(b"\r").unwrap_or(text))?;
            if is_cut {
                list.skip_until(b'\n').map_err(io)?;
            }
            if self.lines.is_multiple_of(STEP) {
                progress(self.lines);
            }
        }
    }

    /// Moves what is held to the folder.
    fn spill(&mut self) -> Result<(), Error> {
        for (number, part) in self.parts.iter_mut().enumerate() {
            part.spill(&self.folder.join(format!("bartizan-part-{number:02x}")))?;
        }
        self.held = 0;
        Ok(())
    }
}

impl fmt::Debug for BreachedBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreachedBuilder").field("hashes", &self.hashes).finish_non_exhaustive()
    }
}

/// The hashes that begin with one byte.
#[derive(Debug, Default)]
struct Part {
    held: Vec<u64>,
    file: Option<PathBuf>,
}

impl Part {
    fn spill(&mut self, path: &Path) -> Result<(), Error> {
        let file = match self.file {
            Some(_) => OpenOptions::new().append(true).open(path),
            // A file of that name is somebody else's.
            None => OpenOptions::new().append(true).create_new(true).open(path),
        };
        let mut file = file.map_err(io)?;
        self.file = Some(path.to_owned());
        let bytes: Vec<u8> = self.held.drain(..).flat_map(u64::to_le_bytes).collect();
        file.write_all(&bytes).map_err(io)
    }

    /// Everything, sorted.
    fn taken(&mut self) -> Result<Vec<u64>, Error> {
        let mut keys = std::mem::take(&mut self.held);
        if let Some(path) = &self.file {
            let mut file = File::open(path).map_err(io)?;
            let length = file.metadata().map_err(io)?.len();
            if length > MAX_PART {
                return Err(ErrorKind::List.into());
            }
            keys.reserve_exact(usize::try_from(length / 8).map_err(|_| ErrorKind::List)?);
            let mut bytes = vec![0; 64 * 1024];
            let mut left = length;
            while left > 0 {
                let piece = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let piece = bytes.get_mut(..piece).unwrap_or_default();
                file.read_exact(piece).map_err(io)?;
                keys.extend(piece.as_chunks().0.iter().map(|key| u64::from_le_bytes(*key)));
                left -= piece.len() as u64;
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.file {
            // It is of no use to anybody; whoever made the folder removes what is left.
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes pages in their order.
struct Pages<'a, W> {
    out: &'a mut W,
    shape: Shape,
    page: u32,
    values: Vec<u64>,
    lengths: Vec<u8>,
    entries: u64,
    bytes: u64,
}

impl<W: Write> Pages<'_, W> {
    /// Writes all pages before this one.
    fn up_to(&mut self, page: u32) -> Result<(), Error> {
        while self.page < page {
            let mut bytes = Vec::new();
            page::write(&mut bytes, self.page, self.shape, &self.values)?;
            self.out.write_all(&bytes).map_err(io)?;
            let length = u32::try_from(bytes.len()).map_err(|_| ErrorKind::List)?;
            self.lengths.extend_from_slice(&length.to_le_bytes());
            self.bytes += u64::from(length);
            self.entries += self.values.len() as u64;
            self.values.clear();
            self.page += 1;
        }
        Ok(())
    }
}

/// `HASH` or `HASH:COUNT`.
fn hash_line(line: &[u8]) -> Option<([u8; 20], u64)> {
    let (digits, rest) = line.split_first_chunk::<40>()?;
    let mut hash = [0; 20];
    for (byte, pair) in hash.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? << 4 | low?).ok()?;
    }
    let seen = match rest {
        [] => 1,
        [b':', count @ ..] if count.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(count).ok()?.parse().ok()?
        }
        _ => return None,
    };
    Some((hash, seen))
}

/// One in 65,536.
const RATE: u8 = 16;
const MEMORY: u64 = 64 * 1024 * 1024;
const PARTS: usize = 256;
/// Longest part, in bytes: of a list of 17 thousand million hashes.
const MAX_PART: u64 = 512 * 1024 * 1024;
/// Longest line, in bytes.
const MAX_LINE: usize = 4_096;
/// Lines between two reports.
const STEP: u64 = 1_000_000;
