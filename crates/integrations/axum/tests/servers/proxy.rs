//! nginx and HAProxy as `docs/howto/behind-proxies.md` configures them, on addresses of this machine.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use bartizan_core::os;
use tempfile::TempDir;

const HOWTO: &str = include_str!("../../../../../docs/howto/behind-proxies.md");

/// Where nginx connects from.
pub(crate) const NGINX: [u8; 4] = [127, 0, 0, 10];

/// Where HAProxy connects from.
pub(crate) const HAPROXY: [u8; 4] = [127, 0, 0, 20];

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    process: Child,
    folder: TempDir,
}

impl Proxy {
    /// nginx before what listens there.
    pub(crate) fn nginx(before: SocketAddr) -> Self {
        let address = free(NGINX);
        let service = page("nginx")
            .replace("10.0.0.30:8080", &before.to_string())
            .replace("10.0.0.10:80", &address.to_string())
            .replace("10.0.0.10", &address.ip().to_string());
        // What Debian's own configuration has around it.
        let own = "daemon off; master_process off; pid nginx.pid; error_log stderr; events {}";
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        Self::start(
            address,
            &format!("{own}\nhttp {{ access_log off;\n{folders}\n{service} }}\n"),
            |folder| {
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", "--", &program("BARTIZAN_TEST_NGINX")]);
                command.arg("-p").arg(folder.path()).args(["-e", "stderr", "-c", "configuration"]);
                command
            },
        )
    }

    /// HAProxy before what listens there.
    pub(crate) fn haproxy(before: SocketAddr) -> Self {
        Self::haproxy_with(before, |configuration| configuration)
    }

    /// HAProxy that writes `Forwarded`, which the page says instead of `option forwardfor`.
    pub(crate) fn haproxy_of_rfc_7239(before: SocketAddr) -> Self {
        let blocks: Vec<&str> = blocks("haproxy").collect();
        let forwarded = (*blocks.last().expect("a second block")).trim().to_owned();
        assert!(forwarded.starts_with("http-request add-header Forwarded"), "{forwarded}");
        Self::haproxy_with(before, |configuration| {
            configuration.replace("option forwardfor ", &format!("{forwarded} "))
        })
    }

    fn haproxy_with(before: SocketAddr, change: impl FnOnce(String) -> String) -> Self {
        let address = free(HAPROXY);
        let configuration = page("haproxy")
            .replace("10.0.0.30:8080", &before.to_string())
            .replace("10.0.0.20:80", &address.to_string())
            .replace("10.0.0.20", &address.ip().to_string());
        Self::start(address, &change(configuration), |_| {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--", &program("BARTIZAN_TEST_HAPROXY")]);
            command.args(["-db", "-f", "configuration"]);
            command
        })
    }

    fn start(address: SocketAddr, configuration: &str, command: impl FnOnce(&TempDir) -> Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("configuration"), format!("{configuration}\n"))
            .expect("a configuration");
        let log = fs::File::create(folder.path().join("log")).expect("a log");
        let process = command(&folder)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut proxy = Self { address, process, folder };
        proxy.wait();
        proxy
    }

    fn wait(&mut self) {
        for _ in 0..500 {
            if TcpStream::connect(self.address).is_ok() {
                return;
            }
            if self.process.try_wait().expect("a process").is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("a proxy does not start; its log:\n{log}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Ended already, or killed now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free(address: [u8; 4]) -> SocketAddr {
    TcpListener::bind((std::net::Ipv4Addr::from(address), 0))
        .and_then(|free| free.local_addr())
        .expect("a free port")
}

fn program(variable: &str) -> String {
    os::environment(variable).unwrap_or_else(|| panic!("{variable} is not set")).expose().to_owned()
}

/// The first block of this language on the page.
fn page(language: &str) -> String {
    blocks(language).next().expect("a block").to_owned()
}

fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    let begin = format!("```{language}\n");
    HOWTO.split("\n```\n").filter_map(move |text| text.split_once(&begin).map(|(_, block)| block))
}
