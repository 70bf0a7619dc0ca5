//! `bartizan password tune`.

use std::time::Duration;

use bartizan::{
    core::os,
    passwords::{Params, Tuning},
};
use serde::Serialize;

use crate::outcome::{Ended, Outcome, Unusable, note, say};

#[derive(Serialize)]
struct Tuned {
    ok: bool,
    #[serde(flatten)]
    chosen: Measured,
    /// What [`Passwords::new`](bartizan::passwords::Passwords::new) takes as its budget.
    memory_budget: u64,
    trials: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    took_ms: f64,
}

impl Measured {
    fn new(params: Params, took: Duration) -> Self {
        Self {
            memory_kib: params.memory_kib(),
            passes: params.passes(),
            lanes: params.lanes(),
            // A tenth of a millisecond is finer than two runs agree on.
            took_ms: (took.as_secs_f64() * 10_000.0).round() / 10.0,
        }
    }
}

/// Refuses when even the floor takes longer than the target: then more memory or passes are none of the choices, and a faster
/// host or a longer wait are.
pub(super) fn run(target: u64, memory: u64, concurrent: u64) -> Ended {
    let each = memory * 1024 * 1024 / concurrent;
    note("measuring; the host should be idle");
    let tuning = Tuning::measure(&os::SystemClock, Duration::from_millis(target), each)
        .map_err(|error| Unusable::of(format_args!("{concurrent} hashes at once in {memory} MiB"), error))?;
    let (params, ok) = (tuning.params(), tuning.meets_target());
    let chosen = Measured::new(params, tuning.took());
    let trials = tuning.trials().iter().map(|trial| Measured::new(trial.params(), trial.took())).collect();
    say(&Tuned { ok, chosen, memory_budget: params.memory_bytes() * concurrent, trials })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}
