//! As much of JSON Schema (draft 2020-12) as the published schema uses. A keyword that is not known here is a mistake.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value};

pub(crate) struct Validator {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

/// Keywords that say nothing about what is valid.
const NOTES: [&str; 7] = ["$schema", "$id", "$defs", "title", "description", "examples", "default"];

impl Validator {
    pub(crate) fn new(root: Value) -> Self {
        assert_eq!(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let mut validator = Self { root, patterns: BTreeMap::new() };
        let patterns =
            validator.subschemas().into_iter().filter_map(|(_, schema)| schema["pattern"].as_str());
        validator.patterns =
            patterns.map(|pattern| (pattern.to_owned(), Regex::new(pattern).unwrap())).collect();
        validator
    }

    /// The first thing that is wrong, with its place.
    pub(crate) fn check(&self, document: &Value) -> Result<(), String> {
        self.check_at(&self.root, document, "")
    }

    fn check_at(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let keywords = schema.as_object().unwrap();
        for (keyword, says) in keywords {
            self.keyword(keywords, keyword, says, value, at)?;
        }
        Ok(())
    }

    fn keyword(
        &self,
        keywords: &Map<String, Value>,
        keyword: &str,
        says: &Value,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let fits = |schema: &Value| self.check_at(schema, value, at).is_ok();
        let ensure = |holds: bool| if holds { Ok(()) } else { Err(format!("{at}: {keyword} {says}")) };
        match (keyword, value) {
            ("$ref", _) => self.check_at(self.referred(says), value, at),
            ("type", _) => match says.as_array() {
                Some(kinds) => ensure(kinds.iter().any(|kind| is(value, kind.as_str().unwrap()))),
                None => ensure(is(value, says.as_str().unwrap())),
            },
            ("const", _) => ensure(value == says),
            ("enum", _) => ensure(says.as_array().unwrap().contains(value)),
            ("anyOf", _) => ensure(says.as_array().unwrap().iter().any(fits)),
            ("allOf", _) => ensure(says.as_array().unwrap().iter().all(fits)),
            ("oneOf", _) => {
                ensure(says.as_array().unwrap().iter().filter(|schema| fits(schema)).count() == 1)
            }
            ("not", _) => ensure(!fits(says)),
            ("if", _) => match keywords.get(if fits(says) { "then" } else { "else" }) {
                Some(schema) => self.check_at(schema, value, at),
                None => Ok(()),
            },
            ("then" | "else", _) => Ok(()),
            ("pattern", Value::String(text)) => ensure(self.patterns[says.as_str().unwrap()].is_match(text)),
            ("format", _) => ensure(says == "date-time"),
            ("minLength", Value::String(text)) => ensure(text.chars().count() >= count(says)),
            ("maxLength", Value::String(text)) => ensure(text.chars().count() <= count(says)),
            ("minimum", Value::Number(number)) => ensure(number.as_i64().unwrap() >= says.as_i64().unwrap()),
            ("maximum", Value::Number(number)) => ensure(number.as_i64().unwrap() <= says.as_i64().unwrap()),
            ("minItems", Value::Array(elements)) => ensure(elements.len() >= count(says)),
            ("maxItems", Value::Array(elements)) => ensure(elements.len() <= count(says)),
            ("uniqueItems", Value::Array(elements)) => {
                ensure(elements.iter().map(Value::to_string).collect::<BTreeSet<_>>().len() == elements.len())
            }
            ("contains", Value::Array(elements)) => {
                ensure(elements.iter().any(|element| self.check_at(says, element, at).is_ok()))
            }
            ("items", Value::Array(elements)) => {
                let mut elements = elements.iter().enumerate();
                elements
                    .try_for_each(|(index, element)| self.check_at(says, element, &format!("{at}/{index}")))
            }
            ("required", Value::Object(members)) => ensure(
                says.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap())),
            ),
            ("minProperties", Value::Object(members)) => ensure(members.len() >= count(says)),
            ("maxProperties", Value::Object(members)) => ensure(members.len() <= count(says)),
            ("propertyNames", Value::Object(members)) => {
                members.keys().try_for_each(|name| self.check_at(says, &Value::String(name.clone()), at))
            }
            ("properties", Value::Object(members)) => {
                let says = says.as_object().unwrap();
                members
                    .iter()
                    .filter_map(|(name, member)| Some((name, member, says.get(name)?)))
                    .try_for_each(|(name, member, schema)| {
                        self.check_at(schema, member, &format!("{at}/{name}"))
                    })
            }
            ("additionalProperties", Value::Object(members)) => {
                let known = keywords.get("properties").and_then(Value::as_object);
                let mut others =
                    members.iter().filter(|(name, _)| !known.is_some_and(|known| known.contains_key(*name)));
                others.try_for_each(|(name, member)| match says {
                    Value::Bool(false) => Err(format!("{at}: unknown key {name}")),
                    schema => self.check_at(schema, member, &format!("{at}/{name}")),
                })
            }
            (
                "pattern"
                | "minLength"
                | "maxLength"
                | "minimum"
                | "maximum"
                | "minItems"
                | "maxItems"
                | "uniqueItems"
                | "contains"
                | "items"
                | "required"
                | "minProperties"
                | "maxProperties"
                | "propertyNames"
                | "properties"
                | "additionalProperties",
                _,
            ) => Ok(()),
            (note, _) if NOTES.contains(&note) => Ok(()),
            _ => panic!("{at}: the keyword {keyword} is unknown here"),
        }
    }

    fn referred(&self, reference: &Value) -> &Value {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        self.root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// Every subschema, with its place in the schema.
    fn subschemas(&self) -> Vec<(String, &Value)> {
        let (mut found, mut next) = (Vec::new(), vec![("#".to_owned(), &self.root)]);
        while let Some((at, schema)) = next.pop() {
            for (keyword, says) in schema.as_object().unwrap() {
                let below = |name: &str| format!("{at}/{keyword}/{name}");
                match (keyword.as_str(), says) {
                    ("properties" | "$defs", Value::Object(schemas)) => {
                        next.extend(schemas.iter().map(|(name, schema)| (below(name), schema)));
                    }
                    ("anyOf" | "allOf" | "oneOf", Value::Array(schemas)) => {
                        next.extend(
                            schemas
                                .iter()
                                .enumerate()
                                .map(|(index, schema)| (below(&index.to_string()), schema)),
                        );
                    }
                    (
                        "items"
                        | "propertyNames"
                        | "additionalProperties"
                        | "contains"
                        | "not"
                        | "if"
                        | "then"
                        | "else",
                        Value::Object(_),
                    ) => next.push((format!("{at}/{keyword}"), says)),
                    _ => {}
                }
            }
            found.push((at, schema));
        }
        found
    }

    /// Where all keys of all tables are declared.
    pub(crate) fn properties(&self) -> BTreeSet<String> {
        let tables =
            self.subschemas().into_iter().filter(|(_, schema)| schema["additionalProperties"].is_boolean());
        tables
            .flat_map(|(at, schema)| {
                let properties = schema["properties"].as_object().unwrap();
                properties.keys().map(move |name| format!("{at}/{name}")).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Adds the keys that a document has, as they are declared.
    pub(crate) fn visit(&self, document: &Value, used: &mut BTreeSet<String>) {
        self.visit_at("#", &self.root, document, used);
    }

    fn visit_at(&self, at: &str, schema: &Value, value: &Value, used: &mut BTreeSet<String>) {
        if let Some(reference) = schema.get("$ref") {
            self.visit_at(reference.as_str().unwrap(), self.referred(reference), value, used);
        }
        for (index, one) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
            if self.check_at(one, value, at).is_ok() {
                self.visit_at(&format!("{at}/anyOf/{index}"), one, value, used);
            }
        }
        for element in value.as_array().into_iter().flatten() {
            if let Some(items) = schema.get("items") {
                self.visit_at(&format!("{at}/items"), items, element, used);
            }
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            if let Some(property) = schema["properties"].get(name) {
                used.insert(format!("{at}/{name}"));
                self.visit_at(&format!("{at}/properties/{name}"), property, member, used);
            } else if schema["additionalProperties"].is_object() {
                self.visit_at(
                    &format!("{at}/additionalProperties"),
                    &schema["additionalProperties"],
                    member,
                    used,
                );
            }
        }
    }

    pub(crate) fn wrong_examples(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, schema) in self.subschemas() {
            let examples = schema["examples"].as_array().into_iter().flatten();
            wrong.extend(examples.filter_map(|example| self.check_at(schema, example, &at).err()));
        }
        wrong
    }

    /// The keys that an editor would show without a word. What stands under `oneOf`, `if` and `else` says more of a key that is
    /// explained elsewhere.
    pub(crate) fn silent_properties(&self) -> Vec<String> {
        let explained = |schema: &Value| schema.get("title").or_else(|| schema.get("description")).is_some();
        let again = ["/oneOf/", "/if/", "/else/"];
        let is_property = |at: &str| {
            at.rsplit('/').nth(1) == Some("properties") && !again.iter().any(|under| at.contains(under))
        };
        let properties = self.subschemas().into_iter().filter(|(at, _)| is_property(at));
        let silent = properties.filter(|(_, schema)| {
            !explained(schema)
                && !schema.get("$ref").is_some_and(|reference| explained(self.referred(reference)))
        });
        silent.map(|(at, _)| at).collect()
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        other => panic!("the type {other} is unknown here"),
    }
}

fn count(says: &Value) -> usize {
    usize::try_from(says.as_u64().unwrap()).unwrap()
}
