//! An entry's stored bytes: the fact as one line of JSON.
//!
//! Members and their order are those of core's `Fact`; a test holds the two together. An entry whose text had to be shortened
//! says so with `"truncated":true` and the number of bytes that are missing, `"cut"`. It is never left out.

use std::fmt;

use bartizan_core::{DetailValue, json};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    draft::{Draft, DraftSubject, DraftTarget, shortened},
    format::MAX_PAYLOAD,
};

/// Writes the payload into an empty buffer.
pub(crate) fn write(draft: &Draft<'_>, out: &mut Vec<u8>) -> Result<(), TooLong> {
    // Escapes make a text up to six times longer: text that fitted the queue may not fit a frame as JSON.
    for room in ROOMS {
        out.clear();
        let payload = Payload { draft, room };
        if json::write_one_line(&payload, out).is_ok() && out.len() <= MAX_PAYLOAD {
            return Ok(());
        }
    }
    Err(TooLong)
}

/// No shortening makes it fit, which the last of [`ROOMS`] rules out.
#[derive(Debug)]
pub(crate) struct TooLong;

/// How much is kept: bytes of each text, and bytes of all ids of a page with one more for each.
#[derive(Clone, Copy)]
struct Room {
    text: usize,
    ids: usize,
}

/// INVARIANT(last-room-fits): a payload has at most 16 texts, 16 details of two texts, and ids. In the last room, with all
/// bytes escaped, that is below (16 + 32) × 128 × 6 + 1,024 × 6 + 3 KiB of names and numbers, which is below a frame.
const ROOMS: [Room; 4] = [
    Room { text: usize::MAX, ids: usize::MAX },
    Room { text: 4_096, ids: 32_768 },
    Room { text: 512, ids: 4_096 },
    Room { text: 128, ids: 1_024 },
];

struct Payload<'p> {
    draft: &'p Draft<'p>,
    room: Room,
}

/// A value shown with `Display`.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Hex([u8; 16]);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let draft = self.draft;
        let mut map = Members { map: serializer.serialize_map(None)?, room: self.room, cut: draft.cut };
        map.map.serialize_entry("code", &draft.code)?;
        map.text("event", draft.event)?;
        map.map.serialize_entry("outcome", draft.outcome.as_str())?;
        map.map.serialize_entry("at", &Shown(draft.at))?;
        map.subject(&draft.subject)?;
        map.target(&draft.target, &draft.ids)?;
        map.text("service", draft.service)?;
        map.value("address", draft.address.map(Shown))?;
        map.optional("user_agent", draft.user_agent)?;
        map.optional("request", draft.request)?;
        map.map.serialize_entry("delivery", draft.delivery.as_str())?;
        map.optional("permission", draft.permission)?;
        map.value("decision", draft.decision.map(Hex).map(Shown))?;
        map.value("rule", draft.rule)?;
        map.value("revision", draft.revision)?;
        map.optional("reason", draft.reason)?;
        if !draft.details.is_empty() {
            map.map.serialize_entry("details", &Details(&draft.details, map.room))?;
            map.cut += details_cut(&draft.details, self.room);
        }
        if map.cut > 0 {
            map.map.serialize_entry("truncated", &true)?;
            map.map.serialize_entry("cut", &map.cut)?;
        }
        map.map.end()
    }
}

struct Members<M> {
    map: M,
    room: Room,
    cut: u64,
}

impl<M: SerializeMap> Members<M> {
    fn text(&mut self, name: &'static str, text: &str) -> Result<(), M::Error> {
        let kept = shortened(text, self.room.text);
        self.cut += (text.len() - kept.len()) as u64;
        self.map.serialize_entry(name, kept)
    }

    fn optional(&mut self, name: &'static str, text: Option<&str>) -> Result<(), M::Error> {
        text.map_or(Ok(()), |text| self.text(name, text))
    }

    fn value<T: Serialize>(&mut self, name: &'static str, value: Option<T>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.map.serialize_entry(name, &value))
    }

    fn subject(&mut self, subject: &DraftSubject<'_>) -> Result<(), M::Error> {
        match subject {
            DraftSubject::Principal { subject, tenant, attested, issuer, credential, session, actor } => {
                self.text("subject", subject)?;
                self.text("subject_tenant", tenant)?;
                self.text("attested", attested)?;
                self.optional("issuer", *issuer)?;
                self.optional("credential", *credential)?;
                self.optional("session", *session)?;
                self.optional("actor", *actor)
            }
            DraftSubject::Claimed { tenant, subject } => {
                self.text("claimed_subject", subject)?;
                self.text("claimed_tenant", tenant)
            }
            DraftSubject::Anonymous => self.map.serialize_entry("anonymous", &true),
            DraftSubject::Process(name) => self.text("process", name),
        }
    }

    fn target(&mut self, target: &DraftTarget<'_>, ids: &[&str]) -> Result<(), M::Error> {
        match target {
            DraftTarget::Resource { tenant, kind, id } => {
                self.text("tenant", tenant)?;
                self.text("kind", kind)?;
                self.optional("id", *id)
            }
            DraftTarget::Page { tenant, kind, denied } => {
                self.text("tenant", tenant)?;
                self.text("kind", kind)?;
                let mut room = self.room.ids;
                let fits = |id: &&&str| room.checked_sub(id.len() + 1).map(|left| room = left).is_some();
                let kept = ids.iter().take_while(fits).count();
                let (kept, surplus) = ids.split_at_checked(kept).unwrap_or((ids, &[]));
                self.cut += surplus.iter().map(|id| id.len() as u64 + 1).sum::<u64>();
                self.map.serialize_entry("ids", kept)?;
                self.map.serialize_entry("denied", denied)
            }
            DraftTarget::Named { kind, name } => {
                self.text("kind", kind)?;
                self.text("name", name)
            }
        }
    }
}

struct Details<'p>(&'p [(&'p str, DetailValue<'p>)], Room);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in kept_details(self.0, self.1) {
            match value {
                DetailValue::Text(text) => map.serialize_entry(name, shortened(text, self.1.text))?,
                DetailValue::Number(number) => map.serialize_entry(name, number)?,
                DetailValue::Flag(flag) => map.serialize_entry(name, flag)?,
            }
        }
        map.end()
    }
}

/// Details with their shortened names. A name that stands twice is kept once: readers disagree about a repeated member.
fn kept_details<'p>(
    details: &'p [(&'p str, DetailValue<'p>)],
    room: Room,
) -> impl Iterator<Item = (&'p str, &'p DetailValue<'p>)> {
    let name_of = move |detail: &(&'p str, DetailValue<'p>)| shortened(detail.0, room.text);
    details.iter().enumerate().filter_map(move |(at, detail)| {
        let name = name_of(detail);
        let is_repeated = details.iter().take(at).any(|earlier| name_of(earlier) == name);
        (!is_repeated).then_some((name, &detail.1))
    })
}

/// How many bytes of names and texts are left out.
fn details_cut(details: &[(&str, DetailValue<'_>)], room: Room) -> u64 {
    let size = |name: &str, value: &DetailValue<'_>, most: usize| match value {
        DetailValue::Text(text) => name.len() + shortened(text, most).len(),
        DetailValue::Number(_) | DetailValue::Flag(_) => name.len() + 1,
    };
    let whole: usize = details.iter().map(|(name, value)| size(name, value, usize::MAX)).sum();
    let kept: usize = kept_details(details, room).map(|(name, value)| size(name, value, room.text)).sum();
    (whole - kept) as u64
}
