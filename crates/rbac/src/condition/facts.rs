//! Attributes: what is known of a resource and of a subject, compared with each other and with what the policy says.

use std::{collections::BTreeMap, fmt};

use bartizan_core::{Ask, Value};

use super::{
    Problem, Truth,
    entry::{Scalar, Set},
    words::{self, Exact, List},
};
use crate::{
    document::Word,
    names::{is_field, nearest, quoted},
};

/// `resource.NAME` or `subject.NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    whose: Whose,
    name: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Resource,
    Subject,
}

/// An attribute that must equal another or a literal. Values of different types are not unequal: nothing is known then.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Comparison {
    left: Named,
    right: Operand,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operand {
    Attribute(Named),
    Text(Exact),
    Number(i64),
    Flag(bool),
}

/// An attribute that must be one of several.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Membership {
    left: Named,
    right: Several,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Several {
    Attribute(Named),
    Texts(List<Exact>),
    Numbers(List<i64>),
}

pub(super) fn comparisons(pairs: BTreeMap<Word, Scalar>) -> Result<List<Comparison>, Problem> {
    read("equals", pairs, |left, right| Ok(Comparison { right: Operand::read(&left, right)?, left }))
}

pub(super) fn memberships(pairs: BTreeMap<Word, Set>) -> Result<List<Membership>, Problem> {
    read("in", pairs, |left, right| Ok(Membership { right: Several::read(&left, right)?, left }))
}

fn read<V, T: Ord>(
    key: &str,
    pairs: BTreeMap<Word, V>,
    make: impl Fn(Named, V) -> Result<T, String>,
) -> Result<List<T>, Problem> {
    words::counted(key, pairs.len()).map_err(Problem::here)?;
    let mut things = Vec::with_capacity(pairs.len());
    for (word, value) in pairs {
        let thing = Named::read(word.get_ref()).and_then(|left| make(left, value));
        things.push(thing.map_err(|detail| Problem::new(&word, format!("{key}: {detail}")))?);
    }
    Ok(List::sorted(things))
}

impl Comparison {
    pub(super) fn judge(&self, ask: &Ask<'_>) -> Truth {
        let left = self.left.value(ask);
        let right = match &self.right {
            Operand::Attribute(named) => named.value(ask),
            Operand::Text(text) => Some(Value::Text(text.as_str())),
            Operand::Number(number) => Some(Value::Number(*number)),
            Operand::Flag(flag) => Some(Value::Flag(*flag)),
        };
        match (left, right) {
            (Some(Value::Unavailable), _) | (_, Some(Value::Unavailable)) => Truth::Unavailable,
            (Some(Value::Text(one)), Some(Value::Text(two))) => Truth::of(one == two),
            (Some(Value::Number(one)), Some(Value::Number(two))) => Truth::of(one == two),
            (Some(Value::Flag(one)), Some(Value::Flag(two))) => Truth::of(one == two),
            _ => Truth::Absent,
        }
    }
}

impl Membership {
    pub(super) fn judge(&self, ask: &Ask<'_>) -> Truth {
        let left = self.left.value(ask);
        match (&self.right, left) {
            (_, Some(Value::Unavailable)) => Truth::Unavailable,
            (Several::Texts(texts), Some(Value::Text(text))) => Truth::of(texts.contains(text)),
            (Several::Numbers(numbers), Some(Value::Number(number))) => Truth::of(numbers.contains(&number)),
            (Several::Attribute(named), left) => {
                let wanted = match left {
                    Some(Value::Text(text)) => Some(text),
                    _ => None,
                };
                named.holds(wanted, ask)
            }
            _ => Truth::Absent,
        }
    }
}

impl Named {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("{} is not an attribute such as resource.NAME or subject.NAME", quoted(text));
        let (whose, name) = text.split_once('.').ok_or_else(wrong)?;
        let whose = Whose::read(whose).ok_or_else(wrong)?;
        if is_field(name) { Ok(Self { whose, name: name.into() }) } else { Err(wrong()) }
    }

    /// Its one value.
    fn value<'a>(&self, ask: &Ask<'a>) -> Option<Value<'a>> {
        match self.whose {
            Whose::Resource => ask.on.attribute(&self.name),
            Whose::Subject => ask.who.attribute(&self.name).map(Value::Text),
        }
    }

    /// Whether a text is one of its values.
    fn holds(&self, wanted: Option<&str>, ask: &Ask<'_>) -> Truth {
        match self.whose {
            Whose::Resource => match (ask.on.attribute(&self.name), wanted) {
                (Some(Value::Unavailable), _) => Truth::Unavailable,
                (Some(Value::Texts(texts)), Some(wanted)) => Truth::of(texts.contains(&wanted)),
                _ => Truth::Absent,
            },
            Whose::Subject => {
                let mut values = ask.who.attributes(&self.name).peekable();
                match (values.peek(), wanted) {
                    (Some(_), Some(wanted)) => Truth::of(values.any(|value| value == wanted)),
                    _ => Truth::Absent,
                }
            }
        }
    }
}

impl Whose {
    const WORDS: [&str; 2] = ["resource", "subject"];

    fn read(word: &str) -> Option<Self> {
        match word {
            "resource" => Some(Self::Resource),
            "subject" => Some(Self::Subject),
            _ => None,
        }
    }

    /// The word that a slip of the pen made another of.
    fn meant(word: &str) -> Option<&'static str> {
        let same = Self::WORDS.into_iter().find(|known| known.eq_ignore_ascii_case(word));
        same.or_else(|| nearest(word, Self::WORDS.into_iter()))
    }
}

impl Operand {
    fn read(left: &Named, scalar: Scalar) -> Result<Self, String> {
        let text = match scalar {
            Scalar::Text(text) => text,
            _ if left.whose == Whose::Subject => {
                return Err(format!("{left} is a text, as all attributes of a subject are"));
            }
            Scalar::Number(number) => return Ok(Self::Number(number)),
            Scalar::Flag(flag) => return Ok(Self::Flag(flag)),
        };
        let Some((whose, name)) = text.split_once('.') else {
            return Exact::read("it", &text).map(Self::Text);
        };
        if Whose::read(whose).is_some() {
            return other_than(left, Named::read(&text)?).map(Self::Attribute);
        }
        // SECURITY: taken for a text, a misspelt attribute would equal nothing, and a deny that hangs on it would never hold.
        match Whose::meant(whose).filter(|_| is_field(name)) {
            Some(meant) => Err(format!(
                "{} is nearly an attribute; did you mean \"{meant}.{name}\"? a text of this form goes into a list of `in`",
                quoted(&text)
            )),
            None => Exact::read("it", &text).map(Self::Text),
        }
    }
}

impl Several {
    fn read(left: &Named, set: Set) -> Result<Self, String> {
        let listed = match set {
            Set::Attribute(text) => return other_than(left, Named::read(&text)?).map(Self::Attribute),
            Set::Listed(listed) => listed,
        };
        words::counted("it", listed.len())?;
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        for scalar in listed {
            match scalar {
                Scalar::Text(text) => texts.push(Exact::read("it", &text)?),
                Scalar::Number(number) => numbers.push(number),
                Scalar::Flag(_) => {
                    return Err("a list has texts or whole numbers; true and false go into `equals`".into());
                }
            }
        }
        match (texts.is_empty(), numbers.is_empty()) {
            (false, true) => different(texts).map(Self::Texts),
            (true, false) if left.whose == Whose::Subject => {
                Err(format!("{left} is a text, as all attributes of a subject are"))
            }
            (true, false) => different(numbers).map(Self::Numbers),
            _ => Err("a list has texts or whole numbers, not both".into()),
        }
    }
}

fn other_than(left: &Named, right: Named) -> Result<Named, String> {
    if *left == right { Err(format!("{left} is compared with itself")) } else { Ok(right) }
}

fn different<T: Ord + fmt::Display>(mut things: Vec<T>) -> Result<List<T>, String> {
    things.sort_unstable();
    match words::repeated(&things, T::eq) {
        Some(thing) => Err(format!("a list says {thing} twice")),
        None => Ok(List::sorted(things)),
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.whose {
            Whose::Resource => "resource",
            Whose::Subject => "subject",
        };
        write!(f, "\"{whose}.{}\"", self.name)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ", self.left)?;
        match &self.right {
            Operand::Attribute(named) => named.fmt(f),
            Operand::Text(text) => text.fmt(f),
            Operand::Number(number) => number.fmt(f),
            Operand::Flag(flag) => flag.fmt(f),
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ", self.left)?;
        match &self.right {
            Several::Attribute(named) => named.fmt(f),
            Several::Texts(texts) => write!(f, "[{texts}]"),
            Several::Numbers(numbers) => write!(f, "[{numbers}]"),
        }
    }
}
