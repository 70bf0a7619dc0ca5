//! What came of all comparisons.

use std::{collections::BTreeMap, error::Error};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    attacks::{Attack, Expected},
    judge::{Answer, Compared},
};

#[derive(Default)]
pub(crate) struct Report {
    random: Counts,
    named: Counts,
    /// By why we refuse: how many, and one of them by what was done to it.
    only_they: BTreeMap<String, (u64, String)>,
    /// The same for their calls on our engine.
    compat: Counts,
    compat_refuses: BTreeMap<String, (u64, String)>,
    /// Attacks that they accept and we refuse, by name without the algorithm, and by the algorithms.
    their_weaknesses: BTreeMap<String, Vec<String>>,
    excepted: BTreeMap<String, u64>,
    failures: Vec<String>,
}

#[derive(Default)]
struct Counts {
    both_accept: u64,
    both_refuse: u64,
    only_they: u64,
    only_we: u64,
}

/// What we alone may accept.
const EXCEPTIONS: &str = include_str!("../exceptions.csv");

/// More than these are not shown.
const FAILURES: usize = 20;

impl Report {
    pub(crate) fn random(&mut self, what: &str, token: &str, compared: &Compared) {
        self.random.count(compared);
        self.judge(what, token, compared);
    }

    pub(crate) fn named(&mut self, attack: &Attack, compared: &Compared) {
        self.named.count(compared);
        self.judge(&attack.name, &attack.token, compared);
        let accepted = compared.ours.is_ok();
        match attack.expected {
            Expected::Refused if accepted => self.fail(format!("we accept “{}”", attack.name)),
            Expected::Accepted if !accepted => {
                self.fail(format!(
                    "we refuse “{}”: {}",
                    attack.name,
                    compared.ours.as_ref().expect_err("refused")
                ));
            }
            Expected::Refused if compared.theirs.is_ok() => {
                let (name, algorithm) = attack.name.rsplit_once(" (").unwrap_or((&attack.name, ""));
                let algorithms = self.their_weaknesses.entry(name.to_owned()).or_default();
                algorithms.push(algorithm.trim_end_matches(')').to_owned());
            }
            _ => (),
        }
    }

    fn judge(&mut self, what: &str, token: &str, compared: &Compared) {
        if let Some(difference) = &compared.differs {
            self.fail(format!("“{what}”: {difference}\n    {}", shown(token)));
        }
        self.compat.add(compared.compat.is_ok(), compared.theirs.is_ok());
        match (&compared.compat, &compared.theirs) {
            (Err(why), Ok(_)) => {
                let (count, _) =
                    self.compat_refuses.entry(why.clone()).or_insert_with(|| (0, what.to_owned()));
                *count += 1;
            }
            (Ok(_), Err(why)) => match exception(token, why) {
                Some(name) => *self.excepted.entry(name.to_owned()).or_default() += 1,
                None => self.fail(format!(
                    "only their calls on our engine accept “{what}” ({why})\n    {}",
                    shown(token)
                )),
            },
            _ => (),
        }
        match (&compared.ours, &compared.theirs) {
            (Err(why), Ok(_)) => {
                let (count, _) = self.only_they.entry(why.clone()).or_insert_with(|| (0, what.to_owned()));
                *count += 1;
            }
            (Ok(_), Err(why)) => match exception(token, why) {
                Some(name) => *self.excepted.entry(name.to_owned()).or_default() += 1,
                None => self.fail(format!("only we accept “{what}” ({why})\n    {}", shown(token))),
            },
            _ => (),
        }
    }

    fn fail(&mut self, failure: String) {
        self.failures.push(failure);
    }

    pub(crate) fn print(&self, cases: u64, seed: u64) {
        println!("{cases} tokens by chance (seed {seed}) and {} attacks by name", self.named.all());
        println!("{:<22} {:>10} {:>10}", "", "by chance", "by name");
        for (name, count) in [
            ("both accept", (self.random.both_accept, self.named.both_accept)),
            ("both refuse", (self.random.both_refuse, self.named.both_refuse)),
            ("only it accepts", (self.random.only_they, self.named.only_they)),
            ("only we accept", (self.random.only_we, self.named.only_we)),
        ] {
            println!("{name:<22} {:>10} {:>10}", count.0, count.1);
        }
        println!("\nonly it accepts, by why we refuse:");
        for (why, (count, example)) in &self.only_they {
            println!("  {why:<20} {count:>8}   such as: {example}");
        }
        println!("\ntheir calls on our engine:");
        for (name, count) in self.compat.named() {
            println!("{name:<22} {count:>10}");
        }
        println!("only it accepts, by why they refuse on our engine:");
        for (why, (count, example)) in &self.compat_refuses {
            println!("  {why:<20} {count:>8}   such as: {example}");
        }
        println!("\nattacks that it lets pass and we refuse:");
        for (name, algorithms) in &self.their_weaknesses {
            let shown = if algorithms.len() == ALGORITHMS {
                "every algorithm".to_owned()
            } else {
                algorithms.join(" ")
            };
            println!("  {name}: {shown}");
        }
        println!("\nexceptions, which only we accept:");
        for (name, count) in &self.excepted {
            println!("  {name:<20} {count:>8}");
        }
    }

    /// A run that cannot fail proves nothing: a token that only we accept, claims that are read differently, and an exception
    /// that does not occur have to fail it.
    pub(crate) fn check_itself() {
        let answer = |claims: i32| Ok(serde_json::json!({ "sub": claims }));
        let refused = || Err("InvalidSignature".to_owned());
        let verdict = |ours: Answer, theirs: Answer, differs: Option<&str>, compat: Option<Answer>| {
            let mut report = Self::default();
            report.excepted = exceptions().map(|(name, _)| (name.to_owned(), 1)).collect();
            report.random(
                "planted",
                "e30.e30.",
                &Compared {
                    compat: compat.unwrap_or_else(|| theirs.clone()),
                    ours,
                    theirs,
                    differs: differs.map(str::to_owned),
                },
            );
            report.failures.len()
        };
        assert_eq!(verdict(answer(1), answer(1), None, None), 0);
        assert_eq!(verdict(refused(), answer(1), None, None), 0);
        assert_eq!(verdict(answer(1), refused(), None, None), 1);
        assert_eq!(verdict(answer(1), answer(2), Some("we read 1, they read 2"), None), 1);
        assert_eq!(verdict(refused(), refused(), None, Some(answer(1))), 1);
        assert_eq!(verdict(refused(), answer(1), None, Some(refused())), 0);
        let mut nothing = Self::default();
        nothing.look_back();
        assert_eq!(
            nothing.failures.len(),
            exceptions().count(),
            "an exception that does not occur is noticed"
        );
    }

    /// # Errors
    /// Whatever we alone accept without its standing in the list, and what both accept and read differently.
    pub(crate) fn verdict(mut self) -> Result<(), Box<dyn Error>> {
        self.look_back();
        if self.failures.is_empty() {
            println!("\nwhatever we accept, it accepts with the same claims");
            return Ok(());
        }
        for failure in self.failures.iter().take(FAILURES) {
            eprintln!("FAILED {failure}");
        }
        Err(format!("{} failures", self.failures.len()).into())
    }

    /// What shows only when all is done.
    fn look_back(&mut self) {
        for name in exceptions().map(|(name, _)| name) {
            if !self.excepted.contains_key(name) {
                self.failures.push(format!("the exception {name} no longer occurs: take it off the list"));
            }
        }
        let (good, all) = (self.random.both_accept, self.random.all());
        if good < all / 10 {
            self.failures.push(format!(
                "only {good} of {all} tokens are accepted by both: the changes are too coarse"
            ));
        }
    }
}

const ALGORITHMS: usize = 12;

impl Counts {
    fn count(&mut self, compared: &Compared) {
        self.add(compared.ours.is_ok(), compared.theirs.is_ok());
    }

    fn named(&self) -> [(&'static str, u64); 4] {
        [
            ("both accept", self.both_accept),
            ("both refuse", self.both_refuse),
            ("only it accepts", self.only_they),
            ("only we accept", self.only_we),
        ]
    }

    fn add(&mut self, we_accept: bool, they_accept: bool) {
        *match (we_accept, they_accept) {
            (true, true) => &mut self.both_accept,
            (false, false) => &mut self.both_refuse,
            (false, true) => &mut self.only_they,
            (true, false) => &mut self.only_we,
        } += 1;
    }

    fn all(&self) -> u64 {
        self.both_accept + self.both_refuse + self.only_they + self.only_we
    }
}

fn exceptions() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXCEPTIONS.lines().skip(1).filter_map(|line| line.split_once(','))
}

/// The exception that a token is, if it stands in the list.
fn exception(token: &str, why: &str) -> Option<&'static str> {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok())?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    let name = match header["alg"].as_str() {
        Some("Ed25519") if why.contains("Json") => "ed25519-name",
        _ => return None,
    };
    exceptions().map(|(known, _)| known).find(|known| *known == name)
}

/// The start of a token, with what its parts say.
fn shown(token: &str) -> String {
    let parts = token.split('.').take(2).map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        String::from_utf8_lossy(&bytes).chars().take(400).collect::<String>()
    });
    format!("{}  {}", parts.collect::<Vec<_>>().join(" "), token.chars().take(60).collect::<String>())
}
