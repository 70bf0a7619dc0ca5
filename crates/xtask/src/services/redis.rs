//! Redis, from Debian. Every write is in its log on disk before it is answered, as sessions demand of theirs.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use super::{
    Place, Service, Started, install,
    process::{Life, Process},
};
use crate::{problem::Problem, run};

pub(super) struct Redis;

/// Known to the tests and to a server that only the loopback interface reaches: no secret.
const PASSWORD: &str = "pw";

impl Service for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn about(&self) -> &'static str {
        "Redis, which keeps sessions and counts for rate limits"
    }

    fn installed(&self, _: &Place) -> Result<(), Problem> {
        match run::answers(SERVER, &["--version"]) {
            true => Ok(()),
            false => Err(Problem::new("redis-server is not installed")),
        }
    }

    fn install(&self, _: &Place) -> Result<(), Problem> {
        install::debian_packages(&["redis-server"])
    }

    fn start(&self, place: &Place, life: Life) -> Result<Started, Problem> {
        self.installed(place)?;
        // Its port 0 means no port at all. Another program may take a free one in between; then it says so and ends.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|free| free.local_addr())
            .map_err(|error| Problem::new(format!("there is no free port: {error}")))?
            .port();
        let mut command = Command::new(SERVER);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--requirepass", PASSWORD])
            .args(["--dir", &place.data.to_string_lossy(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--maxmemory", "256mb", "--maxmemory-policy", "noeviction"]);
        let mut process = Process::start(&command, &place.data, life)?;
        process.until(START, |_| has_answered(port).then_some(()))?;
        let url = format!("redis://default:{PASSWORD}@127.0.0.1:{port}/0");
        Ok(Started { process: Some(process), environment: vec![("BARTIZAN_TEST_REDIS_URL", url)] })
    }
}

const SERVER: &str = "redis-server";
const START: Duration = Duration::from_secs(30);

fn has_answered(port: u16) -> bool {
    let ask = || -> std::io::Result<[u8; 12]> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "AUTH default {PASSWORD}\r\nPING\r\n")?;
        let mut answers = [0; 12];
        stream.read_exact(&mut answers)?;
        Ok(answers)
    };
    ask().is_ok_and(|answers| answers == *b"+OK\r\n+PONG\r\n")
}
