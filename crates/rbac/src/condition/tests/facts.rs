use bartizan_core::Value::{self, *};

use super::*;

fn table(text: &str, subject: &[(&str, &str)], rows: &[(&[(&str, Value<'_>)], Truth)]) {
    let condition = condition(text);
    let ada = somebody(facts().with_attributes(subject.iter().copied()));
    for (columns, expected) in rows {
        let columns: Vec<_> = columns.iter().map(|(name, value)| Attribute::new(name, *value)).collect();
        let found = judge(&condition, &ada, record().with_attributes(&columns), UnixTime::EPOCH);
        assert_eq!(found, *expected, "{condition} with {columns:?}");
    }
}

#[test]
fn an_attribute_equals_another_of_its_type() {
    table(
        "equals = { \"resource.department\" = \"subject.department\" }",
        &[("department", "oncology"), ("dept", "x"), ("Department", "x")],
        &[
            (&[("department", Text("oncology"))], Truth::ALWAYS),
            (&[("department", Text("surgery"))], Truth::False),
            (&[("department", Text(""))], Truth::False),
            (&[("department", Texts(&["oncology"]))], Truth::Absent),
            (&[("department", Flag(true))], Truth::Absent),
            (&[("department", Number(1))], Truth::Absent),
            (&[("department", Unavailable)], Truth::Unavailable),
            (&[("Department", Text("oncology"))], Truth::Absent),
            (&[], Truth::Absent),
            (&[("department", Text("oncology")), ("department", Text("oncology"))], Truth::Absent),
            (&[("department", Text("oncology")), ("department", Unavailable)], Truth::Absent),
        ],
    );
    let two = [("department", "oncology"), ("department", "surgery")];
    for subject in [&two[..], &[], &[("Department", "oncology")]] {
        table(
            "equals = { \"resource.department\" = \"subject.department\" }",
            subject,
            &[
                (&[("department", Text("oncology"))], Truth::Absent),
                (&[("department", Unavailable)], Truth::Unavailable),
                (&[], Truth::Absent),
            ],
        );
    }
    table(
        "equals = { \"resource.a\" = \"resource.b\" }",
        &[],
        &[
            (&[("a", Number(1)), ("b", Number(1))], Truth::ALWAYS),
            (&[("a", Number(1)), ("b", Number(2))], Truth::False),
            (&[("a", Flag(false)), ("b", Flag(false))], Truth::ALWAYS),
            (&[("a", Flag(true)), ("b", Flag(false))], Truth::False),
            (&[("a", Text("1")), ("b", Number(1))], Truth::Absent),
            (&[("a", Texts(&[])), ("b", Texts(&[]))], Truth::Absent),
            (&[("a", Unavailable), ("b", Unavailable)], Truth::Unavailable),
            (&[("a", Number(1))], Truth::Absent),
        ],
    );
}

#[test]
fn an_attribute_equals_a_literal_of_its_type() {
    table(
        "equals = { \"resource.public\" = true }",
        &[],
        &[
            (&[("public", Flag(true))], Truth::ALWAYS),
            (&[("public", Flag(false))], Truth::False),
            (&[("public", Text("true"))], Truth::Absent),
            (&[("public", Number(1))], Truth::Absent),
            (&[("public", Unavailable)], Truth::Unavailable),
            (&[], Truth::Absent),
        ],
    );
    table(
        "equals = { \"resource.level\" = -3 }",
        &[],
        &[
            (&[("level", Number(-3))], Truth::ALWAYS),
            (&[("level", Number(3))], Truth::False),
            (&[("level", Text("-3"))], Truth::Absent),
        ],
    );
    table(
        "equals = { \"subject.clearance\" = \"secret\", \"resource.host\" = \"a.example\" }",
        &[("clearance", "secret")],
        &[
            (&[("host", Text("a.example"))], Truth::ALWAYS),
            (&[("host", Text("a.example."))], Truth::False),
            (&[], Truth::Absent),
            (&[("host", Unavailable)], Truth::Unavailable),
        ],
    );
    // What is surely false settles it, whatever the other pair would have said.
    table(
        "equals = { \"resource.a\" = true, \"resource.b\" = true }",
        &[],
        &[
            (&[("a", Flag(false)), ("b", Unavailable)], Truth::False),
            (&[("a", Unavailable), ("b", Flag(false))], Truth::False),
            (&[("a", Unavailable)], Truth::Unavailable),
            (&[("b", Flag(false))], Truth::False),
        ],
    );
}

#[test]
fn an_attribute_is_one_of_several() {
    table(
        "in = { \"resource.status\" = [\"open\", \"draft\", \"subject.x\"] }",
        &[],
        &[
            (&[("status", Text("open"))], Truth::ALWAYS),
            (&[("status", Text("draft"))], Truth::ALWAYS),
            (&[("status", Text("subject.x"))], Truth::ALWAYS),
            (&[("status", Text("closed"))], Truth::False),
            (&[("status", Text("ope"))], Truth::False),
            (&[("status", Text("openn"))], Truth::False),
            (&[("status", Text(""))], Truth::False),
            (&[("status", Texts(&["open"]))], Truth::Absent),
            (&[("status", Unavailable)], Truth::Unavailable),
            (&[], Truth::Absent),
        ],
    );
    table(
        "in = { \"resource.level\" = [3, 1, -9223372036854775808] }",
        &[],
        &[
            (&[("level", Number(1))], Truth::ALWAYS),
            (&[("level", Number(i64::MIN))], Truth::ALWAYS),
            (&[("level", Number(2))], Truth::False),
            (&[("level", Text("1"))], Truth::Absent),
        ],
    );
    table(
        "in = { \"resource.department\" = \"subject.departments\" }",
        &[("departments", "oncology"), ("department", "x"), ("departments", "surgery")],
        &[
            (&[("department", Text("oncology"))], Truth::ALWAYS),
            (&[("department", Text("surgery"))], Truth::ALWAYS),
            (&[("department", Text("x"))], Truth::False),
            (&[("department", Number(1))], Truth::Absent),
            (&[("department", Unavailable)], Truth::Unavailable),
            (&[], Truth::Absent),
        ],
    );
    table(
        "in = { \"resource.department\" = \"subject.departments\" }",
        &[],
        &[
            (&[("department", Text("x"))], Truth::Absent),
            (&[("department", Unavailable)], Truth::Unavailable),
        ],
    );
    table(
        "in = { \"subject.department\" = \"resource.departments\" }",
        &[("department", "oncology")],
        &[
            (&[("departments", Texts(&["surgery", "oncology"]))], Truth::ALWAYS),
            (&[("departments", Texts(&["surgery"]))], Truth::False),
            (&[("departments", Texts(&[]))], Truth::False),
            (&[("departments", Text("oncology"))], Truth::Absent),
            (&[("departments", Unavailable)], Truth::Unavailable),
            (&[], Truth::Absent),
        ],
    );
    table(
        "in = { \"subject.department\" = \"resource.departments\" }",
        &[],
        &[
            (&[("departments", Unavailable)], Truth::Unavailable),
            (&[("departments", Texts(&["x"]))], Truth::Absent),
        ],
    );
}

#[test]
fn what_only_looks_alike_never_equals() {
    let alike = [
        "Oncology",
        "ONCOLOGY",
        "oncology ",
        " oncology",
        "oncology\n",
        "oncology\0",
        "oncology.",
        "oncolog",
        "oncologyy",
        "\u{43e}ncology",
        "oncology\u{200b}",
        "\u{feff}oncology",
        "oncology\u{301}",
        "ｏncology",
    ];
    let listed = ["oncology"];
    for text in alike {
        let columns =
            [Attribute::new("department", Text(text)), Attribute::new("departments", Texts(&listed))];
        let on = record().with_attributes(&columns);
        for condition in [
            condition("equals = { \"resource.department\" = \"oncology\" }"),
            condition("equals = { \"resource.department\" = \"subject.department\" }"),
            condition("in = { \"resource.department\" = [\"oncology\", \"surgery\"] }"),
            condition("in = { \"resource.department\" = \"subject.department\" }"),
            condition("in = { \"resource.department\" = \"resource.departments\" }"),
        ] {
            let ada = somebody(facts().with_attributes([("department", "oncology")]));
            assert_eq!(
                judge(&condition, &ada, on, UnixTime::EPOCH),
                Truth::False,
                "{text:?} and {condition}"
            );
        }
    }
    // One letter in two forms, composed and not, and a sign that lower-cases into a letter.
    for (one, two) in [("\u{e9}", "e\u{301}"), ("k", "\u{212a}"), ("\u{df}", "ss"), ("i", "\u{131}")] {
        let condition = condition(&format!("equals = {{ \"resource.x\" = \"{one}\" }}"));
        for (text, expected) in [(one, Truth::ALWAYS), (two, Truth::False)] {
            let columns = [Attribute::new("x", Text(text))];
            let on = record().with_attributes(&columns);
            assert_eq!(judge(&condition, &somebody(facts()), on, UnixTime::EPOCH), expected);
        }
    }
}
