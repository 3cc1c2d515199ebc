//! What a root shares with its requests.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::abi;
use super::apply::{self, Applied};
use super::counters::Counters;
use super::crypto::EnvoyCrypto;
use super::held::WaitList;
use super::trailers;
use super::view::HostView;
use crate::cache::{Tally, TokenCache};
use crate::effects::Effects;
use crate::gate::{Account, Decision, Gate, Lent, Moment};
use crate::metrics::{Counter, Effort};
use crate::policy::HostKind;
use crate::remote::Lack;
use crate::remote::source::Command;
use crate::time::Timestamp;

/// State of a root. Without a gate every request is refused.
#[derive(Debug)]
pub(super) struct Shared {
    /// The root's context.
    pub(super) root: u32,
    /// The gate, once the configuration was taken.
    pub(super) gate: RefCell<Option<Gate>>,
    /// The gate's cache: a new configuration begins with an empty one.
    pub(super) cache: RefCell<Option<TokenCache>>,
    /// The host.
    pub(super) kind: Cell<HostKind>,
    /// Whether the policy and the host let workers share keys.
    pub(super) shares: Cell<bool>,
    /// The cache of the candidate policy.
    pub(super) trial_cache: RefCell<Option<TokenCache>>,
    /// The host's cryptography.
    pub(super) crypto: RefCell<EnvoyCrypto>,
    /// Counters.
    pub(super) counters: RefCell<Counters>,
    /// What the last decision had to do about signatures.
    effort: Cell<Effort>,
    /// Requests that wait for keys.
    pub(super) held: WaitList,
    /// Time between two ticks in milliseconds; 0: none.
    pub(super) tick: Cell<u32>,
}

/// A tick period for what somebody waits for, in milliseconds.
const AT_ONCE: u32 = 1;

/// How a request stands after it was decided on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// Headers are changed; it may go on.
    Forward,
    /// It was answered.
    Replied,
    /// It needs keys that are on their way, at most so long.
    Wait(Duration),
}

impl From<Applied> for Outcome {
    fn from(applied: Applied) -> Self {
        match applied {
            Applied::Forward => Self::Forward,
            Applied::Replied => Self::Replied,
        }
    }
}

impl Shared {
    /// The state of root `root` before its configuration came.
    pub(super) fn new(root: u32) -> Self {
        Self {
            root,
            gate: RefCell::default(),
            cache: RefCell::default(),
            trial_cache: RefCell::default(),
            kind: Cell::new(HostKind::Bare),
            shares: Cell::new(false),
            crypto: RefCell::default(),
            counters: RefCell::default(),
            effort: Cell::new(Effort::None),
            held: WaitList::default(),
            tick: Cell::new(0),
        }
    }

    /// Decides on the request of the effective context and does what follows from it. With
    /// `may_wait` it may have to be held; without, it is decided with what is known.
    pub(super) fn decide(&self, now: Timestamp, may_wait: bool) -> Outcome {
        // Headers that only the gate may write are found by their names, whatever their spelling.
        let whole = self.gate.borrow().as_ref().is_some_and(|g| !g.policy().owned().is_empty());
        let view = HostView::new(self.kind.get(), whole);
        match self.check(&view, Moment { now, may_wait: true }) {
            Ok(outcome) => outcome,
            // Keys are asked for also where nobody can wait for them.
            Err((lack, wait)) => {
                self.want(now, lack);
                if may_wait {
                    return Outcome::Wait(wait);
                }
                let decided = self.check(&view, Moment { now, may_wait: false });
                decided.unwrap_or_else(|_| self.give_up())
            }
        }
    }

    /// Decides; the error is what is lacking, and how long to wait for it.
    fn check(&self, view: &HostView, moment: Moment) -> Result<Outcome, (Lack, Duration)> {
        let Some(gate) = &*self.gate.borrow() else {
            return Ok(self.give_up());
        };
        let (cache, crypto) = (self.cache.borrow(), self.crypto.borrow());
        let lent = Lent { crypto: &*crypto, cache: cache.as_ref() };
        let decision = gate.check(moment, view, lent);
        let tally = self.count_cached(cache.as_ref());
        match self.beside(gate, moment.now, view, decision) {
            Decision::Allow(permit) => {
                if let Some(refusal) = permit.shadowed() {
                    log::info!("shadow rule would refuse: {refusal}");
                }
                self.effort.set(Effort::of(&permit.account(), tally));
                let effects = gate.permit(moment.now, view, &permit);
                Ok(self.carry_out(gate, moment.now, view, permit.account(), &effects))
            }
            Decision::Deny(refusal) => {
                log::debug!("refused: {refusal}");
                self.effort.set(Effort::of(&refusal.account(), tally));
                let effects = gate.refuse(moment.now, view, &refusal);
                Ok(self.carry_out(gate, moment.now, view, refusal.account(), &effects))
            }
            Decision::Wait(lack) => {
                let wait = gate.remote(lack.source).map(|remote| remote.max_wait);
                Err((lack, wait.unwrap_or_default()))
            }
        }
    }

    /// The same decision, and beside it what a candidate policy says, if there is one.
    fn beside<'g>(
        &self,
        gate: &'g Gate,
        now: Timestamp,
        view: &HostView,
        decision: Decision<'g>,
    ) -> Decision<'g> {
        if gate.policy().candidate().is_none() {
            return decision;
        }
        let (cache, crypto) = (self.trial_cache.borrow(), self.crypto.borrow());
        let lent = Lent { crypto: &*crypto, cache: cache.as_ref() };
        // What the candidate fails to read must not count against the request.
        gate.beside(now, &view.clone(), lent, decision)
    }

    /// Removes from the trailers of the effective context what only the gate may write; false where
    /// the host failed to.
    pub(super) fn strip_trailers(&self) -> bool {
        let gate = self.gate.borrow();
        let done = gate.as_ref().map_or(Ok(()), |gate| trailers::strip(gate.policy().owned()));
        if let Err(status) = done {
            log::error!(
                "the proxy failed to show or change trailers (status {}); the request is answered 503",
                status.0
            );
        }
        done.is_ok()
    }

    fn count_cached(&self, cache: Option<&TokenCache>) -> Tally {
        let tally = cache.map(TokenCache::take_tally).unwrap_or_default();
        let counters = self.counters.borrow();
        counters.add(Counter::CacheHit, tally.hits);
        counters.add(Counter::CacheMiss, tally.misses);
        tally
    }

    /// Records how long the last decision took, which began then.
    pub(super) fn took(&self, since: Nanos) {
        if let Ok(nanos) = abi::now() {
            let took = nanos.saturating_sub(since.0);
            self.counters.borrow().took(self.effort.get(), took);
        }
    }

    /// Whether workers tell each other of keys.
    pub(super) fn shares_keys(&self) -> bool {
        self.shares.get()
    }

    /// Answers a request that cannot be judged.
    pub(super) fn give_up(&self) -> Outcome {
        Counter::undecided().into_iter().for_each(|counter| self.counters.borrow().count(counter));
        self.answer(&HostView::new(self.kind.get(), false), &Effects::misconfigured())
    }

    fn carry_out(
        &self,
        gate: &Gate,
        now: Timestamp,
        view: &HostView,
        account: Account<'_>,
        effects: &Effects,
    ) -> Outcome {
        match apply::apply(self.kind.get(), view, gate.policy().owned(), effects) {
            Ok(applied) => {
                self.tell(gate, account, effects);
                applied.into()
            }
            Err(why) => {
                let effects = gate.overrule(now, view, account, &why);
                let outcome = self.answer(view, &effects);
                self.tell(gate, account.overruled(&why), &effects);
                outcome
            }
        }
    }

    /// Answers a request. Should this fail, it stays paused: it does not pass.
    fn answer(&self, view: &HostView, effects: &Effects) -> Outcome {
        apply::apply(self.kind.get(), view, &[], effects).map_or(Outcome::Replied, Outcome::from)
    }

    /// Counts what became of a request, and writes it to the log where that is asked for.
    fn tell(&self, gate: &Gate, account: Account<'_>, effects: &Effects) {
        let counters = self.counters.borrow();
        Counter::of(gate.policy(), &account).for_each(|one| counters.count(one));
        if let Some(trial) = account.trial.filter(|trial| trial.differs()) {
            log::info!("candidate policy {trial}");
        }
        if let Some(line) = effects.line() {
            log::info!("{line}");
        }
    }

    /// A request asks for keys. Only the root may start the fetch: a request may be gone before
    /// the answer comes, and the answer with it.
    fn want(&self, now: Timestamp, lack: Lack) {
        let command = match &mut *self.gate.borrow_mut() {
            Some(gate) => gate.want(now, lack),
            None => Command::Rest,
        };
        // Elsewhere a request must not set the tick; the next one is soon enough.
        if command == Command::Fetch && self.kind.get() == HostKind::Envoy {
            self.tick_in(AT_ONCE);
        }
    }

    /// Makes the root tick after so many milliseconds, and then again and again.
    pub(super) fn tick_in(&self, millis: u32) {
        if self.tick.get() != millis && abi::set_tick_period(millis).is_ok() {
            self.tick.set(millis);
        }
    }
}

/// The time, read once for each callback; `None` where the host has no clock. Without the time no
/// token can be judged.
pub(super) fn now() -> Option<Timestamp> {
    Nanos::now().map(Nanos::timestamp)
}

/// The time as finely as the host has it, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nanos(u64);

impl Nanos {
    /// The time; `None` where the host has no clock.
    pub(super) fn now() -> Option<Self> {
        abi::now().ok().map(Self)
    }

    /// The same, as the core counts.
    pub(super) const fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(self.0 / 1_000_000)
    }
}
