//! Strict JSON for header and claims: scanned once from front to back, in place, every member once, limits on nesting and
//! number (RFC 8259, RFC 8725 §3.10).
//!
//! It takes and refuses what `strict` does over `serde_json`, which keys are still read by: a property test holds one to the
//! other. Why there are two: docs/adr/0013-own-scanner.md.

mod escapes;
mod members;
mod numbers;
mod own;

use std::borrow::Cow;

use self::escapes::{unescape, unescaped};
pub(crate) use self::members::{Members, Record};
use crate::{
    Error, ErrorKind,
    eight::{Eight, before_quote, is_plain},
    names::{MAX_NAME, is_name},
    strict::{self, Known, Names},
    text::{Text, Texts},
};

/// Where the scan is, and how much it may still read.
pub(crate) struct Scanner<'j> {
    json: &'j str,
    /// INVARIANT(scan-at): the offset of a character, or the end: it is moved past whole characters only.
    at: usize,
    values: usize,
    depth: usize,
    /// The whole text is printable ASCII without a backslash, as most are: a string in it ends at the next quote, and stands there
    /// as it is.
    is_plain: bool,
    /// The member whose value is read now. A wrong type is about this one.
    pub(crate) about: Option<&'static str>,
    /// What those names say that have escapes. Their places are those behind the JSON text.
    pub(crate) unescaped: String,
}

/// Why a scan stopped. What it is about is known to the scanner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// This is no JSON.
    Malformed,
    /// It is JSON, and not what is expected here.
    WrongType,
    /// It is JSON of the right type, and refused.
    Refused(ErrorKind),
}

pub(crate) type Read<T> = Result<T, Stop>;

/// Where in an array or object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    First,
    Later,
}

/// The members of one object so far.
pub(crate) struct Seen<'j> {
    known: u32,
    others: Names<'j>,
    position: Position,
}

/// A string as it stands in the text, without its quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// Only printable ASCII.
    is_plain: bool,
    has_escapes: bool,
}

impl<'j> Scanner<'j> {
    /// Reads one whole text: `read` reads a value, and nothing may come behind it.
    pub(crate) fn read<T>(
        json: &'j str,
        values: usize,
        depth: usize,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Result<T, Error> {
        Self::begin(json, values, depth, |scan| {
            let value = read(scan)?;
            if scan.peek().is_none() { Ok(value) } else { Err(Stop::Malformed) }
        })
    }

    /// Reads as much of a text as `read` does. What stands behind that may be anything.
    pub(crate) fn begin<T>(
        json: &'j str,
        values: usize,
        depth: usize,
        read: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Result<T, Error> {
        let is_plain = is_plain(json);
        let mut scan = Self { json, at: 0, values, depth, is_plain, about: None, unescaped: String::new() };
        read(&mut scan).map_err(|stop| match (stop, scan.about) {
            (Stop::Refused(kind), Some(about)) => Error::about(kind, about),
            (Stop::Refused(kind), None) => kind.into(),
            (Stop::WrongType, Some(about)) => Error::about(ErrorKind::ClaimType, about),
            (Stop::WrongType, None) | (Stop::Malformed, _) => ErrorKind::Malformed.into(),
        })
    }

    /// Begins an object. To be read to its end with [`Scanner::key`].
    pub(crate) fn object(&mut self) -> Read<Position> {
        if self.peek() != Some(b'{') {
            return Err(self.wrong_type());
        }
        self.at += 1;
        self.enter()?;
        Ok(Position::First)
    }

    /// Begins an object. To be read to its end with [`Scanner::next`].
    pub(crate) fn members(&mut self) -> Read<Seen<'j>> {
        Ok(Seen { known: 0, others: Names::new(), position: self.object()? })
    }

    /// The name of the next member, counted, or the end of the object. Next comes [`Scanner::colon`].
    #[inline(always)]
    pub(crate) fn key(&mut self, position: &mut Position) -> Read<Option<Cow<'j, str>>> {
        self.about = None;
        let name = self.member(position)?;
        if name.is_some() {
            self.count()?;
        }
        Ok(name)
    }

    /// SECURITY: refuses names that `serde_json` means something by; see [`strict::is_allowed_name`].
    #[inline(always)]
    pub(crate) fn check_name(name: &str) -> Read<()> {
        if strict::is_allowed_name(name) { Ok(()) } else { Err(Stop::Refused(ErrorKind::Malformed)) }
    }

    /// The next member of an object, whose value is to be read next: nothing at the end of the object, `Some(None)` for a
    /// name that the parser does not know.
    ///
    /// SECURITY: a name comes once. One that differs from a known name by letter case alone is refused as well: readers that
    /// fold case would be told something else, and some of them fold as Unicode does (Go's `encoding/json`: `ſub` is `sub`).
    pub(crate) fn next<K: Known>(&mut self, seen: &mut Seen<'j>) -> Read<Option<Option<K>>> {
        self.next_recorded(seen, &mut ())
    }

    /// The same, with somebody who is told of it.
    #[inline]
    pub(crate) fn next_recorded<K: Known>(
        &mut self,
        seen: &mut Seen<'j>,
        record: &mut impl Record,
    ) -> Read<Option<Option<K>>> {
        let Some(name) = self.key(&mut seen.position)? else {
            return Ok(None);
        };
        let known = K::named(&name);
        record.member(self, &name, known.map_or(0, K::bit))?;
        if let Some(known) = known {
            self.about = Some(known.name());
            if seen.known & known.bit() != 0 {
                return Err(Stop::Refused(ErrorKind::Duplicate));
            }
            seen.known |= known.bit();
            self.colon()?;
            return Ok(Some(Some(known)));
        }
        Self::check_name(&name)?;
        if strict::is_spelling_of_any::<K>(&name) || !seen.others.insert(name) {
            return Err(Stop::Refused(ErrorKind::Duplicate));
        }
        self.colon()?;
        Ok(Some(None))
    }

    /// A string, unescaped.
    pub(crate) fn string(&mut self) -> Read<Cow<'j, str>> {
        let span = self.span()?;
        self.cow(span)
    }

    /// A string of 1 to 255 bytes without control characters.
    #[inline(always)]
    pub(crate) fn name(&mut self) -> Read<Text> {
        let span = self.name_span()?;
        if span.has_escapes {
            let start = self.json.len() + self.unescaped.len();
            let text = self.cow(span)?;
            self.unescaped.push_str(&text);
            return Text::at(start, text.len()).ok_or(Stop::Malformed);
        }
        Text::at(span.start, span.end - span.start).ok_or(Stop::Malformed)
    }

    #[inline(always)]
    fn name_span(&mut self) -> Read<Span> {
        let span = self.span()?;
        let is_name = match span {
            Span { is_plain: true, has_escapes: false, .. } => {
                (1..=MAX_NAME).contains(&(span.end - span.start))
            }
            _ => is_name(&self.cow(span)?),
        };
        if is_name { Ok(span) } else { Err(Stop::WrongType) }
    }

    /// An array of at most so many names.
    pub(crate) fn names(&mut self, most: usize) -> Read<Texts> {
        let mut position = self.array()?;
        let (start, mut end, mut count, mut has_escapes) = (self.at, self.at, 0, false);
        while self.element(&mut position)? {
            has_escapes |= self.name_span()?.has_escapes;
            self.count()?;
            if count == most {
                return Err(Stop::Refused(ErrorKind::TooLarge));
            }
            count += 1;
            end = self.at;
        }
        if has_escapes {
            return self.unescaped_names(start, count);
        }
        Texts::array(start, end, count).ok_or(Stop::Malformed)
    }

    /// The names of an array that was read before, from its first, each on a line of its own.
    #[cold]
    fn unescaped_names(&mut self, start: usize, count: usize) -> Read<Texts> {
        let end = std::mem::replace(&mut self.at, start);
        let first = self.json.len() + self.unescaped.len();
        let mut position = Position::First;
        for _ in 0..count {
            self.element(&mut position)?;
            let name = self.string()?;
            self.unescaped.push_str(&name);
            self.unescaped.push('\n');
        }
        self.at = end;
        Texts::lines(first, self.json.len() + self.unescaped.len(), count).ok_or(Stop::Malformed)
    }

    /// A name or an array of names (RFC 7519 §4.1.3).
    pub(crate) fn name_or_names(&mut self, most: usize) -> Read<Texts> {
        if self.peek() == Some(b'[') {
            return self.names(most);
        }
        self.name().map(Texts::from)
    }

    /// A number of digits alone, if it fits.
    pub(crate) fn whole_number(&mut self) -> Read<u64> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number()?.ok_or(Stop::WrongType),
            _ => Err(self.wrong_type()),
        }
    }

    /// Whether a value is this text. Any other value is read to its end, and is not.
    pub(crate) fn says(&mut self, text: &str) -> Read<bool> {
        if self.peek() == Some(b'"') {
            return Ok(self.string()? == text);
        }
        self.skip()?;
        Ok(false)
    }

    /// Any value: read to its end and checked like everything else, but not kept.
    pub(crate) fn skip(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.quoted().map(|_| ()),
            Some(b'{') => self.skip_object(),
            Some(b'[') => self.skip_array(),
            _ => self.scalar(),
        }
    }

    /// Any object, read and checked in the same way.
    pub(crate) fn skip_object(&mut self) -> Read<()> {
        let mut names = Names::new();
        let mut position = self.object()?;
        while let Some(name) = self.member(&mut position)? {
            self.count()?;
            Self::check_name(&name)?;
            if !names.insert(name) {
                return Err(Stop::Refused(ErrorKind::Duplicate));
            }
            self.colon()?;
            self.skip()?;
        }
        Ok(())
    }

    fn skip_array(&mut self) -> Read<()> {
        let mut position = self.array()?;
        while self.element(&mut position)? {
            self.skip()?;
            self.count()?;
        }
        Ok(())
    }

    fn array(&mut self) -> Read<Position> {
        if self.peek() != Some(b'[') {
            return Err(self.wrong_type());
        }
        self.at += 1;
        self.enter()?;
        Ok(Position::First)
    }

    /// The value here is of the wrong type, unless it is no value at all.
    #[cold]
    fn wrong_type(&mut self) -> Stop {
        match self.peek() {
            Some(b'{' | b'[') => Stop::WrongType,
            _ => self.scalar().err().unwrap_or(Stop::WrongType),
        }
    }

    /// A value that is neither array nor object.
    fn scalar(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.span().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => Err(Stop::Malformed),
        }
    }

    /// The name of the next member, or the end of the object.
    #[inline(always)]
    fn member(&mut self, position: &mut Position) -> Read<Option<Cow<'j, str>>> {
        match (self.peek(), *position) {
            (Some(b'}'), _) => {
                self.at += 1;
                self.depth += 1;
                return Ok(None);
            }
            (Some(b','), Position::Later) => self.at += 1,
            (_, Position::Later) => return Err(Stop::Malformed),
            (_, Position::First) => *position = Position::Later,
        }
        if self.peek() != Some(b'"') {
            return Err(Stop::Malformed);
        }
        let span = self.quoted()?;
        self.cow(span).map(Some)
    }

    /// What stands between a name and its value.
    #[inline(always)]
    pub(crate) fn colon(&mut self) -> Read<()> {
        if self.peek() != Some(b':') {
            return Err(Stop::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether there is one more element, which is to be read next.
    #[inline(always)]
    fn element(&mut self, position: &mut Position) -> Read<bool> {
        match (self.peek(), *position) {
            (Some(b']'), _) => {
                self.at += 1;
                self.depth += 1;
                return Ok(false);
            }
            (Some(b','), Position::Later) => self.at += 1,
            (_, Position::Later) => return Err(Stop::Malformed),
            (_, Position::First) => *position = Position::Later,
        }
        Ok(true)
    }

    /// One level down; back at its end.
    #[inline(always)]
    fn enter(&mut self) -> Read<()> {
        self.depth = self.depth.checked_sub(1).ok_or(Stop::Refused(ErrorKind::TooLarge))?;
        Ok(())
    }

    /// One more member or element.
    #[inline(always)]
    fn count(&mut self) -> Read<()> {
        self.values = self.values.checked_sub(1).ok_or(Stop::Refused(ErrorKind::TooLarge))?;
        Ok(())
    }

    /// The next byte that is no white space.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                byte => return byte,
            }
        }
    }

    #[inline(always)]
    fn byte(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn word(&mut self, word: &str) -> Read<()> {
        let rest = self.json.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Stop::Malformed);
        }
        self.at += word.len();
        Ok(())
    }

    /// A string, with its escapes checked and left as they are.
    #[inline(always)]
    fn span(&mut self) -> Read<Span> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            _ => Err(self.wrong_type()),
        }
    }

    /// The string that begins at this quote.
    #[inline(always)]
    fn quoted(&mut self) -> Read<Span> {
        let bytes = self.json.as_bytes();
        let start = self.at.wrapping_add(1);
        if self.is_plain {
            let end = quote(bytes, start).ok_or(Stop::Malformed)?;
            self.at = end.wrapping_add(1);
            return Ok(Span { start, end, is_plain: true, has_escapes: false });
        }
        // Most names and many values end within eight bytes.
        let (end, is_plain) = match bytes.get(start..).and_then(|rest| rest.first_chunk()) {
            Some(eight) if Eight::of(*eight).has_end() => {
                let eight = Eight::of(*eight);
                (start.wrapping_add(eight.before_end()), eight.is_printable_before_end())
            }
            _ => run(self.json, start),
        };
        if bytes.get(end) == Some(&b'"') {
            self.at = end.wrapping_add(1);
            return Ok(Span { start, end, is_plain, has_escapes: false });
        }
        self.escaped(start, end)
    }

    /// The rest of a string in which a backslash comes first, if anything good does.
    #[cold]
    fn escaped(&mut self, start: usize, backslash: usize) -> Read<Span> {
        self.at = backslash;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                _ => return Err(Stop::Malformed),
            }
            self.at = run(self.json, self.at).0;
        }
        let end = self.at;
        self.at += 1;
        Ok(Span { start, end, is_plain: false, has_escapes: true })
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Read<()> {
        match unescape(self.json.as_bytes().get(self.at..).unwrap_or_default()) {
            Some((_, length)) => {
                self.at += length;
                Ok(())
            }
            None => Err(Stop::Malformed),
        }
    }

    #[inline(always)]
    fn slice(&self, span: Span) -> Read<&'j str> {
        // INVARIANT(scan-at): both ends are next to a quote, so this slice exists.
        self.json.get(span.start..span.end).ok_or(Stop::Malformed)
    }

    #[inline(always)]
    fn cow(&self, span: Span) -> Read<Cow<'j, str>> {
        let text = self.slice(span)?;
        if !span.has_escapes {
            return Ok(Cow::Borrowed(text));
        }
        unescaped(text).map(Cow::Owned).ok_or(Stop::Malformed)
    }
}

/// Where the next quote is.
#[inline(always)]
fn quote(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        if let Some(before) = before_quote(*eight) {
            return Some(at.wrapping_add(before));
        }
        at = at.wrapping_add(8);
    }
    let rest = bytes.get(at..)?.iter().position(|byte| *byte == b'"')?;
    Some(at.wrapping_add(rest))
}

/// Where the next quote, backslash or control character is, or the end of the text. Whether all before it is printable ASCII.
fn run(json: &str, start: usize) -> (usize, bool) {
    let mut rest = json.as_bytes().get(start..).unwrap_or_default();
    let mut is_plain = true;
    // Sixteen bytes at a time as long as nothing special is among them, then eight, and at the very end of the text one by one.
    while let Some((sixteen, more)) = rest.split_first_chunk::<16>() {
        if sixteen.iter().fold(false, |any, byte| any | is_special(*byte)) {
            break;
        }
        rest = more;
    }
    while let Some((eight, more)) = rest.split_first_chunk() {
        let eight = Eight::of(*eight);
        is_plain &= eight.is_printable_before_end();
        if eight.has_end() {
            return (json.len() - rest.len() + eight.before_end(), is_plain);
        }
        rest = more;
    }
    for (before, byte) in rest.iter().enumerate() {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            return (json.len() - rest.len() + before, is_plain);
        }
        is_plain &= !is_special(*byte);
    }
    (json.len(), is_plain)
}

/// Whether a byte ends a run or is no printable ASCII. Without a branch, so that sixteen are looked at in one go.
#[inline(always)]
const fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20) | (byte > b'~')
}

#[cfg(test)]
mod tests;
