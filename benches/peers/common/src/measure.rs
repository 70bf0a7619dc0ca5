//! The measuring loop.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// How long one sample takes: long against the clock's grain, short against a scheduler's slice.
const SAMPLE: Duration = Duration::from_micros(500);

/// Samples of each case in one run of a program; the driver runs every program many times.
const ROUNDS: usize = 25;

/// Measures a case in turns with the yardstick, and prints the line.
pub(crate) fn in_turns<Y, W>(case: &str, yard: impl Fn() -> Y, work: impl Fn() -> W) {
    let (yard_repeats, work_repeats) = (repeats(&yard), repeats(&work));
    let mut yards = Vec::with_capacity(ROUNDS);
    let mut works = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        yards.push(sample(yard_repeats, &yard));
        works.push(sample(work_repeats, &work));
    }
    println!("BENCH {case} ns={:.1} yardstick_ns={:.1}", median(works), median(yards));
}

/// How many repetitions fill one sample; finding that out warms the caches as well.
fn repeats<T>(work: &impl Fn() -> T) -> u32 {
    let mut repeats = 1;
    while time(repeats, work) < SAMPLE {
        repeats *= 2;
    }
    repeats
}

/// Nanoseconds a call.
fn sample<T>(repeats: u32, work: &impl Fn() -> T) -> f64 {
    time(repeats, work).as_secs_f64() * 1e9 / f64::from(repeats)
}

fn time<T>(repeats: u32, work: &impl Fn() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        black_box(work());
    }
    start.elapsed()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
