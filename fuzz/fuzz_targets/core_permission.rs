//! Permission names: what is taken is made of its parts again.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::PermissionName;

fuzz_target!(|text: &str| {
    let Ok(name) = PermissionName::parse(text) else { return };
    assert_eq!(name.as_str(), text);
    let mut parts = format!("{}:{}", name.resource(), name.action());
    assert_eq!(name.unscoped(), parts);
    if let Some(scope) = name.scope() {
        parts = parts + ":" + scope.as_str();
    }
    assert_eq!(parts, text);
});
