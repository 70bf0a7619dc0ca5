//! Short lists that live on the stack.

use std::ops::{Deref, DerefMut};

/// A list whose first `N` values cost no allocation. Most records have few fields.
pub(crate) struct Few<T: Copy, const N: usize> {
    inline: [T; N],
    length: usize,
    heap: Vec<T>,
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// An empty list; `filler` stands where nothing is yet.
    pub(crate) const fn new(filler: T) -> Self {
        Self { inline: [filler; N], length: 0, heap: Vec::new() }
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.heap.is_empty() {
            if let Some(place) = self.inline.get_mut(self.length) {
                *place = value;
                self.length += 1;
                return;
            }
            self.heap.extend_from_slice(&self.inline);
        }
        self.heap.push(value);
    }

    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

impl<T: Copy, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.heap.is_empty() { self.inline.get(..self.length).unwrap_or_default() } else { &self.heap }
    }
}

impl<T: Copy, const N: usize> DerefMut for Few<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        if self.heap.is_empty() {
            self.inline.get_mut(..self.length).unwrap_or_default()
        } else {
            &mut self.heap
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_order_on_the_stack_and_off_it() {
        for count in 0..20_u8 {
            let mut few: Few<u8, 4> = Few::new(0xEE);
            few.extend(0..count);
            assert_eq!(&*few, (0..count).collect::<Vec<u8>>());
            few.reverse();
            assert_eq!(&*few, (0..count).rev().collect::<Vec<u8>>());
        }
    }
}
