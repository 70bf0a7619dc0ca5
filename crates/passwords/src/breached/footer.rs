//! What stands around the pages.

use std::io::{Read, Seek, SeekFrom};

use super::page::{MAX_BUCKET, MAX_PAGE, Shape};
use crate::{Error, ErrorKind};

/// The last bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) shape: Shape,
    pub(super) entries: u64,
    /// Bytes of all pages together.
    pub(super) pages: u64,
    /// CRC-32 of the lengths of the pages.
    pub(super) lengths: u32,
}

impl Footer {
    pub(super) fn to_bytes(self) -> [u8; FOOTER] {
        let Shape { bucket, value, rice } = self.shape;
        let mut bytes = [0; FOOTER];
        let fields = MAGIC
            .into_iter()
            .chain([VERSION, bucket, value, rice])
            .chain(self.lengths.to_le_bytes())
            .chain(self.entries.to_le_bytes())
            .chain(self.pages.to_le_bytes())
            .chain([0; 4]);
        bytes.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        if let Some((fields, sum)) = bytes.split_last_chunk_mut() {
            *sum = crc32fast::hash(fields).to_le_bytes();
        }
        bytes
    }

    fn parse(bytes: &[u8; FOOTER]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (&[version, bucket, value, rice], rest) = rest.split_first_chunk::<4>()?;
        let (lengths, rest) = rest.split_first_chunk::<4>()?;
        let (entries, rest) = rest.split_first_chunk::<8>()?;
        let (pages, _) = rest.split_first_chunk::<8>()?;
        let footer = Self {
            shape: Shape { bucket, value, rice },
            entries: u64::from_le_bytes(*entries),
            pages: u64::from_le_bytes(*pages),
            lengths: u32::from_le_bytes(*lengths),
        };
        // One footer, one sequence of bytes: the zeros and the checksum are compared by writing it again.
        let is_whole = *magic == MAGIC && version == VERSION && footer.to_bytes() == *bytes;
        (is_whole && footer.shape.is_possible() && footer.entries > 0).then_some(footer)
    }
}

/// Reads the footer and the starts of the pages, and compares them with how long the file is.
pub(super) fn opened(file: &mut (impl Read + Seek), length: u64) -> Result<(Footer, Vec<u64>), Error> {
    let head = MAGIC.len() as u64;
    let Some(at) = length.checked_sub(FOOTER as u64).filter(|at| *at >= head) else {
        return Err(ErrorKind::Filter.into());
    };
    let mut magic = [0; MAGIC.len()];
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    file.read_exact(&mut magic).map_err(io)?;
    let mut bytes = [0; FOOTER];
    file.seek(SeekFrom::Start(at)).map_err(io)?;
    file.read_exact(&mut bytes).map_err(io)?;
    let footer = Footer::parse(&bytes).filter(|_| magic == MAGIC).ok_or(ErrorKind::Filter)?;

    // SECURITY: the file is as long as it says before memory is taken for what it says.
    let count = u64::from(footer.shape.pages());
    let end = head.checked_add(footer.pages).ok_or(ErrorKind::Filter)?;
    if end.checked_add(4 * count) != Some(at) {
        return Err(ErrorKind::Filter.into());
    }
    let mut lengths = vec![0; 4 << footer.shape.bucket];
    file.seek(SeekFrom::Start(end)).map_err(io)?;
    file.read_exact(&mut lengths).map_err(io)?;
    if crc32fast::hash(&lengths) != footer.lengths {
        return Err(ErrorKind::Filter.into());
    }
    let mut starts = Vec::with_capacity((1 << footer.shape.bucket) + 1);
    let mut start = head;
    starts.push(start);
    for length in lengths.as_chunks::<4>().0 {
        let length = u32::from_le_bytes(*length);
        if length as usize > MAX_PAGE {
            return Err(ErrorKind::Filter.into());
        }
        start += u64::from(length);
        starts.push(start);
    }
    if start == end { Ok((footer, starts)) } else { Err(ErrorKind::Filter.into()) }
}

/// The word for what the system said, without its text.
#[expect(clippy::needless_pass_by_value, reason = "It is given to map_err.")]
pub(super) fn io(error: std::io::Error) -> Error {
    ErrorKind::FilterIo(error.kind()).into()
}

pub(super) const MAGIC: [u8; 8] = *b"bzbreach";
pub(super) const FOOTER: usize = 40;
const VERSION: u8 = 1;
const _: () = assert!(MAX_BUCKET <= 24, "the starts of 2^24 pages take 128 MiB");
