//! What is counted for a client.

use std::collections::BTreeMap;

use super::super::line::{AuditLine, Decision};
use super::super::top::Tallied;
use super::{Counts, absorb_map};

/// Rules of a client, and reasons, that there is room for.
const ROOM: usize = 64;

/// Requests of a client.
#[derive(Debug, Default)]
pub(crate) struct ClientTally {
    /// All of them.
    pub(crate) counts: Counts,
    /// By rule.
    pub(crate) rules: BTreeMap<Box<str>, Counts>,
    /// Refusals by rule and label of the reason.
    pub(crate) refusals: BTreeMap<(Box<str>, Box<str>), u64>,
    /// The longest lifetime of a token that passed, in seconds.
    pub(crate) longest: Option<u64>,
}

impl Tallied for ClientTally {
    fn weight(&self) -> u64 {
        self.counts.total()
    }

    fn absorb(&mut self, other: Self) {
        self.counts.absorb(other.counts);
        absorb_map(&mut self.rules, other.rules);
        absorb_map(&mut self.refusals, other.refusals);
        // Two of them were within bounds; what is more is of the least interest.
        while self.rules.len() > ROOM {
            self.rules.pop_last();
        }
        while self.refusals.len() > ROOM {
            self.refusals.pop_last();
        }
        self.longest = self.longest.max(other.longest);
    }
}

impl ClientTally {
    /// Takes in a line.
    pub(crate) fn add(&mut self, line: &AuditLine<'_>, rule: &str) {
        let counts = Counts::of(line);
        self.counts.absorb(counts);
        if let Some(known) = self.rules.get_mut(rule) {
            known.absorb(counts);
        } else if self.rules.len() < ROOM {
            self.rules.insert(rule.into(), counts);
        }
        if line.decision == Decision::Allow {
            self.longest = self.longest.max(line.lifetime);
            return;
        }
        if self.refusals.len() < ROOM {
            let refused = self.refusals.entry((rule.into(), (&*line.outcome).into())).or_default();
            *refused = refused.saturating_add(1);
        }
    }
}
