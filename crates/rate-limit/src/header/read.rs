//! Reads the fields of other services, strictly.

use crate::{Error, ErrorKind, HeaderVersion};

/// A policy that a service names: `"auth";q=5;w=900`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServicePolicy {
    /// Its name.
    pub name: String,
    /// How much is allowed.
    pub quota: u64,
    /// In how many seconds, if it says so.
    pub window: Option<u64>,
}

/// How much of a policy is left: `"auth";r=0;t=42`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceLimit {
    /// Its name.
    pub name: String,
    /// How much is left.
    pub remaining: u64,
    /// In how many seconds it is reset, if it says so.
    pub reset: Option<u64>,
}

/// Reads the value of `RateLimit-Policy`; several lines of it are joined with commas before.
///
/// At most 1,024 bytes and 16 policies with 16 parameters each. Parameters that the draft does not name are read over.
///
/// # Errors
/// [`ErrorKind::Header`].
pub fn read_policies(version: HeaderVersion, value: &str) -> Result<Vec<ServicePolicy>, Error> {
    let HeaderVersion::Draft11 = version;
    let policy = |item: Item| {
        let (quota, window) = (item.number("q")?, item.number("w")?);
        Some(ServicePolicy { quota: quota?, window, name: item.name })
    };
    read(value, policy)
}

/// Reads the value of `RateLimit`, within the bounds of [`read_policies`].
///
/// # Errors
/// [`ErrorKind::Header`].
pub fn read_limits(version: HeaderVersion, value: &str) -> Result<Vec<ServiceLimit>, Error> {
    let HeaderVersion::Draft11 = version;
    let limit = |item: Item| {
        let (remaining, reset) = (item.number("r")?, item.number("t")?);
        Some(ServiceLimit { remaining: remaining?, reset, name: item.name })
    };
    read(value, limit)
}

fn read<T>(value: &str, each: impl Fn(Item) -> Option<T>) -> Result<Vec<T>, Error> {
    let mut text = Text(value.as_bytes());
    let items = if value.len() > MAX_VALUE { None } else { text.list() };
    items.and_then(|items| items.into_iter().map(each).collect()).ok_or_else(|| ErrorKind::Header.into())
}

/// A string with parameters (RFC 9651 §3.3).
struct Item {
    name: String,
    parameters: Vec<(String, Bare)>,
}

enum Bare {
    Number(i64),
    /// A string, a token, bytes, a boolean or a decimal: nothing that the draft gives a number's place.
    Other,
}

impl Item {
    /// Nothing at all when it is there and no number or below zero; nothing inside when it is not there.
    #[expect(
        clippy::option_option,
        reason = "A parameter that is wrong and one that is absent are two things."
    )]
    fn number(&self, key: &str) -> Option<Option<u64>> {
        match self.parameters.iter().find(|(name, _)| name == key) {
            None => Some(None),
            Some((_, Bare::Number(number))) => u64::try_from(*number).ok().map(Some),
            Some((_, Bare::Other)) => None,
        }
    }
}

/// What is left to read. RFC 9651 §4.2, of which a list of strings with parameters is taken.
struct Text<'t>(&'t [u8]);

impl Text<'_> {
    fn list(&mut self) -> Option<Vec<Item>> {
        let mut items = Vec::new();
        self.skip(b" ");
        loop {
            items.push(self.item()?);
            self.skip(b" \t");
            if self.0.is_empty() {
                return Some(items);
            }
            self.eat(b',')?;
            self.skip(b" \t");
            if items.len() == MAX_ITEMS {
                return None;
            }
        }
    }

    fn item(&mut self) -> Option<Item> {
        let name = self.string()?;
        if name.is_empty() {
            return None;
        }
        let mut parameters: Vec<(String, Bare)> = Vec::new();
        while self.eat(b';').is_some() {
            self.skip(b" ");
            let key = self.key()?;
            let value = if self.eat(b'=').is_some() { self.bare()? } else { Bare::Other };
            // The standard takes the last of two. One who writes two has a mistake, or wants two readers to disagree.
            if parameters.len() == MAX_PARAMETERS || parameters.iter().any(|(earlier, _)| *earlier == key) {
                return None;
            }
            parameters.push((key, value));
        }
        Some(Item { name, parameters })
    }

    fn key(&mut self) -> Option<String> {
        let starts = matches!(self.0.first(), Some(b'a'..=b'z' | b'*'));
        let known = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*');
        starts.then(|| self.run(known))
    }

    fn bare(&mut self) -> Option<Bare> {
        match self.0.first()? {
            b'"' => self.string().map(|_| Bare::Other),
            b':' => {
                self.eat(b':')?;
                self.run(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
                self.eat(b':').map(|()| Bare::Other)
            }
            b'?' => {
                self.eat(b'?')?;
                self.eat(b'0').or_else(|| self.eat(b'1')).map(|()| Bare::Other)
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'*' => {
                self.run(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte));
                Some(Bare::Other)
            }
            _ => None,
        }
    }

    /// An integer of at most 15 digits, or a decimal.
    fn number(&mut self) -> Option<Bare> {
        let sign = if self.eat(b'-').is_some() { -1 } else { 1 };
        let digits = self.run(|byte| byte.is_ascii_digit());
        if !matches!(digits.len(), 1..=15) {
            return None;
        }
        if self.eat(b'.').is_none() {
            return digits.parse::<i64>().ok().map(|number| Bare::Number(number * sign));
        }
        let fraction = self.run(|byte| byte.is_ascii_digit());
        (digits.len() <= 12 && matches!(fraction.len(), 1..=3)).then_some(Bare::Other)
    }

    fn string(&mut self) -> Option<String> {
        self.eat(b'"')?;
        let mut text = String::new();
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            match byte {
                b'"' => return Some(text),
                b'\\' => {
                    let (escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    matches!(escaped, b'"' | b'\\').then(|| text.push(char::from(*escaped)))?;
                }
                b' '..=b'~' => text.push(char::from(*byte)),
                _ => return None,
            }
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == byte).then(|| self.0 = rest)
    }

    fn skip(&mut self, bytes: &[u8]) {
        self.run(|byte| bytes.contains(&byte));
    }

    /// As many bytes as are of this kind, all of them ASCII.
    fn run(&mut self, known: impl Fn(u8) -> bool) -> String {
        let length = self.0.iter().position(|byte| !known(*byte)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at_checked(length).unwrap_or_default();
        self.0 = rest;
        run.iter().copied().map(char::from).collect()
    }
}

const MAX_VALUE: usize = 1_024;
const MAX_ITEMS: usize = 16;
const MAX_PARAMETERS: usize = 16;
