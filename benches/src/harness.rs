//! Runs the variants of a case in turns, so that a busy machine slows all of them alike.

use std::{hint::black_box, time::Duration};

use crate::{
    clock::time,
    report::{Measured, Report},
};

/// How long one sample of one variant should take: long against the clock's grain, short against a scheduler's slice.
const SAMPLE: Duration = Duration::from_micros(400);

/// Samples of each variant.
const ROUNDS: usize = 401;
const QUICK_ROUNDS: usize = 61;

type Work<'a> = Box<dyn FnMut() + 'a>;

/// One thing to measure: ours, beside the bare primitives and beside a hand-written version without checks.
pub struct Case<'a> {
    name: &'static str,
    ours: Work<'a>,
    limit: Option<Work<'a>>,
    floor: Option<Work<'a>>,
    floor_label: &'static str,
    between: Option<Work<'a>>,
    burst: u32,
    most_rounds: usize,
}

impl<'a> Case<'a> {
    /// A case and our side of it.
    pub fn new<T>(name: &'static str, mut ours: impl FnMut() -> T + 'a) -> Self {
        Self {
            name,
            ours: Box::new(move || drop(black_box(ours()))),
            limit: None,
            floor: None,
            floor_label: "floor",
            between: None,
            burst: 1 << 24,
            most_rounds: ROUNDS,
        }
    }

    /// The bare primitives: what no implementation can go below.
    #[must_use]
    pub fn limit<T>(mut self, mut work: impl FnMut() -> T + 'a) -> Self {
        self.limit = Some(Box::new(move || drop(black_box(work()))));
        self
    }

    /// A hand-written version with few or no checks: what somebody in a hurry would write.
    #[must_use]
    pub fn floor<T>(mut self, mut work: impl FnMut() -> T + 'a) -> Self {
        self.floor = Some(Box::new(move || drop(black_box(work()))));
        self
    }

    /// In place of a floor, under its own name: two hash maps and a bit for each role and permission, as one writes it by hand
    /// with care.
    #[must_use]
    pub fn maps<T>(mut self, work: impl FnMut() -> T + 'a) -> Self {
        self.floor_label = "maps";
        self.floor(work)
    }

    /// Measures bursts of at most so many calls: for work whose other half goes on in another thread, which a longer sample
    /// would make the measured side wait for.
    #[must_use]
    pub const fn in_bursts_of(mut self, calls: u32) -> Self {
        self.burst = calls;
        self
    }

    /// At most so many samples of each variant: for work that takes many milliseconds.
    #[must_use]
    pub const fn in_rounds(mut self, rounds: usize) -> Self {
        self.most_rounds = rounds;
        self
    }

    /// Runs before each sample and is not measured: what clears up after the sample before.
    #[must_use]
    pub fn between<T>(mut self, mut work: impl FnMut() -> T + 'a) -> Self {
        self.between = Some(Box::new(move || drop(black_box(work()))));
        self
    }
}

impl std::fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// A run of cases: `--quick` for fewer rounds, and words that a case's name must contain.
#[derive(Debug)]
pub struct Bench {
    rounds: usize,
    words: Vec<String>,
    report: Report,
}

impl Bench {
    /// Reads the command line of `cargo bench`.
    #[must_use]
    pub fn from_args() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let words = arguments.into_iter().filter(|argument| !argument.starts_with('-')).collect();
        Self { rounds: if quick { QUICK_ROUNDS } else { ROUNDS }, words, report: Report::default() }
    }

    /// Whether the command line asks for a case: for what takes long to prepare.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    /// Whether it asks for few rounds.
    #[must_use]
    pub const fn is_quick(&self) -> bool {
        self.rounds == QUICK_ROUNDS
    }

    /// Adds what is no time of a call, measured elsewhere: names that end in their unit, and numbers.
    pub fn figures(&mut self, name: &'static str, figures: &[(&'static str, f64)]) {
        self.report.add_figures(name, figures);
    }

    /// Measures a case, unless the command line asks for others, and prints its `BENCH` line.
    pub fn run(&mut self, mut case: Case<'_>) {
        if !self.wants(case.name) {
            return;
        }
        let allocations = {
            (case.ours)();
            allocation_counter::measure(&mut case.ours).count_total
        };
        let (has_limit, has_floor) = (case.limit.is_some(), case.floor.is_some());
        let mut variants: Vec<Variant<'_, '_>> =
            [Some(&mut case.ours), case.limit.as_mut(), case.floor.as_mut()]
                .into_iter()
                .flatten()
                .map(|work| Variant::prepared(work, case.burst))
                .collect();
        for round in 0..self.rounds.min(case.most_rounds) {
            // Every variant is first as often as any other.
            let first = round % variants.len();
            variants.rotate_left(first);
            for variant in &mut variants {
                if let Some(between) = &mut case.between {
                    between();
                }
                variant.sample();
            }
            variants.rotate_right(first);
        }
        let mut medians = variants.into_iter().map(|variant| variant.nanos);
        let ours = medians.next().unwrap_or_default();
        let limit = has_limit.then(|| medians.next()).flatten();
        let floor = has_floor.then(|| medians.next()).flatten();
        let floor = floor.as_deref().map(|nanos| (case.floor_label, nanos));
        self.report.add(Measured::new(case.name, &ours, limit.as_deref(), floor, allocations));
    }

    /// Prints the table for people.
    pub fn finish(self) {
        self.report.print_table();
    }
}

struct Variant<'a, 'w> {
    work: &'a mut Work<'w>,
    repeats: u32,
    nanos: Vec<f64>,
}

impl<'a, 'w> Variant<'a, 'w> {
    /// Finds how many repetitions fill one sample; that warms the caches as well.
    fn prepared(work: &'a mut Work<'w>, burst: u32) -> Self {
        let mut repeats: u32 = 1;
        while repeats < burst && time(|| (0..repeats).for_each(|_| work())) < SAMPLE {
            repeats = (repeats * 2).min(burst);
        }
        Self { work, repeats, nanos: Vec::new() }
    }

    fn sample(&mut self) {
        let took = time(|| (0..self.repeats).for_each(|_| (self.work)()));
        self.nanos.push(took.as_secs_f64() * 1e9 / f64::from(self.repeats));
    }
}
