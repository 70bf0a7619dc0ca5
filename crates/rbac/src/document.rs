//! The policy file as it is written: read, not yet believed.

use std::{collections::BTreeMap, fmt, net::IpAddr, ops::Range};

use bartizan_core::UnixTime;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use toml::{Spanned, value::Datetime};

use crate::{Error, ErrorKind, condition::ConditionEntry, names};

/// A text with its place in the file.
pub(crate) type Word = Spanned<String>;

/// Largest policy file, in bytes.
pub(crate) const MAX_FILE: usize = 16 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    /// Where an editor finds the format: read by nobody here.
    #[serde(default, rename = "$schema")]
    pub(crate) _schema: Option<String>,
    pub(crate) version: Spanned<i64>,
    /// Nothing where the program's own catalogue is meant.
    pub(crate) permissions: Option<BTreeMap<Word, PermissionEntry>>,
    #[serde(default)]
    pub(crate) aliases: BTreeMap<Word, Word>,
    #[serde(default)]
    pub(crate) conditions: BTreeMap<Word, ConditionEntry>,
    #[serde(default)]
    pub(crate) roles: BTreeMap<Word, RoleEntry>,
    #[serde(default)]
    pub(crate) separation: BTreeMap<Word, SeparationEntry>,
    #[serde(default)]
    pub(crate) assignments: Vec<Spanned<AssignmentEntry>>,
    #[serde(default)]
    pub(crate) groups: Vec<Spanned<GroupEntry>>,
    #[serde(default)]
    pub(crate) tests: Vec<Spanned<TestEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionEntry {
    pub(crate) scopes: Option<Spanned<Vec<Word>>>,
    #[serde(default)]
    pub(crate) asserted_owner: bool,
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleEntry {
    #[serde(default)]
    pub(crate) inherits: Vec<Word>,
    #[serde(default)]
    pub(crate) allow: Vec<Spanned<RuleEntry>>,
    #[serde(default)]
    pub(crate) deny: Vec<Spanned<RuleEntry>>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<Word, FieldsEntry>,
    #[serde(default)]
    pub(crate) hide: BTreeMap<Word, FieldsEntry>,
    #[serde(default)]
    pub(crate) requires: Vec<Word>,
    pub(crate) max_holders: Option<Spanned<u32>>,
    #[serde(default)]
    pub(crate) realm: RealmEntry,
    pub(crate) break_glass: Option<Spanned<BreakGlassEntry>>,
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
}

/// In which world a role counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RealmEntry {
    #[default]
    Tenant,
    System,
}

/// `"kind:action:scope"`, or the same with conditions.
#[derive(Debug)]
pub(crate) struct RuleEntry {
    pub(crate) permission: String,
    pub(crate) when: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakGlassEntry {
    pub(crate) at_most: Word,
    pub(crate) mfa_within: Word,
    pub(crate) eligible: Vec<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeparationEntry {
    pub(crate) kind: SeparationKind,
    pub(crate) roles: Vec<Word>,
    pub(crate) at_most: Option<Spanned<u32>>,
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SeparationKind {
    Static,
    Dynamic,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentEntry {
    #[serde(default)]
    pub(crate) realm: RealmEntry,
    pub(crate) tenant: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) role: Word,
    pub(crate) not_before: Option<Moment>,
    pub(crate) expires: Option<Moment>,
    pub(crate) granted_by: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupEntry {
    pub(crate) tenant: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) members: Vec<String>,
}

/// A time by RFC 3339, as a text or as TOML's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) UnixTime);

/// `"*"`, `["name", …]` or `{ except = ["ssn", …] }`.
#[derive(Debug)]
pub(crate) enum FieldsEntry {
    /// A text that should be `*`.
    Word(String),
    Named(Vec<Word>),
    Except(Vec<Word>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestEntry {
    pub(crate) role: Option<Word>,
    pub(crate) roles: Option<Vec<Word>>,
    pub(crate) subject: Option<Word>,
    pub(crate) tenant: Option<Word>,
    #[serde(default)]
    pub(crate) teams: Vec<Word>,
    pub(crate) permission: Word,
    #[serde(default)]
    pub(crate) resource: ResourceEntry,
    pub(crate) now: Option<Moment>,
    pub(crate) authenticated: Option<Moment>,
    pub(crate) address: Option<Spanned<IpAddr>>,
    pub(crate) acr: Option<Word>,
    #[serde(default)]
    pub(crate) amr: Vec<Word>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<Word, OneOrMany>,
    pub(crate) expect: Expect,
    #[serde(default)]
    pub(crate) shows: Vec<Word>,
    #[serde(default)]
    pub(crate) hides: Vec<Word>,
    pub(crate) because: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceEntry {
    pub(crate) tenant: Option<Word>,
    pub(crate) owner: Option<Word>,
    pub(crate) asserted_owner: Option<Word>,
    pub(crate) team: Option<Word>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<Word, ValueEntry>,
}

/// One text, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// An attribute of a test's record. `"unavailable"` in a table of its own stands for a provider that does not answer.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ValueEntry {
    Flag(bool),
    Number(i64),
    Text(String),
    Texts(Vec<String>),
    Not(NoValue),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoValue {
    #[serde(rename = "unavailable")]
    _unavailable: Yes,
}

/// `true`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "bool")]
struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;

    fn try_from(is: bool) -> Result<Self, Self::Error> {
        if is { Ok(Self) } else { Err("leave the attribute out, or say unavailable = true") }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    Allow,
    Deny,
    Unknown,
}

impl Document {
    pub(crate) fn empty() -> Self {
        Self {
            _schema: None,
            version: Spanned::new(0..0, 1),
            permissions: None,
            aliases: BTreeMap::new(),
            conditions: BTreeMap::new(),
            roles: BTreeMap::new(),
            separation: BTreeMap::new(),
            assignments: Vec::new(),
            groups: Vec::new(),
            tests: Vec::new(),
        }
    }

    /// Reads the TOML of a policy and checks nothing beyond its shape.
    pub(crate) fn read(text: &str, lines: &Lines) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| lines.of(&span));
            Error::new(ErrorKind::Syntax, line, one_line(error.message()))
        })
    }
}

impl<'de> Deserialize<'de> for RuleEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = RuleEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a permission, or { permission = a permission, when = a condition or a list of them }")
    }

    fn visit_str<E>(self, permission: &str) -> Result<RuleEntry, E> {
        Ok(RuleEntry { permission: permission.to_owned(), when: Vec::new() })
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<RuleEntry, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            permission: String,
            when: OneOrMany,
        }
        let Long { permission, when } = Long::deserialize(MapAccessDeserializer::new(members))?;
        let when = match when {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) if names.is_empty() => {
                return Err(de::Error::custom("when is empty; leave it out for a rule that always holds"));
            }
            OneOrMany::Many(names) => names,
        };
        Ok(RuleEntry { permission, when })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl<'de> Visitor<'de> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its offset (RFC 3339), for example 2027-01-01T00:00:00Z")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
        let time =
            Some(text).filter(|text| is_rfc_3339(text)).and_then(|text| text.parse::<Timestamp>().ok());
        let time = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
        let nanos = time.ok_or_else(|| E::invalid_value(de::Unexpected::Other("a text"), &self))?;
        Ok(Moment(UnixTime::from_nanos(nanos)))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Moment, A::Error> {
        let time = Datetime::deserialize(MapAccessDeserializer::new(members))?;
        self.visit_str(&time.to_string())
    }
}

impl<'de> Deserialize<'de> for FieldsEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = FieldsEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of fields, \"*\", or { except = [a list of fields] }")
    }

    fn visit_str<E>(self, word: &str) -> Result<FieldsEntry, E> {
        Ok(FieldsEntry::Word(word.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<FieldsEntry, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = elements.next_element()? {
            fields.push(field);
        }
        Ok(FieldsEntry::Named(fields))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<FieldsEntry, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Except {
            except: Vec<Word>,
        }
        let Except { except } = Except::deserialize(MapAccessDeserializer::new(members))?;
        Ok(FieldsEntry::Except(except))
    }
}

/// `2027-01-01T00:00:00[.123](Z|+01:00)`: the form alone. The parser takes more, and what is written should mean one thing.
fn is_rfc_3339(text: &str) -> bool {
    let form = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let Some((start, rest)) = text.split_at_checked(19) else { return false };
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            match rest.split_at_checked(digits) {
                Some((digits, offset)) if (1..=9).contains(&digits.len()) => offset,
                _ => return false,
            }
        }
    };
    form(start, "0000-00-00T00:00:00") && (offset == "Z" || form(offset, "+00:00") || form(offset, "-00:00"))
}

/// Where the lines of a text end.
#[derive(Debug)]
pub(crate) struct Lines(Option<Vec<usize>>);

impl Lines {
    /// Of a policy that was not written as TOML: nothing has a line.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn in_text(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Self(Some(ends.collect()))
    }

    /// The line on which a span starts, counted from 1.
    pub(crate) fn of(&self, span: &Range<usize>) -> Option<u32> {
        let ends = self.0.as_ref()?;
        Some(u32::try_from(ends.partition_point(|end| *end < span.start) + 1).unwrap_or(u32::MAX))
    }
}

/// The parser's words: the first line, without characters that could forge another, not without end.
fn one_line(message: &str) -> String {
    const SHOWN: usize = 240;
    let line = message.lines().next().unwrap_or_default();
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    if line.chars().all(plain) && line.len() <= SHOWN {
        return line.to_owned();
    }
    names::quoted(line)
}
