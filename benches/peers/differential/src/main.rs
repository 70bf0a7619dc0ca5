//! A differential of strictness: whatever our verifier accepts, jsonwebtoken on AWS-LC accepts with the same claims.
//!
//! `peer-differential CASES [SEED]` makes so many tokens: good ones of every algorithm, changed in their structure, header,
//! claims, encodings, times and sizes; and every attack that has a name. What we alone accept fails the run, unless it stands
//! in `exceptions.csv`; an exception that no longer occurs fails it too.

mod attacks;
mod changes;
mod judge;
mod keys;
mod random;
mod report;
mod token;

use std::error::Error;

use crate::{judge::Judge, keys::Keys, random::Random, report::Report};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let cases: u64 = words.next().ok_or("usage: peer-differential CASES [SEED]")?.parse()?;
    let seed: u64 = words.next().map_or(Ok(1), |seed| seed.parse())?;
    Report::check_itself();
    let keys = Keys::new()?;
    let judge = Judge::new(&keys)?;
    let mut report = Report::default();
    for attack in attacks::all(&keys) {
        report.named(&attack, &judge.compare(&attack.token, attack.algorithm));
    }
    let mut random = Random::new(seed);
    for _ in 0..cases {
        let (algorithm, token, what) = changes::case(&keys, &mut random);
        report.random(&what, &token, &judge.compare(&token, algorithm));
    }
    report.print(cases, seed);
    report.verdict()
}
