//! The tests that stand in a policy file beside what they test.

use std::fmt;

use bartizan_core::{
    Ask, Attestation, FieldSet, Owner, PermissionName, Principal, PrincipalFacts, Resource, UnixTime, Verdict,
};
use toml::Spanned;

use crate::{
    Assignments, Effect, Engine, Error, ErrorKind, Explanation, Policy,
    compile::{unknown_permission, unknown_role},
    document::{Expect, Lines, TestEntry, Word},
    names::{self, quoted},
    policy::Compiled,
};

/// What one `[[tests]]` entry of a policy came to.
///
/// Its `Display` is one line: `line 40: passed: nurses care for patients`, or what was expected and what came instead.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    line: u32,
    because: Box<str>,
    expected: Effect,
    explanation: Explanation,
    /// Fields that are not in clear and should be, and the other way round.
    wrong_fields: Vec<Box<str>>,
}

impl TestOutcome {
    /// The test's line in the file, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// The file's own reason for the test.
    #[must_use]
    pub fn because(&self) -> &str {
        &self.because
    }

    /// What the file expects.
    #[must_use]
    pub const fn expected(&self) -> Effect {
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
            Verdict::Allow { .. } => self.expected == Effect::Allow,
            Verdict::Deny { .. } => self.expected == Effect::Deny,
            Verdict::Unknown(_) => false,
        };
        as_expected && self.wrong_fields.is_empty()
    }
}

impl fmt::Display for TestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if self.passed() {
            return write!(f, "passed: {}", self.because);
        }
        write!(f, "failed: {}: expected {}; {}", self.because, self.expected.as_str(), self.explanation)?;
        if !self.wrong_fields.is_empty() {
            write!(f, "; wrongly shown or hidden: {}", self.wrong_fields.join(", "))?;
        }
        Ok(())
    }
}

/// A question of the file, checked.
#[derive(Debug)]
pub(crate) struct Case {
    line: u32,
    because: Box<str>,
    expected: Effect,
    who: Principal,
    permission: Box<str>,
    tenant: Box<str>,
    owner: Option<(Known, Box<str>)>,
    team: Option<Box<str>>,
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
    let engine = Engine::new(policy.clone(), Assignments::TokenOnly(vec![ISSUER.to_owned()]));
    policy.0.cases.iter().filter_map(|case| case.run(&engine)).collect()
}

impl Case {
    /// INVARIANT(case-permission): `permission` came from the catalogue, so it parses.
    fn run(&self, engine: &Engine) -> Option<TestOutcome> {
        let permission = PermissionName::parse(&self.permission).ok()?;
        let mut on = Resource::record(&self.tenant, permission.resource(), "record");
        match &self.owner {
            Some((Known::Sealed, owner)) => on = on.owned_by(Owner::Sealed(owner)),
            Some((Known::Asserted, owner)) => on = on.owned_by(Owner::Asserted(owner)),
            None => {}
        }
        if let Some(team) = &self.team {
            on = on.in_team(team);
        }
        let explanation = engine.explain(&Ask::new(&self.who, permission, on, UnixTime::EPOCH));
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
    let incomplete = |detail: &str| Error::new(ErrorKind::Test, Some(line), detail);
    let test = test.into_inner();
    let roles = match (test.role, test.roles) {
        (Some(role), None) => vec![role],
        (None, Some(roles)) if !roles.is_empty() => roles,
        _ => return Err(incomplete("a test says one role, or roles that are not empty")),
    };
    for role in &roles {
        if !policy.role_ids.contains(role.get_ref()) {
            let detail = unknown_role(role.get_ref(), policy.role_ids.names());
            return Err(Error::new(ErrorKind::UnknownRole, Some(lines.of(&role.span())), detail));
        }
    }
    let text = test.permission.get_ref();
    let permission = policy.aliases.get(text).map_or(text.as_str(), |target| target);
    if !policy.asks.contains(permission) {
        let detail = unknown_permission(text, policy.asks.names());
        return Err(Error::new(
            ErrorKind::UnknownPermission,
            Some(lines.of(&test.permission.span())),
            detail,
        ));
    }
    if test.because.trim().is_empty() {
        return Err(incomplete("a test says because of what"));
    }
    let expected = match test.expect {
        Expect::Allow => Effect::Allow,
        Expect::Deny => Effect::Deny,
    };
    if expected == Effect::Deny && !(test.shows.is_empty() && test.hides.is_empty()) {
        return Err(incomplete("a test that expects deny shows and hides nothing"));
    }
    if let Some(field) = test.shows.iter().chain(&test.hides).find(|field| !names::is_field(field.get_ref()))
    {
        let detail = format!("field {} is not a name in ASCII", quoted(field.get_ref()));
        return Err(Error::new(ErrorKind::Name, Some(lines.of(&field.span())), detail));
    }
    let owner = match (test.resource.owner, test.resource.asserted_owner) {
        (None, None) => None,
        (Some(owner), None) => Some((Known::Sealed, text_of(owner))),
        (None, Some(owner)) => Some((Known::Asserted, text_of(owner))),
        (Some(_), Some(_)) => return Err(incomplete("a record has an owner or an asserted owner, not both")),
    };
    let tenant: Box<str> = test.tenant.map_or_else(|| "tenant".into(), text_of);
    let subject: Box<str> = test.subject.map_or_else(|| "subject".into(), text_of);
    let facts = PrincipalFacts::new(&tenant, subject)
        .with_roles(roles.into_iter().map(text_of))
        .with_teams(test.teams.into_iter().map(text_of))
        .with_issuer(ISSUER);
    let who = Principal::attested(Attestation::Token, facts)
        .map_err(|_| incomplete("a test has an empty or unprintable name, or more than 64 roles or teams"))?;
    Ok(Case {
        line,
        because: test.because.escape_debug().to_string().into(),
        expected,
        who,
        permission: permission.into(),
        tenant: test.resource.tenant.map_or(tenant, text_of),
        owner,
        team: test.resource.team.map(text_of),
        shows: test.shows.into_iter().map(text_of).collect(),
        hides: test.hides.into_iter().map(text_of).collect(),
    })
}

fn text_of(word: Word) -> Box<str> {
    word.into_inner().into()
}
