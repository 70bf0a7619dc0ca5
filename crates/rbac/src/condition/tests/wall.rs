use super::*;

fn window(from: &str, to: &str, zone: &str) -> Condition {
    condition(&format!("time = {{ from = \"{from}\", to = \"{to}\", zone = \"{zone}\" }}"))
}

fn weekdays(days: &str, zone: &str) -> Condition {
    let days: Vec<_> = days.split(' ').map(|day| format!("\"{day}\"")).collect();
    condition(&format!("weekdays = {{ days = [{}], zone = \"{zone}\" }}", days.join(", ")))
}

/// What holds at which time, and until when; nothing where it does not.
fn table(condition: &Condition, rows: &[(&str, Option<&str>)]) {
    for (now, end) in rows {
        let expected = end.map_or(Truth::False, until);
        let found = judge_at(condition, at(now));
        let told = |truth: Truth| match truth {
            Truth::True { until } => until.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{condition} at {now}: {} but expected {}", told(found), told(expected));
    }
}

#[test]
fn a_window_begins_and_ends_at_the_exact_moment() {
    table(
        &window("08:00", "18:00", "Europe/Berlin"),
        &[
            ("2026-01-15T07:59:59.999999999+01:00", None),
            ("2026-01-15T08:00:00+01:00", Some("2026-01-15T18:00:00+01:00")),
            ("2026-01-15T17:59:59.999+01:00", Some("2026-01-15T18:00:00+01:00")),
            ("2026-01-15T17:59:59.999999999+01:00", Some("2026-01-15T18:00:00+01:00")),
            ("2026-01-15T18:00:00+01:00", None),
            ("2026-07-15T07:59:59.999+02:00", None),
            ("2026-07-15T08:00:00+02:00", Some("2026-07-15T18:00:00+02:00")),
        ],
    );
    table(
        &window("23:59", "00:00", "UTC"),
        &[
            ("2026-01-15T23:58:59.999999999Z", None),
            ("2026-01-15T23:59:00Z", Some("2026-01-16T00:00:00Z")),
            ("2026-01-15T23:59:59.999Z", Some("2026-01-16T00:00:00Z")),
            ("2026-01-16T00:00:00Z", None),
        ],
    );
    table(
        &window("00:00", "23:59", "UTC"),
        &[
            ("2026-01-15T23:58:59.999Z", Some("2026-01-15T23:59:00Z")),
            ("2026-01-15T23:59:59.999Z", None),
            ("1969-12-31T00:00:00Z", Some("1969-12-31T23:59:00Z")),
            ("1969-12-31T23:59:59.999999999Z", None),
        ],
    );
}

#[test]
fn a_window_may_go_over_midnight() {
    table(
        &window("22:00", "06:00", "Europe/Berlin"),
        &[
            ("2026-01-15T21:59:59.999+01:00", None),
            ("2026-01-15T22:00:00+01:00", Some("2026-01-16T06:00:00+01:00")),
            ("2026-01-15T23:59:59.999+01:00", Some("2026-01-16T06:00:00+01:00")),
            ("2026-01-16T00:00:00+01:00", Some("2026-01-16T06:00:00+01:00")),
            ("2026-01-16T05:59:59.999999999+01:00", Some("2026-01-16T06:00:00+01:00")),
            ("2026-01-16T06:00:00+01:00", None),
            ("2025-12-31T23:00:00+01:00", Some("2026-01-01T06:00:00+01:00")),
            // Seven hours in March, nine in October: the clock on the wall decides.
            ("2026-03-28T22:00:00+01:00", Some("2026-03-29T06:00:00+02:00")),
            ("2026-10-24T22:00:00+02:00", Some("2026-10-25T06:00:00+01:00")),
        ],
    );
}

#[test]
fn clocks_put_forward_end_a_window_or_leave_it_out() {
    // Berlin, 2026-03-29: 02:00+01:00 is 03:00+02:00.
    table(
        &window("02:00", "03:00", "Europe/Berlin"),
        &[
            ("2026-03-28T02:00:00+01:00", Some("2026-03-28T03:00:00+01:00")),
            ("2026-03-29T01:59:59.999999999+01:00", None),
            ("2026-03-29T03:00:00+02:00", None),
            ("2026-03-30T02:00:00+02:00", Some("2026-03-30T03:00:00+02:00")),
        ],
    );
    for (to, end) in [
        ("02:00", "2026-03-29T03:00:00+02:00"),
        ("02:30", "2026-03-29T03:00:00+02:00"),
        ("03:00", "2026-03-29T03:00:00+02:00"),
        ("03:30", "2026-03-29T03:30:00+02:00"),
    ] {
        table(&window("01:00", to, "Europe/Berlin"), &[("2026-03-29T01:30:00+01:00", Some(end))]);
    }
    table(
        &window("02:30", "04:00", "Europe/Berlin"),
        &[
            ("2026-03-29T01:59:59.999+01:00", None),
            ("2026-03-29T03:00:00+02:00", Some("2026-03-29T04:00:00+02:00")),
        ],
    );
    // New York, 2026-03-08: 02:00-05:00 is 03:00-04:00.
    table(
        &window("02:15", "02:45", "America/New_York"),
        &[
            ("2026-03-07T02:15:00-05:00", Some("2026-03-07T02:45:00-05:00")),
            ("2026-03-08T01:59:59.999-05:00", None),
            ("2026-03-08T03:15:00-04:00", None),
        ],
    );
}

#[test]
fn clocks_put_back_show_a_time_twice() {
    // Berlin, 2026-10-25: 03:00+02:00 is 02:00+01:00.
    table(
        &window("01:00", "02:30", "Europe/Berlin"),
        &[
            ("2026-10-25T02:15:00+02:00", Some("2026-10-25T02:30:00+02:00")),
            ("2026-10-25T02:30:00+02:00", None),
            ("2026-10-25T02:59:59.999+02:00", None),
            ("2026-10-25T02:00:00+01:00", Some("2026-10-25T02:30:00+01:00")),
            ("2026-10-25T02:30:00+01:00", None),
        ],
    );
    // It would end at the very moment at which clocks are put back into it.
    table(
        &window("01:00", "03:00", "Europe/Berlin"),
        &[
            ("2026-10-25T01:00:00+02:00", Some("2026-10-25T03:00:00+01:00")),
            ("2026-10-25T02:59:59.999+02:00", Some("2026-10-25T03:00:00+01:00")),
            ("2026-10-25T02:00:00+01:00", Some("2026-10-25T03:00:00+01:00")),
        ],
    );
    table(
        &window("02:59", "03:00", "Europe/Berlin"),
        &[
            ("2026-10-25T02:59:00+02:00", Some("2026-10-25T03:00:00+02:00")),
            ("2026-10-25T02:58:59.999+01:00", None),
            ("2026-10-25T02:59:00+01:00", Some("2026-10-25T03:00:00+01:00")),
        ],
    );
    // New York, 2026-11-01: 02:00-04:00 is 01:00-05:00.
    table(
        &window("00:30", "01:30", "America/New_York"),
        &[
            ("2026-11-01T01:29:59.999-04:00", Some("2026-11-01T01:30:00-04:00")),
            ("2026-11-01T01:30:00-04:00", None),
            ("2026-11-01T01:00:00-05:00", Some("2026-11-01T01:30:00-05:00")),
        ],
    );
    // Lord Howe Island puts clocks back by half an hour: 02:00+11:00 is 01:30+10:30.
    table(
        &window("01:00", "01:45", "Australia/Lord_Howe"),
        &[
            ("2026-04-05T01:44:59.999+11:00", Some("2026-04-05T01:45:00+11:00")),
            ("2026-04-05T01:45:00+11:00", None),
            ("2026-04-05T01:30:00+10:30", Some("2026-04-05T01:45:00+10:30")),
        ],
    );
}

#[test]
fn zones_of_the_south_and_of_odd_offsets() {
    // Sydney, 2026-04-05: 03:00+11:00 is 02:00+10:00; 2026-10-04: 02:00+10:00 is 03:00+11:00.
    table(
        &window("22:00", "06:00", "Australia/Sydney"),
        &[
            ("2026-04-04T22:00:00+11:00", Some("2026-04-05T06:00:00+10:00")),
            ("2026-10-03T22:00:00+10:00", Some("2026-10-04T06:00:00+11:00")),
            ("2026-01-15T21:59:59.999+11:00", None),
        ],
    );
    for (zone, offset) in [
        ("Asia/Kathmandu", "+05:45"),
        ("Asia/Kolkata", "+05:30"),
        ("Pacific/Kiritimati", "+14:00"),
        ("Pacific/Pago_Pago", "-11:00"),
        ("Etc/GMT+12", "-12:00"),
        ("Etc/GMT-14", "+14:00"),
        ("America/Sao_Paulo", "-03:00"),
        ("UTC", "+00:00"),
    ] {
        let (before, first) =
            (format!("2026-06-15T08:59:59.999{offset}"), format!("2026-06-15T09:00:00{offset}"));
        let (last, end) =
            (format!("2026-06-15T09:29:59.999{offset}"), format!("2026-06-15T09:30:00{offset}"));
        table(
            &window("09:00", "09:30", zone),
            &[(&before, None), (&first, Some(&end)), (&last, Some(&end)), (&end, None)],
        );
    }
}

#[test]
fn weekdays_end_with_the_last_of_a_row() {
    let office = weekdays("fri mon thu tue wed", "Europe/Berlin");
    table(
        &office,
        &[
            ("2026-05-31T23:59:59.999999999+02:00", None),
            ("2026-06-01T00:00:00+02:00", Some("2026-06-06T00:00:00+02:00")),
            ("2026-06-05T23:59:59.999+02:00", Some("2026-06-06T00:00:00+02:00")),
            ("2026-06-06T00:00:00+02:00", None),
            ("1970-01-01T00:00:00+01:00", Some("1970-01-03T00:00:00+01:00")),
        ],
    );
    assert_eq!(
        office.to_string(),
        "weekdays = { days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"], zone = \"Europe/Berlin\" }"
    );
    table(
        &weekdays("sun mon", "UTC"),
        &[
            ("2026-05-30T23:59:59.999Z", None),
            ("2026-05-31T00:00:00Z", Some("2026-06-02T00:00:00Z")),
            ("2026-06-01T12:00:00Z", Some("2026-06-02T00:00:00Z")),
            ("2026-06-02T00:00:00Z", None),
        ],
    );
    let all = weekdays("mon tue wed thu fri sat sun", "Europe/Berlin");
    assert_eq!(judge_at(&all, at("2026-05-31T12:00:00Z")), Truth::ALWAYS);
    // A day of 23 hours, and one of 25.
    table(
        &weekdays("sun", "Europe/Berlin"),
        &[
            ("2026-03-29T00:00:00+01:00", Some("2026-03-30T00:00:00+02:00")),
            ("2026-10-25T00:00:00+02:00", Some("2026-10-26T00:00:00+01:00")),
        ],
    );
    // Where it is Monday already.
    table(&weekdays("mon", "Pacific/Kiritimati"), &[("2026-05-31T10:00:00Z", Some("2026-06-01T10:00:00Z"))]);
    table(&weekdays("sun", "Etc/GMT+12"), &[("2026-06-01T11:59:59.999Z", Some("2026-06-01T12:00:00Z"))]);
}

#[test]
fn days_that_begin_late_come_twice_or_never() {
    // Santiago changes at midnight: Saturday 2026-04-04 has 23:00 twice, and Sunday 2026-09-06 begins at 01:00.
    table(
        &weekdays("sat", "America/Santiago"),
        &[
            ("2026-04-04T23:59:59.999-03:00", Some("2026-04-05T00:00:00-04:00")),
            ("2026-04-04T23:59:59.999-04:00", Some("2026-04-05T00:00:00-04:00")),
            ("2026-04-05T00:00:00-04:00", None),
            ("2026-09-05T23:59:59.999-04:00", Some("2026-09-06T01:00:00-03:00")),
        ],
    );
    table(
        &weekdays("sun", "America/Santiago"),
        &[("2026-09-06T01:00:00-03:00", Some("2026-09-07T00:00:00-03:00"))],
    );
    // Samoa had no Friday 2011-12-30: midnight of Thursday was that of Saturday.
    let (thursday, gone) = ("2011-12-29T23:59:59.999-10:00", "2011-12-31T00:00:00+14:00");
    table(&weekdays("thu", "Pacific/Apia"), &[(thursday, Some(gone)), (gone, None)]);
    table(&weekdays("thu fri", "Pacific/Apia"), &[(thursday, Some(gone)), (gone, None)]);
    table(&weekdays("fri", "Pacific/Apia"), &[(thursday, None), (gone, None)]);
    table(&weekdays("thu sat", "Pacific/Apia"), &[(thursday, Some("2012-01-01T00:00:00+14:00"))]);
}

#[test]
fn both_ends_count() {
    let condition = condition(
        "time = { from = \"22:00\", to = \"06:00\", zone = \"UTC\" }\nweekdays = { days = [\"fri\"], zone = \"UTC\" }",
    );
    table(
        &condition,
        &[
            ("2026-06-05T00:00:00Z", Some("2026-06-05T06:00:00Z")),
            ("2026-06-05T12:00:00Z", None),
            // Friday ends at midnight, whatever the night shift thinks.
            ("2026-06-05T23:00:00Z", Some("2026-06-06T00:00:00Z")),
            ("2026-06-06T00:00:00Z", None),
        ],
    );
}

#[test]
fn the_ends_of_time_are_told_without_a_panic() {
    for zone in
        ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12", "Africa/Monrovia"]
    {
        for condition in
            [window("08:00", "07:59", zone), window("12:00", "13:00", zone), weekdays("mon wed", zone)]
        {
            for nanos in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
                if let Truth::True { until } = judge_at(&condition, UnixTime::from_nanos(nanos)) {
                    assert!(until > UnixTime::from_nanos(nanos) || until == UnixTime::MAX);
                }
            }
        }
    }
}
