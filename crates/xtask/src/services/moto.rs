//! AWS on loopback: PyPI's `moto`, whose Cognito signs tokens as the real one does (RS256).
//!
//! It is permissive: any credentials do, and much that AWS refuses it allows. It proves what tokens look like, never that
//! something is refused.

use std::{net::TcpListener, path::PathBuf, process::Command, time::Duration};

use super::{
    Place, Service, Started, install,
    process::{Life, Process},
};
use crate::{problem::Problem, run};

pub(super) struct Moto;

impl Service for Moto {
    fn name(&self) -> &'static str {
        "moto"
    }

    fn about(&self) -> &'static str {
        "AWS's Cognito as moto plays it, whose tokens (RS256) we must accept"
    }

    fn installed(&self, place: &Place) -> Result<(), Problem> {
        install::is_stamped(&place.installed, &source(place).join("requirements.txt"))?;
        // A virtual environment points at the Python that made it; that one may be gone.
        match run::answers(&python(place).to_string_lossy(), &["--version"]) && server(place).exists() {
            true => Ok(()),
            false => Err(Problem::new("the virtual environment does not work")),
        }
    }

    /// With `uv`, which takes seconds where pip takes minutes; pip brings `uv`.
    fn install(&self, place: &Place) -> Result<(), Problem> {
        install::virtual_environment(&place.installed, &source(place).join("installer.txt"))?;
        run::must(
            Command::new(place.installed.join("bin/uv"))
                .args(["pip", "install", "--quiet", "--no-deps", "--python"])
                .arg(python(place))
                .arg("--requirement")
                .arg(source(place).join("requirements.txt")),
        )?;
        install::stamp(&place.installed, &source(place).join("requirements.txt"))
    }

    fn start(&self, place: &Place, life: Life) -> Result<Started, Problem> {
        // It takes a port number and no port 0. Another program may take a free port in between; then it says so and ends.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|free| free.local_addr())
            .map_err(|error| Problem::new(format!("there is no free port: {error}")))?
            .port();
        let mut command = Command::new(python(place));
        command
            .arg(server(place))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("HOME", &place.data)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")
            // The second start is three times as fast as the first, as the bytecode is there.
            .env_remove("PYTHONDONTWRITEBYTECODE");
        let mut process = Process::start(&command, &place.data, life)?;
        let authority = format!("127.0.0.1:{port}");
        process.answers(&authority, "/moto-api/data.json", START)?;
        let environment = vec![("BARTIZAN_TEST_MOTO", format!("http://{authority}"))];
        Ok(Started { process: Some(process), environment })
    }
}

const START: Duration = Duration::from_secs(60);

fn source(place: &Place) -> PathBuf {
    place.root.join("crates/xtask/services/moto")
}

fn python(place: &Place) -> PathBuf {
    place.installed.join("bin/python")
}

fn server(place: &Place) -> PathBuf {
    place.installed.join("bin/moto_server")
}
