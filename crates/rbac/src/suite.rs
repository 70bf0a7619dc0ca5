//! The tests that stand in a policy file beside what they test.

use std::fmt;

use bartizan_core::{
    Ask, Attestation, Attribute, FieldSet, Owner, PermissionName, Principal, PrincipalFacts, Resource,
    Revision, UnixTime, Value, Verdict,
};
use toml::Spanned;

use crate::{
    Assignments, Error, ErrorKind, Explanation, Policy, Snapshot,
    assignments::Counting,
    compile::{unknown_permission, unknown_role},
    document::{Expect, Lines, Moment, OneOrMany, TestEntry, ValueEntry, Word},
    names::{self, quoted},
    policy::Compiled,
};

/// What one `[[tests]]` entry of a policy came to.
///
/// Its `Display` is one line: `line 40: passed: nurses care for patients`, or what was expected and what came instead.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    line: Option<u32>,
    because: Box<str>,
    expected: Expected,
    explanation: Explanation,
    /// Fields that are not in clear and should be, and the other way round.
    wrong_fields: Vec<Box<str>>,
}

impl TestOutcome {
    /// The test's line in the file, counted from 1, where lines are known: not in JSON.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.line
    }

    /// The file's own reason for the test.
    #[must_use]
    pub fn because(&self) -> &str {
        &self.because
    }

    /// What the file expects.
    #[must_use]
    pub const fn expected(&self) -> Expected {
        self.expected
    }

    /// What the engine said, and why.
    #[must_use]
    pub const fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// Whether all came as the file says.
    #[must_use]
    pub fn passed(&self) -> bool {
        let as_expected = match self.explanation.verdict() {
            Verdict::Allow { .. } => self.expected == Expected::Allow,
            Verdict::Deny { .. } => self.expected == Expected::Deny,
            Verdict::Unknown(_) => self.expected == Expected::Unknown,
        };
        as_expected && self.wrong_fields.is_empty()
    }

    /// The outcome without its line.
    pub(crate) fn in_words(&self) -> String {
        if self.passed() {
            return format!("passed: {}", self.because);
        }
        let mut words =
            format!("failed: {}: expected {}; {}", self.because, self.expected.as_str(), self.explanation);
        if !self.wrong_fields.is_empty() {
            words.push_str("; wrongly shown or hidden: ");
            words.push_str(&self.wrong_fields.join(", "));
        }
        words
    }
}

/// What a policy test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// It is allowed.
    Allow,
    /// It is denied.
    Deny,
    /// It cannot be told: a fact is out of reach.
    Unknown,
}

impl Expected {
    /// The word in policy files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.in_words())
    }
}

/// A question of the file, checked.
#[derive(Debug)]
pub(crate) struct Case {
    line: Option<u32>,
    because: Box<str>,
    expected: Expected,
    who: Principal,
    permission: Box<str>,
    now: UnixTime,
    tenant: Box<str>,
    owner: Option<(Known, Box<str>)>,
    team: Option<Box<str>>,
    attributes: Vec<(Box<str>, ValueEntry)>,
    shows: Vec<Box<str>>,
    hides: Vec<Box<str>>,
}

/// How the owner of a test's record is known.
#[derive(Clone, Copy, Debug)]
enum Known {
    Sealed,
    Asserted,
}

/// Test principals come from nowhere else.
const ISSUER: &str = "policy tests";

pub(crate) fn run(policy: &Policy) -> Vec<TestOutcome> {
    let assignments = Assignments::TokenOnly(vec![ISSUER.to_owned()]);
    let counting = Counting::new(assignments, &policy.0);
    let snapshot = Snapshot { policy: policy.clone(), counting, revision: Revision(0) };
    policy.0.cases.iter().filter_map(|case| case.run(&snapshot)).collect()
}

impl Case {
    /// INVARIANT(case-permission): `permission` came from the catalogue, so it parses.
    fn run(&self, snapshot: &Snapshot) -> Option<TestOutcome> {
        let permission = PermissionName::parse(&self.permission).ok()?;
        let texts: Vec<Vec<&str>> = self.attributes.iter().map(|(_, value)| texts_of(value)).collect();
        let attributes = self.attributes.iter().zip(&texts);
        let attributes: Vec<Attribute<'_>> =
            attributes.map(|((name, value), texts)| Attribute::new(name, value_of(value, texts))).collect();
        let mut on =
            Resource::record(&self.tenant, permission.resource(), "record").with_attributes(&attributes);
        match &self.owner {
            Some((Known::Sealed, owner)) => on = on.owned_by(Owner::Sealed(owner)),
            Some((Known::Asserted, owner)) => on = on.owned_by(Owner::Asserted(owner)),
            None => {}
        }
        if let Some(team) = &self.team {
            on = on.in_team(team);
        }
        let explanation = snapshot.explain(&Ask::new(&self.who, permission, on, self.now).durable());
        let nothing = FieldSet::nothing();
        let clear = match explanation.verdict() {
            Verdict::Allow { clear, .. } => clear,
            _ => &nothing,
        };
        let missing = self.shows.iter().filter(|field| !clear.contains(field));
        let surplus = self.hides.iter().filter(|field| clear.contains(field));
        Some(TestOutcome {
            line: self.line,
            because: self.because.clone(),
            expected: self.expected,
            wrong_fields: missing.chain(surplus).cloned().collect(),
            explanation,
        })
    }
}

pub(crate) fn read(
    tests: Vec<Spanned<TestEntry>>,
    policy: &Compiled,
    lines: &Lines,
) -> Result<Vec<Case>, Error> {
    tests.into_iter().map(|test| case(test, policy, lines)).collect()
}

fn case(test: Spanned<TestEntry>, policy: &Compiled, lines: &Lines) -> Result<Case, Error> {
    let line = lines.of(&test.span());
    let incomplete = |detail: &str| Error::new(ErrorKind::Test, line, detail);
    let test = test.into_inner();
    let roles = match (test.role, test.roles) {
        (Some(role), None) => vec![role],
        (None, Some(roles)) if !roles.is_empty() => roles,
        _ => return Err(incomplete("a test says one role, or roles that are not empty")),
    };
    for role in &roles {
        if !policy.role_ids.contains(role.get_ref()) {
            let detail = unknown_role(role.get_ref(), policy.role_ids.names());
            return Err(Error::new(ErrorKind::UnknownRole, lines.of(&role.span()), detail));
        }
    }
    let text = test.permission.get_ref();
    let permission = policy.aliases.get(text).map_or(text.as_str(), |target| target);
    if !policy.asks.contains(permission) {
        let detail = unknown_permission(text, policy.asks.names());
        return Err(Error::new(ErrorKind::UnknownPermission, lines.of(&test.permission.span()), detail));
    }
    if test.because.trim().is_empty() {
        return Err(incomplete("a test says because of what"));
    }
    let expected = match test.expect {
        Expect::Allow => Expected::Allow,
        Expect::Deny => Expected::Deny,
        Expect::Unknown => Expected::Unknown,
    };
    if expected != Expected::Allow && !(test.shows.is_empty() && test.hides.is_empty()) {
        return Err(incomplete("a test that expects no allow shows and hides nothing"));
    }
    if let Some(field) = test.shows.iter().chain(&test.hides).find(|field| !names::is_field(field.get_ref()))
    {
        let detail = format!("field {} is not a name in ASCII", quoted(field.get_ref()));
        return Err(Error::new(ErrorKind::Name, lines.of(&field.span()), detail));
    }
    let owner = match (test.resource.owner, test.resource.asserted_owner) {
        (None, None) => None,
        (Some(owner), None) => Some((Known::Sealed, text_of(owner))),
        (None, Some(owner)) => Some((Known::Asserted, text_of(owner))),
        (Some(_), Some(_)) => return Err(incomplete("a record has an owner or an asserted owner, not both")),
    };
    let tenant: Box<str> = test.tenant.map_or_else(|| "tenant".into(), text_of);
    let subject: Box<str> = test.subject.map_or_else(|| "subject".into(), text_of);
    let own: Vec<(String, String)> = test.attributes.into_iter().flat_map(pairs).collect();
    let acr = test.acr.map(text_of);
    let mut facts = PrincipalFacts::new(&tenant, subject)
        .with_roles(roles.into_iter().map(text_of))
        .with_teams(test.teams.into_iter().map(text_of))
        .with_amr(test.amr.into_iter().map(text_of))
        .with_acr(acr.as_deref())
        .with_attributes(own)
        .with_issuer(ISSUER);
    facts.authenticated = test.authenticated.map(|Moment(time)| time);
    facts.address = test.address.map(toml::Spanned::into_inner);
    let who = Principal::attested(Attestation::Token, facts).map_err(|_| {
        incomplete(
            "a test has an empty or unprintable name, or more than 64 roles, teams, methods or attributes",
        )
    })?;
    let attributes = test.resource.attributes.into_iter();
    Ok(Case {
        line,
        because: test.because.escape_debug().to_string().into(),
        expected,
        who,
        permission: permission.into(),
        now: test.now.map_or(UnixTime::EPOCH, |Moment(time)| time),
        tenant: test.resource.tenant.map_or(tenant, text_of),
        owner,
        team: test.resource.team.map(text_of),
        attributes: attributes.map(|(name, value)| (text_of(name), value)).collect(),
        shows: test.shows.into_iter().map(text_of).collect(),
        hides: test.hides.into_iter().map(text_of).collect(),
    })
}

/// The values of one attribute of a test's subject.
fn pairs((name, values): (Word, OneOrMany)) -> Vec<(String, String)> {
    let name = name.into_inner();
    match values {
        OneOrMany::One(value) => vec![(name, value)],
        OneOrMany::Many(values) => values.into_iter().map(|value| (name.clone(), value)).collect(),
    }
}

/// A test's attribute as a question holds it; its several texts, where it has them, borrowed one by one in `texts`.
fn value_of<'v>(entry: &'v ValueEntry, texts: &'v [&'v str]) -> Value<'v> {
    match entry {
        ValueEntry::Flag(flag) => Value::Flag(*flag),
        ValueEntry::Number(number) => Value::Number(*number),
        ValueEntry::Text(text) => Value::Text(text),
        ValueEntry::Texts(_) => Value::Texts(texts),
        ValueEntry::Not(_) => Value::Unavailable,
    }
}

fn texts_of(entry: &ValueEntry) -> Vec<&str> {
    match entry {
        ValueEntry::Texts(texts) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn text_of(word: Word) -> Box<str> {
    word.into_inner().into()
}
