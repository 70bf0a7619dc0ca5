//! The command line.

mod password;
mod policy;
mod ring;
mod sessions;

use std::{path::PathBuf, process::ExitCode};

use bartizan::tokens::Algorithm;
use clap::{
    Args, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};

pub(crate) use self::{
    password::{Breached, Least, Password, PasswordRules, Rule},
    policy::{Asker, Policy, Record, Table, Time},
    ring::{First, NextKey, Ring, Spans},
    sessions::{ApiKey, NewKey, Owner, Session, Store, Which},
};
use crate::{input::SecretSource, outcome::note};

/// Keys, tokens, passwords, policies, sealed fields and audit logs of services that use bartizan.
///
/// Answers in JSON on stdout, messages on stderr. Exit status: 0 ok, 1 refused, 2 usage or an unusable key. Secrets come
/// from files, stdin or the environment, never from the command line.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version)]
pub(crate) struct Command {
    #[command(subcommand)]
    pub(crate) what: What,
}

/// Says what is wrong with a command line, or helps: exit 2 or 0.
pub(crate) fn explained(error: &clap::Error) -> ExitCode {
    // SECURITY: clap shows the argument that is too many. It may be a secret that somebody took this for the place of.
    let is_stray = error.kind() == ErrorKind::UnknownArgument
        && !matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(arg)) if arg.starts_with("--"));
    if is_stray {
        note("an argument is too many; secrets come from stdin, --secret-file or --secret-env, see --help");
    } else {
        // Whether anybody reads it changes nothing.
        let _ = error.print();
    }
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Signing keys
    #[command(subcommand)]
    Key(Key),
    /// Print the public JWK Set (RFC 7517) of some key files
    Jwks {
        /// Key files, private or public
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// What RSA keys are for that do not say so
        #[arg(long)]
        alg: Option<Alg>,
    },
    /// Access tokens (RFC 9068)
    #[command(subcommand)]
    Token(Token),
    /// Signatures over anything (RFC 7515, compact)
    #[command(subcommand)]
    Jws(Jws),
    /// Password hashes, rules for new passwords, and files of breached ones
    #[command(subcommand)]
    Password(Password),
    /// Policy files
    #[command(subcommand)]
    Policy(Policy),
    /// Sealed fields
    #[command(subcommand)]
    Field(Field),
    /// Who is logged in
    #[command(subcommand)]
    Session(Session),
    /// Keys of programs
    #[command(subcommand, name = "apikey")]
    ApiKey(ApiKey),
    /// Audit logs
    #[command(subcommand)]
    Audit(Audit),
}

/// Algorithms by the names of RFC 7518, 8037 and 9864. RS256, RS384 and RS512 are only used where they are named here.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Alg {
    #[value(name = "EdDSA")]
    EdDsa,
    #[value(name = "Ed25519")]
    Ed25519,
    #[value(name = "ES256")]
    Es256,
    #[value(name = "ES384")]
    Es384,
    #[value(name = "PS256")]
    Ps256,
    #[value(name = "PS384")]
    Ps384,
    #[value(name = "PS512")]
    Ps512,
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "RS384")]
    Rs384,
    #[value(name = "RS512")]
    Rs512,
    #[value(name = "HS256")]
    Hs256,
    #[value(name = "HS384")]
    Hs384,
    #[value(name = "HS512")]
    Hs512,
}

impl Alg {
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::EdDsa | Self::Ed25519 => Algorithm::EdDsa,
            Self::Es256 => Algorithm::Es256,
            Self::Es384 => Algorithm::Es384,
            Self::Ps256 => Algorithm::Ps256,
            Self::Ps384 => Algorithm::Ps384,
            Self::Ps512 => Algorithm::Ps512,
            Self::Rs256 => Algorithm::Rs256,
            Self::Rs384 => Algorithm::Rs384,
            Self::Rs512 => Algorithm::Rs512,
            Self::Hs256 => Algorithm::Hs256,
            Self::Hs384 => Algorithm::Hs384,
            Self::Hs512 => Algorithm::Hs512,
        }
    }
}

/// How a key is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Form {
    /// RFC 7517
    Jwk,
    /// PKCS#8, or a SubjectPublicKeyInfo for a public key; says neither the id nor, for RSA, the algorithm
    Pem,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key and write it, mode 0600; prints the public JWK
    Generate {
        /// What it signs with; RSA keys are not made here
        #[arg(long)]
        alg: Alg,
        /// Its id [default: the RFC 7638 thumbprint]
        #[arg(long)]
        kid: Option<String>,
        /// How it is written
        #[arg(long, default_value = "jwk")]
        form: Form,
        /// Where to; an existing file is never overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write a private key in another form, mode 0600; prints the public JWK
    Convert {
        /// A private key: JWK, or PKCS#8, PKCS#1 or SEC 1 in PEM or DER
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What it signs with, for an RSA key that does not say so
        #[arg(long)]
        alg: Option<Alg>,
        /// How it is written
        #[arg(long)]
        form: Form,
        /// Where to; an existing file is never overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the public half of a key file
    Public {
        /// A key, private or public: JWK, PEM or DER, or a certificate, of which nothing but the key is read
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What it is for, for an RSA key that does not say so
        #[arg(long)]
        alg: Option<Alg>,
        /// How it is printed
        #[arg(long, default_value = "jwk")]
        form: Form,
    },
    /// Rings of keys that follow each other
    #[command(subcommand)]
    Ring(Ring),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Sign claims as they stand in a file; `iat` and `jti` are filled in when absent
    Sign {
        /// The private key: JWK, or PKCS#8, PKCS#1 or SEC 1 in PEM or DER
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// What it signs with, for an RSA key that does not say so
        #[arg(long)]
        alg: Option<Alg>,
        /// A JSON object of at most 6 KiB; `-` for stdin
        #[arg(long, value_name = "FILE")]
        claims: PathBuf,
        /// The header's `typ`
        #[arg(long, default_value = "at+jwt")]
        typ: String,
    },
    /// Verify an access token from stdin
    Verify {
        /// Who must have issued it
        #[arg(long)]
        issuer: String,
        /// Whom it must be for
        #[arg(long)]
        audience: String,
        #[command(flatten)]
        keys: Keys,
        /// What a key is for that does not say so; RS256, RS384 and RS512 are only believed when named here
        #[arg(long)]
        alg: Option<Alg>,
        /// How far clocks may differ, in seconds; at most 300
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        leeway: u64,
        /// One token a line on stdin, one verdict a line on stdout; exit 0 when all were read
        #[arg(long)]
        batch: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Jws {
    /// Verify a signature from stdin; prints the payload as base64url
    Verify {
        #[command(flatten)]
        keys: Keys,
        /// What a key is for that does not say so; RS256, RS384 and RS512 are only believed when named here
        #[arg(long)]
        alg: Option<Alg>,
        /// One JWS a line on stdin, one verdict a line on stdout; exit 0 when all were read
        #[arg(long)]
        batch: bool,
    },
}

/// The keys to believe.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Keys {
    /// One key: a public, private or symmetric JWK, or a public or private key in PEM or DER
    #[arg(long, value_name = "FILE")]
    pub(crate) jwk: Option<PathBuf>,
    /// A JWK Set: of public keys, or of symmetric ones alone
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks: Option<PathBuf>,
}

/// Which keys, and which cell.
#[derive(Args, Debug)]
pub(crate) struct Cell {
    /// The master key: 32 bytes, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    pub(crate) master: PathBuf,
    /// The SQLite file with the wrapped scope keys
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
    /// The record's tenant
    #[arg(long)]
    pub(crate) tenant: String,
    /// The record's table; for permissions also the kind of record
    #[arg(long)]
    pub(crate) table: String,
    /// The record's id, as text
    #[arg(long)]
    pub(crate) row: String,
    /// The field
    #[arg(long)]
    pub(crate) field: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Field {
    /// Seal a text from stdin; prints the cell as `bz1_…`
    Seal {
        #[command(flatten)]
        cell: Cell,
        /// Pad to a multiple of this many bytes
        #[arg(long, default_value_t = 16, value_name = "BYTES", value_parser = clap::value_parser!(u16).range(1..))]
        bucket: u16,
        #[command(flatten)]
        value: SecretSource,
    },
    /// Open a cell (`bz1_…`) from stdin, as an operator whom a policy must let; the decision is recorded
    Open {
        #[command(flatten)]
        cell: Cell,
        /// The policy; it must let the role `operator` do `<table>:open` and show the field
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// Where the decision is recorded: JSON lines, appended
        #[arg(long, value_name = "FILE")]
        record: PathBuf,
    },
    /// Show what a cell (`bz1_…`, from stdin) says in clear: version, suite, key id, ordinal, length
    Inspect,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Verify a log: every entry, every hash, every checkpoint
    Verify {
        /// The log's folder, or a copy of it
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// A JWK, public or private, that checkpoints are signed with; may be given several times
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
        /// A checkpoint that was kept elsewhere
        #[arg(long, value_name = "FILE", requires = "key")]
        checkpoint: Option<PathBuf>,
    },
    /// Print entries, one JSON object a line
    Show {
        /// The log's folder, or a copy of it
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        #[command(flatten)]
        filter: Filter,
    },
}

/// Which entries.
#[derive(Args, Debug)]
pub(crate) struct Filter {
    /// The first entry
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
    /// At most so many
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit: usize,
    /// Only this event
    #[arg(long)]
    pub(crate) event: Option<String>,
    /// Only this subject
    #[arg(long)]
    pub(crate) subject: Option<String>,
    /// Only this tenant
    #[arg(long)]
    pub(crate) tenant: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Command::command().debug_assert();
    }
}
