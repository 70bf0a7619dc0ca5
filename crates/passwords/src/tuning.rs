//! Which parameters a host can afford.

use std::time::Duration;

use bartizan_core::Clock;

use crate::{Argon2idEngine, Argon2idInput, EngineFailed, Error, ErrorKind, Params, RustCryptoArgon2id};

/// The strongest parameters that one hash on this host may take, and what was measured to find them.
///
/// As RFC 9106 section 4 advises: first as much memory as there is room and time for, then as many passes. One lane, because
/// lanes are computed one after the other.
///
/// ```no_run
/// use std::time::Duration;
/// use bartizan_core::os;
/// use bartizan_passwords::Tuning;
///
/// // A login may compute for a tenth of a second and hold 64 MiB.
/// let tuning = Tuning::measure(&os::SystemClock, Duration::from_millis(100), 64 * 1024 * 1024)?;
/// println!("{:?} in {:?}", tuning.params(), tuning.took());
/// # Ok::<(), bartizan_passwords::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tuning {
    chosen: Trial,
    target: Duration,
    trials: Vec<Trial>,
}

/// Parameters, and how long one hash took with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    params: Params,
    took: Duration,
}

impl Trial {
    /// The parameters.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.params
    }

    /// The median of three hashes, in memory that was in use before.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }
}

impl Tuning {
    /// Measures the default engine. `target` is the time of one hash, `memory_ceiling` its memory in bytes.
    ///
    /// Computes for about 60 times the target, and never more than [`MAX_TRIALS`](Self::MAX_TRIALS) parameters: call it on an
    /// idle host of the kind that will serve logins, at leisure, and configure what it answers. A service that measured
    /// itself at its start would choose weak parameters on a busy morning.
    ///
    /// # Errors
    /// [`ErrorKind::Params`] when the ceiling is below the memory of [`Params::OWASP`] or the target is zero;
    /// [`ErrorKind::Busy`] when the machine does not have that memory.
    pub fn measure(clock: &dyn Clock, target: Duration, memory_ceiling: u64) -> Result<Self, Error> {
        Self::measure_with(&RustCryptoArgon2id, clock, target, memory_ceiling)
    }

    /// Measures an engine.
    ///
    /// # Errors
    /// As [`Tuning::measure`].
    pub fn measure_with(
        engine: &dyn Argon2idEngine,
        clock: &dyn Clock,
        target: Duration,
        memory_ceiling: u64,
    ) -> Result<Self, Error> {
        let ceiling_kib = u32::try_from(memory_ceiling / 1024).unwrap_or(u32::MAX).min(MAX_MEMORY_KIB);
        if ceiling_kib < Params::OWASP.memory_kib() || target.is_zero() {
            return Err(ErrorKind::Params.into());
        }
        let mut search = Search { engine, clock, target, trials: Vec::new() };
        let chosen = search.run(ceiling_kib)?;
        Ok(Self { chosen, target, trials: search.trials })
    }

    /// The strongest parameters that were measured within the target; [`Params::OWASP`] when none were.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.chosen.params
    }

    /// How long one hash takes with them.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.chosen.took
    }

    /// Whether they are within the target. If not, the host is too slow for the floor in that time; nothing weaker is answered.
    #[must_use]
    pub fn meets_target(&self) -> bool {
        self.chosen.took <= self.target
    }

    /// Everything that was measured, in its order.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Most parameters that are measured.
    pub const MAX_TRIALS: usize = 24;
}

struct Search<'a> {
    engine: &'a dyn Argon2idEngine,
    clock: &'a dyn Clock,
    target: Duration,
    trials: Vec<Trial>,
}

impl Search<'_> {
    fn run(&mut self, ceiling_kib: u32) -> Result<Trial, Error> {
        let mut best = self.trial(Params::OWASP)?;
        if best.took > self.target {
            return Ok(best);
        }
        // More memory with two passes: twice as much, until it is too slow or the ceiling.
        let mut too_much = None;
        while best.params.memory_kib() < ceiling_kib && self.has_trials() {
            let kib = best.params.memory_kib().saturating_mul(2).min(ceiling_kib);
            let trial = self.trial(Params::new(kib, 2, 1)?)?;
            if trial.took > self.target {
                too_much = Some(kib);
                break;
            }
            best = trial;
        }
        // Between what is fast enough and what is not: halved until the step is small.
        while let Some(above) = too_much
            && self.has_trials()
        {
            let middle = best.params.memory_kib().midpoint(above) / MIB * MIB;
            if middle <= best.params.memory_kib()
                || above - best.params.memory_kib() <= best.params.memory_kib() / 8
            {
                return Ok(best);
            }
            let trial = self.trial(Params::new(middle, 2, 1)?)?;
            if trial.took > self.target {
                too_much = Some(middle);
            } else {
                best = trial;
            }
        }
        // All of the memory fits: more passes over it, as many as the last trial says, then one less while that is too slow.
        let mut passes = self.passes_by(&best);
        while passes > best.params.passes() && self.has_trials() {
            let trial = self.trial(Params::new(best.params.memory_kib(), passes, 1)?)?;
            if trial.took <= self.target {
                return Ok(trial);
            }
            passes -= 1;
        }
        Ok(best)
    }

    /// How many passes the target has time for, at the rate of this trial.
    fn passes_by(&self, trial: &Trial) -> u32 {
        let took = trial.took.as_nanos().max(1);
        let passes = self.target.as_nanos() * u128::from(trial.params.passes()) / took;
        u32::try_from(passes).unwrap_or(u32::MAX).clamp(trial.params.passes(), Params::CEILING.passes())
    }

    fn has_trials(&self) -> bool {
        self.trials.len() < Tuning::MAX_TRIALS
    }

    fn trial(&mut self, params: Params) -> Result<Trial, Error> {
        let mut memory = self.engine.memory(params.memory_kib()).ok_or(ErrorKind::Busy)?;
        let mut tag = [0; 32];
        let input = Argon2idInput::new(params, b"the password of nobody", b"the salt of none");
        let mut hash = || {
            let start = self.clock.monotonic();
            let done = memory.derive(&input, &mut tag);
            memory.wipe();
            done.map(|()| self.clock.monotonic().since(start))
        };
        // The first one pays for the pages.
        let failed = |_: EngineFailed| Error::new(ErrorKind::Primitive);
        hash().map_err(failed)?;
        let mut took = [hash().map_err(failed)?, hash().map_err(failed)?, hash().map_err(failed)?];
        took.sort_unstable();
        let [_, took, _] = took;
        let trial = Trial { params, took };
        self.trials.push(trial);
        Ok(trial)
    }
}

/// 4 GiB: the bound of [`Params`].
const MAX_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MIB: u32 = 1024;
