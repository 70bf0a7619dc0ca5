//! Cells open where and as they were sealed, and in no other way.

use std::{collections::HashSet, sync::Arc};

use bartizan_core::Fault;
use bartizan_envelope::{
    Bucket, Cell, Context, ErrorKind, MAX_CELL, MAX_FIELDS, MemoryKeyStore, OVERHEAD, Scope, Type, Value,
};
use bartizan_testkit::SeededEntropy;
use proptest::prelude::*;

use crate::support::{BUCKET, Service, patient, ring, rustcrypto, wait};

const SSN: Value<'static> = Value::Text("078-05-1120");

#[test]
fn a_cell_opens_to_what_was_sealed() {
    let service = Service::new();
    let cell = service.seal(&patient("p-1"), "ssn", SSN);
    let plain = service.open(&patient("p-1"), "ssn", Type::Text, &cell).unwrap();
    assert!(plain.value() == Some(SSN) && !plain.is_null());
    assert!(!cell.windows(3).any(|window| window == b"078"));
}

#[test]
fn every_flipped_bit_is_refused() {
    let service = Service::new();
    let cell = service.seal(&patient("p-1"), "ssn", SSN);
    for at in 0..cell.len() {
        for bit in 0..8 {
            let mut altered = cell.clone();
            altered[at] ^= 1 << bit;
            let error = service.open(&patient("p-1"), "ssn", Type::Text, &altered).unwrap_err();
            let expected = match at {
                0..4 => ErrorKind::Format,
                4..12 => ErrorKind::KeyNotFound,
                _ => ErrorKind::Integrity,
            };
            assert_eq!((error.kind(), error.fault()), (expected, Fault::Integrity), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn every_other_value_of_every_header_byte_is_refused() {
    let service = Service::new();
    let cell = service.seal(&patient("p-1"), "ssn", SSN);
    for at in 0..70 {
        for byte in 0..=255 {
            let mut altered = cell.clone();
            altered[at] = byte;
            let opened = service.open(&patient("p-1"), "ssn", Type::Text, &altered);
            assert_eq!(opened.is_ok(), altered == cell, "byte {at} is {byte}");
        }
    }
}

#[test]
fn every_truncation_and_every_longer_cell_is_refused() {
    let service = Service::new();
    let cell = service.seal(&patient("p-1"), "ssn", SSN);
    for length in 0..cell.len() {
        assert!(service.open(&patient("p-1"), "ssn", Type::Text, &cell[..length]).is_err(), "{length}");
    }
    for more in [1, 16, 100] {
        let longer = [cell.as_slice(), &vec![0; more]].concat();
        assert_eq!(
            service.open(&patient("p-1"), "ssn", Type::Text, &longer).unwrap_err().kind(),
            ErrorKind::Integrity
        );
    }
}

#[test]
fn asvs_11_2_5_all_tampering_fails_with_one_error() {
    let service = Service::new();
    let cell = service.seal(&patient("p-1"), "ssn", SSN);
    let altered = |at: usize| {
        let mut cell = cell.clone();
        cell[at] ^= 1;
        cell
    };
    // Salt, commitment, ciphertext, tag; another row, field and type.
    let mut said = HashSet::new();
    for (row, field, kind, cell) in [
        ("p-1", "ssn", Type::Text, altered(20)),
        ("p-1", "ssn", Type::Text, altered(40)),
        ("p-1", "ssn", Type::Text, altered(70)),
        ("p-1", "ssn", Type::Text, altered(cell.len() - 1)),
        ("p-2", "ssn", Type::Text, cell.clone()),
        ("p-1", "phone", Type::Text, cell.clone()),
        ("p-1", "ssn", Type::Bytes, cell.clone()),
    ] {
        let error = service.open(&patient(row), field, kind, &cell).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity));
        said.insert(format!("{error} {error:?}"));
    }
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn asvs_11_3_2_other_suites_than_the_approved_one_are_refused() {
    let service = Service::new();
    let cell = service.seal(&patient("p-1"), "ssn", SSN);
    for suite in (0..=255).filter(|suite| *suite != 1) {
        let mut other = cell.clone();
        other[2] = suite;
        assert_eq!(Cell::parse(&other).unwrap_err().kind(), ErrorKind::Format);
    }
}

/// Two names for each, chosen so that joined without lengths they are alike.
const TENANTS: [&str; 2] = ["a", "ab"];
const TABLES: [&str; 2] = ["bc", "c"];
const FIELDS: [&str; 2] = ["f", "f1"];

fn rows() -> [Value<'static>; 4] {
    [Value::Text("1"), Value::Text("11"), Value::U64(0x31), Value::I64(0x31)]
}

/// The same eight bytes in four types.
fn values() -> [Value<'static>; 4] {
    [
        Value::Bytes(&[0x31; 8]),
        Value::Text("11111111"),
        Value::I64(0x3131_3131_3131_3131),
        Value::Decimal("11111111"),
    ]
}

#[test]
fn asvs_11_3_3_no_cell_opens_in_another_tenant_table_row_field_or_type() {
    let service = Service::new();
    let places: Vec<(usize, Context<'_>, &str, Value<'_>)> = TENANTS
        .iter()
        .flat_map(|tenant| TABLES.iter().map(move |table| (tenant, table)))
        .flat_map(|(tenant, table)| rows().map(|row| (tenant, table, row)))
        .flat_map(|(tenant, table, row)| FIELDS.map(|field| (tenant, table, row, field)))
        .flat_map(|(tenant, table, row, field)| values().map(|value| (tenant, table, row, field, value)))
        .enumerate()
        .map(|(at, (tenant, table, row, field, value))| {
            (at, Context::new(tenant, table, row).unwrap(), field, value)
        })
        .collect();
    assert_eq!(places.len(), 2 * 2 * 4 * 2 * 4);
    let cells: Vec<Vec<u8>> =
        places.iter().map(|(_, context, field, value)| service.seal(context, field, *value)).collect();
    for (sealed_at, cell) in cells.iter().enumerate() {
        for (at, context, field, value) in &places {
            let opened = service.open(context, field, value.kind(), cell);
            assert_eq!(opened.is_ok(), sealed_at == *at, "sealed at {sealed_at}, opened at {at}");
        }
    }
}

#[test]
fn a_cell_under_another_key_version_or_ordinal_is_refused() {
    let service = Service::new();
    let context = patient("p-1");
    let cell = service.seal(&context, "ssn", SSN);
    // A second service on its own store: another key for the very same place.
    let other = Service::on(ring(), Arc::new(MemoryKeyStore::new()), Arc::new(SeededEntropy::new(9)));
    let theirs = other.seal(&context, "ssn", SSN);
    let mut renamed = theirs.clone();
    renamed[4..12].copy_from_slice(&cell[4..12]);
    let error = service.open(&context, "ssn", Type::Text, &renamed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "another key under this key's id");

    let key = service.key("north");
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    write.field("a", Type::Text, Some(SSN), BUCKET).unwrap();
    write.field("b", Type::Text, Some(SSN), BUCKET).unwrap();
    let sealed = write.seal().unwrap();
    for (field, other) in [("a", "b"), ("b", "a")] {
        let cell = sealed.cell(field).unwrap();
        assert!(service.open(&context, field, Type::Text, cell).is_ok());
        assert!(
            service.open(&context, other, Type::Text, cell).is_err(),
            "a cell of the same write, another field"
        );
        let mut renumbered = cell.to_vec();
        renumbered[12..14].copy_from_slice(&sealed.cell(other).unwrap()[12..14]);
        assert!(service.open(&context, field, Type::Text, &renumbered).is_err(), "another ordinal");
    }
}

#[test]
fn null_and_all_values_of_a_bucket_are_of_one_length() {
    let (service, context) = (Service::new(), patient("p-1"));
    let key = service.key("north");
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    write.field("null", Type::Text, None, BUCKET).unwrap();
    write.field("empty", Type::Text, Some(Value::Text("")), BUCKET).unwrap();
    write.field("short", Type::Text, Some(Value::Text("x")), BUCKET).unwrap();
    write.field("full", Type::Text, Some(Value::Text("14 characters.")), BUCKET).unwrap();
    write.field("more", Type::Text, Some(Value::Text("15 characters..")), BUCKET).unwrap();
    let sealed = write.seal().unwrap();
    let lengths: Vec<usize> = sealed.iter().map(|(_, cell)| cell.len()).collect();
    assert_eq!(lengths, [102, 102, 102, 102, 118]);
    let null = service.open(&context, "null", Type::Text, sealed.cell("null").unwrap()).unwrap();
    assert!(null.is_null() && null.value().is_none());
    let empty = service.open(&context, "empty", Type::Text, sealed.cell("empty").unwrap()).unwrap();
    assert!(empty.value() == Some(Value::Text("")));
}

#[test]
fn a_field_costs_88_bytes_at_bucket_one() {
    let (service, context) = (Service::new(), patient("p-1"));
    let key = service.key("north");
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    write.field("ssn", Type::Text, Some(SSN), Bucket::ONE).unwrap();
    assert_eq!(write.seal().unwrap().cell("ssn").unwrap().len(), 11 + 88);
    assert_eq!(OVERHEAD, 88);
}

#[test]
fn the_bucket_is_not_compared_so_it_may_change() {
    let (service, context) = (Service::new(), patient("p-1"));
    let key = service.key("north");
    for bucket in [1, 3, 16, 4096, 65_535] {
        let mut write = service.keyring.sealer().write(&key, &context).unwrap();
        write.field("ssn", Type::Text, Some(SSN), Bucket::literal(bucket)).unwrap();
        let sealed = write.seal().unwrap();
        let plain = service.open(&context, "ssn", Type::Text, sealed.cell("ssn").unwrap()).unwrap();
        assert!(plain.value() == Some(SSN));
    }
}

#[test]
fn the_longest_value_fits_and_one_byte_more_is_refused() {
    let (service, context) = (Service::new(), patient("p-1"));
    let key = service.key("north");
    let value = vec![0x80; 65_535];
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    write.field("a", Type::Bytes, Some(Value::Bytes(&value[..65_534])), Bucket::ONE).unwrap();
    let error = write.field("b", Type::Bytes, Some(Value::Bytes(&value)), Bucket::ONE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLong);
    let sealed = write.seal().unwrap();
    let cell = sealed.cell("a").unwrap();
    assert_eq!(cell.len(), MAX_CELL);
    let plain = service.open(&context, "a", Type::Bytes, cell).unwrap();
    assert!(plain.value() == Some(Value::Bytes(&value[..65_534])));
}

#[test]
fn names_and_numbers_of_fields_are_limited() {
    let (service, context) = (Service::new(), patient("p-1"));
    let key = service.key("north");
    let long = "x".repeat(256);
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    for (name, kind) in [
        ("", ErrorKind::Name),
        ("$seal", ErrorKind::Name),
        ("$", ErrorKind::Name),
        (&long, ErrorKind::TooLong),
    ] {
        assert_eq!(write.field(name, Type::Text, None, BUCKET).unwrap_err().kind(), kind, "{name}");
    }
    let error = write.field("ssn", Type::Text, Some(Value::I64(1)), BUCKET).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value, "a value of another type");
    write.field("twice", Type::Text, None, BUCKET).unwrap();
    write.field("twice", Type::Text, None, BUCKET).unwrap();
    assert_eq!(write.seal().unwrap_err().kind(), ErrorKind::Name);

    let names: Vec<String> = (0..=MAX_FIELDS).map(|at| format!("f{at}")).collect();
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    for name in &names[..MAX_FIELDS] {
        write.field(name, Type::Text, None, Bucket::ONE).unwrap();
    }
    let error = write.field(&names[MAX_FIELDS], Type::Text, None, Bucket::ONE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLong);
    let sealed = write.seal().unwrap();
    let ordinals: HashSet<u16> =
        sealed.iter().map(|(_, cell)| Cell::parse(cell).unwrap().ordinal()).collect();
    assert_eq!(ordinals.len(), MAX_FIELDS);
    let cell = sealed.cell("f1023").unwrap();
    assert!(service.open(&context, "f1023", Type::Text, cell).unwrap().is_null());
}

#[test]
fn contexts_without_tenant_or_table_are_refused() {
    for (tenant, table) in [("", "patients"), ("north", "")] {
        assert_eq!(Context::new(tenant, table, Value::U64(1)).unwrap_err().kind(), ErrorKind::Name);
    }
    let long = "x".repeat(256);
    assert_eq!(Context::new("north", "t", Value::Text(&long)).unwrap_err().kind(), ErrorKind::TooLong);
    assert_eq!(Context::new("north", "t", Value::Decimal("-0")).unwrap_err().kind(), ErrorKind::Value);
    assert!(Context::new("-", "t", Value::Text(&long[..255])).is_ok());
}

#[test]
fn each_provider_opens_the_others_cells() {
    let store = Arc::new(MemoryKeyStore::new());
    let one = Service::on(ring(), Arc::clone(&store), Arc::new(SeededEntropy::new(1)));
    let two = Service::on(rustcrypto(), store, Arc::new(SeededEntropy::new(2)));
    for (from, to) in [(&one, &two), (&two, &one)] {
        let cell = from.seal(&patient("p-1"), "ssn", SSN);
        assert!(to.open(&patient("p-1"), "ssn", Type::Text, &cell).unwrap().value() == Some(SSN));
    }
}

#[test]
fn a_key_of_another_tenant_neither_seals_nor_opens() {
    let service = Service::new();
    let (ours, theirs) = (patient("p-1"), service.key("south"));
    assert_eq!(service.keyring.sealer().write(&theirs, &ours).unwrap_err().kind(), ErrorKind::Scope);
    let (cell, south) =
        (service.seal(&ours, "ssn", SSN), Context::new("south", "patients", Value::Text("p-1")).unwrap());
    let their_cell = service.seal(&south, "ssn", SSN);
    let audit = wait(service.keyring.active(&Scope::new("north", "audit").unwrap())).unwrap();
    for (key, context, cell) in [
        (&theirs, &ours, &cell),
        // The key that the cell names, in another tenant's place.
        (&theirs, &ours, &their_cell),
        // The right tenant, and another key than the cell names.
        (&audit, &ours, &cell),
    ] {
        let cell = Cell::parse(cell).unwrap();
        let error = service.keyring.sealer().opener(key, context, &cell).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Scope);
    }
}

#[test]
fn an_opener_takes_cells_of_its_own_write_alone() {
    let (service, context) = (Service::new(), patient("p-1"));
    let (one, two) = (service.seal(&context, "ssn", SSN), service.seal(&context, "ssn", SSN));
    let key = service.key("north");
    let opener = service.keyring.sealer().opener(&key, &context, &Cell::parse(&one).unwrap()).unwrap();
    // The salt is no part of what the tag authenticates: it counts because the key is derived from it.
    let mut salted = one.clone();
    salted[14] ^= 1;
    for (cell, opens) in [(&one, true), (&two, false), (&salted, false)] {
        let cell = Cell::parse(cell).unwrap();
        assert_eq!(opener.is_of_this_write(&cell), opens);
        let opened = opener.prepared(|opening| opening.danger_open_uncovered(&cell, "ssn", Type::Text));
        assert_eq!(
            opened.map(drop).map_err(|error| error.kind()),
            if opens { Ok(()) } else { Err(ErrorKind::Integrity) }
        );
    }
}

#[test]
fn nothing_shows_a_plaintext_a_key_or_a_name() {
    const CANARY: &str = "canary-8d2e";
    let service = Service::new();
    let context = Context::new(CANARY, "patients", Value::Text(CANARY)).unwrap();
    let key = service.key(CANARY);
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    write.field("note", Type::Text, Some(Value::Text(CANARY)), BUCKET).unwrap();
    let mut shown = format!("{write:?} {write:#?} {context:?} {key:?} {:?} {:#?}", service.keyring, key);
    let sealed = write.seal().unwrap();
    let bytes = sealed.cell("note").unwrap();
    let cell = Cell::parse(bytes).unwrap();
    let opener = service.keyring.sealer().opener(&key, &context, &cell).unwrap();
    let plain = opener.prepared(|opening| opening.danger_open_uncovered(&cell, "note", Type::Text)).unwrap();
    shown += &format!("{sealed:?} {cell:?} {opener:?} {plain:?} {plain:#?} {:?}", plain.value());
    let error =
        opener.prepared(|opening| opening.danger_open_uncovered(&cell, CANARY, Type::Text)).unwrap_err();
    shown += &format!("{error} {error:?} {:?}", key.scope());
    assert!(plain.value() == Some(Value::Text(CANARY)));
    assert!(!shown.contains("canary") && !shown.contains("77, 77") && !shown.contains("4d4d"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_value_comes_back(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        number in any::<i64>(),
        bucket in 1_u16..100,
    ) {
        let (service, context) = (Service::new(), patient("p-1"));
        let key = service.key("north");
        let mut write = service.keyring.sealer().write(&key, &context).unwrap();
        write.field("bytes", Type::Bytes, Some(Value::Bytes(&bytes)), Bucket::literal(bucket)).unwrap();
        write.field("number", Type::I64, Some(Value::I64(number)), Bucket::literal(bucket)).unwrap();
        let sealed = write.seal().unwrap();
        let opened = service.open(&context, "bytes", Type::Bytes, sealed.cell("bytes").unwrap()).unwrap();
        prop_assert!(opened.value() == Some(Value::Bytes(&bytes)));
        let opened = service.open(&context, "number", Type::I64, sealed.cell("number").unwrap()).unwrap();
        prop_assert!(opened.value() == Some(Value::I64(number)));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), whole in any::<bool>()) {
        let service = Service::new();
        let key = service.key("north");
        // With the right start and key id, so that the bytes reach the primitives.
        let bytes = if whole { tail } else { [&[0xFB, 1, 1, 0], key.id().as_bytes().as_slice(), &tail].concat() };
        prop_assert!(service.open(&patient("p-1"), "ssn", Type::Text, &bytes).is_err());
    }
}
