//! The file `head`, read and written. See [`crate::format`] for its two slots.

use std::io;

use crate::{
    Error, ErrorKind,
    disk::{Access, Disk, DiskFile, read_full_at, write_all_at},
    format::{BLOCK, HEAD_NAME, Head},
};

/// The two head slots as they were read.
#[derive(Debug)]
pub(crate) struct Heads {
    pub(crate) slots: [Option<Head>; 2],
    /// Whether there is a head file at all.
    pub(crate) is_there: bool,
}

impl Heads {
    pub(crate) fn read(disk: &dyn Disk) -> io::Result<Self> {
        let file = match disk.open(HEAD_NAME, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { slots: [None, None], is_there: false });
            }
            Err(error) => return Err(error),
        };
        let mut heads = Self { slots: [None, None], is_there: true };
        // A running writer may be in the middle of a slot: only what stays damaged is damaged.
        for _ in 0..4 {
            let mut bytes = vec![0; 2 * BLOCK];
            read_full_at(&*file, &mut bytes, 0)?;
            let (first, second) = bytes.split_at(BLOCK);
            heads.slots = [Head::parse(first), Head::parse(second)];
            if heads.damaged_slot().is_none() {
                break;
            }
        }
        Ok(heads)
    }

    pub(crate) fn newest(&self) -> Option<&Head> {
        self.slots.iter().flatten().max_by_key(|head| head.generation)
    }

    /// The slot that counts.
    pub(crate) fn newest_slot(&self) -> usize {
        let generation = |slot: &Option<Head>| slot.as_ref().map(|head| head.generation);
        let [first, second] = &self.slots;
        usize::from(generation(second) > generation(first))
    }

    /// A slot that does not parse, or is of another log than the other.
    pub(crate) fn damaged_slot(&self) -> Option<usize> {
        match &self.slots {
            [None, _] => Some(0),
            [_, None] => Some(1),
            [Some(first), Some(second)] => (first.log != second.log).then(|| 1 - self.newest_slot()),
        }
    }
}

/// The head of an open log.
#[derive(Debug)]
pub(crate) struct HeadFile {
    pub(crate) file: Box<dyn DiskFile>,
    /// The one slot that may be written to until the next sync.
    pub(crate) at_risk: usize,
    pub(crate) generation: u64,
}

impl HeadFile {
    /// Writes the slot at risk. Not durable before a sync, and need not be.
    pub(crate) fn write(&mut self, mut head: Head) -> Result<(), Error> {
        self.generation += 1;
        head.generation = self.generation;
        Ok(write_all_at(&*self.file, &head.to_bytes(), (self.at_risk * BLOCK) as u64)?)
    }

    /// Makes the slot at risk durable; the other one is at risk from now on.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        if !self.file.is_in_place()? {
            return Err(ErrorKind::Replaced.into());
        }
        self.file.sync()?;
        self.at_risk = 1 - self.at_risk;
        Ok(())
    }

    /// Writes and syncs one slot after the other.
    pub(crate) fn write_both(&mut self, head: Head) -> Result<(), Error> {
        self.write(head.clone())?;
        self.sync()?;
        self.write(head)?;
        self.sync()
    }
}
