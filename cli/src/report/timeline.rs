//! What was counted, over time.

use std::collections::BTreeMap;

use super::top::Tallied;

/// Seconds of a step, from the finest on. Beyond, each is twice the one before.
const STEPS: [u64; 8] = [60, 300, 900, 3_600, 14_400, 86_400, 604_800, 2_419_200];

/// Steps that are kept at most.
const ROOM: usize = 1_500;

/// Tallies over time, in steps that grow with the time that passed.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<V> {
    steps: BTreeMap<u64, V>,
    step: u64,
}

impl<V> Default for Timeline<V> {
    fn default() -> Self {
        Self { steps: BTreeMap::new(), step: 60 }
    }
}

impl<V: Tallied + Clone> Timeline<V> {
    /// Adds to the tally of the step that `at` (Unix seconds) falls in.
    pub(crate) fn add(&mut self, at: u64, add: impl FnOnce(&mut V)) {
        add(self.steps.entry(beginning(at, self.step)).or_default());
        self.fit();
    }

    /// Takes in what was counted elsewhere.
    pub(crate) fn merge(&mut self, mut other: Self) {
        let step = self.step.max(other.step);
        self.coarsen(step);
        other.coarsen(step);
        for (at, tally) in other.steps {
            self.steps.entry(at).or_default().absorb(tally);
        }
        self.fit();
    }

    /// The same in at most `most` steps without a gap: the seconds of a step, and when each begins.
    pub(crate) fn within(&self, most: usize) -> (u64, Vec<(u64, V)>) {
        let mut fitted = self.clone();
        loop {
            let span = fitted.span();
            let count = span.map_or(0, |(first, last)| {
                last.saturating_sub(first).checked_div(fitted.step).unwrap_or(0).saturating_add(1)
            });
            if usize::try_from(count).is_ok_and(|count| count <= most) {
                return (fitted.step, fitted.without_gaps(count));
            }
            let next = coarser(fitted.step);
            if next == fitted.step {
                return (next, Vec::new());
            }
            fitted.coarsen(next);
        }
    }

    /// When the first step begins, and the last.
    pub(crate) fn span(&self) -> Option<(u64, u64)> {
        Some((*self.steps.first_key_value()?.0, *self.steps.last_key_value()?.0))
    }

    /// The seconds of a step.
    pub(crate) const fn step(&self) -> u64 {
        self.step
    }

    /// The steps with something in them.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u64, &V)> {
        self.steps.iter().map(|(at, tally)| (*at, tally))
    }

    fn without_gaps(&self, count: u64) -> Vec<(u64, V)> {
        let first = self.span().map_or(0, |(first, _)| first);
        let starts = (0..count).map(|i| first.saturating_add(i.saturating_mul(self.step)));
        starts.map(|at| (at, self.steps.get(&at).cloned().unwrap_or_default())).collect()
    }

    fn fit(&mut self) {
        while self.steps.len() > ROOM {
            let next = coarser(self.step);
            if next == self.step {
                return;
            }
            self.coarsen(next);
        }
    }

    fn coarsen(&mut self, step: u64) {
        if step <= self.step {
            return;
        }
        self.step = step;
        for (at, tally) in std::mem::take(&mut self.steps) {
            self.steps.entry(beginning(at, step)).or_default().absorb(tally);
        }
    }
}

fn beginning(at: u64, step: u64) -> u64 {
    at.saturating_sub(at.checked_rem(step).unwrap_or(0))
}

fn coarser(step: u64) -> u64 {
    let next = STEPS.into_iter().find(|next| *next > step);
    next.unwrap_or_else(|| step.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_with_the_time_and_nothing_is_lost() {
        let mut times = Timeline::<u64>::default();
        for minute in 0..10_000_u64 {
            times.add(1_800_000_000 + minute * 60, |n| *n += 1);
        }
        assert!(times.steps.len() <= ROOM);
        assert_eq!(times.step(), 900);
        assert_eq!(times.steps().map(|(_, n)| n).sum::<u64>(), 10_000);
        let (step, steps) = times.within(48);
        assert_eq!((step, steps.iter().map(|(_, n)| n).sum::<u64>()), (14_400, 10_000));
    }

    #[test]
    fn gaps_are_filled() {
        let mut times = Timeline::<u64>::default();
        times.add(0, |n| *n += 1);
        times.add(180, |n| *n += 2);
        assert_eq!(times.within(10), (60, vec![(0, 1), (60, 0), (120, 0), (180, 2)]));
        assert_eq!(Timeline::<u64>::default().within(10), (60, vec![]));
    }

    #[test]
    fn times_at_both_ends_of_the_world_do_no_harm() {
        let mut times = Timeline::<u64>::default();
        times.add(0, |n| *n += 1);
        times.add(u64::MAX, |n| *n += 1);
        let (_, steps) = times.within(10);
        assert!(steps.len() <= 10);
    }
}
