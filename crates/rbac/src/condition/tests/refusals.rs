use super::*;

#[test]
fn what_cannot_be_meant_is_refused_in_clear_words() {
    let long = "x".repeat(256);
    for (text, words) in [
        ("", "it is empty"),
        ("description = \"nothing\"", "it is empty"),
        ("owner = false", "owner can only be true"),
        ("owner = \"true\"", "expected a boolean"),
        ("owner = 1", "expected a boolean"),
        ("mfa = \"15m\"", "unknown field"),
        ("Acr = [\"1\"]", "unknown field"),
        ("any = {}", "unknown field"),
        ("acr = []", "acr has an empty list"),
        ("acr = \"1\"", "expected a sequence"),
        ("acr = [1]", "string"),
        ("acr = [\"\"]", "acr has an empty text"),
        ("acr = [\"1\", \"2\", \"1\"]", "acr says \"1\" twice"),
        ("amr = []", "amr has an empty list"),
        ("amr = [\"pwd\", \"pwd\"]", "amr says \"pwd\" twice"),
        (&format!("amr = [\"{long}\"]"), "amr has a text of over 255 bytes"),
        ("address = []", "address has an empty list"),
        ("mfa_within = \"15\"", "mfa_within \"15\" is not a duration"),
        ("mfa_within = 15", "string"),
        ("authenticated_within = \"0s\"", "authenticated_within \"0s\" is not a duration"),
        ("time = { from = \"08:00\", to = \"18:00\" }", "missing field `zone`"),
        ("time = { from = \"08:00\", to = \"18:00\", zone = \"UTC\", days = [] }", "unknown field"),
        ("time = { from = \"08:00\", to = \"08:00\", zone = \"UTC\" }", "begins and ends at the same minute"),
        ("time = { from = 08:00:00, to = \"18:00\", zone = \"UTC\" }", "string"),
        ("weekdays = { days = [], zone = \"UTC\" }", "weekdays has an empty list"),
        ("weekdays = { days = [\"mon\", \"mon\"], zone = \"UTC\" }", "weekdays says \"mon\" twice"),
        ("weekdays = { days = [\"Mon\"], zone = \"UTC\" }", "did you mean \"mon\"?"),
        ("weekdays = { days = [\"monday\"], zone = \"UTC\" }", "is not one of mon, tue"),
        ("weekdays = { days = [\"mon-fri\"], zone = \"UTC\" }", "is not one of mon, tue"),
        ("weekdays = { days = [\"mon\"] }", "missing field `zone`"),
        ("equals = {}", "equals has an empty list"),
        ("equals = [\"a\"]", "expected a map"),
        ("equals = { \"department\" = \"x\" }", "\"department\" is not an attribute such as resource.NAME"),
        ("equals = { \"principal.x\" = \"x\" }", "is not an attribute"),
        ("equals = { \"resource.\" = \"x\" }", "is not an attribute"),
        ("equals = { \"resource.a b\" = \"x\" }", "is not an attribute"),
        ("equals = { \"resource.\u{e9}\" = \"x\" }", "\"resource.\\u{e9}\" is not an attribute"),
        ("equals = { \" resource.a\" = \"x\" }", "is not an attribute"),
        ("equals = { \"Resource.a\" = \"x\" }", "is not an attribute"),
        ("equals = { \"resource.a\" = \"subject.\" }", "\"subject.\" is not an attribute"),
        ("equals = { \"resource.a\" = \"subject.b c\" }", "\"subject.b c\" is not an attribute"),
        ("equals = { \"resource.a\" = \"subjct.b\" }", "did you mean \"subject.b\"?"),
        ("equals = { \"resource.a\" = \"Subject.b\" }", "did you mean \"subject.b\"?"),
        ("equals = { \"resource.a\" = \"RESOURCE.b\" }", "did you mean \"resource.b\"?"),
        ("equals = { \"resource.a\" = \"resource.a\" }", "compared with itself"),
        ("equals = { \"resource.a\" = \"\" }", "empty text"),
        ("equals = { \"resource.a\" = 1.5 }", "expected a text, a whole number, true or false"),
        ("equals = { \"resource.a\" = [\"x\"] }", "expected a text, a whole number, true or false"),
        ("equals = { \"resource.a\" = {} }", "expected a text, a whole number, true or false"),
        ("equals = { \"resource.a\" = 2026-01-01 }", "expected a text, a whole number, true or false"),
        ("equals = { \"resource.a\" = 9223372036854775808 }", ""),
        ("equals = { \"subject.a\" = true }", "is a text, as all attributes of a subject are"),
        ("equals = { \"subject.a\" = 1 }", "is a text, as all attributes of a subject are"),
        ("in = {}", "in has an empty list"),
        ("in = { \"resource.a\" = [] }", "it has an empty list"),
        ("in = { \"resource.a\" = [\"\"] }", "empty text"),
        ("in = { \"resource.a\" = [\"x\", \"y\", \"x\"] }", "a list says \"x\" twice"),
        ("in = { \"resource.a\" = [1, 2, 1] }", "a list says 1 twice"),
        ("in = { \"resource.a\" = [\"x\", 1] }", "not both"),
        ("in = { \"resource.a\" = [true] }", "go into `equals`"),
        ("in = { \"resource.a\" = \"open\" }", "\"open\" is not an attribute"),
        ("in = { \"resource.a\" = \"resource.a\" }", "compared with itself"),
        ("in = { \"resource.a\" = true }", "expected a list, or an attribute"),
        ("in = { \"resource.a\" = [[\"x\"]] }", "expected a text, a whole number"),
        ("in = { \"subject.a\" = [1] }", "is a text, as all attributes of a subject are"),
        ("in = { \"a\" = [\"x\"] }", "\"a\" is not an attribute"),
    ] {
        let complaint = read(text).expect_err(text);
        assert!(complaint.words.contains(words), "{text}: {complaint:?}");
        assert!(complaint.words.lines().count() == 1 && complaint.words.is_ascii(), "{complaint:?}");
    }
}

#[test]
fn a_time_of_day_has_four_digits() {
    for bad in [
        "24:00",
        "8:00",
        "08:60",
        "0800",
        "08:00:00",
        "",
        " 8:00",
        "08:00 ",
        "+8:00",
        "08-00",
        "8:000",
        "０８:00",
        "-1:00",
        "08:5",
    ] {
        for (key, text) in [
            ("from", format!("time = {{ from = \"{bad}\", to = \"18:00\", zone = \"UTC\" }}")),
            ("to", format!("time = {{ from = \"18:00\", to = \"{bad}\", zone = \"UTC\" }}")),
        ] {
            let complaint = read(&text).unwrap_err();
            let words = format!("time {key} {} is not HH:MM from 00:00 to 23:59", quoted(bad));
            assert!(complaint.words.contains(&words), "{bad}: {complaint:?}");
            assert_eq!(&text[complaint.span.unwrap()], format!("\"{bad}\""));
        }
    }
}

#[test]
fn a_zone_is_one_of_the_database_in_its_own_letters() {
    for (bad, words) in [
        ("europe/berlin", "did you mean \"Europe/Berlin\"?"),
        ("EUROPE/BERLIN", "did you mean \"Europe/Berlin\"?"),
        ("Europe/Berln", "did you mean \"Europe/Berlin\"?"),
        ("Berlin", "did you mean \"Europe/Berlin\"?"),
        ("utc", "did you mean \"UTC\"?"),
        ("Etc/Unknown", "is no IANA time zone"),
        ("Factory", "is no IANA time zone"),
        ("+02:00", "expected is one such as \"Europe/Berlin\" or \"UTC\""),
        ("UTC+2", "is no IANA time zone"),
        ("CEST", "is no IANA time zone"),
        ("", "expected is one such as"),
        ("../../etc/passwd", "expected is one such as"),
        (":Europe/Berlin", "did you mean \"Europe/Berlin\"?"),
        ("Europe/Berlin\u{200b}", "is no IANA time zone"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "is no IANA time zone"),
    ] {
        for text in [
            format!("time = {{ from = \"08:00\", to = \"18:00\", zone = \"{bad}\" }}"),
            format!("weekdays = {{ days = [\"mon\"], zone = \"{bad}\" }}"),
        ] {
            let complaint = read(&text).unwrap_err();
            assert!(complaint.words.contains(words), "{bad}: {complaint:?}");
            assert_eq!(&text[complaint.span.unwrap()], format!("\"{bad}\""));
        }
    }
}

#[test]
fn a_list_has_at_most_256() {
    let list = |n: usize| (0..n).map(|i| format!("\"a{i}\"")).collect::<Vec<_>>().join(", ");
    let numbers = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    let pairs = |n: usize| (0..n).map(|i| format!("\"resource.a{i}\" = true")).collect::<Vec<_>>().join(", ");
    let networks = |n: usize| {
        (0..n).map(|i| format!("\"10.0.{}.{}/32\"", i / 256, i % 256)).collect::<Vec<_>>().join(", ")
    };
    for (n, taken) in [(256, true), (257, false)] {
        for text in [
            format!("acr = [{}]", list(n)),
            format!("amr = [{}]", list(n)),
            format!("address = [{}]", networks(n)),
            format!("in = {{ \"resource.a\" = [{}] }}", list(n)),
            format!("in = {{ \"resource.a\" = [{}] }}", numbers(n)),
            format!("equals = {{ {} }}", pairs(n)),
        ] {
            match read(&text) {
                Ok(_) => assert!(taken, "{n}"),
                Err(complaint) => assert!(!taken && complaint.words.contains("over 256"), "{complaint:?}"),
            }
        }
    }
}

#[test]
fn toml_and_json_say_no_key_twice_and_nothing_by_null() {
    for text in ["owner = true\nowner = true", "equals = { \"resource.a\" = \"x\", \"resource.a\" = \"y\" }"]
    {
        let complaint = read(text).unwrap_err();
        assert!(complaint.words.contains("duplicate key"), "{complaint:?}");
    }
    for (text, words) in [
        ("{}", "it is empty"),
        ("{\"owner\": null}", "null"),
        ("{\"owner\": true, \"acr\": null}", "null"),
        ("{\"owner\": true, \"equals\": null}", "null"),
        ("{\"owner\": true, \"owner\": true}", "twice"),
        ("{\"equals\": {\"resource.a\": \"x\", \"resource.a\": \"y\"}}", "twice"),
        ("{\"equals\": {\"resource.a\": 1.0}}", "floating point"),
        ("{\"in\": {\"resource.a\": [null]}}", "null"),
    ] {
        let complaint = read_json(text).unwrap_err();
        assert!(complaint.contains(words), "{text}: {complaint}");
    }
    assert!(read_json("{\"owner\": true, \"description\": \"one's own\"}").is_ok());
}

#[test]
fn a_condition_has_a_plain_name() {
    for bad in ["", "Office", "office hours", "b\u{fc}ro", "office.hours", "1st", &"x".repeat(65)] {
        let entry: ConditionEntry = toml::from_str("owner = true").unwrap();
        let problem = Condition::compile(bad, entry, &mut Zones::new()).unwrap_err();
        assert!(problem.detail.contains("its name is not in lower-case ASCII"), "{problem:?}");
    }
}
