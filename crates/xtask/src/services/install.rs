//! What installing shares: Debian's packages, Python's environments, and a stamp that tells when an installation is out of date.

use std::{fs, path::Path, process::Command};

use crate::{problem::Problem, run};

/// Installs Debian packages, as root. Waits for another apt to end.
pub(super) fn debian_packages(packages: &[&str]) -> Result<(), Problem> {
    if !rustix::process::geteuid().is_root() || !run::answers("apt-get", &["--version"]) {
        return Err(Problem::new(format!(
            "{} is needed: install it, or run this command as root on Debian",
            packages.join(" ")
        )));
    }
    run::must(apt().args(["update", "-qq"]))?;
    run::must(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

/// Makes a virtual environment at `place` with what `requirements` lists, every version pinned and nothing built.
pub(super) fn virtual_environment(place: &Path, requirements: &Path) -> Result<(), Problem> {
    if !run::answers("python3", &["-c", "import venv, ensurepip"]) {
        debian_packages(&["python3", "python3-venv"])?;
    }
    run::must(Command::new("python3").args(["-m", "venv", "--clear"]).arg(place))?;
    run::must(
        Command::new(place.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(requirements),
    )
}

/// Writes down which list of versions was installed.
pub(super) fn stamp(installed: &Path, versions: &Path) -> Result<(), Problem> {
    let stamp = installed.join(STAMP);
    fs::copy(versions, &stamp).map(drop).map_err(|error| Problem::at(&stamp, &error))
}

/// Whether exactly this list of versions was installed.
pub(super) fn is_stamped(installed: &Path, versions: &Path) -> Result<(), Problem> {
    let wanted = fs::read(versions).map_err(|error| Problem::at(versions, &error))?;
    match fs::read(installed.join(STAMP)) {
        Ok(stamp) if stamp == wanted => Ok(()),
        Ok(_) => Err(Problem::new("other versions are installed")),
        Err(_) => Err(Problem::new("not installed")),
    }
}

const STAMP: &str = "installed-versions";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_of_other_versions_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let versions = folder.path().join("versions");
        fs::write(&versions, "a==1").expect("versions");
        assert!(is_stamped(folder.path(), &versions).is_err());
        stamp(folder.path(), &versions).expect("a stamp");
        assert_eq!(is_stamped(folder.path(), &versions), Ok(()));
        fs::write(&versions, "a==2").expect("versions");
        assert!(is_stamped(folder.path(), &versions).is_err());
    }
}
