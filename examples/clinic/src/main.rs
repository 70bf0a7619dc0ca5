//! The clinic's command.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use bartizan::rate_limit::{ForwardingHeader, TrustedProxies};
use bartizan_clock_tokio::TokioClock;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clinic::{Clinic, Credential, Error, Folder, Wiring, bind, demo, routes_table, serve};
use tokio::signal::unix::{SignalKind, signal};

/// A clinic: the reference service of bartizan. Without a command it serves.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    data: Data,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// A proxy on this machine stands before the clinic, and names clients in this header
    #[arg(long, value_name = "HEADER")]
    behind: Option<Header>,
    /// Who may do what, from this file (TOML or JSON) instead of the clinic's own policy; read again whenever it changes
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Where browsers find the clinic through the proxy, such as https://clinic.example
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Header {
    XForwardedFor,
    Forwarded,
}

impl From<Header> for ForwardingHeader {
    fn from(header: Header) -> Self {
        match header {
            Header::XForwardedFor => Self::XForwardedFor,
            Header::Forwarded => Self::Forwarded,
        }
    }
}

#[derive(Args, Debug)]
struct Data {
    /// Where keys, database and audit log lie
    #[arg(long = "data", default_value = "clinic-data", value_name = "FOLDER")]
    folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Start a clinic of its own on a free port, drive the whole road through it, and stop
    Demo,
    /// Print which route needs what
    Routes,
    /// Give an account another password and print it; the clinic must not be running
    Password {
        /// The tenant
        tenant: String,
        /// The user
        user: String,
        #[command(flatten)]
        data: Data,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { what, data, port, behind, policy, origin } = Arguments::parse();
    let ended = match what {
        None => serve_until_told(&data.folder, port, Setting { behind, policy, origin })
            .await
            .map_err(|error| error.to_string()),
        Some(What::Demo) => {
            let driven = demo::run(Wiring::default(), &mut io::stdout()).await;
            driven.map(drop).map_err(|stopped| stopped.to_string())
        }
        Some(What::Routes) => routes().await.map_err(|error| error.to_string()),
        Some(What::Password { tenant, user, data }) => {
            password(&data.folder, &tenant, &user).await.map_err(|error| error.to_string())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // With nobody to tell, the exit code says it.
            let _ = writeln!(io::stderr(), "clinic: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn open(folder: Folder, wiring: &Wiring) -> Result<(Clinic, Vec<Credential>), Error> {
    Clinic::open(folder, Arc::new(TokioClock::new()), wiring).await
}

/// What is different from one clinic to the next.
struct Setting {
    behind: Option<Header>,
    policy: Option<PathBuf>,
    origin: Option<String>,
}

async fn serve_until_told(data: &Path, port: u16, setting: Setting) -> Result<(), Error> {
    let Setting { behind, policy, origin } = setting;
    let (mut interrupt, mut terminate) = (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
    // The port first: passwords that are told once must not be lost to a port that is taken.
    let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let mut wiring = Wiring::default().answering_at(listener.local_addr().map_err(Error::part("listening"))?);
    if let Some(header) = behind {
        let proxies = TrustedProxies::in_networks(header.into(), ["127.0.0.0/8"]);
        wiring = wiring.behind(proxies.map_err(Error::part("proxies"))?);
    }
    if let Some(policy) = policy {
        wiring = wiring.with_policy(policy);
    }
    if let Some(origin) = origin {
        wiring = wiring.also_at(origin);
    }
    let (clinic, credentials) = open(Folder::open(data)?, &wiring).await?;
    let listening = serve(clinic.clone(), listener)?;
    let told = introduce(listening.address(), data, &credentials);
    if told.is_ok() {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    let stopped = listening.stop().await;
    clinic.close()?;
    stopped?;
    told.map_err(Error::part("standard output"))?;
    say("Stopped; the audit log is signed to its last entry.").map_err(Error::part("standard output"))
}

fn on(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Error> {
    signal(kind).map_err(Error::part("signals"))
}

/// Where it listens, and lines to copy. Credentials are told once.
fn introduce(address: SocketAddr, data: &Path, credentials: &[Credential]) -> io::Result<()> {
    let data = quoted(data);
    let mut text = format!("The clinic listens on http://{address}; its data is in {data}.\n");
    if credentials.is_empty() {
        text += "\nAccounts are as before. For a lost password, stop the clinic and run:\n\n";
        text += &format!("  cargo run -p clinic -- password north ada --data {data}\n");
    } else {
        text += "\nNew accounts. Only hashes of their passwords are stored: this is the one time they are shown.\n\n";
    }
    for Credential { tenant, user, role, password } in credentials {
        text += &format!("  {tenant:<6} {user:<5} {role:<7} {}\n", password.expose());
    }
    let password = |wanted: &str| {
        let credential = credentials.iter().find(|known| known.user == wanted);
        credential.map_or("PASSWORD", |known| known.password.expose())
    };
    let (ada, rosa) = (password("ada"), password("rosa"));
    text += &format!(
        r#"
Lines to copy into another terminal:

  URL=http://{address}
  login() {{
    TOKEN=$(curl -sS $URL/login -H 'content-type: application/json' \
      -d "{{\"tenant\":\"$1\",\"user\":\"$2\",\"password\":\"$3\"}}" \
      | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
    if [ "$TOKEN" ]; then echo "logged in as $2"; else echo "not logged in"; fi
  }}
  show() {{ curl -sS -w '\n%{{http_code}}\n' -H "authorization: Bearer $TOKEN" "$@"; }}

A doctor: her patients, one of them, a change; another tenant's patient, which is answered like none; and what is denied.

  login north ada {ada}
  show $URL/patients
  show $URL/patients/p-101
  show $URL/patients/p-101 -X PATCH -H 'content-type: application/json' -d '{{"medicalRecord":"Cast removed."}}'
  show $URL/patients/p-200
  show $URL/audit

An admin sees other fields of the same patient, and all of that on record.

  login north rosa {rosa}
  show $URL/patients/p-101
  show "$URL/audit?limit=20"
  show $URL/audit/verify

Somebody new. The mail with the token is printed here.

  curl -sS $URL/register -H 'content-type: application/json' \
    -d '{{"tenant":"north","user":"nora","email":"nora@mail.example","password":"seven herons over the quay"}}'
  curl -sS $URL/verify-email -H 'content-type: application/json' -d '{{"token":"TOKEN OF THE MAIL"}}'
  login north nora 'seven herons over the quay'

An auditor needs a copy of the log and the public key, and not us.

  cargo run -q -p bartizan-cli -- audit verify {data}/audit --key {data}/checkpoint.jwk

Ctrl-C stops it."#
    );
    say(&text)
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if is_plain { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// Nothing panics when a reader has gone away.
fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

async fn routes() -> Result<(), Error> {
    let temporary = tempfile::tempdir().map_err(Error::part("temporary folder"))?;
    let (clinic, _) = open(Folder::open(&temporary.path().join("data"))?, &Wiring::default()).await?;
    say(routes_table(&clinic).trim_end()).map_err(Error::part("standard output"))?;
    clinic.close()
}

async fn password(data: &Path, tenant: &str, user: &str) -> Result<(), Error> {
    let (clinic, _) = open(Folder::existing(data)?, &Wiring::default()).await?;
    let changed = clinic.new_password(tenant, user).await;
    clinic.close()?;
    say(changed?.password.expose()).map_err(Error::part("standard output"))
}
