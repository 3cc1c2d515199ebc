//! Counting by name in bounded room.

use std::collections::HashMap;

/// Bytes of a name that are kept: names come out of tokens.
const LONGEST: usize = 200;

/// What is counted for a name.
pub(crate) trait Tallied: Default {
    /// How much speaks for keeping it.
    fn weight(&self) -> u64;
    /// Takes in what was counted elsewhere.
    fn absorb(&mut self, other: Self);
}

impl Tallied for u64 {
    fn weight(&self) -> u64 {
        *self
    }

    fn absorb(&mut self, other: Self) {
        *self = self.saturating_add(other);
    }
}

/// Tallies by name. When there are more than twice as many as there is room for, those that weigh
/// least are added up under no name.
#[derive(Clone, Debug)]
pub(crate) struct Top<V> {
    kept: HashMap<Box<str>, V>,
    rest: V,
    let_go: u64,
    room: usize,
}

impl<V: Tallied> Top<V> {
    /// Room for this many names.
    pub(crate) fn new(room: usize) -> Self {
        Self { kept: HashMap::new(), rest: V::default(), let_go: 0, room }
    }

    /// Adds to the tally of `name`.
    pub(crate) fn add(&mut self, name: &str, add: impl FnOnce(&mut V)) {
        let name = shortened(name);
        if let Some(tally) = self.kept.get_mut(name) {
            return add(tally);
        }
        if self.kept.len() >= self.room.saturating_mul(2) {
            self.shrink();
        }
        add(self.kept.entry(name.into()).or_default());
    }

    /// Takes in what was counted elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        for (name, tally) in other.kept {
            self.add(&name, |into| into.absorb(tally));
        }
        self.rest.absorb(other.rest);
        self.let_go = self.let_go.saturating_add(other.let_go);
    }

    /// Keeps the heaviest; among equals those whose names come first.
    fn shrink(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        let mut all: Vec<_> = kept.into_iter().collect();
        all.sort_by(|(a, x), (b, y)| y.weight().cmp(&x.weight()).then_with(|| a.cmp(b)));
        for (_, tally) in all.drain(self.room.min(all.len())..) {
            self.rest.absorb(tally);
            self.let_go = self.let_go.saturating_add(1);
        }
        self.kept.extend(all);
    }

    /// All that have a name, the heaviest first; among equals by name.
    pub(crate) fn ranked(&self) -> Vec<(&str, &V)> {
        let mut all: Vec<_> = self.kept.iter().map(|(name, tally)| (&**name, tally)).collect();
        all.sort_by(|(a, x), (b, y)| y.weight().cmp(&x.weight()).then_with(|| a.cmp(b)));
        all
    }

    /// The tally of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.kept.get(shortened(name))
    }

    /// What was counted for names that there was no room for.
    pub(crate) const fn rest(&self) -> &V {
        &self.rest
    }

    /// Whether there were more names than there is room for, so that tallies may be too low.
    pub(crate) const fn is_cut(&self) -> bool {
        self.let_go > 0
    }
}

/// As much of a name as is kept.
fn shortened(name: &str) -> &str {
    let end = (0..=LONGEST.min(name.len())).rev().find(|at| name.is_char_boundary(*at));
    end.and_then(|end| name.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(top: &mut Top<u64>, name: &str, times: u64) {
        top.add(name, |count| count.absorb(times));
    }

    #[test]
    fn nothing_that_was_counted_is_lost() {
        let mut top = Top::new(2);
        for (name, times) in [("a", 5), ("b", 1), ("c", 1), ("d", 3), ("e", 2), ("a", 1)] {
            count(&mut top, name, times);
        }
        assert_eq!(top.ranked(), [("a", &6), ("d", &3), ("e", &2)]);
        assert_eq!((top.rest(), top.is_cut()), (&2, true));
    }

    #[test]
    fn what_two_counted_is_as_if_one_had() {
        let (mut one, mut other) = (Top::new(8), Top::new(8));
        count(&mut one, "a", 1);
        count(&mut other, "a", 2);
        count(&mut other, "b", 3);
        one.merge(other);
        assert_eq!(one.ranked(), [("a", &3), ("b", &3)]);
        assert!(!one.is_cut());
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = "é".repeat(200);
        assert_eq!(shortened(&long).len(), 200);
        assert_eq!(shortened(&format!("x{long}")).len(), 199);
        assert_eq!(shortened("short"), "short");
    }
}
