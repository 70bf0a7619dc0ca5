//! Arguments of `bartizan key ring`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Alg;

#[derive(Debug, Subcommand)]
pub(crate) enum Ring {
    /// Write a new ring, mode 0600, whose first key is active at once
    Create {
        #[command(flatten)]
        first: First,
        #[command(flatten)]
        spans: Spans,
        /// Where to; an existing file is never overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Print the keys, where each stands and since when
    Show {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print them as a Markdown table on stderr as well
        #[arg(long)]
        table: bool,
    },
    /// Print what is due now and what will be due when; changes nothing
    Plan {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How far ahead: so many times at which something is due
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=64))]
        ahead: u8,
    },
    /// Do whatever is due, and write the ring if anything was
    Step {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A retiring key that stays though its time has come, by its version: somebody still needs it
        #[arg(long, value_name = "VERSION")]
        keep: Vec<u32>,
    },
    /// Let the pending key take over before the period of the active one ends
    Rotate {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take a private key as the next one, in place of one that is made
    Publish {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The private key: JWK, or PKCS#8, PKCS#1 or SEC 1 in PEM or DER
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// What it signs with, for an RSA key that does not say so
        #[arg(long)]
        alg: Option<Alg>,
    },
    /// Revoke a key at once, whatever its state: what it signed is refused from now on
    Revoke {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The id of the key
        #[arg(long)]
        kid: String,
    },
    /// Print the public JWK Set (RFC 7517) of the keys that are pending, active or retiring
    Jwks {
        /// The ring
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The first key of a ring.
#[derive(Args, Debug)]
pub(crate) struct First {
    /// What its keys sign with; with --key, what that key signs with if it does not say so
    #[arg(long, required_unless_present = "key")]
    pub(crate) alg: Option<Alg>,
    /// A private key to begin with, in place of one that is made
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// How a ring rotates, in seconds.
#[derive(Args, Debug)]
pub(crate) struct Spans {
    /// How long a key signs, in seconds
    #[arg(long, default_value_t = 30 * 86_400, value_name = "SECONDS")]
    pub(crate) period: u64,
    /// Longest life of a token, in seconds
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS")]
    pub(crate) longest_life: u64,
    /// The `max-age` of the public set, in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub(crate) cache_age: u64,
    /// How far two clocks may be apart, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) skew: u64,
    /// How long until every instance has what one of them stored, in seconds; 0 for one instance
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub(crate) spread: u64,
    /// When the next key is published
    #[arg(long, default_value = "always")]
    pub(crate) next: NextKey,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NextKey {
    /// As soon as the last one took over
    Always,
    /// Just early enough to take over when the period ends
    InTime,
}
