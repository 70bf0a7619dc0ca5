//! A condition as it is written: read, not yet believed.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use crate::document::Word;

/// `[conditions.NAME]`: which tests it consists of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionEntry {
    pub(super) acr: Option<Vec<Word>>,
    pub(super) address: Option<Vec<Word>>,
    pub(super) amr: Option<Vec<Word>>,
    pub(super) authenticated_within: Option<Word>,
    pub(super) equals: Option<BTreeMap<Word, Scalar>>,
    pub(super) r#in: Option<BTreeMap<Word, Set>>,
    pub(super) mfa_within: Option<Word>,
    pub(super) owner: Option<bool>,
    pub(super) time: Option<TimeEntry>,
    pub(super) weekdays: Option<WeekdaysEntry>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

/// `{ from = "08:00", to = "18:00", zone = "Europe/Berlin" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeEntry {
    pub(super) from: Word,
    pub(super) to: Word,
    pub(super) zone: Word,
}

/// `{ days = ["mon", "fri"], zone = "Europe/Berlin" }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WeekdaysEntry {
    pub(super) days: Vec<Word>,
    pub(super) zone: Word,
}

/// The one side of `equals`: the name of an attribute or a text, a whole number, or a flag.
#[derive(Debug)]
pub(super) enum Scalar {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// The one side of `in`: the name of an attribute, or a list.
#[derive(Debug)]
pub(super) enum Set {
    Attribute(String),
    Listed(Vec<Scalar>),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, true or false")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(flag))
    }
}

impl<'de> Deserialize<'de> for Set {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SetVisitor)
    }
}

struct SetVisitor;

impl<'de> Visitor<'de> for SetVisitor {
    type Value = Set;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or an attribute such as \"subject.departments\"")
    }

    fn visit_str<E>(self, text: &str) -> Result<Set, E> {
        Ok(Set::Attribute(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Set, A::Error> {
        let mut listed = Vec::new();
        while let Some(element) = elements.next_element()? {
            listed.push(element);
        }
        Ok(Set::Listed(listed))
    }
}
