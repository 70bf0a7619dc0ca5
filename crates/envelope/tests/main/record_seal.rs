//! The record seal covers every cell, every signed clear field and the version.

use bartizan_core::Fault;
use bartizan_envelope::{Cell, Context, Error, ErrorKind, Record, Type, Value};

use crate::support::{BUCKET, Service, patient};

type Field = (&'static str, Vec<u8>);
type ClearField = (&'static str, Type, Option<Value<'static>>);

/// A sealed record as it is stored.
#[derive(Clone)]
struct Row {
    version: u64,
    cells: Vec<Field>,
    clear: Vec<ClearField>,
    seal: Vec<u8>,
}

fn seal(service: &Service, context: &Context<'_>, version: u64, ssn: &str) -> Row {
    let clear: Vec<ClearField> =
        vec![("owner", Type::Text, Some(Value::Text("ada"))), ("ward", Type::U64, None)];
    let mut record = Record::new(version);
    for (name, kind, value) in &clear {
        record.clear(name, *kind, *value).unwrap();
    }
    let key = service.key(context.tenant());
    let mut write = service.keyring.sealer().write(&key, context).unwrap();
    write.field("ssn", Type::Text, Some(Value::Text(ssn)), BUCKET).unwrap();
    write.field("phone", Type::Text, None, BUCKET).unwrap();
    let sealed = write.seal_record(&record).unwrap();
    Row {
        version,
        cells: ["ssn", "phone"].map(|name| (name, sealed.cell(name).unwrap().to_vec())).to_vec(),
        clear,
        seal: sealed.record_seal().unwrap().to_vec(),
    }
}

fn verify(service: &Service, context: &Context<'_>, row: &Row) -> Result<(), Error> {
    let mut record = Record::new(row.version);
    for (name, cell) in &row.cells {
        record.cell(name, Cell::parse(cell)?)?;
    }
    for (name, kind, value) in &row.clear {
        record.clear(name, *kind, *value)?;
    }
    let seal = Cell::parse(&row.seal)?;
    let opener = service.keyring.sealer().opener(&service.key(context.tenant()), context, &seal)?;
    opener.prepared(|opening| opening.verify_seal(&seal, &record))
}

#[test]
fn a_record_verifies_in_any_order_of_its_fields() {
    let (service, context) = (Service::new(), patient("p-1"));
    let mut row = seal(&service, &context, 3, "078-05-1120");
    verify(&service, &context, &row).unwrap();
    row.cells.reverse();
    row.clear.reverse();
    verify(&service, &context, &row).unwrap();
    assert_eq!(row.seal.len(), 88);
}

#[test]
fn every_change_of_a_record_is_noticed() {
    let (service, context) = (Service::new(), patient("p-1"));
    let row = seal(&service, &context, 3, "078-05-1120");
    let newer = seal(&service, &context, 3, "219-09-9999");
    let other = seal(&service, &patient("p-2"), 3, "078-05-1120");
    type Alter<'a> = &'a dyn Fn(&mut Row);
    let changes: [(&str, Alter<'_>); 15] = [
        ("a missing cell", &|row| row.cells.truncate(1)),
        ("no cell", &|row| row.cells.clear()),
        ("an added cell", &|row| row.cells.push(("extra", row.cells[0].1.clone()))),
        ("exchanged cells", &|row| {
            let (first, second) = (row.cells[0].1.clone(), row.cells[1].1.clone());
            (row.cells[0].1, row.cells[1].1) = (second, first);
        }),
        ("a renamed cell", &|row| row.cells[0].0 = "ssm"),
        ("a cell of another write of the same row", &|row| row.cells[0] = newer.cells[0].clone()),
        ("a cell of another row", &|row| row.cells[0] = other.cells[0].clone()),
        ("an altered header", &|row| row.cells[0].1[20] ^= 1),
        ("an altered tag", &|row| *row.cells[0].1.last_mut().unwrap() ^= 1),
        ("another owner", &|row| row.clear[0].2 = Some(Value::Text("eve"))),
        ("no owner", &|row| row.clear[0].2 = None),
        ("an empty owner", &|row| row.clear[0].2 = Some(Value::Text(""))),
        ("a missing clear field", &|row| row.clear.truncate(1)),
        ("a clear field of another type", &|row| row.clear[1].1 = Type::I64),
        ("another version", &|row| row.version = 4),
    ];
    for (what, change) in changes {
        let mut changed = row.clone();
        change(&mut changed);
        let error = verify(&service, &context, &changed).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::Integrity, Fault::Integrity), "{what}");
    }
    for at in 0..row.seal.len() {
        let mut changed = row.clone();
        changed.seal[at] ^= 0x10;
        assert!(verify(&service, &context, &changed).is_err(), "byte {at} of the seal");
    }
    assert!(verify(&service, &patient("p-2"), &row).is_err(), "another row");
    let mut mixed = row.clone();
    mixed.seal = newer.seal;
    assert!(verify(&service, &context, &mixed).is_err(), "the seal of another write");
}

#[test]
fn an_altered_ciphertext_is_left_to_its_own_tag() {
    // The seal covers header and tag of each cell; the tag covers the ciphertext.
    let (service, context) = (Service::new(), patient("p-1"));
    let mut row = seal(&service, &context, 3, "078-05-1120");
    row.cells[0].1[75] ^= 1;
    verify(&service, &context, &row).unwrap();
    let error = service.open(&context, "ssn", Type::Text, &row.cells[0].1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
}

#[test]
fn a_record_seal_is_no_field_and_a_field_no_record_seal() {
    let (service, context) = (Service::new(), patient("p-1"));
    let row = seal(&service, &context, 3, "078-05-1120");
    for name in ["$seal", "seal"] {
        for kind in [Type::Bytes, Type::Text] {
            assert!(service.open(&context, name, kind, &row.seal).is_err());
        }
    }
    let mut forged = row.clone();
    forged.seal = row.cells[1].1.clone();
    assert_eq!(verify(&service, &context, &forged).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn names_stand_once_among_written_kept_and_clear_fields() {
    let (service, context) = (Service::new(), patient("p-1"));
    let row = seal(&service, &context, 1, "078-05-1120");
    let key = service.key("north");
    let kept = Cell::parse(&row.cells[0].1).unwrap();
    for (cells, clear) in
        [(vec!["ssn"], vec![]), (vec![], vec!["ssn"]), (vec!["a", "a"], vec![]), (vec!["a"], vec!["a"])]
    {
        let mut record = Record::new(1);
        for name in cells {
            record.cell(name, kept).unwrap();
        }
        for name in clear {
            record.clear(name, Type::Text, None).unwrap();
        }
        let mut write = service.keyring.sealer().write(&key, &context).unwrap();
        write.field("ssn", Type::Text, None, BUCKET).unwrap();
        assert_eq!(write.seal_record(&record).unwrap_err().kind(), ErrorKind::Name);
    }
    let mut record = Record::new(1);
    assert_eq!(record.cell("$seal", kept).unwrap_err().kind(), ErrorKind::Name);
    assert_eq!(record.clear("$x", Type::Text, None).unwrap_err().kind(), ErrorKind::Name);
    assert_eq!(record.clear("x", Type::Text, Some(Value::U64(1))).unwrap_err().kind(), ErrorKind::Value);
}

#[test]
fn putting_the_whole_old_row_back_is_noticed_by_the_version_alone() {
    let (service, context) = (Service::new(), patient("p-1"));
    let old = seal(&service, &context, 1, "078-05-1120");
    let _new = seal(&service, &context, 2, "219-09-9999");
    verify(&service, &context, &old).unwrap();
    let known_from_elsewhere = Row { version: 2, ..old };
    assert!(verify(&service, &context, &known_from_elsewhere).is_err());
}
