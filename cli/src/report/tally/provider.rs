//! What is counted for a provider.

use std::collections::BTreeMap;

use super::super::line::{AuditLine, Decision};
use super::super::timeline::Timeline;
use super::super::top::Tallied;
use super::{Counts, absorb_map};

/// Upper ends of the lifetimes that are counted together, in seconds, and what they are called.
pub(crate) const LIFETIMES: [(u64, &str); 8] = [
    (300, "up to 5 min"),
    (900, "up to 15 min"),
    (3_600, "up to 1 h"),
    (14_400, "up to 4 h"),
    (86_400, "up to 24 h"),
    (604_800, "up to 7 days"),
    (2_592_000, "up to 30 days"),
    (u64::MAX, "longer"),
];

/// Reasons that there is room for; there are fewer.
const ROOM: usize = 64;

/// Requests with tokens of a provider.
#[derive(Debug, Default)]
pub(crate) struct ProviderTally {
    /// All of them.
    pub(crate) counts: Counts,
    /// Lifetimes of tokens that passed, as [`LIFETIMES`] has them.
    pub(crate) lifetimes: [u64; LIFETIMES.len()],
    /// The longest of them, in seconds.
    pub(crate) longest: Option<u64>,
    /// Tokens that passed and whose lifetime is not known.
    pub(crate) endless: u64,
    /// Refusals over time, by label of the reason.
    pub(crate) refusals: BTreeMap<Box<str>, Timeline<u64>>,
}

impl Tallied for Timeline<u64> {
    fn weight(&self) -> u64 {
        self.steps().map(|(_, count)| *count).sum()
    }

    fn absorb(&mut self, other: Self) {
        self.merge(other);
    }
}

impl Tallied for ProviderTally {
    fn weight(&self) -> u64 {
        self.counts.total()
    }

    fn absorb(&mut self, other: Self) {
        self.counts.absorb(other.counts);
        for (count, more) in self.lifetimes.iter_mut().zip(other.lifetimes) {
            count.absorb(more);
        }
        self.longest = self.longest.max(other.longest);
        self.endless.absorb(other.endless);
        absorb_map(&mut self.refusals, other.refusals);
    }
}

impl ProviderTally {
    /// Takes in a line.
    pub(crate) fn add(&mut self, line: &AuditLine<'_>, at: u64) {
        self.counts.absorb(Counts::of(line));
        if line.decision == Decision::Allow {
            self.longest = self.longest.max(line.lifetime);
            let Some(lifetime) = line.lifetime else {
                self.endless = self.endless.saturating_add(1);
                return;
            };
            let mut bins = self.lifetimes.iter_mut().zip(LIFETIMES);
            if let Some((count, _)) = bins.find(|(_, (end, _))| lifetime <= *end) {
                *count = count.saturating_add(1);
            }
        } else if self.refusals.len() < ROOM || self.refusals.contains_key(&*line.outcome) {
            let refusals = self.refusals.entry((&*line.outcome).into()).or_default();
            refusals.add(at, |count| *count = count.saturating_add(1));
        }
    }
}
