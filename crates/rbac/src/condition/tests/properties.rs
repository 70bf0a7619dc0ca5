use std::time::Duration;

use bartizan_core::Value;
use jiff::tz::TimeZoneDatabase;
use proptest::{prelude::*, sample::select, test_runner::Config};

use super::*;

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Asia/Gaza",
];

const WORDS: [&str; 5] = ["oncology", "surgery", "Oncology", "a.b", "\u{e9}"];
const METHODS: [&str; 4] = ["pwd", "mfa", "hwk", "otp"];
const ADDRESSES: [&str; 5] = ["10.0.0.1", "11.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "::1"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One key each, so that any subset is a condition.
fn keys() -> Vec<BoxedStrategy<String>> {
    let list = |words: &'static [&str], most| {
        proptest::sample::subsequence(words, 1..=most).prop_shuffle().prop_map(|words| {
            words.into_iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
        })
    };
    let span = (0..1_440_u32, 1..1_440_u32, select(&ZONES[..])).prop_map(|(from, length, zone)| {
        let to = (from + length) % 1_440;
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        format!("time = {{ from = \"{}\", to = \"{}\", zone = \"{zone}\" }}", clock(from), clock(to))
    });
    let days = (list(&DAYS, 7), select(&ZONES[..]))
        .prop_map(|(days, zone)| format!("weekdays = {{ days = [{days}], zone = \"{zone}\" }}"));
    let age = |key: &'static str| {
        (1..200_u32, select(&["s", "m", "h", "d"][..]))
            .prop_map(move |(n, unit)| format!("{key} = \"{n}{unit}\""))
    };
    let equals = select(
        &[
            r#"equals = { "resource.department" = "subject.department" }"#,
            r#"equals = { "resource.public" = true, "resource.department" = "oncology" }"#,
            r#"equals = { "resource.level" = 3 }"#,
            r#"equals = { "subject.department" = "surgery" }"#,
        ][..],
    );
    let within = select(
        &[
            r#"in = { "resource.department" = ["surgery", "oncology"] }"#,
            r#"in = { "resource.department" = "subject.departments", "resource.level" = [3, 2] }"#,
            r#"in = { "subject.department" = "resource.departments" }"#,
        ][..],
    );
    let networks = ["10.0.0.0/8", "10.0.0.0/16", "2001:db8::/32", "::/0", "0.0.0.0/0"];
    vec![
        list(&WORDS, 3).prop_map(|list| format!("acr = [{list}]")).boxed(),
        list(Box::leak(Box::new(networks)), 4).prop_map(|list| format!("address = [{list}]")).boxed(),
        list(&METHODS, 3).prop_map(|list| format!("amr = [{list}]")).boxed(),
        age("authenticated_within").boxed(),
        age("mfa_within").boxed(),
        equals.prop_map(str::to_owned).boxed(),
        within.prop_map(str::to_owned).boxed(),
        Just("owner = true".to_owned()).boxed(),
        span.boxed(),
        days.boxed(),
    ]
}

/// A condition of at least one key.
fn conditions() -> impl Strategy<Value = String> {
    proptest::sample::subsequence((0..10).collect::<Vec<usize>>(), 1..=4)
        .prop_shuffle()
        .prop_flat_map(|chosen| {
            let mut keys: Vec<_> = keys().into_iter().map(Some).collect();
            chosen.into_iter().map(|key| keys[key].take().unwrap()).collect::<Vec<_>>()
        })
        .prop_map(|keys| keys.join("\n"))
}

/// Everything that a condition looks at.
#[derive(Clone, Debug)]
struct World {
    now: UnixTime,
    address: Option<&'static str>,
    acr: Option<&'static str>,
    amr: Vec<&'static str>,
    login: Option<UnixTime>,
    subject: Vec<(&'static str, &'static str)>,
    owner: Option<(bool, &'static str)>,
    columns: Vec<(&'static str, Value<'static>)>,
}

fn worlds() -> impl Strategy<Value = World> {
    // Around the changes of 2026, where the ends of windows are hard to tell.
    let now = (1_767_225_600..1_798_761_600_i64, 0..1_000_000_000_i64)
        .prop_map(|(secs, nanos)| UnixTime::from_nanos(secs * 1_000_000_000 + nanos));
    let maybe = |words: &'static [&str]| proptest::option::of(select(words));
    let value = prop_oneof![
        3 => select(&WORDS[..]).prop_map(Value::Text),
        1 => (2..5_i64).prop_map(Value::Number),
        1 => any::<bool>().prop_map(Value::Flag),
        1 => Just(Value::Texts(&["surgery", "oncology"])),
        1 => Just(Value::Unavailable),
    ];
    let columns = proptest::collection::btree_map(
        select(&["department", "departments", "level", "public"][..]),
        value,
        0..=4,
    );
    let subject =
        proptest::collection::vec((select(&["department", "departments"][..]), select(&WORDS[..])), 0..3);
    let owner = proptest::option::of((any::<bool>(), select(&["ada", "bob"][..])));
    let amr = proptest::sample::subsequence(&METHODS[..], 0..=4);
    let login = proptest::option::of(-200..200_000_i64);
    (now, maybe(&ADDRESSES), maybe(&WORDS), amr, login, subject, owner, columns).prop_map(
        |(now, address, acr, amr, login, subject, owner, columns)| World {
            now,
            address,
            acr,
            amr,
            login: login.map(|ago| UnixTime::from_secs(now.as_secs() - ago)),
            subject,
            owner,
            columns: columns.into_iter().collect(),
        },
    )
}

impl World {
    fn judge(&self, condition: &Condition) -> Truth {
        self.judge_at(condition, self.now)
    }

    fn judge_at(&self, condition: &Condition, now: UnixTime) -> Truth {
        let mut facts =
            facts().with_acr(self.acr).with_amr(&self.amr).with_attributes(self.subject.iter().copied());
        facts.address = self.address.map(|address| address.parse().unwrap());
        facts.authenticated = self.login;
        let columns: Vec<_> = self.columns.iter().map(|(name, value)| Attribute::new(name, *value)).collect();
        let mut on = record().with_attributes(&columns);
        if let Some((sealed, owner)) = self.owner {
            on = on.owned_by(if sealed { Owner::Sealed(owner) } else { Owner::Asserted(owner) });
        }
        judge(condition, &somebody(facts), on, now)
    }

    /// The same with one fact less, or one that nobody could tell.
    fn vaguer(&self) -> Vec<Self> {
        let mut vaguer = vec![
            Self { address: None, ..self.clone() },
            Self { acr: None, ..self.clone() },
            Self { amr: Vec::new(), ..self.clone() },
            Self { login: None, ..self.clone() },
            Self { owner: None, ..self.clone() },
        ];
        for name in ["department", "departments"] {
            let subject = self.subject.iter().copied().filter(|(known, _)| *known != name).collect();
            vaguer.push(Self { subject, ..self.clone() });
        }
        for at in 0..self.columns.len() {
            let (mut less, mut unavailable) = (self.clone(), self.clone());
            less.columns.remove(at);
            unavailable.columns[at].1 = Value::Unavailable;
            vaguer.extend([less, unavailable]);
        }
        vaguer
    }
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    /// Kleene: with less known, the answer is the same or it is unknown. So what is unknown never makes a no a yes, and a yes
    /// or a no that stands without a fact stands whatever that fact is.
    #[test]
    fn what_is_unknown_never_helps(text in conditions(), world in worlds()) {
        let condition = condition(&text);
        let known = world.judge(&condition);
        for vaguer in world.vaguer() {
            let found = vaguer.judge(&condition);
            prop_assert!(
                found == known || matches!(found, Truth::Absent | Truth::Unavailable),
                "{known:?} became {found:?} with {vaguer:?}"
            );
        }
    }

    #[test]
    fn it_holds_until_it_says_and_no_longer(text in conditions(), world in worlds(), between in 0.0..1.0_f64) {
        let condition = condition(&text);
        if let Truth::True { until } = world.judge(&condition) {
            prop_assert!(world.now < until);
            if until < UnixTime::MAX {
                let before = until.saturating_sub(Duration::from_nanos(1));
                let between = world.now.saturating_add(before.since(world.now).mul_f64(between));
                prop_assert_eq!(world.judge_at(&condition, before), Truth::True { until });
                prop_assert_eq!(world.judge_at(&condition, between), Truth::True { until });
                let ended = !matches!(world.judge_at(&condition, until), Truth::True { .. });
                prop_assert!(ended);
            }
        }
    }

    #[test]
    fn the_canonical_text_reads_back_and_says_the_same(text in conditions(), world in worlds()) {
        let one = condition(&text);
        let canonical = one.to_string();
        prop_assert!(canonical.bytes().all(|b| matches!(b, b' '..=b'~')), "{}", canonical);
        let two = read_canonical(&canonical).unwrap();
        prop_assert_eq!(&canonical, &two.to_string());
        prop_assert_eq!(world.judge(&one), world.judge(&two));
        let value: toml::Value = toml::from_str(&text).unwrap();
        let three = read_json(&serde_json::to_string(&value).unwrap()).unwrap();
        prop_assert_eq!(canonical, three.to_string());
    }

    /// Any text at all: an error in words, or a condition that can be shown and read again.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}|[a-z_]{2,20} = [\\[{]?\"[\\PC]{0,20}\"[\\]}]?") {
        prop_assert!(fuzz_condition(&text));
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    /// The table of a zone says what jiff says, at any time that can be told and around every change.
    #[test]
    fn a_zone_is_what_jiff_says(which in any::<proptest::sample::Index>(), nanos in any::<i64>(), from in 0..1_440_i64, length in 1..1_440_i64) {
        let database = TimeZoneDatabase::bundled();
        let names: Vec<_> = database.available().map(|name| name.as_str().to_owned()).filter(|name| name != "Factory").collect();
        let name = which.get(&names);
        let zone = database.get(name).unwrap();
        let to = (from + length) % 1_440;
        let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let window = condition(&format!(
            "time = {{ from = \"{}\", to = \"{}\", zone = \"{name}\" }}", clock(from), clock(to)
        ));
        let time = |nanos: i64| Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
        let shown = |nanos: i64| {
            let local = zone.to_datetime(time(nanos));
            let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
            (minute - from).rem_euclid(1_440) < length
        };
        let near = zone.following(time(nanos)).next().and_then(|change| i64::try_from(change.timestamp().as_nanosecond()).ok());
        let near = near.unwrap_or(nanos);
        for at in [nanos, near.saturating_sub(1), near, near.saturating_add(1)] {
            let holds = matches!(judge_at(&window, UnixTime::from_nanos(at)), Truth::True { .. });
            prop_assert_eq!(holds, shown(at), "{} at {}", &window, UnixTime::from_nanos(at));
        }
    }
}
