//! The root: configuration, time, and the end of waiting.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::abi::{self, Buffer, Status};
use super::counters::Counters;
use super::crypto::EnvoyCrypto;
use super::export::declare;
use super::held::Phase;
use super::shared::{self, Outcome, Shared};
use super::stream::Stream;
use super::{fetching, logger};
use crate::cache::TokenCache;
use crate::gate::Gate;
use crate::policy::{HostKind, Policy};
use crate::remote::SourceId;
use crate::remote::fetch::FetchError;
use crate::remote::source::Command;
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
    /// Callouts whose answers may come. An answer that is late is welcome, too.
    callouts: Vec<Callout>,
    /// Sources of which we go on to the next place, with the right to fetch that was taken for the
    /// first.
    leased: Vec<SourceId>,
}

/// A fetch that was sent.
struct Callout {
    token: u32,
    source: SourceId,
    /// Whether its end is still waited for; of one source, that of one callout at most.
    is_awaited: bool,
    /// The record of the document at the place that was asked.
    key: String,
}

impl Root {
    /// A root without a configuration: it refuses every request.
    pub(super) fn new(id: u32) -> Self {
        let shared = Rc::new(Shared::new(id));
        Self { shared, callouts: Vec::new(), leased: Vec::new() }
    }

    /// Takes a policy, if this host can do what it asks.
    fn configure(&mut self, policy: Policy) -> bool {
        // Sources are due at once, whatever the time.
        let now = shared::now().unwrap_or_default();
        // An answer for the former policy means nothing to this one.
        self.callouts.clear();
        self.leased.clear();
        let needs_ticks = !policy.sources.is_empty();
        let kind = policy.host().unwrap_or_else(|| self.detect(needs_ticks));
        let unsupported = policy.unsupported(kind);
        if !unsupported.is_empty() {
            unsupported.iter().for_each(|fault| log::error!("{fault}"));
            return false;
        }
        self.shared.shares.set(policy.shares_keys(kind));
        if kind == HostKind::Nginx && self.shared.shares_keys() {
            // Without a zone for it NGINX traps. It should do so now, and not start.
            let _ = abi::shared_data("jwt-gate");
        }
        if kind == HostKind::Envoy {
            policy.exports().into_iter().for_each(declare);
        }
        // Without remote documents there is no haste: the tick only tells what was counted.
        match kind {
            HostKind::Envoy if needs_ticks => self.shared.tick_in(TICK_FIRST),
            HostKind::Envoy | HostKind::Nginx => self.shared.tick_in(TICK),
            HostKind::Bare => {}
        }
        policy.warnings().iter().for_each(|warning| log::warn!("{warning}"));
        // Elsewhere the call of a function that is not there may be a trap.
        let crypto = if kind == HostKind::Envoy && policy.host_crypto() {
            EnvoyCrypto::probe()
        } else {
            EnvoyCrypto::default()
        };
        let summary = policy.summary();
        log::info!("configuration loaded: {summary}; host {kind:?}, which verifies {crypto}");
        *self.shared.crypto.borrow_mut() = crypto;
        let policy = Arc::new(policy);
        // Those of the former policy.
        self.shared.counters.borrow().tell();
        let ticks = self.shared.tick.get() != 0;
        *self.shared.counters.borrow_mut() = Counters::define(&policy, kind, ticks);
        self.shared.kind.set(kind);
        *self.shared.cache.borrow_mut() = Some(TokenCache::new(&policy, seed()));
        *self.shared.trial_cache.borrow_mut() =
            policy.candidate().map(|candidate| TokenCache::new(candidate, seed()));
        *self.shared.gate.borrow_mut() = Some(Gate::new(policy, now));
        true
    }

    /// Which host it is, found out without side effects: Envoy knows no such property in a root
    /// context, NGINX has none at all there; a host without timers is a bare one. What answers in
    /// another way, or does not know its VM's name as Envoy does, is treated like NGINX, which bears
    /// the least.
    fn detect(&self, needs_ticks: bool) -> HostKind {
        let shown = abi::property("source\0address");
        let kind = match shown {
            Ok(_) | Err(Status::NOT_FOUND) if abi::property("plugin_vm_id").is_ok() => {
                HostKind::Envoy
            }
            Ok(_) | Err(_) => HostKind::Nginx,
        };
        if needs_ticks {
            self.shared.tick_in(if kind == HostKind::Envoy { TICK_FIRST } else { TICK });
        }
        // Ending ticks that were never asked for is a question that every host with timers bears.
        let timers = match needs_ticks {
            true => self.shared.tick.get() != 0,
            false => abi::set_tick_period(0).is_ok(),
        };
        let certain = shown == Err(Status::INTERNAL_FAILURE);
        if timers || certain { kind } else { HostKind::Bare }
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
        self.show(now);
        if self.shared.kind.get() == HostKind::Envoy {
            let waiting = self.waits_for_another() || !self.shared.held.is_empty();
            self.shared.tick_in(if waiting { TICK_WAITING } else { TICK });
        }
    }

    /// Shows how every document stands.
    fn show(&self, now: Timestamp) {
        let counters = self.shared.counters.borrow();
        for gate in self.shared.gate.borrow().iter() {
            for source in gate.sources() {
                if let Some(remote) = gate.remote(source) {
                    counters.show(source, gate.health(now, source), remote);
                }
            }
        }
    }

    fn drive_source(&mut self, now: Timestamp, source: SourceId) -> Command {
        let mut command = self.adopt(now, source);
        if self.awaited(source).is_some() && self.is_overdue(now, source) {
            self.give_up(source);
            let end = Err(FetchError::NoAnswer);
            return fetching::settle(&self.shared, now, source, end);
        }
        // A lease that has ended is taken over before anybody gives up on it.
        if self.is_fetching(source) {
            command = command.max(self.start(now, source));
        }
        let told = match &mut *self.shared.gate.borrow_mut() {
            Some(gate) => gate.tick(now, source),
            None => Command::Rest,
        };
        if told == Command::Fetch {
            return command.max(self.start(now, source));
        }
        command.max(told)
    }

    /// Takes in what other workers say.
    fn adopt(&mut self, now: Timestamp, source: SourceId) -> Command {
        if !self.shared.shares_keys() {
            return Command::Rest;
        }
        let Some(gate) = &mut *self.shared.gate.borrow_mut() else { return Command::Rest };
        match gate.record_key(now, source) {
            Some(key) => gate.adopt(now, source, &fetching::record(&key).0),
            None => Command::Rest,
        }
    }

    fn is_fetching(&self, source: SourceId) -> bool {
        self.shared.gate.borrow().as_ref().is_some_and(|gate| gate.is_fetching(source))
    }

    fn is_overdue(&self, now: Timestamp, source: SourceId) -> bool {
        self.shared.gate.borrow().as_ref().is_some_and(|gate| gate.is_overdue(now, source))
    }

    /// Starts a fetch, unless one is under way here or in another worker.
    fn start(&mut self, now: Timestamp, source: SourceId) -> Command {
        let errand = self.shared.gate.borrow().as_ref().and_then(|gate| gate.errand(now, source));
        let Some(errand) = errand.filter(|errand| !self.awaits(source, &errand.key)) else {
            return Command::Rest;
        };
        let is_leased = self.leased.contains(&source);
        self.leased.retain(|leased| *leased != source);
        if self.shared.shares_keys() && !is_leased && !fetching::lease(&errand, now) {
            return Command::Rest;
        }
        match fetching::start(self, &errand) {
            Ok(token) => {
                self.give_up(source);
                self.callouts.push(Callout { token, source, is_awaited: true, key: errand.key });
                if let Some(gate) = &mut *self.shared.gate.borrow_mut() {
                    gate.started(now, source);
                }
                Command::Rest
            }
            Err(why) => fetching::settle(&self.shared, now, source, Err(why)),
        }
    }

    /// Whether an answer is waited for from the place that the document has now.
    fn awaits(&self, source: SourceId, key: &str) -> bool {
        self.awaited(source).is_some_and(|callout| callout.key == key)
    }

    fn awaited(&self, source: SourceId) -> Option<&Callout> {
        self.callouts.iter().find(|callout| callout.is_awaited && callout.source == source)
    }

    fn give_up(&mut self, source: SourceId) {
        let of_source = self.callouts.iter_mut().filter(|callout| callout.source == source);
        of_source.for_each(|callout| callout.is_awaited = false);
    }

    /// Whether a fetch is under way that is not ours.
    fn waits_for_another(&self) -> bool {
        let gate = self.shared.gate.borrow();
        let mut sources = gate.iter().flat_map(Gate::sources);
        sources.any(|source| {
            gate.as_ref().is_some_and(|gate| gate.is_fetching(source))
                && self.awaited(source).is_none()
        })
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

/// A number that nobody guesses: the standard library asks the host for it.
fn seed() -> u64 {
    RandomState::new().hash_one(0_u8)
}

impl Drop for Root {
    fn drop(&mut self) {
        // What was counted since the last tick. Elsewhere nobody knows what a root may still do.
        if self.shared.kind.get() == HostKind::Envoy {
            self.shared.counters.borrow().tell();
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        let Some(now) = shared::now() else { return };
        let at = self.callouts.iter().position(|callout| callout.token == token);
        let Some(at) = at else { return };
        let Callout { source, is_awaited, key, .. } = self.callouts.swap_remove(at);
        let limit = match &*self.shared.gate.borrow() {
            // What comes from a place that the document has left means nothing.
            Some(gate) if gate.record_key(now, source) == Some(key) => gate.max_bytes(source),
            Some(_) | None => return,
        };
        let answer = fetching::answer(headers, body, limit);
        if answer.is_err() && !is_awaited {
            return;
        }
        let end = answer.as_ref().map(fetching::Received::as_answer).map_err(Clone::clone);
        match fetching::settle(&self.shared, now, source, end) {
            Command::Release => self.release(now),
            // With the next tick: not every host lets an answer lead to a request.
            Command::Fetch => self.leased.push(source),
            Command::Rest => {}
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
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(now) = shared::now() {
            self.drive(now);
        }
        self.shared.counters.borrow().tell();
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, self.shared.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
