//! What an entry says: the same as the fact, on one line, of bounded length.

use std::net::IpAddr;

use bartizan_audit_events::Event;
use bartizan_core::{
    Attestation, Authorizer, Decision, Delivery, Detail, DetailValue, Fact, JobPolicy, Origin, Outcome,
    Owner, Permission, Principal, PrincipalFacts, Resource, Revision, RuleId, Subject, Target, UnixTime,
    json,
};
use bartizan_testkit::{ScriptedEngine, SeededEntropy};
use proptest::prelude::*;
use serde_json::Value;

use super::{Bench, config, record_durably};
use crate::{Query, Reader, crash::CrashDisk, draft, format::MAX_PAYLOAD, payload};

fn stored(fact: &Fact<'_>) -> String {
    let (mut queue, mut out) = (Vec::new(), Vec::new());
    draft::write(fact, &mut queue);
    assert!(queue.len() <= draft::MAX_DRAFT, "{}", queue.len());
    let mut rest = &*queue;
    let draft = draft::read(&mut rest).unwrap().unwrap();
    assert!(rest.is_empty());
    payload::write(&draft, &mut out).unwrap();
    assert!(out.len() <= MAX_PAYLOAD, "{}", out.len());
    String::from_utf8(out).unwrap()
}

fn parsed(fact: &Fact<'_>) -> Value {
    serde_json::from_str(&stored(fact)).unwrap()
}

fn as_core_says(fact: &Fact<'_>) -> String {
    let mut out = Vec::new();
    json::write_one_line(fact, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn by<'a>(subject: Subject<'a>, target: Target<'a>) -> Fact<'a> {
    Event::TOKEN_REFUSED.fact(
        Outcome::Denied,
        UnixTime::from_nanos(1_700_000_000_123_456_789),
        subject,
        target,
        Origin::service("clinic"),
    )
}

const ROUTE: Target<'_> = Target::Named { kind: "route", name: "/login" };

/// Everything that a fact can hold.
#[derive(Clone, Debug)]
struct Drawn {
    texts: Vec<String>,
    number: u64,
    subject: u8,
    target: u8,
    present: u8,
    address: IpAddr,
    ids: Vec<String>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        proptest::collection::vec(".{1,40}", 12),
        any::<u64>(),
        0..5_u8,
        0..4_u8,
        any::<u8>(),
        any::<IpAddr>(),
        proptest::collection::vec(".{0,20}", 0..20),
    )
        .prop_map(|(texts, number, subject, target, present, address, ids)| Drawn {
            texts,
            number,
            subject,
            target,
            present,
            address,
            ids,
        })
}

/// Makes the fact of a draw; names of principals are made printable, as core refuses others.
fn with_fact(drawn: &Drawn, look: impl Fn(&Fact<'_>)) {
    let text = |at: usize| drawn.texts[at].as_str();
    let has = |bit: u8| drawn.present & (1 << bit) != 0;
    let name = |at: usize| format!("n{}", text(at).escape_default());
    let mut facts = PrincipalFacts::new(name(0), name(1)).with_roles(["role"]);
    facts = facts
        .with_issuer(has(0).then(|| name(2)).as_deref())
        .with_credential(has(1).then(|| name(3)).as_deref())
        .with_session(has(2).then(|| name(4)).as_deref());
    if has(3) {
        facts.actor = Principal::attested(Attestation::Process, PrincipalFacts::new("north", name(5))).ok();
    }
    let long_names_are_no_names = Principal::attested(Attestation::Token, facts);
    let Ok(who) = long_names_are_no_names else {
        return;
    };
    let subject = match drawn.subject {
        0 | 1 => Subject::Principal(&who),
        2 => Subject::Claimed { tenant: text(0), subject: text(1) },
        3 => Subject::Anonymous,
        _ => Subject::Process(text(2)),
    };
    let ids: Vec<&str> = drawn.ids.iter().map(String::as_str).collect();
    let target = match drawn.target {
        0 => Target::Resource(Resource::record(text(6), text(7), text(8)).owned_by(Owner::Asserted("x"))),
        1 => Target::Resource(Resource::collection(text(6), text(7))),
        2 => Target::Page { tenant: text(6), kind: text(7), allowed: &ids, denied: ids.len() },
        _ => Target::Named { kind: text(6), name: text(7) },
    };
    let details = [
        Detail { name: "text", value: DetailValue::Text(text(9)) },
        Detail { name: "number", value: DetailValue::Number(drawn.number.cast_signed()) },
        Detail { name: "flag", value: DetailValue::Flag(has(4)) },
    ];
    let mut fact = by(subject, target);
    fact.at = UnixTime::from_nanos(drawn.number.cast_signed());
    fact.origin.address = has(5).then_some(drawn.address);
    fact.origin.user_agent = has(6).then_some(text(10));
    fact.origin.request = has(7).then_some(text(11));
    fact.permission = has(0).then(|| Permission::literal("patient:read:own").name());
    fact.rule = has(1).then_some(RuleId(drawn.number as u32));
    fact.revision = has(2).then_some(Revision(drawn.number));
    fact.reason = has(3).then_some("rule");
    fact.delivery = [Delivery::Critical, Delivery::Standard, Delivery::Bulk][usize::from(drawn.subject % 3)];
    fact.outcome =
        [Outcome::Success, Outcome::Denied, Outcome::Failure, Outcome::Unknown][usize::from(drawn.target)];
    if has(4) {
        fact = fact.with(&details);
    }
    look(&fact);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Holds this crate's JSON and core's together, member by member and in order.
    #[test]
    fn an_entry_says_what_core_says_of_the_fact(drawn in drawn()) {
        with_fact(&drawn, |fact| assert_eq!(stored(fact), as_core_says(fact)));
    }

    #[test]
    fn a_text_of_any_length_fits_a_frame(
        character in any::<char>(), length in 0..200_000_usize, details in 0..20_usize, ids in 0..2_000_usize,
    ) {
        let text: String = std::iter::repeat_n(character, length / character.len_utf8()).collect();
        let details: Vec<Detail<'_>> =
            (0..details).map(|_| Detail { name: "text", value: DetailValue::Text(&text) }).collect();
        let ids = vec![text.get(..text.len().min(character.len_utf8() * 50)).unwrap_or_default(); ids];
        let target = Target::Page { tenant: &text, kind: &text, allowed: &ids, denied: 3 };
        let mut fact = by(Subject::Claimed { tenant: &text, subject: &text }, target);
        fact.origin.user_agent = Some(&text);
        fact.details = &details;
        let entry = stored(&fact);
        let limits = json::Limits { bytes: MAX_PAYLOAD, ..json::Limits::REQUEST };
        prop_assert_eq!(json::check(entry.as_bytes(), &limits), Ok(()));
        let entry: Value = serde_json::from_str(&entry).unwrap();
        prop_assert_eq!(&entry["denied"], 3);
        prop_assert!(text.starts_with(entry["claimed_subject"].as_str().unwrap()));
        let is_whole = entry["claimed_subject"] == text.as_str() && entry["ids"].as_array().unwrap().len() == ids.len();
        prop_assert!(is_whole || entry["truncated"] == true);
    }
}

#[test]
fn a_decision_is_stored_with_all_that_was_decided() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let authorizer = Authorizer::new(
        "clinic",
        ScriptedEngine::allowing(),
        JobPolicy::none(),
        log.clone(),
        bench.clock.clone(),
        &SeededEntropy::new(1),
    )
    .unwrap();
    let ada = Principal::attested(Attestation::Token, PrincipalFacts::new("north", "ada")).unwrap();
    let ada = ada.in_request(Some([192, 0, 2, 1].into()), Some("r-1")).unwrap();
    let on = Resource::record("north", "patient", "p-17");
    let erase = Permission::literal("patient:erase").critical();
    let decision = super::block_on(authorizer.decide_durably(&ada, erase, on));
    let Decision::Allow(grant) = decision else {
        panic!("{decision:?}");
    };
    let reader = Reader::open_on(Box::new(disk)).unwrap();
    let entry = reader.entries(Query::new().event("permission_granted")).unwrap().next().unwrap().unwrap();
    assert_eq!(
        entry.json(),
        format!(
            r#"{{"code":3001,"event":"permission_granted","outcome":"success","at":"2023-11-14T22:13:20Z","subject":"ada","subject_tenant":"north","attested":"token","tenant":"north","kind":"patient","id":"p-17","service":"clinic","address":"192.0.2.1","request":"r-1","delivery":"critical","permission":"patient:erase","decision":"{}","rule":1,"revision":1,"reason":"rule"}}"#,
            grant.decision()
        )
    );
}

#[test]
fn asvs_16_3_2_every_decision_is_logged_whatever_it_is() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let ada = Principal::attested(Attestation::Token, PrincipalFacts::new("north", "ada")).unwrap();
    let read = Permission::literal("patient:read");
    for engine in [
        ScriptedEngine::allowing(),
        ScriptedEngine::denying(),
        ScriptedEngine::answering(bartizan_core::Verdict::Unknown(bartizan_core::Cause::Stale)),
    ] {
        let (clock, entropy) = (bench.clock.clone(), SeededEntropy::new(1));
        let authorizer =
            Authorizer::new("clinic", engine, JobPolicy::none(), log.clone(), clock, &entropy).unwrap();
        let _ = authorizer.decide(&ada, read, Resource::record("north", "patient", "p-1"));
    }
    log.close().unwrap();
    let decisions: Vec<String> =
        super::events(&disk).into_iter().filter(|event| event.starts_with("permission_")).collect();
    assert_eq!(decisions, ["permission_granted", "permission_denied", "permission_undecided"]);
}

#[test]
fn a_text_that_is_too_long_is_cut_between_characters_and_said_to_be() {
    let agent = "ä".repeat(10_000);
    let mut fact = by(Subject::Anonymous, ROUTE);
    fact.origin.user_agent = Some(&agent);
    let entry = parsed(&fact);
    assert_eq!(entry["user_agent"], "ä".repeat(4_096));
    assert_eq!((&entry["truncated"], &entry["cut"]), (&Value::Bool(true), &Value::from(20_000 - 8_192)));
    // 8,191 bytes of room: the last character goes as a whole.
    let agent = "x".to_owned() + &agent;
    fact.origin.user_agent = Some(&agent);
    assert_eq!(parsed(&fact)["user_agent"], "x".to_owned() + &"ä".repeat(4_095));
    let agent = "x".repeat(8_192);
    fact.origin.user_agent = Some(&agent);
    assert_eq!(parsed(&fact).get("truncated"), None);
}

#[test]
fn ids_of_a_page_are_kept_whole_or_not_at_all() {
    let ids: Vec<String> = (0..1_000).map(|n| format!("{n:0>200}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let target = Target::Page { tenant: "north", kind: "patient", allowed: &ids, denied: 7 };
    let entry = parsed(&by(Subject::Anonymous, target));
    let kept = entry["ids"].as_array().unwrap();
    assert!((100..1_000).contains(&kept.len()));
    assert!(kept.iter().zip(&ids).all(|(kept, id)| kept == id));
    assert_eq!(entry["cut"], (1_000 - kept.len()) * 201);
    // A page as services use it is kept whole: a thousand records by their UUID.
    let ids: Vec<String> = (0..1_000).map(|n| format!("{n:0>36}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let target = Target::Page { tenant: "north", kind: "patient", allowed: &ids, denied: 7 };
    let entry = parsed(&by(Subject::Anonymous, target));
    assert_eq!((entry["ids"].as_array().unwrap().len(), entry.get("truncated")), (1_000, None));
}

#[test]
fn nothing_that_is_long_pushes_out_who_and_what() {
    let long = "x".repeat(100_000);
    let details = [Detail { name: "text", value: DetailValue::Text(&long) }; 16];
    let mut fact = by(Subject::Claimed { tenant: &long, subject: &long }, ROUTE).with(&details);
    fact.origin.user_agent = Some(&long);
    fact.origin.request = Some(&long);
    let entry = parsed(&fact);
    assert_eq!((&entry["kind"], &entry["name"]), (&"route".into(), &"/login".into()));
    assert_eq!((&entry["service"], &entry["truncated"]), (&"clinic".into(), &true.into()));
    assert!(entry["claimed_subject"].as_str().unwrap().len() >= 4_096);
}

#[test]
fn a_detail_beyond_16_or_with_a_name_that_was_there_is_left_out_and_counted() {
    let names: [&'static str; 18] =
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"];
    let details = names.map(|name| Detail { name, value: DetailValue::Flag(true) });
    let mut fact = by(Subject::Anonymous, ROUTE);
    fact.details = &details;
    let entry = parsed(&fact);
    assert_eq!((entry["details"].as_object().unwrap().len(), &entry["cut"]), (16, &Value::from(2 * 2)));

    let details = [
        Detail { name: "twice", value: DetailValue::Text("first") },
        Detail { name: "once", value: DetailValue::Number(1) },
        Detail { name: "twice", value: DetailValue::Text("second") },
    ];
    let entry = stored(&by(Subject::Anonymous, ROUTE).with(&details));
    assert!(entry.ends_with(r#""details":{"twice":"first","once":1},"truncated":true,"cut":11}"#), "{entry}");
    json::check(entry.as_bytes(), &json::Limits::REQUEST).unwrap();
}

/// Texts that forge lines, turn the writing direction, or break parsers.
const HOSTILE: [&str; 16] = [
    "a\r\nb",
    "\u{85}\u{2028}\u{2029}",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\u{8}\u{8}\u{8}admin",
    "\0",
    "\u{7f}\u{9b}31m",
    "\u{202e}nimda\u{202d}\u{2066}\u{2069}",
    "\"}\n{\"event\":\"log_started\",\"a\":\"",
    "\\u000a\\n",
    "|=\\",
    "]\"\\",
    "=1+1",
    "@SUM(1)",
    "{\"a\":[1,{\"b\":null}]}",
    "\u{feff}\u{fffd}\u{10ffff}",
    "%s%n{}{0}${jndi:ldap://x}",
];

#[test]
fn asvs_16_4_1_hostile_text_stays_on_its_line_and_reads_back() {
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    for hostile in HOSTILE {
        let details = [Detail { name: "text", value: DetailValue::Text(hostile) }];
        let target = Target::Named { kind: hostile, name: hostile };
        let mut fact = by(Subject::Claimed { tenant: hostile, subject: hostile }, target).with(&details);
        fact.origin.user_agent = Some(hostile);
        bartizan_core::Recorder::record(&*log, &fact).unwrap();
    }
    log.close().unwrap();
    let reader = Reader::open_on(Box::new(disk)).unwrap();
    let entries: Vec<_> =
        reader.entries(Query::new().event("token_refused")).unwrap().map(Result::unwrap).collect();
    assert_eq!(entries.len(), HOSTILE.len(), "exactly one entry each");
    for (entry, hostile) in entries.iter().zip(HOSTILE) {
        for line in [entry.json().to_owned(), entry.to_line()] {
            let is_raw =
                |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!line.contains(is_raw), "{line:?}");
        }
        let read: Value = serde_json::from_str(&entry.to_line()).unwrap();
        let fact = &read["fact"];
        for member in [&fact["claimed_subject"], &fact["user_agent"], &fact["name"], &fact["details"]["text"]]
        {
            assert_eq!(member, hostile);
        }
        assert_eq!(fact["event"], "token_refused");
    }
}

/// The text of an event comes from the catalogue; what anybody says is data in a member of its own.
#[test]
fn asvs_1_3_10_what_a_peer_says_is_never_a_format() {
    let hostile = "{} {0:?} %s %n ${event} {{event}}";
    let entry = parsed(&by(Subject::Claimed { tenant: hostile, subject: hostile }, ROUTE));
    assert_eq!(entry["claimed_subject"], hostile);
    assert_eq!(entry["event"], "token_refused");
    assert_eq!(entry["code"], Event::TOKEN_REFUSED.number());
}

#[test]
fn asvs_16_2_1_each_entry_says_who_what_when_and_where() {
    let who = Principal::attested(Attestation::Token, PrincipalFacts::new("north", "ada")).unwrap();
    let subjects = [
        (Subject::Principal(&who), "subject"),
        (Subject::Claimed { tenant: "north", subject: "ada" }, "claimed_subject"),
        (Subject::Anonymous, "anonymous"),
        (Subject::Process("job"), "process"),
    ];
    let page = ["p-1"];
    let targets = [
        Target::Resource(Resource::record("north", "patient", "p-1")),
        Target::Page { tenant: "north", kind: "patient", allowed: &page, denied: 0 },
        ROUTE,
    ];
    for (subject, member) in subjects {
        for target in targets {
            let entry = parsed(&by(subject, target));
            for mandatory in [member, "code", "event", "outcome", "at", "kind", "service"] {
                assert!(entry.get(mandatory).is_some(), "{mandatory} in {entry}");
            }
        }
    }
}

#[test]
fn asvs_16_2_2_times_are_utc() {
    for seconds in [0, 1_700_000_000, 1_711_846_800] {
        let mut fact = by(Subject::Anonymous, ROUTE);
        fact.at = UnixTime::from_secs(seconds);
        let entry = parsed(&fact);
        let at = entry["at"].as_str().unwrap();
        assert!(at.ends_with('Z') && at == fact.at.to_string(), "{at}");
    }
}

#[test]
fn what_facts_say_is_in_the_files_and_nowhere_else() {
    const CANARY: &str = "canary-7c1f";
    let bench = Bench::new(1);
    let disk = CrashDisk::new(1);
    let log = bench.open(&disk, config()).unwrap();
    let details = [Detail { name: "text", value: DetailValue::Text(CANARY) }];
    let target = Target::Named { kind: CANARY, name: CANARY };
    let mut fact = by(Subject::Claimed { tenant: CANARY, subject: CANARY }, target).with(&details);
    fact.origin.user_agent = Some(CANARY);
    bartizan_core::Recorder::record(&*log, &fact).unwrap();
    record_durably(&log, 1).unwrap();
    let shown = format!("{log:?} {:?}", log.checkpoint());
    log.close().unwrap();
    let contains = |bytes: &[u8]| bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    assert!(contains(&disk.files()["0000000000.seg"]) && !contains(&disk.files()["head"]));

    let reader = Reader::open_on(Box::new(disk.clone())).unwrap();
    let query = Query::new().subject(CANARY).tenant(CANARY).event(CANARY);
    let entry = reader.entries(Query::new().from(1)).unwrap().next().unwrap().unwrap();
    let mut shown =
        vec![shown, format!("{reader:?} {query:?} {entry:?} {:?}", reader.entries(query.clone()))];
    let report = bench.verify(&disk);
    shown.push(format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap()));
    // Every way in which these bytes can be wrong.
    let whole = disk.files();
    for byte in 4_096..whole["0000000000.seg"].len() {
        disk.tamper("0000000000.seg", |bytes| bytes[byte] ^= 0x20);
        shown.push(format!("{:?}", reader.entries(Query::new()).unwrap().collect::<Vec<_>>()));
        disk.tamper("0000000000.seg", |bytes| bytes[byte] ^= 0x20);
    }
    disk.tamper("0000000000.seg", |bytes| bytes[4_200] ^= 0x20);
    let error = bench.open(&disk, config()).unwrap_err();
    shown.push(format!("{error} {error:?}"));
    shown.push(format!("{}", bench.verify(&disk)));
    assert!(shown.iter().all(|shown| !shown.contains(CANARY)));
}
