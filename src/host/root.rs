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

/// Time between two ticks in milliseconds. NGINX gets no other: it traps on a second setting.
const TICK: u32 = 500;

/// The same while a request is held, or another worker fetches keys that we wait for.
const TICK_WAITING: u32 = 20;

/// The first tick: the canary VM, whose callouts never end, does not live to see it.
const TICK_FIRST: u32 = 1;

/// A root context.
pub(super) struct Root {
    shared: Rc<Shared>,
    /// Fetches of our own under way, by the token of their callout.
    in_flight: BTreeMap<u32, SourceId>,
}

impl Root {
    /// A root without a configuration: it refuses every request.
    pub(super) fn new(id: u32) -> Self {
        Self { shared: Rc::new(Shared::new(id)), in_flight: BTreeMap::new() }
    }

    fn configure(&self, policy: Policy) {
        let now = shared::now();
        let needs_ticks = !policy.sources.is_empty();
        if needs_ticks {
            self.shared.tick_in(TICK);
        }
        let timers = !needs_ticks || self.shared.tick.get() != 0;
        let kind = policy.host().unwrap_or_else(|| detect::detect(timers));
        if needs_ticks && kind == HostKind::Bare {
            log::error!(
                "this host makes no HTTP callouts: `remote_jwks` cannot be fetched, and tokens of \
                 such providers are answered with 503; use `local_jwks`"
            );
        }
        if needs_ticks && kind == HostKind::Envoy {
            self.shared.tick_in(TICK_FIRST);
        }
        policy.warnings().iter().for_each(|warning| log::warn!("{warning}"));
        log::info!("configuration loaded: {}; host {kind:?}", policy.summary());
        *self.shared.counters.borrow_mut() = Counters::define();
        self.shared.kind.set(kind);
        *self.shared.gate.borrow_mut() = Some(Gate::new(Arc::new(policy), now));
    }

    /// Moves every source on: takes in what other workers have fetched, tells it the time, starts
    /// the fetch that it asks for.
    fn drive(&mut self, now: Timestamp) {
        let sources: Vec<_> = self.shared.gate.borrow().iter().flat_map(Gate::sources).collect();
        let mut release = self.shared.held.any_due(now);
        for source in sources {
            release |= self.drive_source(now, source) == Command::Release;
        }
        if release {
            self.release(now);
        }
        if self.shared.kind.get() == HostKind::Envoy {
            let waiting = self.waits_for_another() || !self.shared.held.is_empty();
            self.shared.tick_in(if waiting { TICK_WAITING } else { TICK });
        }
    }

    fn drive_source(&mut self, now: Timestamp, source: SourceId) -> Command {
        let ours = |root: &Self| root.in_flight.values().any(|id| *id == source);
        let mut release = Command::Rest;
        let wants_fetch = {
            let mut gate = self.shared.gate.borrow_mut();
            let Some(gate) = &mut *gate else { return Command::Rest };
            if let Some(remote) =
                gate.remote(source).filter(|_| self.shared.kind.get() == HostKind::Envoy)
            {
                let (record, _) = fetching::record(remote);
                release = gate.adopt(now, source, &record);
            }
            match gate.handle(now, source, Event::Tick) {
                Command::Release => release = Command::Release,
                Command::Rest | Command::Fetch => {}
            }
            gate.is_fetching(source)
        };
        if !wants_fetch {
            // A fetch that was given up is not ours any more.
            self.in_flight.retain(|_, id| *id != source);
            return release;
        }
        if !ours(self) && self.start(now, source) == Command::Release {
            return Command::Release;
        }
        release
    }

    /// Starts a fetch, unless another worker has one under way.
    fn start(&mut self, now: Timestamp, source: SourceId) -> Command {
        let remote = self.shared.gate.borrow().as_ref().and_then(|g| g.remote(source).cloned());
        let Some(remote) = remote else { return Command::Rest };
        let shares = self.shared.kind.get() == HostKind::Envoy;
        if shares && !fetching::lease(&remote, now) {
            return Command::Rest;
        }
        match fetching::start(self, &remote) {
            Ok(token) => {
                self.in_flight.insert(token, source);
                Command::Rest
            }
            Err(why) => fetching::settle(&self.shared, now, source, Err(why)),
        }
    }

    /// Whether a fetch is under way that is not ours.
    fn waits_for_another(&self) -> bool {
        let gate = self.shared.gate.borrow();
        let mut sources =
            gate.iter().flat_map(|gate| gate.sources().filter(|s| gate.is_fetching(*s)));
        sources.any(|source| !self.in_flight.values().any(|id| *id == source))
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
        true
    }

    fn on_tick(&mut self) {
        self.drive(shared::now());
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.shared.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
