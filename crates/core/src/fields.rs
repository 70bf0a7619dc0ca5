//! Which fields of a record may be shown in clear.

use std::{fmt, sync::Arc};

/// A set of field names. Cloning it costs at most one reference count.
///
/// ```
/// use bartizan_core::FieldSet;
///
/// let nurse = FieldSet::named(["name", "medicalRecord"]);
/// assert!(nurse.contains("name") && !nurse.contains("ssn"));
/// assert!(FieldSet::everything().contains("ssn") && !FieldSet::nothing().contains("ssn"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FieldSet(Shape);

/// INVARIANT(sorted-fields): `Named` and `AllBut` hold sorted names without repeats, and at least one.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Shape {
    Nothing,
    Everything,
    Named(Arc<[Box<str>]>),
    AllBut(Arc<[Box<str>]>),
}

impl FieldSet {
    /// No field.
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Shape::Nothing)
    }

    /// Every field, also those that a later version of the schema adds.
    #[must_use]
    pub const fn everything() -> Self {
        Self(Shape::Everything)
    }

    /// These fields and no other.
    #[must_use]
    pub fn named<I, S>(names: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<Box<str>>,
    {
        let names = sorted(names.into_iter().map(Into::into).collect());
        Self(if names.is_empty() { Shape::Nothing } else { Shape::Named(names.into()) })
    }

    /// Every field but these, also those that a later version of the schema adds.
    #[must_use]
    pub fn everything_but<I, S>(names: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<Box<str>>,
    {
        let names = sorted(names.into_iter().map(Into::into).collect());
        Self(if names.is_empty() { Shape::Everything } else { Shape::AllBut(names.into()) })
    }

    /// Whether a field may be shown in clear.
    #[must_use]
    pub fn contains(&self, field: &str) -> bool {
        match &self.0 {
            Shape::Nothing => false,
            Shape::Everything => true,
            Shape::Named(names) => holds(names, field),
            Shape::AllBut(names) => !holds(names, field),
        }
    }

    /// Whether no field is in it.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self.0, Shape::Nothing)
    }

    /// The fields that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Shape::Nothing, _) | (_, Shape::Nothing) => Self::nothing(),
            (Shape::Everything, _) => other.clone(),
            (_, Shape::Everything) => self.clone(),
            (Shape::Named(names), _) => {
                Self::named(names.iter().filter(|name| other.contains(name)).cloned())
            }
            (_, Shape::Named(names)) => Self::named(names.iter().filter(|name| self.contains(name)).cloned()),
            (Shape::AllBut(one), Shape::AllBut(two)) => {
                Self::everything_but(one.iter().chain(two.iter()).cloned())
            }
        }
    }

    /// The fields that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Shape::Everything, _) | (_, Shape::Everything) => Self::everything(),
            (Shape::Nothing, _) => other.clone(),
            (_, Shape::Nothing) => self.clone(),
            (Shape::Named(one), Shape::Named(two)) => Self::named(one.iter().chain(two.iter()).cloned()),
            (Shape::AllBut(hidden), _) => {
                Self::everything_but(hidden.iter().filter(|name| !other.contains(name)).cloned())
            }
            (_, Shape::AllBut(hidden)) => {
                Self::everything_but(hidden.iter().filter(|name| !self.contains(name)).cloned())
            }
        }
    }

    /// The names that the set is written with: those that it holds, or those that it leaves out.
    #[must_use]
    pub fn mentioned(&self) -> &[Box<str>] {
        match &self.0 {
            Shape::Nothing | Shape::Everything => &[],
            Shape::Named(names) | Shape::AllBut(names) => names,
        }
    }

    /// The names, when they can be listed: nothing for [`FieldSet::everything`] and [`FieldSet::everything_but`].
    #[must_use]
    pub fn names(&self) -> Option<&[Box<str>]> {
        match &self.0 {
            Shape::Nothing => Some(&[]),
            Shape::Named(names) => Some(names),
            Shape::Everything | Shape::AllBut(_) => None,
        }
    }
}

fn sorted(mut names: Vec<Box<str>>) -> Vec<Box<str>> {
    names.sort_unstable();
    names.dedup();
    names
}

fn holds(names: &[Box<str>], field: &str) -> bool {
    names.binary_search_by(|name| (**name).cmp(field)).is_ok()
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Nothing => f.write_str("nothing"),
            Shape::Everything => f.write_str("everything"),
            Shape::Named(names) => f.debug_set().entries(names.iter()).finish(),
            Shape::AllBut(names) => {
                f.write_str("everything but ").and_then(|()| f.debug_set().entries(names.iter()).finish())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_set() -> impl Strategy<Value = FieldSet> {
        (0_u8..4, proptest::collection::vec("[a-e]", 0..5)).prop_map(|(shape, names)| match shape {
            0 => FieldSet::nothing(),
            1 => FieldSet::everything(),
            2 => FieldSet::named(names),
            _ => FieldSet::everything_but(names),
        })
    }

    proptest! {
        #[test]
        fn set_algebra_holds_for_every_field(one in any_set(), two in any_set(), field in "[a-f]") {
            prop_assert_eq!(one.intersection(&two).contains(&field), one.contains(&field) && two.contains(&field));
            prop_assert_eq!(one.union(&two).contains(&field), one.contains(&field) || two.contains(&field));
        }
    }
}
