//! A disk that knows what a loss of power would leave.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bartizan::audit::{Access, Disk, DiskFile, Lock};

use crate::Wiring;

/// What was synced so far: the content of each file at its last sync, and the names that were synced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Durable(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    contents: BTreeMap<String, Vec<u8>>,
    names: Vec<String>,
}

impl Durable {
    /// The same wiring, on a disk whose syncs are watched. What the wiring puts between the log and the disk stays there: a
    /// log whose syncs get lost is seen not to sync.
    pub(crate) fn watching(&self, wiring: Wiring) -> Wiring {
        let durable = self.clone();
        wiring.around_disk(move |disk| Arc::new(Watched { disk, durable: durable.clone() }))
    }

    /// Writes into a folder what a loss of power would leave now.
    pub(crate) fn leave(&self, folder: &Path) -> io::Result<()> {
        let kept = self.kept();
        for name in &kept.names {
            fs::write(folder.join(name), kept.contents.get(name).map_or(&[][..], Vec::as_slice))?;
        }
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Watched {
    disk: Arc<dyn Disk>,
    durable: Durable,
}

impl Disk for Watched {
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        self.disk.lock()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.open(name, access)?;
        Ok(Box::new(WatchedFile { file, name: name.to_owned(), durable: self.durable.clone() }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()?;
        self.durable.kept().names = self.disk.names()?;
        Ok(())
    }
}

#[derive(Debug)]
struct WatchedFile {
    file: Box<dyn DiskFile>,
    name: String,
    durable: Durable,
}

impl DiskFile for WatchedFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.file.append(bytes)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        // Read before the sync: what is written meanwhile is not promised by it.
        let mut content = vec![0; usize::try_from(self.file.length()?).map_err(io::Error::other)?];
        let mut filled = 0;
        while let Some(rest) = content.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        content.truncate(filled);
        self.file.sync()?;
        self.durable.kept().contents.insert(self.name.clone(), content);
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.file.is_in_place()
    }
}
