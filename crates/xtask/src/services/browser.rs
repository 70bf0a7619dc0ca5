//! A browser: Debian's Chromium, driven through ChromeDriver by the W3C's WebDriver protocol.

use std::{process::Command, time::Duration};

use super::{
    Place, Service, Started, install,
    process::{Life, Process},
};
use crate::{problem::Problem, run};

pub(super) struct Browser;

impl Service for Browser {
    fn name(&self) -> &'static str {
        "browser"
    }

    fn about(&self) -> &'static str {
        "Chromium and ChromeDriver, which pages of ours are looked at with"
    }

    fn installed(&self, _: &Place) -> Result<(), Problem> {
        for (program, package) in PROGRAMS {
            if !run::answers(program, &["--version"]) {
                return Err(Problem::new(format!("there is no {package}")));
            }
        }
        Ok(())
    }

    fn install(&self, _: &Place) -> Result<(), Problem> {
        install::debian_packages(&PROGRAMS.map(|(_, package)| package))
    }

    fn start(&self, place: &Place, life: Life) -> Result<Started, Problem> {
        let mut command = Command::new("chromedriver");
        // It takes a free port and says which. The browsers that it starts keep their profiles in the data folder.
        command.arg("--port=0").env("HOME", &place.data).env("TMPDIR", &place.data);
        let mut process = Process::start(&command, &place.data, life)?;
        let port = process.says("ChromeDriver was started successfully on port ", START)?;
        let authority = format!("127.0.0.1:{}", port.trim_end_matches('.'));
        process.answers(&authority, "/status", START)?;
        let environment = vec![("BARTIZAN_TEST_WEBDRIVER", format!("http://{authority}"))];
        Ok(Started { process: Some(process), environment })
    }
}

const START: Duration = Duration::from_secs(60);

/// The programs, and the packages that bring them.
const PROGRAMS: [(&str, &str); 2] = [("chromium", "chromium"), ("chromedriver", "chromium-driver")];
