//! Our side of the comparison, as the bench `rbac` has it.
//!
//! `prepare FILE` writes our answers for everybody; `FILE` measures.

#[path = "../../../benches/rbac/ours.rs"]
mod ours;

use std::error::Error;

use bartizan_rbac::Engine;
use peer_bench::roles::{Answers, Library, Request, World, answers, run};

use self::ours::Asked;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", path] => Ok(std::fs::write(path, answers::<Ours>()?)?),
        [path] => run::<Ours>(&Answers::read(path)?),
        _ => Err("usage: peer-bartizan-rbac prepare FILE | FILE".into()),
    }
}

struct Ours(Engine);

impl Library for Ours {
    type Request<'r> = Asked<'r>;

    fn build(world: &World) -> Result<Self, Box<dyn Error>> {
        Ok(Self(ours::engine(world)?))
    }

    fn request<'r>(&self, request: Request<'r>) -> Result<Asked<'r>, Box<dyn Error>> {
        Asked::new(request)
    }

    fn allows(&self, asked: &Asked<'_>) -> Result<bool, Box<dyn Error>> {
        Ok(ours::allows(&self.0, asked))
    }
}
