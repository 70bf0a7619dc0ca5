//! The policy file as it is written: read, not yet believed.

use std::{collections::BTreeMap, fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use toml::Spanned;

use crate::{Error, ErrorKind, names};

/// A text with its place in the file.
pub(crate) type Word = Spanned<String>;

/// Largest policy file, in bytes.
pub(crate) const MAX_FILE: usize = 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) version: Spanned<i64>,
    #[serde(default)]
    pub(crate) permissions: BTreeMap<Word, PermissionEntry>,
    #[serde(default)]
    pub(crate) aliases: BTreeMap<Word, Word>,
    #[serde(default)]
    pub(crate) roles: BTreeMap<Word, RoleEntry>,
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
    _description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleEntry {
    #[serde(default)]
    pub(crate) inherits: Vec<Word>,
    #[serde(default)]
    pub(crate) allow: Vec<Word>,
    #[serde(default)]
    pub(crate) deny: Vec<Word>,
    #[serde(default)]
    pub(crate) fields: BTreeMap<Word, FieldsEntry>,
    #[serde(default)]
    pub(crate) hide: BTreeMap<Word, FieldsEntry>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    Allow,
    Deny,
}

impl Document {
    /// Reads the TOML of a policy and checks nothing beyond its shape.
    pub(crate) fn read(text: &str, lines: &Lines) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| lines.of(&span));
            Error::new(ErrorKind::Syntax, line, one_line(error.message()))
        })
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

/// Where the lines of a text end.
#[derive(Debug)]
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn in_text(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line on which a span starts, counted from 1.
    pub(crate) fn of(&self, span: &Range<usize>) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < span.start) + 1).unwrap_or(u32::MAX)
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
