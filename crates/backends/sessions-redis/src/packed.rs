//! Rows of sessions, entries of the outbox and what a rotation is asked, as bytes: one value each, which a script takes apart by one
//! call. `lua/sessions.lua` and `lua/current.lua` know the same places. Numbers are big-endian, times are in milliseconds.

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Digest, Ended, Entry, Epochs, Error, Facts, Happening, Kind, Note, Rotate, Session, SessionId,
    SessionKey, StoredSession, from_millis, to_millis,
};

use crate::{names::Name, row::damaged};

/// The first byte of a row. A later version that changes anything of it, or of what its facts may be, counts up: then this one
/// neither reads nor writes its rows.
const ROW_FORMAT: u8 = 2;

/// The length of a row without its texts.
const HEAD: usize = 258;

/// Bytes, from front to back.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (read, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(read)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (read, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(*read)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn length(&mut self) -> Result<usize, Error> {
        usize::try_from(self.u32()?).map_err(|_| damaged())
    }

    fn time(&mut self) -> Result<UnixTime, Error> {
        Ok(from_millis(i64::from_be_bytes(self.array()?)))
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes(length)?).map_err(|_| damaged())
    }

    fn yes(&mut self) -> Result<bool, Error> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged()),
        }
    }

    fn end(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

/// What a rotation changes of a session.
struct Used {
    generation: u64,
    seen: UnixTime,
    idle_expires: UnixTime,
}

impl Used {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let generation = u64::from_be_bytes(reader.array()?);
        Ok(Self { generation, seen: reader.time()?, idle_expires: reader.time()? })
    }
}

/// The back part of a row, from `expires` to its end.
fn session(mut reader: Reader<'_>, used: &Used) -> Result<(Session, Option<(UnixTime, Ended)>), Error> {
    let (expires, begun, ended) = (reader.time()?, reader.time()?, reader.time()?);
    let kind = match reader.byte()? {
        REFRESH => Kind::Refresh,
        COOKIE => Kind::Cookie,
        _ => return Err(damaged()),
    };
    let (facts, why) = (reader.length()?, usize::from(reader.byte()?));
    let key = SessionKey::from_bytes(reader.array()?);
    let epochs = Epochs { subject: reader.u32()?, global: reader.u32()? };
    let (tenant, subject) = (reader.length()?, reader.length()?);
    let session = Session {
        id: SessionId { key, epochs },
        kind,
        tenant: reader.text(tenant)?.into(),
        subject: reader.text(subject)?.into(),
        begun,
        seen: used.seen,
        idle_expires: used.idle_expires,
        expires,
        generation: used.generation,
        facts: Facts::from_text(reader.text(facts)?)?,
    };
    let why = match reader.text(why)? {
        "" => None,
        why => Some((ended, Ended::parse(why)?)),
    };
    reader.end()?;
    Ok((session, why))
}

const REFRESH: u8 = 0;
const COOKIE: u8 = 1;

/// What `lua/current.lua` answers: the session as it is now, without what proves its ownership.
pub(crate) fn rotated(bytes: &[u8]) -> Result<Session, Error> {
    let mut reader = Reader(bytes);
    let used = Used::read(&mut reader)?;
    match session(reader, &used)? {
        (session, None) => Ok(session),
        (_, Some(_)) => Err(damaged()),
    }
}

/// A row.
pub(crate) fn row(bytes: &[u8], selector: Digest) -> Result<StoredSession, Error> {
    let mut reader = Reader(bytes);
    if reader.byte()? != ROW_FORMAT {
        return Err(damaged());
    }
    let is_bound = reader.yes()?;
    let _owner: Name = reader.array()?;
    let (has_previous, has_nonce) = (reader.yes()?, reader.yes()?);
    let (current, grace_until) = (Digest::from_bytes(reader.array()?), reader.time()?);
    let used = Used::read(&mut reader)?;
    let (previous, nonce, binding) = (reader.array()?, reader.array()?, reader.array()?);
    let (session, ended) = session(reader, &used)?;
    Ok(StoredSession {
        session,
        selector,
        current,
        previous: has_previous.then(|| Digest::from_bytes(previous)),
        nonce: has_nonce.then_some(nonce),
        grace_until,
        binding: is_bound.then(|| Digest::from_bytes(binding)),
        ended,
    })
}

/// The bytes of a row that is to begin.
pub(crate) fn pack_row(row: &StoredSession, owner: Name) -> Result<Vec<u8>, Error> {
    let session = &row.session;
    let facts = session.facts.to_text()?;
    let why = row.ended.map_or("", |(_, why)| why.as_str());
    let mut out =
        Vec::with_capacity(HEAD + session.tenant.len() + session.subject.len() + facts.len() + why.len());
    out.extend([ROW_FORMAT, u8::from(row.binding.is_some())]);
    out.extend(owner);
    out.extend([u8::from(row.previous.is_some()), u8::from(row.nonce.is_some())]);
    out.extend(row.current.as_bytes());
    put_time(&mut out, row.grace_until);
    out.extend(session.generation.to_be_bytes());
    put_time(&mut out, session.seen);
    put_time(&mut out, session.idle_expires);
    out.extend(row.previous.as_ref().map_or(&NOTHING, Digest::as_bytes));
    out.extend(row.nonce.as_ref().unwrap_or(&NOTHING));
    out.extend(row.binding.as_ref().map_or(&NOTHING, Digest::as_bytes));
    put_time(&mut out, session.expires);
    put_time(&mut out, session.begun);
    put_time(&mut out, row.ended.map_or(from_millis(0), |(at, _)| at));
    out.push(match session.kind {
        Kind::Refresh => REFRESH,
        Kind::Cookie => COOKIE,
    });
    put_length(&mut out, facts.len())?;
    out.push(u8::try_from(why.len()).map_err(|_| damaged())?);
    out.extend(session.id.key.as_bytes());
    // The script puts those of now.
    out.extend([0; 8]);
    put_length(&mut out, session.tenant.len())?;
    put_length(&mut out, session.subject.len())?;
    for text in [&session.tenant, &session.subject, facts.as_str(), why] {
        out.extend(text.as_bytes());
    }
    Ok(out)
}

const NOTHING: [u8; 32] = [0; 32];

/// What a rotation is asked, but for its facts: `lua/asked.lua`.
pub(crate) fn pack_asked(ask: &Rotate) -> Vec<u8> {
    let mut out = Vec::with_capacity(ASKED);
    put_time(&mut out, ask.now);
    put_time(&mut out, ask.now.saturating_add(ask.idle));
    put_time(&mut out, ask.now.saturating_add(ask.grace));
    out.extend(ask.presented.as_bytes());
    out.extend(ask.next.as_bytes());
    let selector = ask.next_selector.as_ref().map(Digest::as_bytes);
    for optional in [ask.nonce.as_ref(), ask.binding.as_ref().map(Digest::as_bytes), selector] {
        let bytes = optional.map_or(&[][..], |bytes| bytes);
        out.push(if bytes.is_empty() { 0 } else { 32 });
        out.extend(bytes);
    }
    out.push((!ask.grace.is_zero()).into());
    put_time(&mut out, ask.remember_until);
    out
}

/// The most bytes of it.
const ASKED: usize = 3 * 8 + 2 * 32 + 3 * 33 + 1 + 8;

fn put_time(out: &mut Vec<u8>, time: UnixTime) {
    out.extend(to_millis(time).to_be_bytes());
}

fn put_length(out: &mut Vec<u8>, length: usize) -> Result<(), Error> {
    out.extend(u32::try_from(length).map_err(|_| damaged())?.to_be_bytes());
    Ok(())
}

/// An entry of the outbox: `record` of `lua/common.lua`.
pub(crate) fn entry(number: u64, bytes: &[u8]) -> Result<Entry, Error> {
    let mut reader = Reader(bytes);
    let at = reader.time()?;
    let what = usize::from(reader.byte()?);
    let happening = Happening::parse(reader.text(what)?)?;
    let about = reader.length()?;
    let about = reader.text(about)?.into();
    let has_session = reader.yes()?;
    let key = SessionKey::from_bytes(reader.array()?);
    let epochs = Epochs { subject: reader.u32()?, global: reader.u32()? };
    let (tenant, subject) = (reader.length()?, reader.length()?);
    Ok(Entry {
        number,
        at,
        happening,
        tenant: reader.text(tenant)?.into(),
        subject: reader.text(subject)?.into(),
        session: has_session.then_some(SessionId { key, epochs }),
        about,
        note: Note(reader.text(reader.0.len())?.into()),
    })
}

#[cfg(test)]
mod tests {
    use bartizan_sessions::ErrorKind;
    use proptest::{collection::vec, option, prelude::*, sample::Index};

    use super::*;

    fn rows() -> impl Strategy<Value = StoredSession> {
        let digests = || any::<[u8; 32]>().prop_map(Digest::from_bytes);
        let times = || (-4_000_000_000_000..4_000_000_000_000_i64).prop_map(from_millis);
        let ended = option::of((times(), Just(Ended::CredentialChanged)));
        let proofs = (digests(), option::of(digests()), option::of(any::<[u8; 32]>()), option::of(digests()));
        let texts = ("\\PC{0,20}", "\\PC{0,20}", option::of("\\PC{0,20}"));
        (proofs, vec(times(), 5), any::<u64>(), any::<[u8; 16]>(), texts, ended, any::<bool>()).prop_map(
            |(proofs, times, generation, key, texts, ended, is_cookie)| {
                let (current, previous, nonce, binding) = proofs;
                let mut facts = Facts::default();
                facts.acr = texts.2.map(Into::into);
                let session = Session {
                    id: SessionId { key: SessionKey::from_bytes(key), epochs: Epochs::default() },
                    kind: if is_cookie { Kind::Cookie } else { Kind::Refresh },
                    tenant: texts.0.into(),
                    subject: texts.1.into(),
                    begun: times[0],
                    seen: times[1],
                    idle_expires: times[2],
                    expires: times[3],
                    generation,
                    facts,
                };
                let selector = Digest::from_bytes([1; 32]);
                let grace_until = times[4];
                StoredSession { session, selector, current, previous, nonce, grace_until, binding, ended }
            },
        )
    }

    fn is_refused<T>(read: Result<T, Error>) -> bool {
        read.is_err_and(|error| error.kind() == ErrorKind::Integrity)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_row_is_read_as_it_was_packed(written in rows(), cut in any::<Index>()) {
            let bytes = pack_row(&written, [9; 32]).expect("a row");
            prop_assert_eq!(row(&bytes, written.selector).expect("a row"), written.clone());
            let shown = [&bytes[76..100], &bytes[196..]].concat();
            match written.ended {
                None => prop_assert_eq!(rotated(&shown).expect("a session"), written.session),
                Some(_) => prop_assert!(is_refused(rotated(&shown))),
            }
            prop_assert!(is_refused(row(&bytes[..cut.index(bytes.len())], written.selector)));
            prop_assert!(is_refused(row(&[&bytes[..], b"x"].concat(), written.selector)));
            prop_assert!(is_refused(row(&[&[ROW_FORMAT + 1], &bytes[1..]].concat(), written.selector)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(written in rows(), place in any::<Index>(), with in any::<u8>(), noise in vec(any::<u8>(), 0..400)) {
            let refused = |error: Error| error.kind() == ErrorKind::Integrity;
            let mut bytes = pack_row(&written, [9; 32]).expect("a row");
            bytes[place.index(HEAD)] = with;
            for bytes in [&bytes, &noise] {
                prop_assert!(row(bytes, written.selector).map_or_else(refused, |_| true));
                prop_assert!(rotated(bytes).map_or_else(refused, |_| true));
                prop_assert!(entry(1, bytes).map_or_else(refused, |_| true));
            }
        }
    }
}
