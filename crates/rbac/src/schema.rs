//! The published schema of the policy document.

/// The JSON Schema (draft 2020-12) of a policy document, for editors: keys with their meaning, completion, and what cannot be right.
///
/// It sees structure alone. Whether names are known, and whether the policy's own tests pass, only
/// [`Policy::parse`](crate::Policy::parse) tells.
pub const POLICY_SCHEMA: &str = include_str!("../schema/policy-v1.schema.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::document::Document;

    /// The keys that the reader knows of a table, as it tells who writes another: `unknown field …, expected one of …`.
    fn keys_of_the_reader(with_unknown_key: &str) -> BTreeSet<String> {
        let text = format!("version = 1\n{with_unknown_key}");
        let error = toml::from_str::<Document>(&text).unwrap_err();
        let expected = error.message().split_once("unknown field `no-such-key`, expected ");
        let (_, expected) = expected.unwrap_or_else(|| panic!("{with_unknown_key}: {error}"));
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_has() {
        let schema: Value = serde_json::from_str(POLICY_SCHEMA).unwrap();
        for (pointer, text) in [
            ("", "no-such-key = 1"),
            ("/$defs/permission", "[permissions.x]\nno-such-key = 1"),
            ("/$defs/condition", "[conditions.x]\nno-such-key = 1"),
            ("/$defs/condition/properties/time", "[conditions.x.time]\nno-such-key = 1"),
            ("/$defs/condition/properties/weekdays", "[conditions.x.weekdays]\nno-such-key = 1"),
            ("/$defs/role", "[roles.x]\nno-such-key = 1"),
            ("/$defs/rule/anyOf/1", "[roles.x]\nallow = [{ no-such-key = 1 }]"),
            ("/$defs/fields/anyOf/2", "[roles.x.fields.y]\nno-such-key = 1"),
            ("/$defs/role/properties/break_glass", "[roles.x.break_glass]\nno-such-key = 1"),
            ("/$defs/separation", "[separation.x]\nno-such-key = 1"),
            ("/$defs/assignment", "[[assignments]]\nno-such-key = 1"),
            ("/$defs/group", "[[groups]]\nno-such-key = 1"),
            ("/$defs/test", "[[tests]]\nno-such-key = 1"),
            ("/$defs/test/properties/resource", "[[tests]]\nresource = { no-such-key = 1 }"),
        ] {
            let table = schema.pointer(pointer).unwrap();
            assert_eq!(table["additionalProperties"], false, "{pointer}");
            let published: BTreeSet<String> =
                table["properties"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(published, keys_of_the_reader(text), "{pointer}");
        }
    }
}
