//! Reading a segment's frames in order, in constant memory.

use std::io;

use crate::{
    disk::{DiskFile, read_full_at},
    format::{Frame, FrameFault, FrameSum},
};

/// Frames of one segment from an offset on.
#[derive(Debug)]
pub(crate) struct Frames<'f> {
    file: &'f dyn DiskFile,
    sum: FrameSum,
    buffer: Vec<u8>,
    /// The next frame is at `buffer[start..filled]`, which is `offset` in the file.
    start: usize,
    filled: usize,
    offset: u64,
}

/// What stands at an offset.
#[derive(Debug)]
pub(crate) enum Step<'b> {
    /// A whole frame.
    Frame(Frame<'b>),
    /// Nothing: the file ends here.
    End,
    /// Bytes that are no whole frame.
    Bad(FrameFault),
}

impl<'f> Frames<'f> {
    pub(crate) fn new(file: &'f dyn DiskFile, sum: FrameSum, offset: u64) -> Self {
        Self { file, sum, buffer: vec![0; BUFFER], start: 0, filled: 0, offset }
    }

    /// Where the next frame begins, or the bytes that are none.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Forgets what was read ahead, so that what was appended since is seen.
    pub(crate) fn refresh(&mut self) {
        (self.start, self.filled) = (0, 0);
    }

    /// The next step. After `End` and `Bad` it says the same again.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        let mut parsed = self.parsed();
        if parsed == Err(FrameFault::Short) {
            self.refill()?;
            parsed = self.parsed();
        }
        match parsed {
            Ok((index, length)) => {
                let frame = self.start..self.start + length;
                self.start = frame.end;
                self.offset += length as u64;
                // INVARIANT(scanned): the range was parsed just now, so it is in the buffer and longer than a frame's header.
                let bytes = self.buffer.get(frame).unwrap_or_default();
                Ok(Step::Frame(Frame::checked(index, bytes)))
            }
            Err(FrameFault::Short) if self.start == self.filled => Ok(Step::End),
            Err(fault) => Ok(Step::Bad(fault)),
        }
    }

    fn parsed(&self) -> Result<(u64, usize), FrameFault> {
        let bytes = self.buffer.get(self.start..self.filled).unwrap_or_default();
        self.sum.parse(bytes).map(|frame| (frame.index(), frame.stored_len()))
    }

    /// Moves what is left to the front and fills up behind it.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        (self.start, self.filled) = (0, self.filled - self.start);
        let free = self.buffer.get_mut(self.filled..).unwrap_or_default();
        self.filled += read_full_at(self.file, free, self.offset + self.filled as u64)?;
        Ok(())
    }
}

/// Several frames of the largest size.
const BUFFER: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Disk, crash::CrashDisk, format::LogId};

    const LOG: LogId = LogId([1; 16]);

    fn disk_of(frames: &[&[u8]]) -> CrashDisk {
        let (disk, mut bytes) = (CrashDisk::new(1), Vec::new());
        for (index, payload) in frames.iter().enumerate() {
            assert!(FrameSum::new(LOG, 0).append(index as u64, payload, &mut bytes));
        }
        disk.replace("segment", &bytes);
        disk
    }

    fn payloads(frames: &mut Frames<'_>) -> (Vec<Vec<u8>>, Option<FrameFault>) {
        let mut payloads = Vec::new();
        loop {
            match frames.step().unwrap() {
                Step::Frame(frame) => payloads.push(frame.payload().to_vec()),
                Step::End => return (payloads, None),
                Step::Bad(fault) => return (payloads, Some(fault)),
            }
        }
    }

    #[test]
    fn frames_are_found_wherever_the_buffer_ends() {
        let payloads_in: Vec<Vec<u8>> = (1..40).map(|n| vec![b'x'; n * 1_600]).collect();
        let disk = disk_of(&payloads_in.iter().map(|payload| &**payload).collect::<Vec<_>>());
        let file = disk.open("segment", Access::Read).unwrap();
        let mut frames = Frames::new(&*file, FrameSum::new(LOG, 0), 0);
        assert_eq!(payloads(&mut frames), (payloads_in, None));
        assert_eq!(frames.offset(), file.length().unwrap());
        assert!(file.length().unwrap() > 2 * BUFFER as u64);
    }

    #[test]
    fn what_was_read_too_early_is_read_again() {
        let disk = disk_of(&[b"one", b"two"]);
        let whole = disk.files()["segment"].clone();
        let half = whole.len() - 2;
        // The writer's length is there and its last bytes are not yet.
        disk.tamper("segment", |bytes| bytes[half..].fill(0));
        let file = disk.open("segment", Access::Read).unwrap();
        let mut frames = Frames::new(&*file, FrameSum::new(LOG, 0), 0);
        assert_eq!(payloads(&mut frames), (vec![b"one".to_vec()], Some(FrameFault::Checksum)));
        disk.tamper("segment", |bytes| bytes.clone_from(&whole));
        assert_eq!(payloads(&mut frames).1, Some(FrameFault::Checksum));
        frames.refresh();
        assert_eq!(payloads(&mut frames), (vec![b"two".to_vec()], None));
    }
}
