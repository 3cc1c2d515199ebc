//! Counters and gauges, defined once for each root.

use std::cell::Cell;

use super::abi::{self, Metric, Status};
use crate::metrics::{Counter, Health, Outcome};
use crate::remote::{Remote, SourceId};

/// The host's ids of our metrics; none where the host has no metrics.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counters: Vec<u32>,
    sources: Vec<SourceMetrics>,
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
    /// Defines every metric. A host that refuses one gets none.
    pub(super) fn define(prefix: Option<&str>, remotes: &[Remote]) -> Self {
        let counter = |metric: Counter| abi::define_metric(Metric::Counter, &metric.name(prefix));
        let counters: Result<_, _> = Counter::all().map(counter).collect();
        let sources: Result<_, _> = remotes.iter().map(SourceMetrics::define).collect();
        match (counters, sources) {
            (Ok(counters), Ok(sources)) => Self { counters, sources },
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Self::default(),
        }
    }

    /// Adds one.
    pub(super) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds so many, if any.
    pub(super) fn add(&self, counter: Counter, by: u32) {
        let at = Counter::all().position(|known| known == counter);
        if let Some(id) = at.and_then(|at| self.counters.get(at)).filter(|_| by > 0) {
            // A count that is lost is no reason to refuse anybody.
            let _ = abi::count(*id, by);
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
