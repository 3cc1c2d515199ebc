//! A request.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::held::{Held, Phase};
use super::shared::{Nanos, Outcome, Shared};
use crate::metrics::Counter;
use crate::policy::HostKind;

/// A request's context.
pub(super) struct Stream {
    id: u32,
    shared: Rc<Shared>,
    phase: Rc<Cell<Phase>>,
}

impl Stream {
    /// A request that has not been decided on.
    pub(super) fn new(id: u32, shared: Rc<Shared>) -> Self {
        Self { id, shared, phase: Rc::new(Cell::new(Phase::Undecided)) }
    }

    /// Nothing of an undecided request passes, whatever comes first. Some hosts would let the body
    /// carry the headers along.
    fn gate_open(&self) -> Action {
        match self.phase.get() {
            Phase::Allowed => Action::Continue,
            Phase::Undecided | Phase::Ended => Action::Pause,
        }
    }

    /// Holds the request, if the host can and there is room.
    fn hold(&self, now: crate::time::Timestamp, wait: std::time::Duration) -> bool {
        let max = self.shared.gate.borrow().as_ref().map_or(0, |g| g.policy().limits().max_held);
        let held = Held { context: self.id, deadline: now.plus(wait), phase: self.phase.clone() };
        self.shared.held.hold(held, max)
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(since) = Nanos::now() else {
            self.shared.give_up();
            self.phase.set(Phase::Ended);
            return self.gate_open();
        };
        // Elsewhere a held request would go on by itself, or nobody could wake it.
        let can_hold = self.shared.kind.get() == HostKind::Envoy;
        let (now, is_timed) = (since.timestamp(), self.shared.counters.borrow().is_timed());
        let mut outcome = self.shared.decide(now, can_hold);
        if let Outcome::Wait(wait) = outcome {
            if self.hold(now, wait) {
                self.shared.counters.borrow().count(Counter::Held);
                return Action::Pause;
            }
            outcome = self.shared.decide(now, false);
        }
        if is_timed {
            self.shared.took(since);
        }
        self.phase.set(match outcome {
            Outcome::Forward => Phase::Allowed,
            Outcome::Replied | Outcome::Wait(_) => Phase::Ended,
        });
        self.gate_open()
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        self.gate_open()
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        // Also of a request that is still held: what is released then goes on as a whole.
        if self.phase.get() != Phase::Ended && !self.shared.strip_trailers() {
            self.shared.give_up();
            self.phase.set(Phase::Ended);
        }
        self.gate_open()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.phase.replace(Phase::Ended) == Phase::Undecided {
            self.shared.held.forget(self.id);
        }
    }
}
