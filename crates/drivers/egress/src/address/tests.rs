use proptest::prelude::*;

use super::*;

/// First and last address of every block of the two IANA registries (as of 2026), and what it is for.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>
const BLOCKS: [(&str, &str, AddressKind); 47] = [
    ("0.0.0.0", "0.255.255.255", AddressKind::Unspecified),
    ("10.0.0.0", "10.255.255.255", AddressKind::Private),
    ("100.64.0.0", "100.127.255.255", AddressKind::Shared),
    ("127.0.0.0", "127.255.255.255", AddressKind::Loopback),
    ("169.254.0.0", "169.254.255.255", AddressKind::LinkLocal),
    ("169.254.169.254", "169.254.169.254", AddressKind::Metadata),
    ("172.16.0.0", "172.31.255.255", AddressKind::Private),
    ("192.0.0.0", "192.0.0.255", AddressKind::Reserved),
    ("192.0.2.0", "192.0.2.255", AddressKind::Documentation),
    ("192.88.99.0", "192.88.99.255", AddressKind::Reserved),
    ("192.168.0.0", "192.168.255.255", AddressKind::Private),
    ("198.18.0.0", "198.19.255.255", AddressKind::Benchmarking),
    ("198.51.100.0", "198.51.100.255", AddressKind::Documentation),
    ("203.0.113.0", "203.0.113.255", AddressKind::Documentation),
    ("224.0.0.0", "239.255.255.255", AddressKind::Multicast),
    ("240.0.0.0", "255.255.255.254", AddressKind::Reserved),
    ("255.255.255.255", "255.255.255.255", AddressKind::Multicast),
    // Registered, and reached from everywhere: AS112, AMT.
    ("192.31.196.0", "192.31.196.255", AddressKind::Public),
    ("192.52.193.0", "192.52.193.255", AddressKind::Public),
    ("192.175.48.0", "192.175.48.255", AddressKind::Public),
    ("::", "::", AddressKind::Unspecified),
    ("::1", "::1", AddressKind::Loopback),
    ("::2", "::ffff:ffff", AddressKind::Tunnelled),
    ("::ffff:0:0", "::ffff:0.255.255.255", AddressKind::Unspecified),
    ("::ffff:10.0.0.0", "::ffff:10.255.255.255", AddressKind::Private),
    ("::ffff:127.0.0.0", "::ffff:127.255.255.255", AddressKind::Loopback),
    ("::ffff:169.254.169.254", "::ffff:169.254.169.254", AddressKind::Metadata),
    ("::ffff:1.1.1.1", "::ffff:1.1.1.1", AddressKind::Public),
    ("64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255", AddressKind::Tunnelled),
    ("64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", AddressKind::Tunnelled),
    ("64:ff9b::1.1.1.1", "64:ff9b::1.1.1.1", AddressKind::Public),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", AddressKind::Tunnelled),
    ("100::", "100::1:ffff:ffff:ffff:ffff", AddressKind::Reserved),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Tunnelled),
    ("2001:1::", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Reserved),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", AddressKind::Benchmarking),
    ("2001:3::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Reserved),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Documentation),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Tunnelled),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", AddressKind::Public),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Documentation),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Reserved),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Private),
    ("fd00:ec2::254", "fd00:ec2::254", AddressKind::Metadata),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::LinkLocal),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Private),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AddressKind::Multicast),
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn every_block_of_the_registries_is_what_it_is_for() {
    for (first, last, kind) in BLOCKS {
        assert_eq!(classify(ip(first)), kind, "{first}");
        assert_eq!(classify(ip(last)), kind, "{last}");
    }
}

#[test]
fn the_neighbours_of_a_block_are_not_in_it() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2000::",
        "3ffe::1",
        "3fff:1000::",
        "2606:4700:4700::1111",
    ] {
        assert_eq!(classify(ip(address)), AddressKind::Public, "{address}");
    }
}

#[test]
fn asvs_1_3_6_what_tells_a_machine_its_secrets_is_metadata_and_nothing_less() {
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::253",
        "fd20:ce::254",
        "::ffff:168.63.129.16",
    ] {
        assert_eq!(classify(ip(address)), AddressKind::Metadata, "{address}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn a_mapped_address_is_what_it_maps(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        prop_assert_eq!(classify(address.to_ipv6_mapped().into()), classify(address.into()));
    }

    #[test]
    fn no_form_of_an_address_that_is_not_public_is_public(bits: u32, other in 0_u16..=0xffff) {
        let address = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = address.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let forms = [
            address.to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, other, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, other, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
        ];
        for form in forms {
            let is_public = classify(form.into()) == AddressKind::Public;
            prop_assert!(!is_public || classify(address.into()) == AddressKind::Public, "{form}");
        }
    }

    #[test]
    fn what_std_knows_to_be_special_is_not_public(v4: u32, v6: u128, prefix in 0_u8..8) {
        let v4 = Ipv4Addr::from_bits(v4);
        let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
            || v4.is_documentation() || v4.is_multicast() || v4.is_unspecified();
        prop_assert!(!special || classify(v4.into()) != AddressKind::Public, "{v4}");
        // Random bits rarely begin with what is special.
        let heads = [0, 0xff, 0xfc, 0xfd, 0xfe80 >> 8, 0x20, 0x3f, 0x64];
        let head: u128 = heads[usize::from(prefix)] << 120;
        let v6 = Ipv6Addr::from_bits(head | (v6 >> 8));
        let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || v6.is_unique_local()
            || v6.is_unicast_link_local();
        prop_assert!(!special || classify(v6.into()) != AddressKind::Public, "{v6}");
    }

    #[test]
    fn outside_2000_3_nothing_of_ipv6_is_public_but_forms_of_ipv4(bits: u128) {
        let v6 = Ipv6Addr::from_bits(bits);
        let is_global_unicast = v6.segments()[0] >> 13 == 1;
        let is_v4 = v6.to_ipv4_mapped().is_some() || v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
        prop_assert!(is_global_unicast || is_v4 || classify(v6.into()) != AddressKind::Public, "{v6}");
    }
}
