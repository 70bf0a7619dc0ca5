//! What `services up` has started, written down, so that a later `down` ends exactly that and nothing else.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    Started,
    process::{started_at, stop_group},
};
use crate::problem::Problem;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// None for a peer without a process.
    process: Option<Identity>,
    pub(super) environment: BTreeMap<String, String>,
}

/// A process id alone may by now be another process.
#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    id: u32,
    started_at: u64,
}

impl Record {
    pub(super) fn stop(&self) {
        if let Some(process) = self.process.as_ref().filter(|process| process.is_alive()) {
            stop_group(process.id);
        }
    }

    pub(super) fn shown(&self) -> String {
        let environment: Vec<String> =
            self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("up: {}", environment.join(" "))
    }
}

impl Identity {
    fn is_alive(&self) -> bool {
        started_at(self.id) == Some(self.started_at)
    }
}

pub(super) fn write(data: &Path, started: &Started) -> Result<Record, Problem> {
    let process = match &started.process {
        None => None,
        Some(process) => Some(Identity {
            id: process.id(),
            started_at: started_at(process.id())
                .ok_or_else(|| Problem::new("a server ended as soon as it was up"))?,
        }),
    };
    let environment =
        started.environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let record = Record { process, environment };
    let path = data.join(FILE);
    let text = serde_json::to_string_pretty(&record).map_err(|error| Problem::new(error.to_string()))?;
    fs::write(&path, text).map_err(|error| Problem::at(&path, &error))?;
    Ok(record)
}

/// What is written down here, unless its process is gone.
pub(super) fn running(data: &Path) -> Result<Option<Record>, Problem> {
    let path = data.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|error| Problem::at(&path, &error))?;
    let record: Record = serde_json::from_str(&text)
        .map_err(|error| Problem::new(format!("{}: {error}; remove the file", path.display())))?;
    Ok(Some(record).filter(|record| record.process.as_ref().is_none_or(Identity::is_alive)))
}

const FILE: &str = "running.json";

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn written(id: u32, started_at: u64) -> Option<Record> {
        let data = tempfile::tempdir().expect("a folder");
        let text = format!(r#"{{"process":{{"id":{id},"started_at":{started_at}}},"environment":{{}}}}"#);
        fs::write(data.path().join(FILE), text).expect("a record");
        running(data.path()).expect("a readable record")
    }

    #[test]
    fn another_process_with_the_same_id_is_not_ours() {
        let me = std::process::id();
        let begun = started_at(me).expect("this process runs");
        assert!(written(me, begun).is_some());
        assert!(written(me, begun + 1).is_none());
    }

    #[test]
    fn nothing_written_is_nothing_running() {
        assert!(running(tempfile::tempdir().expect("a folder").path()).expect("no record").is_none());
    }
}
