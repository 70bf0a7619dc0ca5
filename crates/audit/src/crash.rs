//! A disk in memory that loses power: what was not synced is lost, kept, or kept in part, in any order.
//!
//! Writes reach the medium in sectors of 512 bytes. Until a sync has returned, each sector of each write, each change of a
//! length and each name may or may not be there after [`CrashDisk::restart`], independently of all others. A failed sync drops
//! what it could not write, and the next sync of the same file succeeds without it, as Linux does.
//!
//! ```
//! use std::sync::Arc;
//! use bartizan_audit::{Access, Disk, crash::CrashDisk};
//!
//! let disk = CrashDisk::new(7);
//! let file = disk.open("a", Access::NewAppend)?;
//! file.append(b"kept")?;
//! file.sync()?;
//! disk.sync_names()?;
//! file.append(b"perhaps")?;
//! disk.restart();
//! assert!(disk.files()["a"].starts_with(b"kept"));
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    disk::{Access, Disk, DiskFile, Lock},
    format::segment_number,
};

const SECTOR: usize = 512;

/// The model. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct CrashDisk(Arc<Mutex<Machine>>);

#[derive(Debug)]
struct Machine {
    files: Vec<Content>,
    /// Names as the running system sees them.
    names: BTreeMap<String, usize>,
    /// Names that are on the medium, and changes that may be.
    durable_names: BTreeMap<String, usize>,
    name_changes: Vec<(String, Option<usize>)>,
    /// Counts restarts of machine and process: a file opened before one is of no use after it.
    boot: u64,
    is_locked: bool,
    has_power: bool,
    operations: u64,
    cut_at: Option<u64>,
    failing_syncs: u64,
    space: Option<u64>,
    random: u64,
}

/// One file: as the running system sees it, as it is on the medium, and what may still reach the medium.
#[derive(Clone, Debug, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Bytes { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl CrashDisk {
    /// An empty disk. The seed decides what a loss of power keeps.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_files(seed, &BTreeMap::new())
    }

    /// A disk with these files on the medium.
    #[must_use]
    pub fn with_files(seed: u64, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let names: BTreeMap<_, _> = files.keys().cloned().zip(0..).collect();
        let content =
            |bytes: &Vec<u8>| Content { live: bytes.clone(), durable: bytes.clone(), pending: Vec::new() };
        Self(Arc::new(Mutex::new(Machine {
            files: files.values().map(content).collect(),
            durable_names: names.clone(),
            names,
            name_changes: Vec::new(),
            boot: 0,
            is_locked: false,
            has_power: true,
            operations: 0,
            cut_at: None,
            failing_syncs: 0,
            space: None,
            random: seed,
        })))
    }

    /// All files as the running system sees them.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let machine = self.machine();
        let content = |id: &usize| machine.files.get(*id).map(|file| file.live.clone()).unwrap_or_default();
        machine.names.iter().map(|(name, id)| (name.clone(), content(id))).collect()
    }

    /// Puts another file in the place of one, as somebody else might.
    pub fn replace(&self, name: &str, bytes: &[u8]) {
        let mut machine = self.machine();
        machine.files.push(Content { live: bytes.into(), durable: bytes.into(), pending: Vec::new() });
        let id = machine.files.len() - 1;
        machine.names.insert(name.into(), id);
        machine.durable_names.insert(name.into(), id);
    }

    /// Changes a file's bytes where it stands, as somebody else might.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut machine = self.machine();
        let id = machine.names.get(name).copied();
        if let Some(file) = id.and_then(|id| machine.files.get_mut(id)) {
            change(&mut file.live);
            file.durable.clone_from(&file.live);
            file.pending.clear();
        }
    }

    /// How many operations that change something there were.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.machine().operations
    }

    /// Cuts the power in the middle of the operation after so many more. Everything fails from then on, until
    /// [`CrashDisk::restart`], or [`CrashDisk::kill_process`] if it was the process that ended there.
    pub fn cut_power_after(&self, operations: u64) {
        let mut machine = self.machine();
        machine.cut_at = Some(machine.operations + operations);
    }

    /// Makes the next syncs fail, so many.
    pub fn fail_syncs(&self, count: u64) {
        self.machine().failing_syncs = count;
    }

    /// Lets files grow by so many bytes in all; nothing sets no limit.
    pub fn leave_space(&self, bytes: Option<u64>) {
        self.machine().space = bytes;
    }

    /// Loses power, if it was not lost, and starts again with what is on the medium.
    pub fn restart(&self) {
        let machine = &mut *self.machine();
        let mut random = Random(&mut machine.random);
        for file in &mut machine.files {
            random.keep_some(file);
        }
        for (name, id) in std::mem::take(&mut machine.name_changes) {
            if random.below(2) == 0 {
                set_name(&mut machine.durable_names, name, id);
            }
        }
        machine.names = machine.durable_names.clone();
        machine.boot += 1;
        (machine.is_locked, machine.has_power, machine.cut_at) = (false, true, None);
    }

    /// Ends the process and not the machine: open files and the lock are gone, and all that was written can be read, synced or
    /// not. A loss of power can still take it.
    pub fn kill_process(&self) {
        let mut machine = self.machine();
        machine.boot += 1;
        (machine.is_locked, machine.has_power, machine.cut_at) = (false, true, None);
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set_name(names: &mut BTreeMap<String, usize>, name: String, id: Option<usize>) {
    match id {
        Some(id) => drop(names.insert(name, id)),
        None => drop(names.remove(&name)),
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Length(length) => content.resize(*length, 0),
            Self::Bytes { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                if let Some(place) = content.get_mut(*offset..end) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }

    /// Cut where sectors meet.
    fn sectors(self) -> Vec<Self> {
        let Self::Bytes { offset, bytes } = self else {
            return vec![self];
        };
        let (mut pieces, mut rest, mut at) = (Vec::new(), &*bytes, offset);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            pieces.push(Self::Bytes { offset: at, bytes: piece.into() });
            at += piece.len();
            rest = more;
        }
        pieces
    }
}

/// SplitMix64.
struct Random<'m>(&'m mut u64);

impl Random<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        *self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    /// Keeps some of what may be on the medium. Sometimes nearly all and sometimes nearly nothing, so that whole writes come
    /// through, and lengths without their bytes do.
    fn keep_some(&mut self, file: &mut Content) {
        let quarters = self.below(5);
        let length = file.live.len();
        for piece in std::mem::take(&mut file.pending).into_iter().flat_map(Change::sectors) {
            if self.below(4) < quarters {
                piece.apply(&mut file.durable);
            }
        }
        if file.durable.len() < length && self.below(4) == 0 {
            file.durable.resize(length, 0);
        }
        file.live.clone_from(&file.durable);
    }
}

impl Machine {
    fn check(&self, boot: u64) -> io::Result<()> {
        if self.has_power && self.boot == boot { Ok(()) } else { Err(io::Error::other("no power")) }
    }

    /// Counts an operation; the power may go in the middle of it. Whether it is done all the same is then up to chance.
    fn operate(&mut self, boot: u64) -> io::Result<Power> {
        self.check(boot)?;
        self.operations += 1;
        if self.cut_at.is_none_or(|at| self.operations <= at) {
            return Ok(Power::Stays);
        }
        self.has_power = false;
        match Random(&mut self.random).below(2) {
            0 => Err(io::Error::other("no power")),
            _ => Ok(Power::Goes),
        }
    }
}

enum Power {
    Stays,
    /// The operation is done, and nobody learns of it.
    Goes,
}

impl Power {
    fn answer<T>(self, answer: T) -> io::Result<T> {
        match self {
            Self::Stays => Ok(answer),
            Self::Goes => Err(io::Error::other("no power")),
        }
    }
}

impl Disk for CrashDisk {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        let mut machine = self.machine();
        machine.check(machine.boot)?;
        if std::mem::replace(&mut machine.is_locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(CrashLock { disk: self.clone(), boot: machine.boot }))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let machine = self.machine();
        machine.check(machine.boot)?;
        Ok(machine.names.keys().cloned().collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine();
        let boot = machine.boot;
        machine.check(boot)?;
        let is_new = matches!(access, Access::NewAppend | Access::NewWrite);
        let id = match (machine.names.get(name).copied(), is_new) {
            (Some(_), true) => return Err(io::ErrorKind::AlreadyExists.into()),
            (None, false) => return Err(io::ErrorKind::NotFound.into()),
            (Some(id), false) => id,
            (None, true) => {
                let power = machine.operate(boot)?;
                machine.files.push(Content::default());
                let id = machine.files.len() - 1;
                machine.names.insert(name.into(), id);
                machine.name_changes.push((name.into(), Some(id)));
                power.answer(id)?
            }
        };
        let may_write = access != Access::Read;
        Ok(Box::new(CrashFile { disk: self.clone(), name: name.into(), id, boot, may_write }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut machine = self.machine();
        let boot = machine.boot;
        let power = machine.operate(boot)?;
        machine.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        machine.name_changes.push((name.into(), None));
        power.answer(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let machine = &mut *self.machine();
        let power = machine.operate(machine.boot)?;
        for (name, id) in std::mem::take(&mut machine.name_changes) {
            set_name(&mut machine.durable_names, name, id);
        }
        power.answer(())
    }
}

#[derive(Debug)]
struct CrashLock {
    disk: CrashDisk,
    boot: u64,
}

impl Lock for CrashLock {}

impl Drop for CrashLock {
    fn drop(&mut self) {
        let mut machine = self.disk.machine();
        if machine.boot == self.boot {
            machine.is_locked = false;
        }
    }
}

#[derive(Debug)]
struct CrashFile {
    disk: CrashDisk,
    name: String,
    id: usize,
    boot: u64,
    may_write: bool,
}

impl CrashFile {
    fn read<T>(&self, look: impl FnOnce(&Content) -> T) -> io::Result<T> {
        let machine = self.disk.machine();
        machine.check(self.boot)?;
        machine.files.get(self.id).map(look).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&self, change: impl FnOnce(&Content) -> Change) -> io::Result<usize> {
        let machine = &mut *self.disk.machine();
        if !self.may_write {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let power = machine.operate(self.boot)?;
        let file = machine.files.get_mut(self.id).ok_or(io::ErrorKind::NotFound)?;
        let mut change = change(file);
        let mut written = 0;
        if let Change::Bytes { offset, bytes } = &mut change {
            let growth = (*offset + bytes.len()).saturating_sub(file.live.len());
            if let Some(space) = &mut machine.space {
                let growth = growth as u64;
                let lacking = growth.saturating_sub(*space);
                bytes.truncate(bytes.len() - usize::try_from(lacking).unwrap_or(bytes.len()));
                *space -= growth - lacking;
            }
            if bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written = bytes.len();
        }
        change.apply(&mut file.live);
        file.pending.push(change);
        power.answer(written)
    }
}

impl DiskFile for CrashFile {
    fn length(&self) -> io::Result<u64> {
        self.read(|file| file.live.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read(|file| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(file.live.len());
            let rest = file.live.get(start..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
                to.copy_from_slice(from);
            }
            length
        })
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.change(|file| Change::Bytes { offset: file.live.len(), bytes: bytes.into() })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.change(|_| Change::Bytes { offset, bytes: bytes.into() })
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.change(|_| Change::Length(length)).map(drop)
    }

    fn sync(&self) -> io::Result<()> {
        let machine = &mut *self.disk.machine();
        let power = machine.operate(self.boot)?;
        let file = machine.files.get_mut(self.id).ok_or(io::ErrorKind::NotFound)?;
        let pending = std::mem::take(&mut file.pending);
        if machine.failing_syncs > 0 {
            machine.failing_syncs -= 1;
            return Err(io::Error::other("the medium did not answer"));
        }
        pending.iter().for_each(|change| change.apply(&mut file.durable));
        power.answer(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let machine = self.disk.machine();
        machine.check(self.boot)?;
        Ok(machine.names.get(&self.name) == Some(&self.id))
    }
}

/// A disk that never syncs the log's segments, though it says so: what a log is without its `fdatasync`. Broken on purpose, for
/// the tests that must notice it.
#[derive(Debug)]
pub struct WithoutSync(pub Arc<dyn Disk>);

impl Disk for WithoutSync {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        self.0.lock()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = self.0.open(name, access)?;
        Ok(if segment_number(name).is_some() { Box::new(FileWithoutSync(file)) } else { file })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.sync_names()
    }
}

#[derive(Debug)]
struct FileWithoutSync(Box<dyn DiskFile>);

impl DiskFile for FileWithoutSync {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.0.is_in_place()
    }
}
