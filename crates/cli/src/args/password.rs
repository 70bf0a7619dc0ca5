//! The command line of `bartizan password`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::input::SecretSource;

#[derive(Debug, Subcommand)]
pub(crate) enum Password {
    /// Hash a password with argon2id
    Hash {
        #[command(flatten)]
        password: SecretSource,
    },
    /// Verify a password against a stored hash
    Verify {
        /// The file with the PHC string, bare or as `password hash` prints it; a hash is a secret too
        #[arg(long, value_name = "FILE", required_unless_present = "hash_env", conflicts_with = "hash_env")]
        hash_file: Option<PathBuf>,
        /// The environment variable with the PHC string
        #[arg(long, value_name = "NAME")]
        hash_env: Option<String>,
        #[command(flatten)]
        password: SecretSource,
    },
    /// Measure which parameters of argon2id this host can afford
    Tune {
        /// How long one hash may take, in milliseconds
        #[arg(long, default_value_t = 100, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=10_000))]
        target: u64,
        /// Memory for all hashes at once, in MiB
        #[arg(long, default_value_t = 256, value_name = "MIB", value_parser = clap::value_parser!(u64).range(19..=1_048_576))]
        memory: u64,
        /// How many hashes are to be computed at once within that memory
        #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_024))]
        concurrent: u64,
    },
    /// Say whether a new password may be set, and everything that is wrong with it
    Policy {
        #[command(flatten)]
        rules: PasswordRules,
        #[command(flatten)]
        password: SecretSource,
    },
    /// Files of breached passwords
    #[command(subcommand)]
    Breached(Breached),
}

/// Which passwords may be set.
#[derive(Args, Debug)]
pub(crate) struct PasswordRules {
    /// The rule
    #[arg(long, default_value = "nist")]
    pub(crate) rule: Rule,
    /// At least this many characters, if it is more than the rule asks for; at most 64
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) at_least: Option<u16>,
    /// The least strength by zxcvbn's estimate
    #[arg(long)]
    pub(crate) strength: Option<Least>,
    /// A word of the service; may be given several times
    #[arg(long, value_name = "WORD")]
    pub(crate) word: Vec<String>,
    /// The user's name
    #[arg(long, value_name = "NAME")]
    pub(crate) user_name: Option<String>,
    /// The user's e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// A file of breached passwords
    #[arg(long, value_name = "FILE")]
    pub(crate) breached: Option<PathBuf>,
}

/// A rule for new passwords.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Rule {
    /// NIST SP 800-63B-4 for a password that is the only factor: 15 characters
    Nist,
    /// The same beside a second factor: eight characters
    NistSecondFactor,
    /// Eight characters of four classes
    Composition,
}

/// How strong, in guesses.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Least {
    /// 1,000,000
    Fair,
    /// 100,000,000
    Strong,
    /// 10,000,000,000
    VeryStrong,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Breached {
    /// Make a file of breached passwords from lists
    Build {
        /// A list of SHA-1 hashes, `HASH` or `HASH:COUNT` on each line; `-` for stdin; may be given several times
        #[arg(long, value_name = "FILE", required_unless_present = "passwords")]
        hashes: Vec<PathBuf>,
        /// A list of passwords, one on each line; `-` for stdin; may be given several times
        #[arg(long, value_name = "FILE")]
        passwords: Vec<PathBuf>,
        /// Leave out hashes that were seen less often
        #[arg(long, default_value_t = 1, value_name = "COUNT")]
        least: u64,
        /// At most one password in so many is found though it is not there
        #[arg(long, default_value_t = 65_536, value_name = "N", value_parser = clap::value_parser!(u32).range(128..=1_073_741_824))]
        one_in: u32,
        /// Where to; an existing file is never overwritten. A folder beside it holds eight bytes for each password meanwhile
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Say whether a password stands in a file
    Check {
        /// The file
        #[arg(long, value_name = "FILE")]
        filter: PathBuf,
        #[command(flatten)]
        password: SecretSource,
    },
    /// Read a whole file and say whether it is undamaged
    Verify {
        /// The file
        #[arg(value_name = "FILE")]
        filter: PathBuf,
    },
}
