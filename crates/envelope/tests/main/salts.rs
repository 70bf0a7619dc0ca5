//! No key is derived twice for two different writes, whatever the source of randomness does.

use std::{collections::HashSet, sync::Arc};

use bartizan_envelope::{Cell, Context, MemoryKeyStore, Record, Type, Value};
use bartizan_testkit::{RepeatingEntropy, SeededEntropy};
use proptest::prelude::*;

use crate::support::{BUCKET, Service, patient, ring};

/// Two processes after a fork, or two copies of one snapshot: everything alike, the random bytes too.
fn twins() -> [Service; 2] {
    let store = Arc::new(MemoryKeyStore::new());
    let before = Service::on(ring(), Arc::clone(&store), Arc::new(SeededEntropy::new(3)));
    let _keys = ["north", "south"].map(|tenant| before.key(tenant));
    let twin = || Service::on(ring(), Arc::clone(&store), Arc::new(RepeatingEntropy::of([0x5A; 3])));
    [twin(), twin()]
}

fn salt(cell: &[u8]) -> [u8; 24] {
    Cell::parse(cell).unwrap().salt()
}

#[test]
fn asvs_11_3_4_with_repeating_randomness_only_identical_writes_share_a_salt() {
    let [one, two] = twins();
    let write = |service: &Service, context: &Context<'_>, field: &str, value: Value<'_>| {
        service.seal(context, field, value)
    };
    let text = Value::Text;
    let row = || patient("p-1");
    let base = write(&one, &row(), "ssn", text("078-05-1120"));
    assert_eq!(
        write(&two, &row(), "ssn", text("078-05-1120")),
        base,
        "the very same write makes the very same cell"
    );
    let south = Context::new("south", "patients", text("p-1")).unwrap();
    let table = Context::new("north", "people", text("p-1")).unwrap();
    let typed = Context::new("north", "patients", Value::Bytes(b"p-1")).unwrap();
    let others = [
        write(&two, &row(), "ssn", text("078-05-1121")),
        write(&two, &row(), "phone", text("078-05-1120")),
        write(&two, &row(), "ssn", Value::Bytes(b"078-05-1120")),
        write(&two, &patient("p-2"), "ssn", text("078-05-1120")),
        write(&two, &south, "ssn", text("078-05-1120")),
        write(&two, &table, "ssn", text("078-05-1120")),
        write(&two, &typed, "ssn", text("078-05-1120")),
    ];
    let salts: HashSet<[u8; 24]> = others.iter().chain([&base]).map(|cell| salt(cell)).collect();
    assert_eq!(salts.len(), 8);
}

#[test]
fn what_is_signed_beside_the_write_changes_the_salt_too() {
    let [one, two] = twins();
    let context = patient("p-1");
    let (first, second) = (one.seal(&context, "a", Value::U64(1)), one.seal(&context, "a", Value::U64(2)));
    let (first, second) = (Cell::parse(&first).unwrap(), Cell::parse(&second).unwrap());
    let salt_of = |service: &Service, record: &Record<'_>| {
        let key = service.key("north");
        let mut write = service.keyring.sealer().write(&key, &context).unwrap();
        write.field("ssn", Type::Text, Some(Value::Text("x")), BUCKET).unwrap();
        salt(write.seal_record(record).unwrap().record_seal().unwrap())
    };
    let records = || -> Vec<Record<'_>> {
        let mut records: Vec<Record<'_>> = (0..8).map(|at| Record::new(u64::from(at == 7))).collect();
        records[1].clear("owner", Type::Text, Some(Value::Text("ada"))).unwrap();
        records[2].clear("owner", Type::Text, Some(Value::Text("eve"))).unwrap();
        records[3].clear("owner", Type::Text, None).unwrap();
        records[4].cell("a", first).unwrap();
        records[5].cell("a", second).unwrap();
        records[6].cell("b", first).unwrap();
        records
    };
    let salts: Vec<[u8; 24]> = records().iter().map(|record| salt_of(&one, record)).collect();
    assert_eq!(salts.iter().collect::<HashSet<_>>().len(), salts.len());
    let again: Vec<[u8; 24]> = records().iter().map(|record| salt_of(&two, record)).collect();
    assert_eq!(again, salts);
}

#[test]
fn equal_values_in_one_write_look_different() {
    let (service, context) = (Service::new(), patient("p-1"));
    let key = service.key("north");
    let mut write = service.keyring.sealer().write(&key, &context).unwrap();
    write.field("a", Type::Text, Some(Value::Text("same")), BUCKET).unwrap();
    write.field("b", Type::Text, Some(Value::Text("same")), BUCKET).unwrap();
    let sealed = write.seal().unwrap();
    assert_ne!(sealed.cell("a").unwrap()[70..], sealed.cell("b").unwrap()[70..]);
    assert_eq!(
        sealed.cell("a").unwrap()[14..70],
        sealed.cell("b").unwrap()[14..70],
        "one salt and commitment a write"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Fields are written anew in any order and number: no key, salt and ordinal come together twice.
    #[test]
    fn asvs_11_3_4_no_sequence_of_updates_uses_a_nonce_twice(
        updates in proptest::collection::vec(proptest::collection::vec(0_usize..4, 1..4), 1..20),
        repeats in any::<bool>(),
    ) {
        let entropy: Arc<dyn bartizan_core::Entropy> =
            if repeats { Arc::new(RepeatingEntropy::of([7])) } else { Arc::new(SeededEntropy::new(4)) };
        let service = Service::on(ring(), Arc::new(MemoryKeyStore::new()), entropy);
        let (context, key) = (patient("p-1"), service.key("north"));
        let mut used = std::collections::HashMap::new();
        for (at, fields) in updates.iter().enumerate() {
            let fields: std::collections::BTreeSet<usize> = fields.iter().copied().collect();
            let mut write = service.keyring.sealer().write(&key, &context).unwrap();
            // With repeating randomness a write that was made before may be made again, byte for byte.
            let value = (at % 3) as u64;
            for field in &fields {
                write.field(["a", "b", "c", "d"][*field], Type::U64, Some(Value::U64(value)), BUCKET).unwrap();
            }
            let sealed = write.seal_record(&Record::new(0)).unwrap();
            for bytes in sealed.iter().map(|(_, cell)| cell).chain(sealed.record_seal()) {
                let cell = Cell::parse(bytes).unwrap();
                let nonce = (cell.key_id(), cell.salt(), cell.ordinal());
                let before = used.insert(nonce, bytes.to_vec());
                prop_assert!(before.is_none_or(|before| repeats && before == bytes));
            }
        }
    }
}
