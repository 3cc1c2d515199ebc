//! The root: configuration, time, and the end of waiting.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::abi::{self, Buffer};
use super::counters::Counters;
use super::held::Phase;
use super::shared::{self, Outcome, Shared};
use super::stream::Stream;
use super::{detect, fetching, logger};
use crate::gate::Gate;
use crate::keys::source::{Command, Event};
use crate::policy::{HostKind, Policy};
use crate::requirement::SourceId;
use crate::time::Timestamp;

/// Time between two ticks in milliseconds, set once: NGINX traps on a second setting.
const TICK: u32 = 500;

/// A root context.
pub(super) struct Root {
    shared: Rc<Shared>,
    /// Fetches under way, by the token of their callout.
    in_flight: BTreeMap<u32, SourceId>,
}

impl Root {
    /// A root without a configuration: it refuses every request.
    pub(super) fn new(id: u32) -> Self {
        Self { shared: Rc::new(Shared::new(id)), in_flight: BTreeMap::new() }
    }

    fn configure(&self, policy: Policy) {
        let now = shared::now();
        // A host without metrics or timers says so when they are asked for.
        let needs_ticks = !policy.sources.is_empty();
        let timers = !needs_ticks || abi::set_tick_period(TICK).is_ok();
        let kind = policy.host().unwrap_or_else(|| detect::detect(timers));
        if needs_ticks && kind == HostKind::Bare {
            log::error!(
                "this host makes no HTTP callouts: `remote_jwks` cannot be fetched, and \
                         tokens of such providers are answered with 503; use `local_jwks`"
            );
        }
        log::info!("configuration loaded: {}; host {kind:?}", policy.summary());
        *self.shared.counters.borrow_mut() = Counters::define();
        self.shared.kind.set(kind);
        *self.shared.gate.borrow_mut() = Some(Gate::new(Arc::new(policy), now));
    }

    /// Tells the due sources so, and starts what they ask for.
    fn drive(&mut self, now: Timestamp) {
        let due = self.shared.gate.borrow().as_ref().map(|g| g.due(now)).unwrap_or_default();
        let mut release = false;
        let mut fetch = self.shared.to_fetch.take();
        for source in due {
            let command = match &mut *self.shared.gate.borrow_mut() {
                Some(gate) => gate.handle(now, source, Event::Tick),
                None => Command::Rest,
            };
            match command {
                Command::Rest => {}
                Command::Fetch => fetch.push(source),
                Command::Release => release = true,
            }
        }
        for source in fetch {
            release |= self.fetch(now, source) == Command::Release;
        }
        if release || self.shared.held.any_due(now) {
            self.release(now);
        }
    }

    fn fetch(&mut self, now: Timestamp, source: SourceId) -> Command {
        let remote = match &*self.shared.gate.borrow() {
            Some(gate) => gate.remote(source).cloned(),
            None => None,
        };
        let Some(remote) = remote else { return Command::Rest };
        match fetching::start(self, &remote) {
            Ok(token) => {
                self.in_flight.insert(token, source);
                Command::Rest
            }
            Err(why) => fetching::settle(&self.shared, now, source, Err(why)),
        }
    }

    /// Decides again on every held request, from the start.
    fn release(&self, now: Timestamp) {
        let mut waiting = Vec::new();
        for held in self.shared.held.take() {
            // It is gone, and with it everything that could be done.
            if held.phase.get() != Phase::Undecided
                || abi::set_effective_context(held.context).is_err()
            {
                continue;
            }
            match self.shared.decide(now, now < held.deadline) {
                Outcome::Wait(_) => waiting.push(held),
                Outcome::Replied => held.phase.set(Phase::Ended),
                Outcome::Forward => {
                    held.phase.set(Phase::Allowed);
                    if let Err(status) = abi::resume_request() {
                        log::error!("a request could not be resumed (status {})", status.0);
                    }
                }
            }
        }
        self.shared.held.put_back(waiting);
        // What follows speaks of the root again; a root is always there.
        let _ = abi::set_effective_context(self.shared.root);
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        let now = shared::now();
        let Some(source) = self.in_flight.remove(&token) else { return };
        let limit = match &*self.shared.gate.borrow() {
            Some(gate) => gate.policy().limits().keys.max_bytes,
            None => return,
        };
        let answer = fetching::answer(headers, body, limit);
        let end = answer.as_ref().map(fetching::Received::as_answer).map_err(Clone::clone);
        if fetching::settle(&self.shared, now, source, end) == Command::Release {
            self.release(now);
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        logger::install();
        let text = abi::buffer(Buffer::Configuration, size).unwrap_or_default();
        match Policy::from_json(&text) {
            Ok(policy) => self.configure(policy),
            Err(faults) => {
                faults.iter().for_each(|fault| log::error!("{fault}"));
                return false;
            }
        }
        // Envoy takes callouts from here, so that keys are there before the first request; NGINX
        // traps on them and gets its fetches at the first tick.
        if self.shared.kind.get() == HostKind::Envoy {
            self.drive(shared::now());
        }
        true
    }

    fn on_tick(&mut self) {
        if self.shared.woken.take() {
            // The period that a waiting request has set was for this tick only.
            let _ = abi::set_tick_period(TICK);
        }
        self.drive(shared::now());
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.shared.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
