//! `bartizan policy`.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Read a policy file and run the tests in it
    Check {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print who may do what as a Markdown table on stderr
        #[arg(long)]
        matrix: bool,
    },
    /// Run the tests in a policy file, and say which rules they reach
    Test {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print the rules that no test reaches on stderr
        #[arg(long)]
        coverage: bool,
        /// Refuse when the tests reach less than so many of a hundred rules
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
        min_coverage: Option<u8>,
    },
    /// Say what a policy file says and hardly means; with assignments in it, who holds what too
    Lint {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Refuse when this is found, by its name; `all` for any; may be given several times
        #[arg(long, value_name = "LINT")]
        deny: Vec<String>,
        /// At what time assignments are looked at (RFC 3339) [default: now]
        #[arg(long, value_name = "TIME")]
        now: Option<String>,
    },
    /// Print who may do what, for people
    Matrix {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// As what
        #[arg(long, default_value = "md")]
        format: Table,
    },
    /// Say exactly what a change gives and takes
    Diff {
        /// The policy before
        #[arg(value_name = "OLD")]
        old: PathBuf,
        /// The policy after
        #[arg(value_name = "NEW")]
        new: PathBuf,
        /// Refuse when anybody gains anything
        #[arg(long)]
        fail_on_new_access: bool,
    },
    /// Decide one question, and say why
    Explain {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What is asked for: a name of the catalogue, with or without scope, or an alias
        permission: String,
        #[command(flatten)]
        asker: Asker,
        #[command(flatten)]
        record: Record,
        #[command(flatten)]
        time: Time,
    },
    /// List who of a tenant can do something to a record, by the assignments in the policy file
    WhoCan {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What is asked for
        permission: String,
        /// The tenant
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        record: Record,
        #[command(flatten)]
        time: Time,
    },
    /// List what somebody can do in their tenant
    WhatCan {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        asker: Asker,
        #[command(flatten)]
        time: Time,
    },
}

/// How the matrix is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Table {
    /// Markdown
    Md,
    /// For spreadsheets (RFC 4180)
    Csv,
    /// A page with a heat map, complete in itself
    Html,
}

/// Who asks. With `--role` these roles count; without, those that the policy file assigns to the subject.
#[derive(Args, Debug)]
pub(crate) struct Asker {
    /// The tenant of the asker and of the record
    #[arg(long)]
    pub(crate) tenant: String,
    /// The asker
    #[arg(long, required_unless_present = "role")]
    pub(crate) subject: Option<String>,
    /// A role that the asker has, whatever is assigned; may be given several times
    #[arg(long)]
    pub(crate) role: Vec<String>,
    /// A team of the asker; may be given several times
    #[arg(long)]
    pub(crate) team: Vec<String>,
    /// The asker logged in just now, by several factors
    #[arg(long)]
    pub(crate) mfa: bool,
    /// From where the asker comes
    #[arg(long)]
    pub(crate) address: Option<IpAddr>,
}

/// On what.
#[derive(Args, Debug)]
pub(crate) struct Record {
    /// Who owns the record, by its own seal
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Which team the record belongs to
    #[arg(long, value_name = "TEAM")]
    pub(crate) record_team: Option<String>,
    /// An attribute of the record: a text, a whole number, `true` or `false`; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) attribute: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Time {
    /// At what time (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}
