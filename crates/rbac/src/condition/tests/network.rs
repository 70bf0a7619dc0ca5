use super::*;

fn networks(list: &str) -> Condition {
    let list: Vec<_> = list.split(' ').map(|network| format!("\"{network}\"")).collect();
    condition(&format!("address = [{}]", list.join(", ")))
}

fn table(list: &str, inside: &[&str], outside: &[&str]) {
    let condition = networks(list);
    for (addresses, expected) in [(inside, Truth::ALWAYS), (outside, Truth::False)] {
        for address in addresses {
            let found = judge(&condition, &somebody(from(address)), record(), UnixTime::EPOCH);
            assert_eq!(found, expected, "{address} in {list}");
        }
    }
}

#[test]
fn a_network_has_its_edges_and_nothing_beyond() {
    table(
        "10.0.0.0/8",
        &["10.0.0.0", "10.255.255.255", "10.128.0.1", "::ffff:10.0.0.1", "::ffff:a00:1"],
        &[
            "9.255.255.255",
            "11.0.0.0",
            "0.0.0.0",
            "255.255.255.255",
            "::10.0.0.1",
            "a00::",
            "::ffff:11.0.0.0",
        ],
    );
    table("192.0.2.7/32", &["192.0.2.7", "::ffff:192.0.2.7"], &["192.0.2.6", "192.0.2.8", "::c000:207"]);
    table("192.0.2.6/31", &["192.0.2.6", "192.0.2.7"], &["192.0.2.5", "192.0.2.8"]);
    table("128.0.0.0/1", &["128.0.0.0", "255.255.255.255"], &["127.255.255.255", "0.0.0.0"]);
    table(
        "0.0.0.0/0",
        &["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"],
        &["::", "::1", "::1.2.3.4", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    );
    table(
        "2001:db8::/32",
        &["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
        &["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "32.1.13.184", "::ffff:32.1.13.184"],
    );
    table("2001:db8::1/128", &["2001:db8::1"], &["2001:db8::", "2001:db8::2"]);
    table("::/0", &["::", "::1", "ffff::", "::1.2.3.4"], &["1.2.3.4", "::ffff:1.2.3.4"]);
    table("8000::/1", &["8000::", "ffff::"], &["7fff::", "::"]);
    table(
        "10.0.0.0/8 2001:db8::/32 192.0.2.0/24",
        &["10.9.9.9", "192.0.2.9", "2001:db8::9"],
        &["192.0.3.0", "::1"],
    );
}

#[test]
fn who_comes_from_nowhere_is_not_judged() {
    assert_eq!(
        judge(&networks("0.0.0.0/0 ::/0"), &somebody(facts()), record(), UnixTime::EPOCH),
        Truth::Absent
    );
}

#[test]
fn networks_are_shown_sorted_and_in_one_way() {
    assert_eq!(
        networks("2001:DB8:0::/32 192.0.2.0/24 10.0.0.0/8 10.0.0.0/16").to_string(),
        "address = [\"10.0.0.0/8\", \"10.0.0.0/16\", \"192.0.2.0/24\", \"2001:db8::/32\"]"
    );
}

#[test]
fn what_is_no_network_is_refused_with_what_is() {
    for (bad, words) in [
        ("10.0.0.1/8", "write \"10.0.0.0/8\""),
        ("10.0.0.1/31", "write \"10.0.0.0/31\""),
        ("0.0.0.1/0", "write \"0.0.0.0/0\""),
        ("2001:db8::1/32", "write \"2001:db8::/32\""),
        ("::1/0", "write \"::/0\""),
        ("10.0.0.1", "write \"10.0.0.1/32\""),
        ("::ffff:10.0.0.1", "write \"10.0.0.1/32\""),
        ("2001:db8::1", "write \"2001:db8::1/128\""),
        ("::ffff:10.0.0.0/104", "is a network of IPv4; write \"10.0.0.0/8\""),
        ("::ffff:0.0.0.0/96", "is a network of IPv4; write \"0.0.0.0/0\""),
        ("10.0.0.0/33", "such as \"10.0.0.0/8\""),
        ("2001:db8::/129", "such as"),
        ("10.0.0.0/", "such as"),
        ("10.0.0.0/08", "such as"),
        ("10.0.0.0/+8", "such as"),
        ("10.0.0.0/-8", "such as"),
        ("10.0.0.0/8/8", "such as"),
        ("10.0.0.0/ 8", "such as"),
        ("10.0.0.0/255.0.0.0", "such as"),
        ("10.0.0/8", "such as"),
        ("010.0.0.0/8", "such as"),
        ("10.0.0.0/８", "such as"),
        ("fe80::%1/10", "such as"),
        ("/8", "such as"),
        ("", "such as"),
        ("*", "such as"),
        ("localhost/8", "such as"),
        ("10.0.0.0/18446744073709551616", "such as"),
    ] {
        let complaint = read(&format!("address = [\"10.0.0.0/8\", \"{bad}\"]")).unwrap_err();
        assert!(complaint.words.contains(words), "{bad}: {complaint:?}");
        assert_eq!(complaint.span.unwrap().start, "address = [\"10.0.0.0/8\", ".len());
    }
    let complaint = read("address = [\"2001:db8::/32\", \"2001:DB8::/32\"]").unwrap_err();
    assert!(complaint.words.contains("address says \"2001:DB8::/32\" twice"), "{complaint:?}");
}
