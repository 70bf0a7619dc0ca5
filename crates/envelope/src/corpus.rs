//! The golden vectors of cell v1 (draft): our code makes exactly these bytes on every provider, and opens them.
//!
//! `corpus/check.py` computes the same vectors from the format's description, without our code.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bartizan_core::{Entropy, NoEntropy, SecretArray};
use bartizan_crypto::{Lifecycle, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use serde_json::{Value as Json, json};

use crate::{
    Bucket, Cell, Context, ErrorKind, KeyContext, KeyId, KeyWrapper, LocalMaster, Record, Scope, ScopeKey,
    Sealer, Type, Value, conformance::block_on, key, pae,
};

fn providers() -> [Arc<dyn Provider>; 2] {
    [Arc::new(Ring::new()), Arc::new(RustCrypto::new())]
}

/// Gives the process key first, and then buffers that begin with the random bytes.
#[derive(Debug)]
struct Scripted {
    process_key: Vec<u8>,
    random: Vec<u8>,
    begun: AtomicBool,
}

impl Entropy for Scripted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        let from = if self.begun.swap(true, Ordering::SeqCst) { &self.random } else { &self.process_key };
        buffer.fill(0);
        buffer[..from.len()].copy_from_slice(from);
        Ok(())
    }
}

fn scripted(vector: &Json) -> Arc<Scripted> {
    Arc::new(Scripted {
        process_key: bytes(&vector["process_key"]),
        random: bytes(&vector["random"]),
        begun: AtomicBool::new(false),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &Json) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn array<const N: usize>(hex: &Json) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

fn number(json: &Json) -> u64 {
    json.as_u64().unwrap()
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// A value's type and canonical bytes, which are nothing for null.
fn typed(json: &Json) -> (Type, Option<Vec<u8>>) {
    let kind = Type::from_tag(number(&json["type"]).try_into().unwrap()).unwrap();
    (kind, (!json["value"].is_null()).then(|| bytes(&json["value"])))
}

fn scope_key(provider: &dyn Provider, vector: &Json) -> ScopeKey {
    let scope = Scope::new(text(&vector["tenant"]), "fields").unwrap();
    let context = KeyContext::new(scope, 1, KeyId::from_bytes(array(&vector["key_id"])));
    ScopeKey::prepare(provider, &context, Lifecycle::Active, &SecretArray::new(array(&vector["scope_key"])))
        .unwrap()
}

/// What a vector's inputs are sealed to: the salt, the cells, the record seal.
fn sealed(provider: &Arc<dyn Provider>, vector: &Json) -> (Vec<u8>, Vec<Vec<u8>>, Option<Vec<u8>>) {
    let (row_kind, row) = typed(&vector["row"]);
    let row = row.unwrap();
    let row = Value::from_canonical_bytes(row_kind, &row).unwrap();
    let context = Context::new(text(&vector["tenant"]), text(&vector["table"]), row).unwrap();
    let sealer = Sealer::new(Arc::clone(provider), scripted(vector)).unwrap();
    let key = scope_key(&**provider, vector);
    let mut write = sealer.write(&key, &context).unwrap();
    for field in list(&vector["fields"]) {
        let (kind, value) = typed(field);
        let value = value.as_deref().map(|value| Value::from_canonical_bytes(kind, value).unwrap());
        let bucket = Bucket::new(number(&field["bucket"]).try_into().unwrap()).unwrap();
        write.field(text(&field["name"]), kind, value, bucket).unwrap();
    }
    let sealed = if vector["record_seal"].is_null() {
        write.seal().unwrap()
    } else {
        let (kept, clear) = beside(vector);
        write.seal_record(&record(vector, &kept, &clear)).unwrap()
    };
    let cells: Vec<Vec<u8>> = sealed.iter().map(|(_, cell)| cell.to_vec()).collect();
    let seal = sealed.record_seal().map(<[u8]>::to_vec);
    let first = cells.first().or(seal.as_ref()).unwrap();
    (first[14..38].to_vec(), cells, seal)
}

type Cells = Vec<(String, Vec<u8>)>;
type Clear = Vec<(String, (Type, Option<Vec<u8>>))>;

fn beside(vector: &Json) -> (Cells, Clear) {
    let kept =
        list(&vector["kept"]).iter().map(|kept| (text(&kept["name"]).to_owned(), bytes(&kept["cell"])));
    let clear = list(&vector["clear"]).iter().map(|clear| (text(&clear["name"]).to_owned(), typed(clear)));
    (kept.collect(), clear.collect())
}

fn record<'a>(vector: &Json, cells: &'a Cells, clear: &'a Clear) -> Record<'a> {
    let mut record = Record::new(number(&vector["version"]));
    for (name, cell) in cells {
        record.cell(name, Cell::parse(cell).unwrap()).unwrap();
    }
    for (name, (kind, value)) in clear {
        let value = value.as_deref().map(|value| Value::from_canonical_bytes(*kind, value).unwrap());
        record.clear(name, *kind, value).unwrap();
    }
    record
}

fn vectors(json: &str) -> Vec<Json> {
    let vectors: Json = serde_json::from_str(json).unwrap();
    let vectors = vectors.as_array().unwrap().clone();
    assert!(!vectors.is_empty());
    vectors
}

#[test]
fn cells_are_byte_for_byte_those_of_the_corpus_on_every_provider() {
    for vector in vectors(include_str!("../corpus/v1-draft/cells.json")) {
        for provider in providers() {
            let (salt, cells, seal) = sealed(&provider, &vector);
            let (name, on) = (&vector["name"], provider.name());
            assert_eq!(hex(&salt), text(&vector["salt"]), "{name} on {on}");
            let expected: Vec<Vec<u8>> =
                list(&vector["fields"]).iter().map(|field| bytes(&field["cell"])).collect();
            assert_eq!(cells, expected, "{name} on {on}");
            assert_eq!(
                seal.map(|seal| hex(&seal)),
                vector["record_seal"].as_str().map(str::to_owned),
                "{name} on {on}"
            );
        }
    }
}

#[test]
fn cells_of_the_corpus_open_to_their_values_on_every_provider() {
    for vector in vectors(include_str!("../corpus/v1-draft/cells.json")) {
        for provider in providers() {
            let (row_kind, row) = typed(&vector["row"]);
            let row = row.unwrap();
            let row = Value::from_canonical_bytes(row_kind, &row).unwrap();
            let context = Context::new(text(&vector["tenant"]), text(&vector["table"]), row).unwrap();
            let sealer = Sealer::new(Arc::clone(&provider), scripted(&vector)).unwrap();
            let key = scope_key(&*provider, &vector);
            for field in list(&vector["fields"]) {
                let (kind, value) = typed(field);
                let cell = bytes(&field["cell"]);
                let cell = Cell::parse(&cell).unwrap();
                let opener = sealer.opener(&key, &context, &cell).unwrap();
                let plain = opener
                    .prepared(|opening| opening.danger_open_uncovered(&cell, text(&field["name"]), kind))
                    .unwrap();
                let opened = plain.value().map(|value| value.to_canonical_bytes().unwrap().to_vec());
                assert_eq!(opened, value, "{}", vector["name"]);
            }
            if !vector["record_seal"].is_null() {
                let seal = bytes(&vector["record_seal"]);
                let seal = Cell::parse(&seal).unwrap();
                let (mut cells, clear) = beside(&vector);
                cells.extend(
                    list(&vector["fields"])
                        .iter()
                        .map(|field| (text(&field["name"]).to_owned(), bytes(&field["cell"]))),
                );
                let opener = sealer.opener(&key, &context, &seal).unwrap();
                let record = record(&vector, &cells, &clear);
                opener.prepared(|opening| opening.verify_seal(&seal, &record)).unwrap();
            }
        }
    }
}

#[test]
fn wraps_are_byte_for_byte_those_of_the_corpus_on_every_provider() {
    for vector in vectors(include_str!("../corpus/v1-draft/wraps.json")) {
        for provider in providers() {
            let (name, on) = (&vector["name"], provider.name());
            let (payload, wrapped) = wrapped(&provider, &vector);
            assert_eq!(hex(&payload), text(&vector["payload"]), "{name} on {on}");
            assert_eq!(hex(&wrapped), text(&vector["wrapped"]), "{name} on {on}");
            let master = master(&provider, &vector);
            assert_eq!(hex(&master.id()), text(&vector["kek_id"]), "{name} on {on}");
            let unwrapped = block_on(master.unwrap(&context_of(&vector), &wrapped)).unwrap();
            assert_eq!(hex(unwrapped.expose()), text(&vector["payload"]), "{name} on {on}");
        }
    }
}

fn master(provider: &Arc<dyn Provider>, vector: &Json) -> LocalMaster {
    let master = SecretArray::new(array(&vector["master"]));
    LocalMaster::new(Arc::clone(provider), &master, scripted(vector)).unwrap()
}

fn context_of(vector: &Json) -> KeyContext<'_> {
    let mut scope = Scope::new(text(&vector["tenant"]), text(&vector["purpose"])).unwrap();
    if let Some(subject) = vector["subject"].as_str() {
        scope = scope.of_subject(subject).unwrap();
    }
    KeyContext::new(
        scope,
        number(&vector["version"]).try_into().unwrap(),
        KeyId::from_bytes(array(&vector["key_id"])),
    )
}

fn wrapped(provider: &Arc<dyn Provider>, vector: &Json) -> (Vec<u8>, Vec<u8>) {
    let context = context_of(vector);
    let payload = key::payload(provider.hash(), &SecretArray::new(array(&vector["key"])), &context);
    let wrapped = block_on(master(provider, vector).wrap(&context, &payload)).unwrap();
    (payload.expose().to_vec(), wrapped)
}

#[test]
fn pae_and_text_forms_are_those_of_the_corpus() {
    for vector in vectors(include_str!("../corpus/v1-draft/pae.json")) {
        let pieces: Vec<Vec<u8>> = list(&vector["pieces"]).iter().map(bytes).collect();
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        assert_eq!(hex(&pae(&pieces)), text(&vector["encoded"]));
    }
    for vector in vectors(include_str!("../corpus/v1-draft/text.json")) {
        let cell = bytes(&vector["cell"]);
        assert_eq!(Cell::parse(&cell).unwrap().to_text(), text(&vector["text"]));
        assert_eq!(Cell::decode_text(text(&vector["text"])).unwrap(), cell);
    }
}

/// Made by `corpus/check.py make`: commitment and tag are right and the rest is not, which our code cannot make.
#[test]
fn authentic_cells_that_are_not_in_their_one_form_are_refused_on_every_provider() {
    for vector in vectors(include_str!("../corpus/v1-draft/refused.json")) {
        for provider in providers() {
            let (name, cell) = (text(&vector["name"]), bytes(&vector["cell"]));
            let context =
                Context::new(text(&vector["tenant"]), text(&vector["table"]), Value::Text("p-17")).unwrap();
            let sealer = Sealer::new(Arc::clone(&provider), scripted(&vector)).unwrap();
            let key = scope_key(&*provider, &vector);
            let opened = Cell::parse(&cell).and_then(|cell| {
                let opener = sealer.opener(&key, &context, &cell)?;
                opener.prepared(|opening| match typed(&vector).0 {
                    _ if vector["field"] == "$seal" => opening.verify_seal(&cell, &Record::new(1)),
                    kind => opening.danger_open_uncovered(&cell, text(&vector["field"]), kind).map(drop),
                })
            });
            match text(&vector["expect"]) {
                "ok" => opened.unwrap(),
                "format" => assert_eq!(opened.unwrap_err().kind(), ErrorKind::Format, "{name}"),
                "integrity" => assert_eq!(opened.unwrap_err().kind(), ErrorKind::Integrity, "{name}"),
                other => panic!("{name}: {other}"),
            }
        }
    }
}

/// Made by `corpus/check.py make`: one ciphertext and tag that AES-GCM opens under two keys, to well-formed plaintexts.
#[test]
fn a_ciphertext_that_opens_under_two_keys_opens_under_the_committed_one_alone() {
    let vector: Json = serde_json::from_str(include_str!("../corpus/v1-draft/collision.json")).unwrap();
    let bytes = bytes(&vector["cell"]);
    let cell = Cell::parse(&bytes).unwrap();
    let context = Context::new(text(&vector["tenant"]), text(&vector["table"]), Value::Text("p-17")).unwrap();
    for provider in providers() {
        let sealer = Sealer::new(Arc::clone(&provider), scripted(&vector)).unwrap();
        let open = |key: &str| {
            let vector =
                json!({ "tenant": vector["tenant"], "key_id": vector["key_id"], "scope_key": vector[key] });
            let key = scope_key(&*provider, &vector);
            // The collision is real: without the commitment, the tag verifies under either key.
            let okm = crate::context::Okm::derive(key.kdf(), &cell.salt(), &context).unwrap();
            let aad =
                crate::aad::Aad::of_cell(bytes.first_chunk().unwrap(), "note", Type::Bytes.tag()).unwrap();
            let mut text = cell.ciphertext().to_vec();
            provider
                .with_aead(okm.key().unwrap(), &mut |aead| {
                    aead.open(&cell.nonce(), aad.as_slice(), &mut text, cell.tag())
                })
                .unwrap();
            assert!(crate::padding::unpad(&text).unwrap().is_some());
            let opener = sealer.opener(&key, &context, &cell).unwrap();
            opener.prepared(|opening| opening.danger_open_uncovered(&cell, "note", Type::Bytes)).map(drop)
        };
        open("scope_key").unwrap();
        assert_eq!(open("other_scope_key").unwrap_err().kind(), ErrorKind::Integrity);
    }
}

/// Writes the vectors that our code makes. Run it by name when the draft changes, then `corpus/check.py`.
#[test]
#[ignore = "writes the corpus"]
fn regenerate() {
    let ring: Arc<dyn Provider> = Arc::new(Ring::new());
    let mut cells = cell_inputs();
    for at in 0..cells.len() {
        // A vector that keeps cells keeps those of the vector before it.
        if let Some(keep) = cells[at]["keep"].take().as_array() {
            let kept: Vec<Json> = list(&cells[at - 1]["fields"])
                .iter()
                .filter(|field| keep.contains(&field["name"]))
                .map(|field| json!({ "name": field["name"], "cell": field["cell"] }))
                .collect();
            cells[at]["kept"] = kept.into();
        }
        let (salt, made, seal) = sealed(&ring, &cells[at]);
        let vector = cells[at].as_object_mut().unwrap();
        vector.remove("keep");
        vector.insert("salt".to_owned(), hex(&salt).into());
        vector.insert("record_seal".to_owned(), seal.map_or(Json::Null, |seal| hex(&seal).into()));
        for (field, cell) in vector["fields"].as_array_mut().unwrap().iter_mut().zip(made) {
            field["cell"] = hex(&cell).into();
        }
    }
    let text_forms: Vec<Json> = cells
        .iter()
        .flat_map(|vector| list(&vector["fields"]))
        .take(4)
        .map(|field| {
            let cell = bytes(&field["cell"]);
            json!({ "cell": field["cell"], "text": Cell::parse(&cell).unwrap().to_text() })
        })
        .collect();
    let mut wraps = wrap_inputs();
    for vector in &mut wraps {
        let (payload, wrapped) = wrapped(&ring, vector);
        vector["kek_id"] = hex(&master(&ring, vector).id()).into();
        vector["payload"] = hex(&payload).into();
        vector["wrapped"] = hex(&wrapped).into();
    }
    let pieces: [&[&[u8]]; 6] =
        [&[], &[b""], &[b"", b""], &[b"a-b", b"c"], &[b"a", b"b-c"], &["\u{e9}".as_bytes(), &[0; 300]]];
    let paes = pieces.map(|pieces| {
        let hexes: Vec<String> = pieces.iter().map(|piece| hex(piece)).collect();
        json!({ "pieces": hexes, "encoded": hex(&pae(pieces)) })
    });
    write("cells.json", &cells);
    write("wraps.json", &wraps);
    write("text.json", &text_forms);
    write("pae.json", &paes);
}

fn write(file: &str, vectors: &[Json]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/v1-draft");
    let json = serde_json::to_string_pretty(vectors).unwrap();
    std::fs::write(folder.join(file), json + "\n").unwrap();
}

fn field(name: &str, value: Value<'_>, bucket: u16) -> Json {
    json!({ "name": name, "type": value.kind().tag(), "value": hex(&value.to_canonical_bytes().unwrap()), "bucket": bucket })
}

fn null(name: &str, kind: Type, bucket: u16) -> Json {
    json!({ "name": name, "type": kind.tag(), "value": null, "bucket": bucket })
}

fn input(name: &str, row: Value<'_>, fields: &[Json], more: Json) -> Json {
    let at = name.len() as u8;
    let mut vector = json!({
        "name": name,
        "scope_key": hex(&std::array::from_fn::<u8, 32, _>(|n| n as u8 ^ at)),
        "key_id": hex(&[at, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07]),
        "process_key": hex(&[at ^ 0x50; 32]),
        "random": hex(&std::array::from_fn::<u8, 24, _>(|n| n as u8 + at)),
        "tenant": "north",
        "table": "patients",
        "row": { "type": row.kind().tag(), "value": hex(&row.to_canonical_bytes().unwrap()) },
        "fields": fields,
        "kept": [],
        "clear": [],
        "version": 1,
        "record_seal": null,
    });
    for (key, value) in more.as_object().unwrap() {
        vector[key] = value.clone();
    }
    vector
}

fn cell_inputs() -> Vec<Json> {
    let row = Value::Text("p-17");
    let ssn = || field("ssn", Value::Text("078-05-1120"), 16);
    let every = [
        field("bytes", Value::Bytes(&[0, 0x80, 0xFF]), 1),
        field("text", Value::Text("naïve"), 1),
        field("i64", Value::I64(-2), 1),
        field("u64", Value::U64(u64::MAX), 1),
        field("bool", Value::Bool(true), 1),
        field("date", Value::Date(-719_162), 1),
        field("instant", Value::instant(1_700_000_000, 1).unwrap(), 1),
        field("uuid", Value::Uuid([0x11; 16]), 1),
        field("decimal", Value::Decimal("-10.50"), 1),
        field("json", Value::Json("{\"a\": [1, 2]}"), 1),
    ];
    let clear = json!([
        { "name": "owner", "type": Type::Text.tag(), "value": hex(b"ada") },
        { "name": "admitted", "type": Type::Date.tag(), "value": null },
    ]);
    let three = [ssn(), field("phone", Value::Text("+1 555 0100"), 16), null("email", Type::Text, 32)];
    let sealed = json!({ "clear": clear, "record_seal": "", "version": 7 });
    let updated = json!({ "clear": clear, "record_seal": "", "version": 8, "keep": ["phone", "email"] });
    vec![
        input("one field", row, &[ssn()], json!({})),
        input("one field, random bytes differ", row, &[ssn()], json!({ "random": hex(&[9; 24]) })),
        input(
            "null and empty",
            row,
            &[null("a", Type::Text, 16), field("b", Value::Text(""), 16)],
            json!({}),
        ),
        input("every type", row, &every, json!({})),
        input("a number as row", Value::I64(-1), &[ssn()], json!({})),
        input("an unsigned number as row", Value::U64(1), &[ssn()], json!({})),
        input("a uuid as row", Value::Uuid([7; 16]), &[ssn()], json!({})),
        input(
            "names outside ascii",
            Value::Text("é"),
            &[field("n\u{303}ame", Value::Text("x"), 3)],
            json!({ "tenant": "-", "table": "Größe" }),
        ),
        input("a long value", row, &[field("note", Value::Bytes(&[0xAB; 1000]), 1024)], json!({})),
        input("a record seal", row, &three, sealed.clone()),
        // The same key and place as before, since its name is as long: what an update writes.
        input("a kept record", row, &[field("ssn", Value::Text("219-09-9999"), 16)], updated),
        input("a record seal over clear fields alone", row, &[], sealed),
    ]
}

fn wrap_inputs() -> Vec<Json> {
    let base = json!({
        "name": "a tenant's key",
        "master": hex(&[0x4D; 32]),
        "key": hex(&std::array::from_fn::<u8, 32, _>(|n| 0xE0 ^ n as u8)),
        "key_id": hex(&[1, 2, 3, 4, 5, 6, 7, 8]),
        "tenant": "north", "subject": null, "purpose": "fields", "version": 1,
        "process_key": hex(&[0x50; 32]),
        "random": hex(&[0x52; 24]),
    });
    let with = |name: &str, more: Json| {
        let mut vector = base.clone();
        vector["name"] = name.into();
        for (key, value) in more.as_object().unwrap() {
            vector[key] = value.clone();
        }
        vector
    };
    vec![
        base.clone(),
        with("a subject's key", json!({ "subject": "ada" })),
        with("another version", json!({ "version": 4_294_967_295_u32 })),
        with("another master key", json!({ "master": hex(&[0x4E; 32]) })),
    ]
}
