//! The measuring loop.

use std::{
    cell::Cell,
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use ring::hmac;

use crate::{Input, Key};

/// How long one sample takes: long against the clock's grain, short against a scheduler's slice.
const SAMPLE: Duration = Duration::from_micros(500);

/// Samples of each case in one run of a program; the driver runs every program many times.
const ROUNDS: usize = 25;

/// One library with one key, prepared as far as it can be when a service starts.
pub struct Side<'k> {
    /// Whether it accepts a token, with signature, `exp`, `iss` and `aud` checked and the claims read into a struct.
    pub verify: Box<dyn Fn(&str) -> bool + 'k>,
    /// Makes a new token with the claims of the input and shows it, in whatever type a library has for it; none if it fails.
    pub issue: Box<dyn Fn(&dyn Fn(&str)) + 'k>,
}

/// Measures every algorithm that the driver gave a key for, and prints the lines.
///
/// # Errors
/// What a library says about a token that it should have accepted, and tokens that it accepts and must not: what does not do
/// the work is not measured.
pub fn run<'k>(
    input: &'k Input,
    prepare: impl Fn(&'k Input, &'k str, &'k Key) -> Result<Side<'k>, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let yardstick = Yardstick::new(input)?;
    for (algorithm, key) in &input.keys {
        let case = algorithm.to_lowercase();
        let side = match prepare(input, algorithm, key) {
            Ok(side) => side,
            Err(problem) => {
                println!("CANNOT {case}_verify {problem}");
                println!("CANNOT {case}_issue {problem}");
                continue;
            }
        };
        check(algorithm, key, &side)?;
        yardstick.measure(&format!("{case}_verify"), &|| {
            black_box((side.verify)(black_box(&key.tokens.good)));
        });
        yardstick.measure(&format!("{case}_issue"), &|| {
            (side.issue)(&|token| {
                black_box(token);
            })
        });
    }
    Ok(())
}

/// That it does the work: accepts what is good, its own tokens too, and refuses what is not.
fn check(algorithm: &str, key: &Key, side: &Side<'_>) -> Result<(), Box<dyn Error>> {
    if !(side.verify)(&key.tokens.good) {
        return Err(format!("it refuses the good {algorithm} token").into());
    }
    let issued = Cell::new(false);
    (side.issue)(&|token| issued.set((side.verify)(token)));
    if !issued.get() {
        return Err(format!("it refuses the {algorithm} token that it issued").into());
    }
    let bad = [
        ("an expired", &key.tokens.expired),
        ("another audience's", &key.tokens.elsewhere),
        ("another issuer's", &key.tokens.impostor),
        ("a changed", &key.tokens.forged),
    ];
    match bad.iter().find(|(_, token)| (side.verify)(token)) {
        Some((what, _)) => Err(format!("it accepts {what} {algorithm} token").into()),
        None => Ok(()),
    }
}

struct Yardstick<'k> {
    key: hmac::Key,
    signed: &'k str,
}

impl<'k> Yardstick<'k> {
    fn new(input: &'k Input) -> Result<Self, Box<dyn Error>> {
        let token = &input.keys.get("HS256").ok_or("the driver gave no HS256 key")?.tokens.good;
        let (signed, _) = token.rsplit_once('.').ok_or("the driver gave no token")?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), signed })
    }

    fn measure(&self, case: &str, work: &dyn Fn()) {
        let yard = || {
            black_box(hmac::sign(&self.key, black_box(self.signed.as_bytes())));
        };
        let (yard_repeats, work_repeats) = (repeats(&yard), repeats(work));
        let mut yards = Vec::with_capacity(ROUNDS);
        let mut works = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            yards.push(sample(yard_repeats, &yard));
            works.push(sample(work_repeats, work));
        }
        println!("BENCH {case} ns={:.1} yardstick_ns={:.1}", median(works), median(yards));
    }
}

/// How many repetitions fill one sample; finding that out warms the caches as well.
fn repeats(work: &dyn Fn()) -> u32 {
    let mut repeats = 1;
    while time(repeats, work) < SAMPLE {
        repeats *= 2;
    }
    repeats
}

/// Nanoseconds a call.
fn sample(repeats: u32, work: &dyn Fn()) -> f64 {
    time(repeats, work).as_secs_f64() * 1e9 / f64::from(repeats)
}

fn time(repeats: u32, work: &dyn Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    start.elapsed()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
