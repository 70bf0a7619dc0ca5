//! The command line of `bartizan session` and `bartizan apikey`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// List a subject's living sessions, last used first
    List {
        #[command(flatten)]
        store: Store,
        #[command(flatten)]
        owner: Owner,
    },
    /// End sessions, with the access tokens that were issued in them
    End {
        #[command(flatten)]
        store: Store,
        /// The tenant
        #[arg(long, required_unless_present = "everybody")]
        tenant: Option<String>,
        /// The subject
        #[arg(long, required_unless_present = "everybody")]
        subject: Option<String>,
        #[command(flatten)]
        which: Which,
    },
}

/// Which sessions are to end.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// This one, by the id that `session list` shows
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// All of the subject, and its one-time tokens
    #[arg(long)]
    pub(crate) all: bool,
    /// All of the subject but this one
    #[arg(long, value_name = "ID")]
    pub(crate) others_than: Option<String>,
    /// All of everybody: when the store or a key may be in the wrong hands
    #[arg(long, conflicts_with_all = ["tenant", "subject"])]
    pub(crate) everybody: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKey {
    /// List an owner's keys, oldest first
    List {
        #[command(flatten)]
        store: Store,
        #[command(flatten)]
        owner: Owner,
    },
    /// Make a key and print it, this once
    Make {
        #[command(flatten)]
        store: Store,
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        new: NewKey,
    },
    /// Put a new key, of the same name and scopes unless said, in the place of another
    Rotate {
        #[command(flatten)]
        store: Store,
        #[command(flatten)]
        owner: Owner,
        /// The key that goes, by the id that `apikey list` shows
        #[arg(long)]
        id: String,
        /// For how many hours the old key still works
        #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(0..=720))]
        overlap: u64,
        /// What the service's keys begin with, before `_`
        #[arg(long)]
        prefix: String,
        /// For how many days the new key works
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=400))]
        days: u64,
    },
    /// End a key at once
    End {
        #[command(flatten)]
        store: Store,
        #[command(flatten)]
        owner: Owner,
        /// The key, by the id that `apikey list` shows
        #[arg(long)]
        id: String,
    },
}

/// A key that is to be made.
#[derive(Args, Debug)]
pub(crate) struct NewKey {
    /// What the service's keys begin with, before `_`
    #[arg(long)]
    pub(crate) prefix: String,
    /// What people call it
    #[arg(long)]
    pub(crate) name: String,
    /// What it may be used for; may stand several times
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// For how many days it works
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=400))]
    pub(crate) days: u64,
}

/// Whose.
#[derive(Args, Debug)]
pub(crate) struct Owner {
    /// The tenant
    #[arg(long)]
    pub(crate) tenant: String,
    /// The subject: a user or a service
    #[arg(long)]
    pub(crate) subject: String,
}

/// Where sessions are kept.
#[derive(Args, Debug)]
pub(crate) struct Store {
    /// The SQLite file
    #[arg(
        long = "store",
        value_name = "FILE",
        required_unless_present = "store_env",
        conflicts_with = "store_env"
    )]
    pub(crate) file: Option<PathBuf>,
    /// The environment variable with the URL of a Postgres or Redis server, which holds a password
    #[arg(long, value_name = "NAME")]
    pub(crate) store_env: Option<String>,
    /// The schema in Postgres, or the prefix in Redis, that the service uses; what its crate uses unless said
    #[arg(long, value_name = "NAME", requires = "store_env")]
    pub(crate) store_name: Option<String>,
}
