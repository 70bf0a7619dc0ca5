//! What the runs of several programs say about each other.
//!
//! Times are compared as multiples of the yardstick of the same run, and only within a turn, where ours ran right before
//! theirs. So a machine that is slow for a while moves no ratio.

use std::collections::BTreeMap;

use super::Case;

/// The turns: in each, by the program's name, its cases.
#[derive(Debug, Default)]
pub(super) struct Runs {
    turns: Vec<BTreeMap<String, Vec<Case>>>,
}

impl Runs {
    pub(super) fn add(&mut self, turn: BTreeMap<String, Vec<Case>>) {
        self.turns.push(turn);
    }

    /// Names in the order in which they were first seen.
    fn names<'r>(&'r self, of: impl Fn(&'r BTreeMap<String, Vec<Case>>) -> Vec<&'r str>) -> Vec<&'r str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.turns.iter().flat_map(of) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn programs(&self) -> Vec<&str> {
        self.names(|turn| turn.keys().map(String::as_str).collect())
    }

    fn cases(&self) -> Vec<&str> {
        self.names(|turn| turn.values().flatten().map(|case| case.name.as_str()).collect())
    }

    /// In each turn that has both: theirs over ours, both in yardsticks.
    fn ratios(&self, case: &str, theirs: &str, ours: &str) -> Vec<f64> {
        let yards = |turn, program| Some(measured(turn, case, program)?.yards);
        self.turns.iter().filter_map(|turn| Some(yards(turn, theirs)? / yards(turn, ours)?)).collect()
    }

    /// What programs say beside times, such as the memory that they need: the medians, by name.
    fn others(&self, case: &str, program: &str) -> Vec<(&str, f64)> {
        let cases =
            self.turns.iter().filter_map(|turn| turn.get(program)?.iter().find(|known| known.name == case));
        let mut others: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (name, value) in cases.flat_map(|case| &case.values) {
            if !["ns", "yardstick_ns"].contains(&name.as_str()) {
                others.entry(name).or_default().push(*value);
            }
        }
        others.into_iter().map(|(name, values)| (name, median(values.into_iter()))).collect()
    }

    fn all(&self, case: &str, program: &str) -> Vec<Measured> {
        self.turns.iter().filter_map(|turn| measured(turn, case, program)).collect()
    }
}

#[derive(Clone, Copy)]
struct Measured {
    nanos: f64,
    yards: f64,
    yardstick: f64,
}

fn measured(turn: &BTreeMap<String, Vec<Case>>, case: &str, program: &str) -> Option<Measured> {
    let case = turn.get(program)?.iter().find(|known| known.name == case)?;
    let nanos = case.value("ns")?;
    let yardstick = case.value("yardstick_ns")?;
    Some(Measured { nanos, yards: nanos / yardstick, yardstick })
}

/// Prints the lines and the table. What stands in a chart: one case each, with a time for every program, and for the yardstick
/// if it has a name.
pub(super) fn report(runs: &Runs, ours: &[&str], yardstick: Option<&str>) -> Vec<Case> {
    let mut programs = ours.to_vec();
    programs.extend(runs.programs().into_iter().filter(|program| !ours.contains(program)));
    let mut table = heading(ours);
    let mut charted = Vec::new();
    for case in runs.cases() {
        let mut values = Vec::new();
        for program in &programs {
            let all = runs.all(case, program);
            let label = program.replace([' ', '-'], "_");
            if all.is_empty() {
                table += &format!("{case:<22} {program:<26} {:>10}\n", "cannot");
                continue;
            }
            let nanos = median(all.iter().map(|one| one.nanos));
            values.push((format!("{label}_ns"), nanos));
            if let Some(name) = yardstick.filter(|_| ours.first() == Some(program)) {
                let nanos = median(all.iter().map(|one| one.yardstick));
                values.push((format!("{name}_ns"), nanos));
                let ratio = median(all.iter().map(|one| one.yards.recip()));
                table += &format!("{case:<22} {name:<26} {:>10} {:>7} {ratio:>16.2}\n", readable(nanos), "");
            }
            table += &format!(
                "{case:<22} {program:<26} {:>10} {:>7}",
                readable(nanos),
                format!("±{:.1} %", spread(all.iter().map(|one| one.yards)))
            );
            for of in ours {
                let ratios = runs.ratios(case, program, of);
                if ratios.is_empty() || program == of {
                    table += &format!(" {:>16}", "");
                    continue;
                }
                let ratio = median(ratios.iter().copied());
                table += &format!(" {ratio:>16.2}");
                if !ours.contains(program) {
                    let of = of.replace([' ', '-'], "_");
                    values.push((format!("{label}_over_{of}"), ratio));
                }
            }
            table.truncate(table.trim_end().len());
            for (name, value) in runs.others(case, program) {
                values.push((format!("{label}_{name}"), value));
                table += &format!("  {name} {value:.0}");
            }
            table.push('\n');
        }
        if !values.is_empty() {
            let shown: Vec<String> =
                values.iter().map(|(name, value)| format!("{name}={value:.3}")).collect();
            println!("BENCH {case} {}", shown.join(" "));
            charted.push(Case { name: case.to_owned(), values });
        }
    }
    println!("\n{table}");
    charted
}

fn heading(ours: &[&str]) -> String {
    let mut heading = format!("{:<22} {:<26} {:>10} {:>7}", "case", "program", "median", "spread");
    for of in ours {
        heading += &format!(" {:>16}", format!("÷ {of}"));
    }
    heading + "\n"
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 2)
}

/// Half the distance between the quartiles, in percent of the median.
fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    (quantile(&values, 3) - quantile(&values, 1)) / quantile(&values, 2) * 50.0
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], quarters: usize) -> f64 {
    sorted.get(sorted.len().saturating_sub(1) * quarters / 4).copied().unwrap_or(f64::NAN)
}

fn readable(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 10_000.0 => format!("{nanos:.0} ns"),
        nanos if nanos < 10_000_000.0 => format!("{:.1} µs", nanos / 1e3),
        nanos => format!("{:.1} ms", nanos / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, ns: f64, yardstick: f64) -> Case {
        let values = vec![("ns".to_owned(), ns), ("yardstick_ns".to_owned(), yardstick)];
        Case { name: name.to_owned(), values }
    }

    fn turn(ours: Case, theirs: Case) -> BTreeMap<String, Vec<Case>> {
        BTreeMap::from([("ours".to_owned(), vec![ours]), ("theirs".to_owned(), vec![theirs])])
    }

    #[test]
    fn a_slow_moment_moves_no_ratio() {
        let mut runs = Runs::default();
        runs.add(turn(case("a", 100.0, 10.0), case("a", 300.0, 10.0)));
        // The machine is ten times slower while theirs runs; its yardstick is so too.
        runs.add(turn(case("a", 100.0, 10.0), case("a", 3000.0, 100.0)));
        assert_eq!(runs.ratios("a", "theirs", "ours"), [3.0, 3.0]);
        let charted = report(&runs, &["ours"], None);
        assert_eq!(charted.first().and_then(|case| case.value("theirs_over_ours")), Some(3.0));
    }

    #[test]
    fn a_yardstick_with_a_name_and_what_is_no_time_are_shown_too() {
        let mut runs = Runs::default();
        let mut theirs = case("a", 300.0, 10.0);
        theirs.values.push(("resident_bytes".to_owned(), 7.0));
        runs.add(turn(case("a", 100.0, 10.0), theirs));
        let charted = report(&runs, &["ours"], Some("maps"));
        let shown = charted.first().expect("a case");
        assert_eq!((shown.value("maps_ns"), shown.value("theirs_resident_bytes")), (Some(10.0), Some(7.0)));
    }

    #[test]
    fn what_a_library_cannot_do_has_no_time() {
        let mut runs = Runs::default();
        runs.add(turn(case("a", 1.0, 1.0), Case { name: "a".to_owned(), values: Vec::new() }));
        let charted = report(&runs, &["ours"], None);
        assert_eq!(charted.first().expect("ours").values.len(), 1);
    }

    #[test]
    fn the_spread_is_that_of_the_middle_half() {
        assert!((spread([90.0, 95.0, 100.0, 105.0, 900.0].into_iter()) - 5.0).abs() < 1e-9);
        assert!((median([1.0, 2.0, 900.0].into_iter()) - 2.0).abs() < 1e-9);
    }
}
