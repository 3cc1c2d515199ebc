//! Counters, defined once for each root.

use super::abi;
use crate::metrics::Counter;

/// The host's ids of our counters; none where the host has no metrics.
#[derive(Debug, Default)]
pub(super) struct Counters(Vec<u32>);

impl Counters {
    /// Defines every counter. A host that refuses one gets none.
    pub(super) fn define(prefix: Option<&str>) -> Self {
        let ids = Counter::all().map(|counter| abi::define_counter(&counter.name(prefix)));
        Self(ids.collect::<Result<_, _>>().unwrap_or_default())
    }

    /// Adds one.
    pub(super) fn count(&self, counter: Counter) {
        let at = Counter::all().position(|known| known == counter);
        if let Some(id) = at.and_then(|at| self.0.get(at)) {
            // A count that is lost is no reason to refuse anybody.
            let _ = abi::count(*id);
        }
    }
}
