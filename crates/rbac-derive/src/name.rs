//! What a permission's name looks like: the same rule as `PermissionName::parse` of `bartizan-core`, with the reasons why not.

/// Longest segment, in bytes.
const MAX_SEGMENT: usize = 64;

/// What is wrong with `resource:action`; nothing when it is well-formed.
pub(crate) fn fault(name: &str) -> Option<String> {
    if name.contains('*') {
        return Some("a wildcard belongs into a policy; a permission is one resource:action".into());
    }
    let segments: Vec<&str> = name.split(':').collect();
    match *segments.as_slice() {
        [resource, action] => [resource, action].into_iter().find_map(segment_fault),
        [resource, action, scope] if is_scope(scope) => Some(format!(
            "scopes stand beside the name: #[permission(\"{resource}:{action}\", scopes({scope}))]"
        )),
        _ => Some("a permission is resource:action".into()),
    }
}

/// The variant's name as a permission, to show the way: `PatientRead` may have meant `patient:read`.
pub(crate) fn proposed(variant: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for c in variant.chars() {
        match words.last_mut() {
            Some(word) if !c.is_ascii_uppercase() => word.push(c),
            _ => words.push(c.to_ascii_lowercase().into()),
        }
    }
    let name = words.split_first().map(|(resource, action)| format!("{resource}:{}", action.join("-")));
    name.filter(|name| fault(name).is_none()).unwrap_or_else(|| "resource:action".into())
}

pub(crate) fn is_scope(word: &str) -> bool {
    matches!(word, "own" | "team" | "tenant" | "all")
}

fn segment_fault(segment: &str) -> Option<String> {
    if segment.is_empty() {
        return Some("a segment of the name is empty; a permission is resource:action".into());
    }
    if segment.len() > MAX_SEGMENT {
        return Some(format!("a segment of the name has {} bytes and may have {MAX_SEGMENT}", segment.len()));
    }
    if let Some(c) = segment.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')) {
        return Some(format!(
            "names are lower-case ASCII letters, digits, `_` and `-`; {c:?} is none of them"
        ));
    }
    let lower = |c: char| c.is_ascii_lowercase();
    (!segment.starts_with(lower)).then(|| "a segment of a name starts with a letter".into())
}

#[cfg(test)]
mod tests {
    use bartizan_core::PermissionName;
    use proptest::prelude::*;

    use super::*;

    fn is_name_in_core(name: &str) -> bool {
        PermissionName::parse(name).is_ok_and(|name| name.scope().is_none())
    }

    #[test]
    fn each_mistake_has_its_reason() {
        for (name, reason) in [
            ("", "resource:action"),
            ("patient", "resource:action"),
            ("patient:", "empty"),
            (":read", "empty"),
            ("patient:*", "wildcard"),
            ("*:*:*", "wildcard"),
            ("patient:read:own", "scopes(own)"),
            ("patient:read:mine", "resource:action"),
            ("a:b:own:own", "resource:action"),
            ("Patient:read", "'P'"),
            ("patient:read ", "' '"),
            ("pati\u{435}nt:read", "'\u{435}'"),
            ("patient:1", "starts with a letter"),
            ("patient:-x", "starts with a letter"),
        ] {
            let fault = fault(name).unwrap_or_default();
            assert!(fault.contains(reason), "{name:?}: {fault}");
            assert!(!is_name_in_core(name), "{name:?}");
        }
    }

    #[test]
    fn a_segment_has_64_bytes_and_no_more() {
        for name in [format!("{}:read", "r".repeat(64)), format!("patient:{}", "a".repeat(64))] {
            assert_eq!(fault(&name), None);
            assert!(is_name_in_core(&name));
            let longer = name.replacen("rr", "rrr", 1).replacen("aaa", "aaaa", 1);
            assert!(fault(&longer).is_some_and(|fault| fault.contains("65 bytes")), "{longer}");
        }
    }

    #[test]
    fn a_variant_proposes_its_name() {
        for (variant, name) in [
            ("PatientRead", "patient:read"),
            ("SystemReadConfig", "system:read-config"),
            ("Read", "resource:action"),
            ("read_only", "resource:action"),
            ("ÜberRead", "resource:action"),
        ] {
            let proposed = proposed(variant);
            assert_eq!(proposed, name, "{variant}");
            assert!(is_name_in_core(&proposed), "{variant}: {proposed}");
        }
    }

    proptest! {
        #[test]
        fn the_macro_and_core_accept_the_same_names(name in "[a-cA:*0_é -]{0,8}|[a-z]{1,3}:[a-z]{1,3}(:own|:all|:x)?|[a-z]{60,70}:[a-z0-9_-]{60,70}") {
            prop_assert_eq!(fault(&name).is_none(), is_name_in_core(&name));
        }
    }
}
