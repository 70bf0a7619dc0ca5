//! Proxies from Debian, nginx and HAProxy, which tests put before a service of theirs.

use std::path::Path;

use super::{Place, Service, Started, install, process::Life};
use crate::problem::Problem;

pub(super) struct Proxies;

impl Service for Proxies {
    fn name(&self) -> &'static str {
        "proxies"
    }

    fn about(&self) -> &'static str {
        "nginx and HAProxy, which stand before services of ours"
    }

    fn installed(&self, _: &Place) -> Result<(), Problem> {
        for (program, package) in [(NGINX, "nginx-light"), (HAPROXY, "haproxy")] {
            if !Path::new(program).exists() {
                return Err(Problem::new(format!("{package} is not installed")));
            }
        }
        Ok(())
    }

    fn install(&self, _: &Place) -> Result<(), Problem> {
        install::debian_packages(&["nginx-light", "haproxy"])
    }

    /// A test starts them: they need to know where its service listens.
    fn start(&self, place: &Place, _: Life) -> Result<Started, Problem> {
        self.installed(place)?;
        let programs = [("BARTIZAN_TEST_NGINX", NGINX), ("BARTIZAN_TEST_HAPROXY", HAPROXY)];
        let environment = programs.map(|(name, program)| (name, program.to_owned())).to_vec();
        Ok(Started { process: None, environment })
    }
}

/// Not in everybody's path.
const NGINX: &str = "/usr/sbin/nginx";
const HAPROXY: &str = "/usr/sbin/haproxy";
