//! Policy files: a policy that is taken can be shown and tested.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_rbac::Policy;

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::parse(text) else { return };
    let _ = policy.matrix().to_string();
    let _ = policy.run_tests();
    for permission in policy.permissions() {
        assert!(policy.resolve(permission).is_some(), "a permission names itself");
    }
});
