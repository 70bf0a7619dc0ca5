//! The audit log as an auditor sees it: a folder of files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan::{
    audit::{Query, Reader, Report, Verdict, VerifyOptions, verify},
    core::os,
    crypto::Provider,
    crypto_ring::Ring,
};

use super::step::Trouble;
use crate::{Folder, folder::Keys};

/// The entries of a log.
pub(crate) struct Log(Vec<(u64, String)>);

impl Log {
    pub(crate) fn read(folder: &Path) -> Result<Self, Trouble> {
        let reader = Reader::open(folder)?;
        let entries = reader.entries(Query::new())?;
        let entries: Result<Vec<_>, _> =
            entries.map(|entry| entry.map(|entry| (entry.index(), entry.json().to_owned()))).collect();
        Ok(Self(entries?))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn has(&self, event: &str) -> bool {
        self.mentions(event, "")
    }

    /// Whether an entry of this event has this text in it.
    pub(crate) fn mentions(&self, event: &str, text: &str) -> bool {
        let event = format!("\"event\":\"{event}\"");
        self.0.iter().any(|(_, json)| json.contains(&event) && json.contains(text))
    }

    /// Flips one bit in the middle of the middle entry, where it is stored, and answers its index.
    pub(crate) fn flip_one_byte(&self, folder: &Path) -> Result<u64, Trouble> {
        let (index, json) = self.0.get(self.0.len() / 2).ok_or("the log is empty")?;
        for file in files(folder)? {
            let mut bytes = fs::read(&file)?;
            let Some(at) = bytes.windows(json.len()).position(|window| window == json.as_bytes()) else {
                continue;
            };
            if let Some(byte) = bytes.get_mut(at + json.len() / 2) {
                *byte ^= 1;
            }
            fs::write(&file, bytes)?;
            return Ok(*index);
        }
        Err("no file holds the entry".into())
    }

    /// Cuts the longest file to half.
    pub(crate) fn cut_tail(folder: &Path) -> Result<(), Trouble> {
        let length = |file: &PathBuf| fs::metadata(file).map_or(0, |meta| meta.len());
        let longest = files(folder)?.into_iter().max_by_key(length).ok_or("no file")?;
        let half = length(&longest) / 2;
        fs::OpenOptions::new().write(true).open(&longest)?.set_len(half)?;
        Ok(())
    }
}

/// Verifies a log, with the public half of the clinic's checkpoint key.
pub(crate) fn examine(log: &Path, clinic: &Folder) -> Result<Report, Trouble> {
    let provider: Arc<dyn Provider> = Arc::new(Ring::new());
    let key = clinic.checkpoint_key(Keys::MustExist, &*provider, &os::OsEntropy)?.public().clone();
    Ok(verify(log, &VerifyOptions::new(provider).trusting(key))?)
}

/// Whether a verdict says that this entry is not what was written.
pub(crate) fn names(verdict: &Verdict, index: u64) -> bool {
    matches!(verdict, Verdict::Corrupt(damage) if damage.index == index)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|file| file.map(|file| file.path())).collect()
}
