//! What is counted of a log, in room that does not grow with it.

mod client;
mod provider;
mod rule;

use std::collections::BTreeMap;

pub(crate) use client::ClientTally;
pub(crate) use provider::{LIFETIMES, ProviderTally};
pub(crate) use rule::{Common, RuleTally};

use super::claims::Places;
use super::lens::{Held, Lens};
use super::line::{AuditLine, Decision, Enforcement};
use super::timeline::Timeline;
use super::top::{Tallied, Top};

/// Names of each kind that there is room for: of rules, which the policy names, and of what tokens name.
const RULES: usize = 2_000;
const NAMES: usize = 2_000;

/// How requests ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    /// The policy allows them.
    pub(crate) allowed: u64,
    /// The policy refuses them, and so it was.
    pub(crate) denied: u64,
    /// The policy refuses them, but the rule was on trial: they passed.
    pub(crate) spared: u64,
}

impl Counts {
    /// Of one request.
    pub(crate) fn of(line: &AuditLine<'_>) -> Self {
        match (line.decision, line.enforcement) {
            (Decision::Allow, _) => Self { allowed: 1, ..Self::default() },
            (Decision::Deny, Enforcement::Enforce) => Self { denied: 1, ..Self::default() },
            (Decision::Deny, Enforcement::Shadow) => Self { spared: 1, ..Self::default() },
        }
    }

    /// All of them.
    pub(crate) const fn total(&self) -> u64 {
        self.allowed.saturating_add(self.refused())
    }

    /// Those that the policy refuses.
    pub(crate) const fn refused(&self) -> u64 {
        self.denied.saturating_add(self.spared)
    }
}

impl Tallied for Counts {
    fn weight(&self) -> u64 {
        self.total()
    }

    fn absorb(&mut self, other: Self) {
        self.allowed.absorb(other.allowed);
        self.denied.absorb(other.denied);
        self.spared.absorb(other.spared);
    }
}

/// Adds up two maps of tallies.
pub(crate) fn absorb_map<K: Ord, V: Tallied>(into: &mut BTreeMap<K, V>, other: BTreeMap<K, V>) {
    for (key, tally) in other {
        into.entry(key).or_default().absorb(tally);
    }
}

/// Reads a line's parts against the policy, if there is one.
#[derive(Debug)]
pub(crate) struct Reader<'p> {
    /// The policy.
    pub(crate) lens: Option<&'p Lens>,
    /// Where callers' names are.
    pub(crate) places: Places,
}

/// Lines that begin like an audit line and cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Unreadable {
    /// How many.
    pub(crate) count: u64,
    /// The first of them.
    pub(crate) first: Option<Broken>,
}

/// A line that cannot be read. The first of several is the least.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Broken {
    /// Which of the files it is in, counted from 0.
    pub(crate) file: usize,
    /// Its number, from 1.
    pub(crate) line: u64,
    /// What the file is called.
    pub(crate) name: String,
    /// Why.
    pub(crate) why: String,
}

impl Unreadable {
    /// Takes in what was counted elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.count.absorb(other.count);
        self.first = self.first.take().into_iter().chain(other.first).min();
    }
}

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Lines that begin like an audit line and cannot be read.
    pub(crate) unreadable: Unreadable,
    /// Lines that are something else.
    pub(crate) other_lines: u64,
    /// All requests.
    pub(crate) counts: Counts,
    /// Those that are allowed, also by the candidate policy: a log of refusals has none of them.
    pub(crate) unobjectionable: u64,
    /// All requests over time.
    pub(crate) times: Timeline<Counts>,
    /// By label of the reason.
    pub(crate) outcomes: Top<Counts>,
    /// By rule; those that no rule names stand under "".
    pub(crate) rules: Top<RuleTally>,
    /// By client, where the log says who that is.
    pub(crate) clients: Top<ClientTally>,
    /// Requests without a client in the log.
    pub(crate) anonymous: Counts,
    /// By role.
    pub(crate) roles: Top<Counts>,
    /// By scope.
    pub(crate) scopes: Top<Counts>,
    /// By provider.
    pub(crate) providers: Top<ProviderTally>,
}

impl Tally {
    /// Of an empty log.
    pub(crate) fn new() -> Self {
        Self {
            unreadable: Unreadable::default(),
            other_lines: 0,
            counts: Counts::default(),
            unobjectionable: 0,
            times: Timeline::default(),
            outcomes: Top::new(100),
            rules: Top::new(RULES),
            clients: Top::new(NAMES),
            anonymous: Counts::default(),
            roles: Top::new(NAMES),
            scopes: Top::new(NAMES),
            providers: Top::new(200),
        }
    }

    /// Takes in a line.
    pub(crate) fn add(&mut self, line: &AuditLine<'_>, reader: &Reader<'_>) {
        let (at, counts) = (line.at, Counts::of(line));
        self.counts.absorb(counts);
        if line.decision == Decision::Allow && line.candidate.is_none() {
            self.unobjectionable.absorb(1);
        }
        self.times.add(at, |tally| tally.absorb(counts));
        self.outcomes.add(&line.outcome, |tally| tally.absorb(counts));
        let caller = reader.places.read(line.claims);
        let names = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
        let (roles, scopes) = (names(&caller.roles), names(&caller.scopes));
        let held = Held { roles: &roles, scopes: &scopes };
        let rule = line.rule.as_deref().unwrap_or_default();
        self.rules.add(rule, |tally| tally.add(line, &caller, held, reader.lens));
        match &caller.client {
            Some(client) => self.clients.add(client, |tally| tally.add(line, rule)),
            None => self.anonymous.absorb(counts),
        }
        roles.iter().for_each(|role| self.roles.add(role, |tally| tally.absorb(counts)));
        scopes.iter().for_each(|scope| self.scopes.add(scope, |tally| tally.absorb(counts)));
        if let Some(provider) = &line.provider {
            self.providers.add(provider, |tally| tally.add(line, at));
        }
    }

    /// Takes in what was counted elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.unreadable.absorb(other.unreadable);
        self.other_lines.absorb(other.other_lines);
        self.counts.absorb(other.counts);
        self.unobjectionable.absorb(other.unobjectionable);
        self.times.merge(other.times);
        self.outcomes.merge(other.outcomes);
        self.rules.merge(other.rules);
        self.clients.merge(other.clients);
        self.anonymous.absorb(other.anonymous);
        self.roles.merge(other.roles);
        self.scopes.merge(other.scopes);
        self.providers.merge(other.providers);
    }
}
