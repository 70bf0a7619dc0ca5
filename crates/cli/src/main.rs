#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod api_key;
mod args;
mod audit;
mod field;
mod input;
mod key;
mod key_file;
mod outcome;
mod password;
mod policy;
mod ring;
mod runtime;
mod session;
mod store;
mod token;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Command, What};

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => return args::explained(&error),
    };
    let ended = match &command.what {
        What::Key(command) => key::run(command),
        What::Jwks { files, alg } => key::jwks(files, *alg),
        What::Token(command) => token::run(command),
        What::Jws(command) => token::run_jws(command),
        What::Password(command) => password::run(command),
        What::Policy(command) => policy::run(command),
        What::Field(command) => field::run(command),
        What::Session(command) => session::run(command),
        What::ApiKey(command) => api_key::run(command),
        What::Audit(command) => audit::run(command),
    };
    ended.map_or_else(|unusable| unusable.said(), ExitCode::from)
}
