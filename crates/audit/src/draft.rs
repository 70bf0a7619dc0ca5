//! A fact's way through the queue: copied into bytes by the caller, read back by the committer.
//!
//! The caller pays for a copy and nothing else: no JSON, no hash, no text made of numbers, no allocation. These bytes never
//! reach the disk, so their form is this version's own.

use std::net::IpAddr;

use bartizan_core::{Delivery, DetailValue, Fact, Outcome, Principal, Subject, Target, UnixTime};

/// Longest single text that is kept, in bytes.
pub(crate) const MAX_TEXT: usize = 8 * 1024;

/// Most bytes of text that are kept of one fact.
pub(crate) const MAX_TEXTS: usize = 60 * 1024;

/// More than any one draft takes: all texts, and what stands around at most 16 details and the ids of a page.
pub(crate) const MAX_DRAFT: usize = 128 * 1024;

/// Most ids that are kept of one page.
const MAX_IDS: usize = 10_000;

const MAX_DETAILS: usize = 16;

/// A fact read back, borrowed from the queue's bytes. It has no `Debug`: what facts say belongs in the log alone.
pub(crate) struct Draft<'a> {
    pub(crate) at: UnixTime,
    pub(crate) code: u16,
    pub(crate) outcome: Outcome,
    pub(crate) delivery: Delivery,
    pub(crate) event: &'a str,
    pub(crate) subject: DraftSubject<'a>,
    pub(crate) target: DraftTarget<'a>,
    pub(crate) service: &'a str,
    pub(crate) address: Option<IpAddr>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) request: Option<&'a str>,
    pub(crate) permission: Option<&'a str>,
    pub(crate) decision: Option<[u8; 16]>,
    pub(crate) rule: Option<u32>,
    pub(crate) revision: Option<u64>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) details: Vec<(&'a str, DetailValue<'a>)>,
    /// The allowed ids of a page.
    pub(crate) ids: Vec<&'a str>,
    /// How many bytes of text, ids and details were left out.
    pub(crate) cut: u64,
}

pub(crate) enum DraftSubject<'a> {
    Principal {
        subject: &'a str,
        tenant: &'a str,
        attested: &'a str,
        issuer: Option<&'a str>,
        credential: Option<&'a str>,
        session: Option<&'a str>,
        actor: Option<&'a str>,
    },
    Claimed {
        tenant: &'a str,
        subject: &'a str,
    },
    Anonymous,
    Process(&'a str),
}

pub(crate) enum DraftTarget<'a> {
    Resource { tenant: &'a str, kind: &'a str, id: Option<&'a str> },
    Page { tenant: &'a str, kind: &'a str, denied: u64 },
    Named { kind: &'a str, name: &'a str },
}

/// Appends a fact to the queue's bytes: its length in four bytes, then its fields.
pub(crate) fn write(fact: &Fact<'_>, queue: &mut Vec<u8>) {
    let start = queue.len();
    queue.extend_from_slice(&[0; 4]);
    let mut out = Out { bytes: queue, left: MAX_TEXTS, cut: 0 };
    out.raw(&fact.at.as_nanos().to_le_bytes());
    out.raw(&fact.code.number().to_le_bytes());
    out.raw(&[outcome_byte(fact.outcome), delivery_byte(fact.delivery)]);
    out.text(fact.code.name());
    match fact.subject {
        Subject::Principal(who) => out.principal(who),
        Subject::Claimed { tenant, subject } => {
            out.raw(&[1]);
            out.text(tenant);
            out.text(subject);
        }
        Subject::Anonymous => out.raw(&[2]),
        Subject::Process(name) => {
            out.raw(&[3]);
            out.text(name);
        }
    }
    // Who and what come before all that can be long: they are never cut for want of room.
    out.target(fact.target);
    out.text(fact.origin.service);
    match fact.origin.address {
        None => out.raw(&[0]),
        Some(IpAddr::V4(address)) => {
            out.raw(&[4]);
            out.raw(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            out.raw(&[6]);
            out.raw(&address.octets());
        }
    }
    out.optional(fact.origin.user_agent);
    out.optional(fact.origin.request);
    out.optional(fact.permission.map(|name| name.as_str()));
    out.fixed(fact.decision.as_ref().map(|id| id.as_bytes()));
    out.fixed(fact.rule.map(|rule| rule.0.to_le_bytes()).as_ref());
    out.fixed(fact.revision.map(|revision| revision.0.to_le_bytes()).as_ref());
    out.optional(fact.reason);
    let (details, surplus) = fact.details.split_at_checked(MAX_DETAILS).unwrap_or((fact.details, &[]));
    out.cut += surplus.iter().map(|detail| detail.name.len() as u64 + 1).sum::<u64>();
    out.raw(&[u8::try_from(details.len()).unwrap_or(u8::MAX)]);
    for detail in details {
        out.text(detail.name);
        match detail.value {
            DetailValue::Text(text) => {
                out.raw(&[0]);
                out.text(text);
            }
            DetailValue::Number(number) => {
                out.raw(&[1]);
                out.raw(&number.to_le_bytes());
            }
            DetailValue::Flag(flag) => out.raw(&[2, u8::from(flag)]),
        }
    }
    out.ids(match fact.target {
        Target::Page { allowed, .. } => allowed,
        Target::Resource(_) | Target::Named { .. } => &[],
    });
    let cut = out.cut;
    queue.extend_from_slice(&cut.to_le_bytes());
    let length = u32::try_from(queue.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = queue.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Takes the next fact off the front of the queue's bytes. Nothing at their end; an error is a bug of this file.
pub(crate) fn read<'a>(queue: &mut &'a [u8]) -> Option<Result<Draft<'a>, Unreadable>> {
    if queue.is_empty() {
        return None;
    }
    let mut all = In(queue);
    let draft = all.u32().and_then(|length| all.raw(length as usize));
    let Some(draft) = draft else {
        return Some(Err(Unreadable));
    };
    *queue = all.0;
    Some(In(draft).draft().ok_or(Unreadable))
}

/// Passes over the next fact.
pub(crate) fn skip(queue: &mut &[u8]) -> Option<()> {
    let mut all = In(queue);
    let length = all.u32()?;
    all.raw(length as usize)?;
    *queue = all.0;
    Some(())
}

/// The queue's own bytes could not be read back.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// The longest beginning of at most `most` bytes that ends between two characters.
pub(crate) fn shortened(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

struct Out<'q> {
    bytes: &'q mut Vec<u8>,
    left: usize,
    cut: u64,
}

impl Out<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        let kept = shortened(text, MAX_TEXT.min(self.left));
        self.left -= kept.len();
        self.cut += (text.len() - kept.len()) as u64;
        // INVARIANT(short-text): MAX_TEXT is below the mark that stands for an absent text.
        self.raw(&u16::try_from(kept.len()).unwrap_or(0).to_le_bytes());
        self.raw(kept.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.raw(&ABSENT.to_le_bytes()),
        }
    }

    fn fixed<const N: usize>(&mut self, bytes: Option<&[u8; N]>) {
        match bytes {
            Some(bytes) => {
                self.raw(&[1]);
                self.raw(bytes);
            }
            None => self.raw(&[0]),
        }
    }

    fn principal(&mut self, who: &Principal) {
        self.raw(&[0]);
        self.text(who.subject());
        self.text(who.tenant());
        self.text(who.how().as_str());
        self.optional(who.issuer());
        self.optional(who.credential());
        self.optional(who.session());
        self.optional(who.actor().map(Principal::subject));
    }

    fn target(&mut self, target: Target<'_>) {
        match target {
            Target::Resource(resource) => {
                self.raw(&[0]);
                self.text(resource.tenant());
                self.text(resource.kind());
                self.optional(resource.id());
            }
            Target::Page { tenant, kind, allowed: _, denied } => {
                self.raw(&[1]);
                self.text(tenant);
                self.text(kind);
                self.raw(&(denied as u64).to_le_bytes());
            }
            Target::Named { kind, name } => {
                self.raw(&[2]);
                self.text(kind);
                self.text(name);
            }
        }
    }

    /// Ids are kept whole or not at all: half an id would be another record's.
    fn ids(&mut self, ids: &[&str]) {
        let mut room = self.left;
        let fits = |id: &&&str| match room.checked_sub(id.len()) {
            Some(left) if id.len() <= MAX_TEXT => {
                room = left;
                true
            }
            _ => false,
        };
        let kept = ids.iter().take(MAX_IDS).take_while(fits).count();
        let (kept, surplus) = ids.split_at_checked(kept).unwrap_or((ids, &[]));
        self.cut += surplus.iter().map(|id| id.len() as u64 + 1).sum::<u64>();
        self.raw(&u32::try_from(kept.len()).unwrap_or(0).to_le_bytes());
        kept.iter().for_each(|id| self.text(id));
    }
}

/// Where a text's length would stand if there were one.
const ABSENT: u16 = u16::MAX;

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.raw(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        self.optional()?
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is for bytes that end too early, the inner one for an absent text."
    )]
    fn optional(&mut self) -> Option<Option<&'a str>> {
        match self.array().map(u16::from_le_bytes)? {
            ABSENT => Some(None),
            length => Some(Some(std::str::from_utf8(self.raw(length.into())?).ok()?)),
        }
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is for bytes that end too early, the inner one for an absent field."
    )]
    fn fixed<const N: usize>(&mut self) -> Option<Option<[u8; N]>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.array().map(Some),
        }
    }

    fn draft(mut self) -> Option<Draft<'a>> {
        let at = UnixTime::from_nanos(self.array().map(i64::from_le_bytes)?);
        let code = self.array().map(u16::from_le_bytes)?;
        let (outcome, delivery) = (outcome_of(self.byte()?)?, delivery_of(self.byte()?)?);
        let event = self.text()?;
        let subject = self.subject()?;
        let target = self.target()?;
        let service = self.text()?;
        let address = match self.byte()? {
            0 => None,
            4 => Some(IpAddr::from(self.array::<4>()?)),
            _ => Some(IpAddr::from(self.array::<16>()?)),
        };
        let (user_agent, request, permission) = (self.optional()?, self.optional()?, self.optional()?);
        let decision = self.fixed()?;
        let rule = self.fixed()?.map(u32::from_le_bytes);
        let revision = self.fixed()?.map(u64::from_le_bytes);
        let reason = self.optional()?;
        let details = (0..self.byte()?).map(|_| self.detail()).collect::<Option<_>>()?;
        let ids = (0..self.u32()?).map(|_| self.text()).collect::<Option<_>>()?;
        let cut = self.u64()?;
        self.0.is_empty().then_some(Draft {
            at,
            code,
            outcome,
            delivery,
            event,
            subject,
            target,
            service,
            address,
            user_agent,
            request,
            permission,
            decision,
            rule,
            revision,
            reason,
            details,
            ids,
            cut,
        })
    }

    fn subject(&mut self) -> Option<DraftSubject<'a>> {
        Some(match self.byte()? {
            0 => DraftSubject::Principal {
                subject: self.text()?,
                tenant: self.text()?,
                attested: self.text()?,
                issuer: self.optional()?,
                credential: self.optional()?,
                session: self.optional()?,
                actor: self.optional()?,
            },
            1 => DraftSubject::Claimed { tenant: self.text()?, subject: self.text()? },
            2 => DraftSubject::Anonymous,
            _ => DraftSubject::Process(self.text()?),
        })
    }

    fn target(&mut self) -> Option<DraftTarget<'a>> {
        Some(match self.byte()? {
            0 => DraftTarget::Resource { tenant: self.text()?, kind: self.text()?, id: self.optional()? },
            1 => DraftTarget::Page { tenant: self.text()?, kind: self.text()?, denied: self.u64()? },
            _ => DraftTarget::Named { kind: self.text()?, name: self.text()? },
        })
    }

    fn detail(&mut self) -> Option<(&'a str, DetailValue<'a>)> {
        let name = self.text()?;
        let value = match self.byte()? {
            0 => DetailValue::Text(self.text()?),
            1 => DetailValue::Number(self.array().map(i64::from_le_bytes)?),
            _ => DetailValue::Flag(self.byte()? == 1),
        };
        Some((name, value))
    }
}

const fn outcome_byte(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Success => 0,
        Outcome::Denied => 1,
        Outcome::Failure => 2,
        Outcome::Unknown => 3,
    }
}

const fn outcome_of(byte: u8) -> Option<Outcome> {
    match byte {
        0 => Some(Outcome::Success),
        1 => Some(Outcome::Denied),
        2 => Some(Outcome::Failure),
        3 => Some(Outcome::Unknown),
        _ => None,
    }
}

const fn delivery_byte(delivery: Delivery) -> u8 {
    match delivery {
        Delivery::Critical => 0,
        Delivery::Standard => 1,
        Delivery::Bulk => 2,
    }
}

const fn delivery_of(byte: u8) -> Option<Delivery> {
    match byte {
        0 => Some(Delivery::Critical),
        1 => Some(Delivery::Standard),
        2 => Some(Delivery::Bulk),
        _ => None,
    }
}
