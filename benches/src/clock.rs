//! The one place where a benchmark looks at the time.

use std::time::{Duration, Instant};

/// How long `work` takes.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time; the code that it measures is given a Clock"
)]
pub fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
