use std::time::Duration;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn logged_in(at: UnixTime) -> PrincipalFacts {
    let mut facts = facts();
    facts.authenticated = Some(at);
    facts
}

#[test]
fn a_login_ends_at_the_moment_it_is_that_old() {
    let condition = condition("authenticated_within = \"15m\"");
    let login = at("2026-05-29T10:00:00.5Z");
    let end = login.saturating_add(15 * MINUTE);
    let fresh = Truth::True { until: end };
    let nano = Duration::from_nanos(1);
    for (now, expected) in [
        (login, fresh),
        (login.saturating_add(nano), fresh),
        (end.saturating_sub(nano), fresh),
        (end, Truth::False),
        (end.saturating_add(nano), Truth::False),
        (UnixTime::MAX, Truth::False),
        // Clocks differ a little; what is a minute ahead, and no more, is now.
        (login.saturating_sub(nano), fresh),
        (login.saturating_sub(MINUTE), fresh),
        (login.saturating_sub(MINUTE + nano), Truth::Absent),
        (UnixTime::EPOCH, Truth::Absent),
        (UnixTime::from_nanos(i64::MIN), Truth::Absent),
    ] {
        assert_eq!(judge(&condition, &somebody(logged_in(login)), record(), now), expected, "{now}");
    }
    assert_eq!(judge(&condition, &somebody(facts()), record(), login), Truth::Absent);
    for extreme in [i64::MIN, i64::MAX] {
        let who = somebody(logged_in(UnixTime::from_nanos(extreme)));
        let now = UnixTime::from_nanos(extreme);
        assert!(!matches!(judge(&condition, &who, record(), now), Truth::True { until } if until < now));
    }
}

#[test]
fn a_second_factor_must_be_said() {
    let condition = condition("mfa_within = \"15m\"");
    let login = at("2026-05-29T10:00:00Z");
    let (end, stale) =
        (Truth::True { until: login.saturating_add(15 * MINUTE) }, login.saturating_add(15 * MINUTE));
    for (facts, now, expected) in [
        (logged_in(login).with_amr(["pwd", "mfa"]), login, end),
        (logged_in(login).with_amr(["mfa"]), login, end),
        (logged_in(login).with_amr(["mfa"]), stale, Truth::False),
        (logged_in(login).with_amr(["pwd", "otp"]), login, Truth::False),
        (logged_in(login).with_amr(["MFA", "mfa2", "mf", "mfa "]), login, Truth::False),
        (logged_in(login), login, Truth::Absent),
        (logged_in(login), stale, Truth::False),
        (facts().with_amr(["mfa"]), login, Truth::Absent),
        (facts().with_amr(["pwd"]), login, Truth::False),
        (facts(), login, Truth::Absent),
    ] {
        assert_eq!(judge(&condition, &somebody(facts), record(), now), expected);
    }
}

#[test]
fn one_class_of_the_list_and_all_methods_of_the_list() {
    let acr = condition("acr = [\"urn:example:aal2\", \"urn:example:aal3\"]");
    for (facts, expected) in [
        (facts().with_acr("urn:example:aal2"), Truth::ALWAYS),
        (facts().with_acr("urn:example:aal3"), Truth::ALWAYS),
        (facts().with_acr("urn:example:aal"), Truth::False),
        (facts().with_acr("urn:example:aal22"), Truth::False),
        (facts().with_acr("urn:example:AAL2"), Truth::False),
        (facts().with_acr("urn:example:aal1"), Truth::False),
        (facts().with_acr("urn:example:aal2 urn:example:aal3"), Truth::False),
        (facts(), Truth::Absent),
    ] {
        assert_eq!(judge(&acr, &somebody(facts), record(), UnixTime::EPOCH), expected);
    }
    let amr = condition("amr = [\"pwd\", \"hwk\"]");
    for (facts, expected) in [
        (facts().with_amr(["hwk", "user", "pwd"]), Truth::ALWAYS),
        (facts().with_amr(["hwk", "pwd"]), Truth::ALWAYS),
        (facts().with_amr(["hwk"]), Truth::False),
        (facts().with_amr(["hwk", "PWD"]), Truth::False),
        (facts().with_amr(["hwk pwd"]), Truth::False),
        (facts(), Truth::Absent),
    ] {
        assert_eq!(judge(&amr, &somebody(facts), record(), UnixTime::EPOCH), expected);
    }
}
