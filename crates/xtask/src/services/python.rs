//! A Python with PyJWT, joserfc and cryptography: other people's code that reads what we write, and writes what we read.

use std::path::PathBuf;

use super::{Place, Service, Started, install, process::Life};
use crate::{problem::Problem, run};

pub(super) struct Python;

impl Service for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn about(&self) -> &'static str {
        "Python with PyJWT, joserfc and cryptography, which check our tokens and cells, and make tokens for us"
    }

    fn installed(&self, place: &Place) -> Result<(), Problem> {
        install::is_stamped(&place.installed, &requirements(place))?;
        // A virtual environment points at the Python that made it; that one may be gone.
        match run::answers(&python(place).to_string_lossy(), &["-c", "import jwt, joserfc, cryptography"]) {
            true => Ok(()),
            false => Err(Problem::new("the virtual environment does not work")),
        }
    }

    fn install(&self, place: &Place) -> Result<(), Problem> {
        install::virtual_environment(&place.installed, &requirements(place))?;
        install::stamp(&place.installed, &requirements(place))
    }

    fn start(&self, place: &Place, _: Life) -> Result<Started, Problem> {
        self.installed(place)?;
        let python = python(place).to_string_lossy().into_owned();
        Ok(Started { process: None, environment: vec![("BARTIZAN_TEST_PYTHON", python)] })
    }
}

fn requirements(place: &Place) -> PathBuf {
    place.root.join("crates/xtask/services/python/requirements.txt")
}

fn python(place: &Place) -> PathBuf {
    place.installed.join("bin/python")
}
