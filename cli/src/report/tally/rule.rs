//! What is counted for a rule.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claims::Caller;
use super::super::lens::{Held, Lens};
use super::super::line::{AuditLine, Decision};
use super::super::top::{Tallied, Top};
use super::{Counts, absorb_map};

/// Methods, reasons and the like that there is room for; there are fewer.
const ROOM: usize = 64;

/// Clients of a rule that there is room for.
const CLIENTS: usize = 50;

/// Requests that a rule is for.
#[derive(Debug)]
pub(crate) struct RuleTally {
    /// All of them.
    pub(crate) counts: Counts,
    /// The match, as the log has it.
    pub(crate) route: Option<Box<str>>,
    /// Refusals by label of the reason.
    pub(crate) refusals: BTreeMap<Box<str>, u64>,
    /// Requests by method.
    pub(crate) methods: BTreeMap<Box<str>, Counts>,
    /// Clients.
    pub(crate) clients: Top<Counts>,
    /// Roles and scopes of the policy's table that callers had who were allowed.
    pub(crate) held: BTreeSet<Box<str>>,
    /// Requests that were allowed by roles or scopes that the log does not tell.
    pub(crate) unexplained: u64,
    /// Scopes that every allowed caller had.
    pub(crate) common: Common,
    /// What the candidate policy would have decided otherwise, by what it would have said.
    pub(crate) trials: BTreeMap<(Box<str>, Box<str>), Trial>,
}

/// Scopes that every allowed caller had.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) enum Common {
    /// Nobody was allowed yet.
    #[default]
    Unknown,
    /// These; perhaps none.
    Scopes(BTreeSet<String>),
}

/// Requests that a policy on trial decides otherwise.
#[derive(Debug)]
pub(crate) struct Trial {
    /// How many.
    pub(crate) count: u64,
    /// Whether it would allow them.
    pub(crate) allows: bool,
    /// Clients.
    pub(crate) clients: Top<u64>,
}

impl Default for RuleTally {
    fn default() -> Self {
        Self {
            counts: Counts::default(),
            route: None,
            refusals: BTreeMap::new(),
            methods: BTreeMap::new(),
            clients: Top::new(CLIENTS),
            held: BTreeSet::new(),
            unexplained: 0,
            common: Common::default(),
            trials: BTreeMap::new(),
        }
    }
}

impl Default for Trial {
    fn default() -> Self {
        Self { count: 0, allows: false, clients: Top::new(CLIENTS) }
    }
}

impl Tallied for Trial {
    fn weight(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        self.count.absorb(other.count);
        self.allows |= other.allows;
        self.clients.merge(other.clients);
    }
}

impl Tallied for RuleTally {
    fn weight(&self) -> u64 {
        self.counts.total()
    }

    fn absorb(&mut self, other: Self) {
        self.counts.absorb(other.counts);
        self.route = self.route.take().or(other.route);
        absorb_map(&mut self.refusals, other.refusals);
        absorb_map(&mut self.methods, other.methods);
        self.clients.merge(other.clients);
        self.held.extend(other.held);
        self.unexplained.absorb(other.unexplained);
        if let Common::Scopes(scopes) = other.common {
            self.common.narrow(scopes);
        }
        absorb_map(&mut self.trials, other.trials);
    }
}

impl Common {
    fn narrow(&mut self, scopes: BTreeSet<String>) {
        match self {
            Self::Unknown => *self = Self::Scopes(scopes),
            Self::Scopes(common) => common.retain(|scope| scopes.contains(scope)),
        }
    }

    fn narrow_to(&mut self, scopes: &[String]) {
        match self {
            Self::Unknown => *self = Self::Scopes(scopes.iter().cloned().collect()),
            Self::Scopes(common) => common.retain(|scope| scopes.contains(scope)),
        }
    }
}

impl RuleTally {
    /// Takes in a line.
    pub(crate) fn add(
        &mut self,
        line: &AuditLine<'_>,
        caller: &Caller,
        held: Held<'_>,
        lens: Option<&Lens>,
    ) {
        let counts = Counts::of(line);
        self.counts.absorb(counts);
        if let (None, Some(route)) = (&self.route, &line.route) {
            self.route = Some((&**route).into());
        }
        if self.methods.len() < ROOM || self.methods.contains_key(&*line.method) {
            self.methods.entry((&*line.method).into()).or_default().absorb(counts);
        }
        if let Some(client) = &caller.client {
            self.clients.add(client, |tally| tally.absorb(counts));
        }
        match line.decision {
            Decision::Allow => self.allow(line, held, lens),
            Decision::Deny if self.refusals.len() < ROOM => {
                let refused = self.refusals.entry((&*line.outcome).into()).or_default();
                *refused = refused.saturating_add(1);
            }
            Decision::Deny => {}
        }
        if let Some(candidate) = &line.candidate
            && self.trials.len() < ROOM
        {
            let rule = candidate.rule.as_deref().unwrap_or_default();
            let trial = self.trials.entry((rule.into(), (&*candidate.outcome).into())).or_default();
            trial.count = trial.count.saturating_add(1);
            trial.allows |= candidate.decision == Decision::Allow;
            if let Some(client) = &caller.client {
                trial.clients.add(client, |count| *count = count.saturating_add(1));
            }
        }
    }

    fn allow(&mut self, line: &AuditLine<'_>, held: Held<'_>, lens: Option<&Lens>) {
        self.common.narrow_to(held.scopes);
        let Some(lens) = lens else { return };
        let rule = lens.rule(line.rule.as_deref().unwrap_or_default());
        let authorize = rule.and_then(|rule| Some((rule.may_have_two, rule.authorize.as_ref()?)));
        if let Some((may_have_two, authorize)) = authorize
            && (may_have_two || !authorize.is_explained(held, lens))
        {
            self.unexplained = self.unexplained.saturating_add(1);
        }
        for name in held.both() {
            if lens.roles.contains_key(name) && !self.held.contains(name) {
                self.held.insert(name.into());
            }
        }
    }
}
