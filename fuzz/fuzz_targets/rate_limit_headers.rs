//! Header fields of limits: nothing panics, and what is read is written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_rate_limit::{HeaderVersion::Draft11, read_limits, read_policies};

fuzz_target!(|text: &str| {
    if let Ok(policies) = read_policies(Draft11, text) {
        let write = |policy: &bartizan_rate_limit::ServicePolicy| {
            let window = policy.window.map(|window| format!(";w={window}")).unwrap_or_default();
            format!("{};q={}{window}", quoted(&policy.name), policy.quota)
        };
        let written = policies.iter().map(write).collect::<Vec<_>>().join(",");
        assert_eq!(read_policies(Draft11, &written).ok(), Some(policies));
    }
    if let Ok(limits) = read_limits(Draft11, text) {
        let write = |limit: &bartizan_rate_limit::ServiceLimit| {
            let reset = limit.reset.map(|reset| format!(";t={reset}")).unwrap_or_default();
            format!("{};r={}{reset}", quoted(&limit.name), limit.remaining)
        };
        let written = limits.iter().map(write).collect::<Vec<_>>().join(",");
        assert_eq!(read_limits(Draft11, &written).ok(), Some(limits));
    }
});

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
