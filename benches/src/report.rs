//! What was measured: a line for programs, a table for people.

/// The figures of one case.
#[derive(Clone, Debug)]
pub struct Measured {
    name: &'static str,
    ours: f64,
    limit: Option<Beside>,
    floor: Option<(&'static str, Beside)>,
    allocations: u64,
}

/// Another variant of the case: its median, and the median of ours ÷ its over the rounds.
#[derive(Clone, Copy, Debug)]
struct Beside {
    nanos: f64,
    ratio: f64,
}

impl Beside {
    fn of(ours: &[f64], theirs: &[f64]) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        Self { nanos: median(theirs), ratio: median(&ratios) }
    }
}

impl Measured {
    pub(crate) fn new(
        name: &'static str,
        ours: &[f64],
        limit: Option<&[f64]>,
        floor: Option<(&'static str, &[f64])>,
        allocations: u64,
    ) -> Self {
        let beside = |theirs| Beside::of(ours, theirs);
        let floor = floor.map(|(label, theirs)| (label, beside(theirs)));
        Self { name, ours: median(ours), limit: limit.map(beside), floor, allocations }
    }

    /// `BENCH <case> ours_ns=… limit_ns=… floor_ns=… ours_allocs=…`, absent variants left out; a floor may have another name.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!("BENCH {} ours_ns={:.1}", self.name, self.ours);
        let limit = self.limit.map(|limit| ("limit", limit));
        for (label, Beside { nanos, .. }) in limit.into_iter().chain(self.floor) {
            line += &format!(" {label}_ns={nanos:.1}");
        }
        line + &format!(" ours_allocs={}", self.allocations)
    }
}

/// The figures of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    cases: Vec<Measured>,
    /// What is no time of a call.
    figures: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, measured: Measured) {
        println!("{}", measured.line());
        self.cases.push(measured);
    }

    pub(crate) fn add_figures(&mut self, name: &str, figures: &[(&str, f64)]) {
        let shown: Vec<String> = figures.iter().map(|(name, value)| format!("{name}={value:.1}")).collect();
        println!("BENCH {name} {}", shown.join(" "));
        self.figures.push(format!("{name:<28} {}", shown.join("  ")));
    }

    pub(crate) fn print_table(&self) {
        println!(
            "\n{:<28} {:>12} {:>12} {:>8} {:>12} {:>8} {:>7}",
            "case", "ours", "limit", "×", "floor", "×", "allocs"
        );
        for case in &self.cases {
            let beside = |beside: Option<Beside>| match beside {
                Some(Beside { nanos, ratio }) => (readable(nanos), format!("{ratio:.2}")),
                None => ("–".to_owned(), String::new()),
            };
            let ((limit, over_limit), (floor, over_floor)) =
                (beside(case.limit), beside(case.floor.map(|(_, floor)| floor)));
            println!(
                "{:<28} {:>12} {limit:>12} {over_limit:>8} {floor:>12} {over_floor:>8} {:>7}",
                case.name,
                readable(case.ours),
                case.allocations
            );
        }
        self.figures.iter().for_each(|figures| println!("{figures}"));
    }
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn readable(nanos: f64) -> String {
    if nanos < 10_000.0 { format!("{nanos:.0} ns") } else { format!("{:.1} µs", nanos / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_medians_and_the_table_the_paired_ratios() {
        let measured = Measured::new("case", &[10.0, 20.0, 30.0], Some(&[10.0, 10.0, 10.0]), None, 2);
        assert_eq!(measured.line(), "BENCH case ours_ns=20.0 limit_ns=10.0 ours_allocs=2");
        let maps = Measured::new("case", &[20.0], None, Some(("maps", &[40.0])), 0);
        assert_eq!(maps.line(), "BENCH case ours_ns=20.0 maps_ns=40.0 ours_allocs=0");
        assert!(measured.limit.is_some_and(|limit| (limit.ratio - 2.0).abs() < f64::EPSILON));
    }

    #[test]
    fn one_slow_sample_does_not_move_the_median() {
        assert!((median(&[5.0, 1e9, 5.0, 6.0, 4.0]) - 5.0).abs() < f64::EPSILON);
    }
}
