//! Counters, gauges and histograms.
//!
//! A request counts in our own memory, and the tick tells the host, so that a request costs no
//! hostcall for it. Where there is no tick the host is told at once. Most counters are
//! defined when they first have something to tell; on NGINX all are when the configuration comes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::abi::{self, Metric, Status};
use crate::metrics::{Counter, Effort, Health, Outcome, TIMED_OF};
use crate::policy::{HostKind, Policy};
use crate::remote::{Remote, SourceId};

/// The metrics of a root; none where the host has none.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// The policy that gives them their names.
    policy: Option<Arc<Policy>>,
    counts: RefCell<BTreeMap<Counter, Count>>,
    /// Whether a tick will come.
    ticks: bool,
    sources: Vec<SourceMetrics>,
    /// Histograms of the times of decisions, where the clock is fine enough.
    times: Vec<u32>,
    /// Decisions since the last one that was timed.
    untimed: Cell<u32>,
}

/// What a counter has to tell.
#[derive(Debug, Default)]
struct Count {
    /// The host's id of it.
    id: Option<u32>,
    untold: u32,
}

/// The metrics of one remote document.
#[derive(Debug)]
struct SourceMetrics {
    outcomes: Vec<u32>,
    gauges: Vec<u32>,
    /// What the gauges show.
    shown: Cell<Option<Health>>,
}

impl Counters {
    /// The metrics of a policy. A host that refuses one of those that are there from the beginning
    /// gets none.
    pub(super) fn define(policy: &Arc<Policy>, kind: HostKind, ticks: bool) -> Self {
        Self::try_define(policy, kind, ticks).unwrap_or_default()
    }

    fn try_define(policy: &Arc<Policy>, kind: HostKind, ticks: bool) -> Result<Self, Status> {
        let remotes = policy.sources().iter();
        let sources = remotes.map(SourceMetrics::define).collect::<Result<_, _>>()?;
        let mut counts = BTreeMap::new();
        let mut times = Vec::new();
        let define = |counter: Counter| -> Result<_, Status> {
            let id = Some(abi::define_metric(Metric::Counter, &counter.name(policy))?);
            Ok((counter, Count { id, untold: 0 }))
        };
        match kind {
            HostKind::Envoy => {
                counts
                    .extend(Counter::FIXED.map(define).into_iter().collect::<Result<Vec<_>, _>>()?);
                for effort in Effort::ALL {
                    times.push(abi::define_metric(Metric::Histogram, &effort.name(policy))?);
                }
            }
            // Its clock stands still within a callback.
            HostKind::Nginx => {
                counts.extend(Counter::all(policy).map(define).collect::<Result<Vec<_>, _>>()?);
            }
            HostKind::Bare => {}
        }
        let (policy, counts) = (Some(policy.clone()), RefCell::new(counts));
        Ok(Self { policy, counts, ticks, sources, times, untimed: Cell::default() })
    }

    /// Adds one.
    pub(super) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds so many, if any.
    pub(super) fn add(&self, counter: Counter, by: u32) {
        let Some(policy) = self.policy.as_ref().filter(|_| by > 0) else { return };
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(counter).or_default();
        count.untold = count.untold.saturating_add(by);
        if !self.ticks {
            count.tell(counter, policy);
        }
    }

    /// Tells the host what was counted since the last time.
    pub(super) fn tell(&self) {
        let Some(policy) = &self.policy else { return };
        for (counter, count) in self.counts.borrow_mut().iter_mut() {
            count.tell(*counter, policy);
        }
    }

    /// Whether the decision that comes is one of those that are timed.
    pub(super) fn is_timed(&self) -> bool {
        let decisions = self.untimed.get().saturating_add(1);
        let is_timed = !self.times.is_empty() && decisions >= TIMED_OF;
        self.untimed.set(if is_timed { 0 } else { decisions });
        is_timed
    }

    /// Records the time of a decision.
    pub(super) fn took(&self, effort: Effort, nanos: u64) {
        let at = Effort::ALL.iter().position(|known| *known == effort);
        if let Some(id) = at.and_then(|at| self.times.get(at)) {
            // A figure that is lost is no reason to refuse anybody.
            let _ = abi::record(*id, nanos / 1_000);
        }
    }

    /// Counts the end of a fetch.
    pub(super) fn fetched(&self, source: SourceId, outcome: Outcome) {
        let at = Outcome::ALL.iter().position(|known| *known == outcome);
        let metrics = self.sources.get(source.0);
        if let Some(id) = metrics.zip(at).and_then(|(metrics, at)| metrics.outcomes.get(at)) {
            let _ = abi::count(*id, 1);
        }
    }

    /// Shows how a document stands, if that has changed.
    pub(super) fn show(&self, source: SourceId, health: Health, remote: &Remote) {
        let Some(metrics) = self.sources.get(source.0) else { return };
        if metrics.shown.replace(Some(health)) == Some(health) {
            return;
        }
        for (id, (_, value)) in metrics.gauges.iter().zip(health.gauges(remote)) {
            let _ = abi::record(*id, value);
        }
    }
}

impl Count {
    fn tell(&mut self, counter: Counter, policy: &Policy) {
        if self.untold == 0 {
            return;
        }
        if self.id.is_none() {
            self.id = abi::define_metric(Metric::Counter, &counter.name(policy)).ok();
        }
        // What the host does not take now it may take at the next tick.
        if self.id.is_some_and(|id| abi::count(id, self.untold).is_ok()) {
            self.untold = 0;
        }
    }
}

impl SourceMetrics {
    fn define(remote: &Remote) -> Result<Self, Status> {
        let define = |kind, name: String| abi::define_metric(kind, &name);
        let outcomes = Outcome::ALL.iter().map(|o| define(Metric::Counter, o.name(remote)));
        let gauges = Health::default().gauges(remote).into_iter();
        let gauges = gauges.map(|(name, _)| define(Metric::Gauge, name));
        Ok(Self {
            outcomes: outcomes.collect::<Result<_, _>>()?,
            gauges: gauges.collect::<Result<_, _>>()?,
            shown: Cell::new(None),
        })
    }
}
