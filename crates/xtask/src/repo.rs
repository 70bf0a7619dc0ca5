//! The repository: where it is, its source files, and what cargo says about its crates.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand};

use crate::problem::Problem;

/// The checkout that this command was built in.
#[derive(Debug)]
pub(crate) struct Repo {
    root: PathBuf,
}

impl Repo {
    /// `cargo xtask` is always built where it runs, so the manifest's place is known when it is compiled.
    pub(crate) fn here() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: manifest.ancestors().nth(2).unwrap_or(manifest).to_owned() }
    }

    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What cargo says about the workspace's own crates.
    pub(crate) fn metadata(&self) -> Result<Metadata, Problem> {
        MetadataCommand::new()
            .current_dir(&self.root)
            .no_deps()
            .exec()
            .map_err(|error| Problem::new(format!("cargo metadata: {error}")))
    }

    /// A file's text, by its path in the repository.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String, Problem> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(|error| Problem::at(&path, &error))
    }

    /// Every source file, as a path in the repository, sorted.
    pub(crate) fn sources(&self) -> Result<Vec<PathBuf>, Problem> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|error| Problem::at(&folder, &error))? {
                let entry = entry.map_err(|error| Problem::at(&folder, &error))?;
                let (path, name) = (entry.path(), entry.file_name());
                let kind = entry.file_type().map_err(|error| Problem::at(&path, &error))?;
                if kind.is_dir() && !NOT_OURS.iter().any(|folder| name == *folder) {
                    folders.push(path);
                } else if kind.is_file() && is_source(&path) {
                    found.push(path.strip_prefix(&self.root).unwrap_or(&path).to_owned());
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn is_source(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => SOURCE_EXTENSIONS.iter().any(|ours| extension == *ours),
        None => path.ends_with(".ci/run"),
    }
}

const NOT_OURS: [&str; 3] = [".git", "node_modules", "target"];

const SOURCE_EXTENSIONS: [&str; 5] = ["mjs", "py", "rs", "sh", "sql"];
