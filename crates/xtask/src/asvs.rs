//! Which requirements of OWASP ASVS 5.0 have a test that proves them.
//!
//! docs/asvs.csv lists the requirements in the family's scope. A test proves those whose ids stand in its name:
//! `asvs_9_1_2_only_allow_listed_algorithms` proves `asvs_9_1_2`. docs/asvs.md is written from both, and `cargo xtask ci`
//! fails while it says anything else.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use crate::{ci::Done, problem::Problem, repo::Repo};

const LIST: &str = "docs/asvs.csv";
const PAGE: &str = "docs/asvs.md";

/// What an id in a test's name starts with.
const PREFIX: &str = "asvs_";

/// One requirement.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    id: String,
    level: String,
    about: String,
    mode: Mode,
    test: String,
}

/// How the family stands to a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The code itself fulfils it.
    Enforced,
    /// The reference service shows how a service fulfils it.
    Shown,
    /// The family helps; a service does the rest.
    Helped,
}

/// A test and the file it stands in.
type Tests = BTreeMap<String, Vec<(String, String)>>;

pub(crate) fn write(repo: &Repo) -> Result<(), Problem> {
    let path = repo.root().join(PAGE);
    fs::write(&path, page(repo)?).map_err(|error| Problem::at(&path, &error))?;
    println!("{PAGE} is written");
    Ok(())
}

pub(crate) fn check(repo: &Repo) -> Result<Done, Problem> {
    if repo.read(PAGE)? == page(repo)? {
        return Ok(Done::Passed);
    }
    Err(Problem::new(format!("{PAGE} is out of date; `cargo xtask asvs` writes it")))
}

fn page(repo: &Repo) -> Result<String, Problem> {
    let rows = rows(&repo.read(LIST)?)?;
    let mut tests = Tests::new();
    for source in repo.sources()? {
        let file = source.to_string_lossy().replace('\\', "/");
        // This file's own tests tell of made-up ones.
        if file == "crates/xtask/src/asvs.rs" {
            continue;
        }
        for (id, name) in tests_in(&repo.read(&source)?) {
            tests.entry(id).or_default().push((name, file.clone()));
        }
    }
    let unknown: Vec<String> = tests
        .iter()
        .filter(|(id, _)| !rows.iter().any(|row| row.test == **id))
        .flat_map(|(_, tests)| tests.iter().map(|(name, file)| format!("{name} in {file}")))
        .collect();
    Problem::unless_empty(
        &format!("a test is named after a requirement that {LIST} does not list"),
        &unknown,
    )?;
    Ok(render(&rows, &tests))
}

fn render(rows: &[Row], tests: &Tests) -> String {
    let is_met = |row: &&Row| tests.contains_key(&row.test);
    let mut page = format!(
        "# ASVS 5.0: what is proven\n\nWritten by `cargo xtask asvs` from `{LIST}` and the names of the tests; do not edit.\n\n\
         A row is here when a test proves it. “Enforced”: the code itself fulfils it. “Shown”: the reference service shows how. \
         “Helped”: the family\ndoes a part, a service the rest. What is in scope and not here is not proven yet.\n\n\
         | how | in scope | proven |\n|---|---:|---:|\n"
    );
    for mode in [Mode::Enforced, Mode::Shown, Mode::Helped] {
        let of_mode = || rows.iter().filter(|row| row.mode == mode);
        writeln!(page, "| {} | {} | {} |", mode.name(), of_mode().count(), of_mode().filter(is_met).count())
            .unwrap_or_default();
    }
    page.push_str("\n| requirement | level | how | what it asks | proven by |\n|---|---|---|---|---|\n");
    for row in rows.iter().filter(is_met) {
        let proofs: Vec<String> = tests
            .get(&row.test)
            .into_iter()
            .flatten()
            .map(|(name, file)| format!("`{file}` `{name}`"))
            .collect();
        writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            row.id,
            row.level,
            row.mode.name(),
            row.about.replace('|', "\\|"),
            proofs.join(" · ")
        )
        .unwrap_or_default();
    }
    page
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Shown => "shown",
            Self::Helped => "helped",
        }
    }
}

/// The tests of one file that bear requirements' ids: each id with the test's whole name.
fn tests_in(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        let Some(rest) = line.strip_prefix("fn ") else {
            continue;
        };
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        for (at, _) in name.match_indices(PREFIX) {
            let numbers: Vec<&str> = name
                .get(at + PREFIX.len()..)
                .unwrap_or_default()
                .split('_')
                .take_while(|piece| piece.parse::<u16>().is_ok())
                .take(3)
                .collect();
            found.push((format!("{PREFIX}{}", numbers.join("_")), name.clone()));
        }
    }
    found
}

fn rows(list: &str) -> Result<Vec<Row>, Problem> {
    let mut lines = list.lines();
    if lines.next() != Some("id,level,chapter,paraphrase,crate,mode,test_id") {
        return Err(Problem::new(format!("{LIST} has another head than expected")));
    }
    lines.map(row).collect()
}

fn row(line: &str) -> Result<Row, Problem> {
    let bad = || Problem::new(format!("{LIST}: this line cannot be read: {line}"));
    let cells = cells(line).ok_or_else(bad)?;
    let [id, level, _, about, _, mode, test] = <[String; 7]>::try_from(cells).map_err(|_| bad())?;
    let mode = match mode.as_str() {
        "E" => Mode::Enforced,
        "R" => Mode::Shown,
        "H" => Mode::Helped,
        _ => return Err(bad()),
    };
    Ok(Row { id, level, about, mode, test })
}

/// The cells of one line of CSV (RFC 4180); none when a quote is left open.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let cell = cells.last_mut()?;
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    (!quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id,level,chapter,paraphrase,crate,mode,test_id\n";

    #[test]
    fn quoted_cells_keep_commas_and_quotes() {
        assert_eq!(cells(r#"a,"b, ""c""",d"#).expect("cells"), ["a", r#"b, "c""#, "d"]);
        assert_eq!(cells(r#"a,"b"#), None);
    }

    #[test]
    fn the_committed_list_is_read() {
        assert_eq!(rows(&Repo::here().read(LIST).expect("the list")).expect("rows").len(), 283);
    }

    #[test]
    fn a_list_that_is_not_understood_is_refused() {
        for bad in ["", "id\n", &format!("{HEAD}a,b\n"), &format!("{HEAD}a,L1,c,d,e,X,f\n")] {
            assert!(rows(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn tests_are_found_by_their_whole_id() {
        let text =
            "fn asvs_1_5_3_two() {}\n    async fn asvs_9_1_22() {}\nfn other() {}\n// fn asvs_1_1_1() {}\n";
        let pair = |id: &str, name: &str| (id.to_owned(), name.to_owned());
        assert_eq!(
            tests_in(text),
            [pair("asvs_1_5_3", "asvs_1_5_3_two"), pair("asvs_9_1_22", "asvs_9_1_22")]
        );
    }

    #[test]
    fn a_test_may_prove_two_requirements_wherever_they_stand_in_its_name() {
        let both = "row_17_asvs_9_2_3_asvs_10_3_1_a_token";
        let found = tests_in(&format!("fn {both}() {{}}"));
        assert_eq!(
            found,
            [("asvs_9_2_3".to_owned(), both.to_owned()), ("asvs_10_3_1".to_owned(), both.to_owned())]
        );
    }

    #[test]
    fn only_proven_rows_are_shown_and_counted() {
        let rows = rows(&format!("{HEAD}v1,L1,c,one|two,e,E,asvs_1_5_3\nv2,L2,c,three,e,E,asvs_1_5_31\n"))
            .expect("rows");
        let tests = Tests::from([(
            "asvs_1_5_3".to_owned(),
            vec![("asvs_1_5_3_x".to_owned(), "crates/a.rs".to_owned())],
        )]);
        let page = render(&rows, &tests);
        assert!(page.contains("| enforced | 2 | 1 |"), "{page}");
        assert!(page.contains("| v1 | L1 | enforced | one\\|two | `crates/a.rs` `asvs_1_5_3_x` |"), "{page}");
        assert!(!page.contains("three"));
    }
}
