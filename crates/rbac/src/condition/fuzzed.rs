//! What must hold for every text that is taken for a condition; for the fuzzer and the tests.

use std::net::{IpAddr, Ipv6Addr};

use bartizan_core::{
    Ask, Attestation, Attribute, PermissionName, Principal, PrincipalFacts, Resource, UnixTime, Value,
};
use serde::Deserialize;

use super::{Condition, ConditionEntry, Truth, Zones};
use crate::reach::Owners;

/// Reads the keys of one condition (TOML). Whether, if it is taken, its canonical text is one ASCII line that reads back as the
/// same, and it is judged at any time, never to end before it begins.
#[doc(hidden)]
#[must_use]
pub fn fuzz_condition(text: &str) -> bool {
    let mut zones = Zones::new();
    let Ok(entry) = toml::from_str::<ConditionEntry>(text) else {
        return true;
    };
    let Ok(one) = Condition::compile("fuzzed", entry, &mut zones) else {
        return true;
    };
    let canonical = one.to_string();
    let Some(two) = read_canonical(&canonical, &mut zones) else {
        return false;
    };
    canonical.bytes().all(|b| matches!(b, b' '..=b'~'))
        && canonical == two.to_string()
        && alike(&one, &two) == Some(true)
}

fn read_canonical(text: &str, zones: &mut Zones) -> Option<Condition> {
    #[derive(Deserialize)]
    struct Holder {
        condition: ConditionEntry,
    }
    let Holder { condition } = toml::from_str(&format!("condition = {{ {text} }}")).ok()?;
    Condition::compile("fuzzed", condition, zones).ok()
}

/// Whether both judge some questions alike and in bounds.
fn alike(one: &Condition, two: &Condition) -> Option<bool> {
    let columns = [Attribute::new("a", Value::Text("x")), Attribute::new("b", Value::Number(1))];
    let permission = PermissionName::parse("record:read").ok()?;
    for nanos in [i64::MIN, -1, 0, 1_774_746_000_000_000_000, 1_792_890_000_000_000_000, i64::MAX] {
        let now = UnixTime::from_nanos(nanos);
        let mut facts =
            PrincipalFacts::new("t", "s").with_acr("x").with_amr(["mfa"]).with_attributes([("a", "x")]);
        facts.authenticated = Some(now);
        facts.address = Some(IpAddr::V6(Ipv6Addr::from(u128::from(nanos.unsigned_abs()))));
        let who = Principal::attested(Attestation::Assertion, facts).ok()?;
        let on = Resource::record("t", "record", "r").with_attributes(&columns);
        let ask = Ask::new(&who, permission, on, now);
        let truth = one.judge(&ask, Owners::Sealed);
        let ends_before = matches!(truth, Truth::True { until } if until < now);
        if truth != two.judge(&ask, Owners::Sealed) || ends_before {
            return Some(false);
        }
    }
    Some(true)
}
