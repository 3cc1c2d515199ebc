//! The gate: a request in, a decision out; an event in, a command out.

mod account;
mod authenticate;
mod authorize;
#[cfg(feature = "tools")]
mod explain;
mod place;
mod revoke;
mod settle;
mod trial;

use std::sync::Arc;

pub use account::Account;
#[cfg(feature = "tools")]
pub use explain::Explanation;
pub use place::Errand;
pub use settle::{Note, Settled};
pub use trial::{Comparison, Trial};

use crate::cache::TokenCache;
use crate::credential::Location;
use crate::crypto::{HostCrypto, NoHostCrypto};
use crate::effects::Effects;
use crate::jws::VerifiedToken;
use crate::keys::absent::{KidHash, Names};
use crate::keys::set::KeySet;
use crate::policy::Policy;
use crate::policy::path::Target;
use crate::policy::provider::Provider;
use crate::policy::rule::Rule;
use crate::rejection::Rejection;
use crate::remote::document::Document;
use crate::remote::source::{Command, Event, Source};
use crate::remote::{Lack, Remote, SourceId};
use crate::request::{HeaderName, Lines, Pseudo, RequestView};
use crate::requirement::Verdict;
use crate::time::Timestamp;

/// A policy and the remote documents that it needs.
#[derive(Debug)]
pub struct Gate {
    policy: Arc<Policy>,
    sources: Vec<Entry>,
}

/// A source, and how its last fetch ended.
#[derive(Debug)]
struct Entry {
    source: Source<Document>,
    /// Of two places ([`Place::Either`](crate::remote::Place::Either)), whether it is the second.
    is_at_second: bool,
    /// `kid`s that its keys lack.
    names: Names,
    last: settle::Last,
}

/// The outcome of a check.
#[derive(Debug)]
#[must_use]
pub enum Decision<'g> {
    /// Forward the request.
    Allow(Permit<'g>),
    /// Refuse it.
    Deny(Refusal<'g>),
    /// Ask for what is lacking ([`Gate::want`]), hold the request until the source settles, then check again.
    Wait(Lack),
}

/// When a request is decided on.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// Whether the request may wait for keys. If not, keys that are not there count as
    /// unavailable, and [`Decision::Wait`] does not occur.
    pub may_wait: bool,
}

/// What the host lends to a check.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'l> {
    /// Its cryptography.
    pub crypto: &'l dyn HostCrypto,
    /// The cache of this gate's policy; without it each token is verified.
    pub cache: Option<&'l TokenCache>,
}

impl Lent<'static> {
    /// Of a host that lends nothing.
    pub const NOTHING: Self = Self { crypto: &NoHostCrypto, cache: None };
}

/// A request, and all that is needed to decide on it.
#[derive(Clone, Copy)]
struct Case<'c> {
    moment: Moment,
    view: &'c dyn RequestView,
    lent: Lent<'c>,
}

/// A gate that judges by one of its policies: the one that counts, or the candidate.
#[derive(Clone, Copy)]
struct Judge<'g> {
    gate: &'g Gate,
    policy: &'g Policy,
}

/// A refusal, and the rule under which it was made.
#[derive(Debug)]
pub struct Refusal<'g> {
    /// Why.
    pub why: Rejection,
    /// The rule, if one was found.
    pub rule: Option<&'g Rule>,
    /// Tokens that were found good, and did not suffice.
    pub accepted: Vec<Accepted<'g>>,
    /// What was found out about tokens on the way.
    pub findings: Findings<'g>,
    /// What a candidate policy says.
    pub trial: Option<Box<Trial<'g>>>,
}

impl<'g> Refusal<'g> {
    /// One that no token has part in.
    const fn plain(why: Rejection) -> Self {
        Self { why, rule: None, accepted: Vec::new(), findings: Findings::NONE, trial: None }
    }
}

/// Proof that a request may pass. Only [`Gate::check`] makes one.
#[derive(Debug)]
pub struct Permit<'g> {
    rule: Option<&'g Rule>,
    accepted: Vec<Accepted<'g>>,
    findings: Findings<'g>,
    shadowed: Option<Refusal<'g>>,
    trial: Option<Box<Trial<'g>>>,
}

impl<'g> Permit<'g> {
    const fn open() -> Self {
        Self {
            rule: None,
            accepted: Vec::new(),
            findings: Findings::NONE,
            shadowed: None,
            trial: None,
        }
    }

    /// How a rule on trial would have refused the request.
    pub const fn shadowed(&self) -> Option<&Refusal<'g>> {
        self.shadowed.as_ref()
    }

    /// The tokens that were asked for and found good.
    pub fn accepted(&self) -> &[Accepted<'g>] {
        &self.accepted
    }

    /// What was found out about other tokens.
    pub const fn findings(&self) -> &Findings<'g> {
        &self.findings
    }
}

/// What was found out about tokens that were refused, or lacking, whatever became of the request.
#[derive(Debug)]
pub struct Findings<'g> {
    /// The failures, in the order in which they came.
    pub failures: Vec<Failure<'g>>,
    /// Headers that tell the upstream of a token which was not good.
    pub unverified: Vec<&'g HeaderName>,
}

impl Findings<'_> {
    const NONE: Self = Self { failures: Vec::new(), unverified: Vec::new() };
}

/// A token that was refused, or one that was lacking.
#[derive(Debug)]
pub struct Failure<'g> {
    /// Whose it would have been; `None` where that cannot be said.
    pub provider: Option<&'g Provider>,
    /// Why.
    pub why: Rejection,
}

/// A good token.
#[derive(Clone, Debug)]
pub struct Accepted<'g> {
    /// Whose it is.
    pub provider: &'g Provider,
    /// Where it was.
    pub location: &'g Location,
    /// What it says.
    pub token: VerifiedToken,
}

impl Gate {
    /// A gate for `policy`; its sources are due at once.
    pub fn new(policy: Arc<Policy>, now: Timestamp) -> Self {
        let source = |remote: &Remote| Entry {
            source: Source::new(remote.schedule, now),
            is_at_second: false,
            names: Names::default(),
            last: settle::Last::default(),
        };
        let sources = policy.sources.iter().map(source).collect();
        Self { policy, sources }
    }

    /// The policy.
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Decides on a request.
    pub fn check<'g>(
        &'g self,
        moment: Moment,
        view: &dyn RequestView,
        lent: Lent<'_>,
    ) -> Decision<'g> {
        Judge { gate: self, policy: &self.policy }.check(Case { moment, view, lent })
    }

    /// What the host does for a permit.
    pub fn permit(&self, now: Timestamp, view: &dyn RequestView, permit: &Permit<'_>) -> Effects {
        let effects = Effects::permit(&self.policy, view, permit);
        effects.audited(&self.policy, now, view, &permit.account())
    }

    /// What the host does for a refusal.
    pub fn refuse(&self, now: Timestamp, view: &dyn RequestView, refusal: &Refusal<'_>) -> Effects {
        let effects = Effects::refuse(&self.policy, view, refusal);
        effects.audited(&self.policy, now, view, &refusal.account())
    }

    /// What the host does when it could not do what was decided, for this reason.
    pub fn overrule(
        &self,
        now: Timestamp,
        view: &dyn RequestView,
        account: Account<'_>,
        why: &Rejection,
    ) -> Effects {
        let effects = Effects::Reply(Effects::plain(why));
        effects.audited(&self.policy, now, view, &account.overruled(why))
    }

    /// Tells a source the time; see [`Gate::settle`] for the end of a fetch.
    pub fn tick(&mut self, now: Timestamp, source: SourceId) -> Command {
        self.handle(now, source, Event::Tick)
    }

    /// A request asks for what it lacks. The fetch that this may lead to is then under way
    /// ([`Gate::is_fetching`]), and the host has to start it.
    pub fn want(&mut self, now: Timestamp, lack: Lack) -> Command {
        if let (Some(entry), Some(kid)) = (self.sources.get_mut(lack.source.0), lack.kid) {
            entry.names.ask(now, kid);
        }
        self.handle(now, lack.source, Event::Wanted)
    }

    fn handle(&mut self, now: Timestamp, source: SourceId, event: Event<Document>) -> Command {
        if !self.is_fetching(source) && self.endpoint(now, source).is_none() {
            // It is due as soon as its place is known.
            return Command::Rest;
        }
        let Some(entry) = self.sources.get_mut(source.0) else { return Command::Rest };
        let command = entry.source.handle(now, event);
        if command == Command::Fetch {
            entry.names.seek();
        }
        command
    }

    /// A fetch has really begun, perhaps after a wait for another worker: its time counts anew.
    pub fn started(&mut self, now: Timestamp, source: SourceId) {
        if let Some(entry) = self.sources.get_mut(source.0) {
            entry.source.started(now);
            entry.names.seek();
        }
    }

    /// All sources.
    pub fn sources(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..self.sources.len()).map(SourceId)
    }

    /// Whether a fetch is under way for a source, here or in another worker.
    pub fn is_fetching(&self, source: SourceId) -> bool {
        self.source(source).is_some_and(|source| source.fetching_since().is_some())
    }

    /// Whether the fetch for a source should have ended.
    pub fn is_overdue(&self, now: Timestamp, source: SourceId) -> bool {
        let overdue = |s: &Source<_>| s.fetching_since().is_some() && s.deadline() <= now;
        self.source(source).is_some_and(overdue)
    }

    /// How many octets an answer for a source may have.
    pub fn max_bytes(&self, source: SourceId) -> usize {
        self.remote(source).map_or(0, |remote| remote.kind.max_bytes(&self.policy.limits.keys))
    }

    /// What to fetch for a source.
    pub fn remote(&self, source: SourceId) -> Option<&Remote> {
        self.policy.sources.get(source.0)
    }

    fn source(&self, id: SourceId) -> Option<&Source<Document>> {
        self.sources.get(id.0).map(|entry| &entry.source)
    }

    /// Whether waiting for a source can bring what a request lacks.
    fn may_bring(&self, now: Timestamp, id: SourceId) -> bool {
        let within = self.remote(id).map(|remote| remote.max_wait).unwrap_or_default();
        self.source(id).is_some_and(|source| source.may_bring(now, within))
    }

    /// Whether a key of a name that is not among the keys at hand may have been published since
    /// they were fetched, for all that is known and may be asked for.
    fn may_be_published(&self, now: Timestamp, id: SourceId, kid: KidHash) -> bool {
        let asks = |entry: &Entry| entry.source.may_lack() && !entry.names.is_absent(now, kid);
        self.sources.get(id.0).is_some_and(asks)
    }

    /// The keys of a source, if they are young enough, and so is what tells where they are.
    fn keys(&self, now: Timestamp, id: SourceId) -> Option<&Arc<KeySet>> {
        self.endpoint(now, id)?;
        match self.source(id)?.document(now)? {
            Document::Keys(keys) => Some(keys),
            Document::Discovery(_) | Document::Revocations(_) => None,
        }
    }
}

impl<'g> Judge<'g> {
    fn check(self, case: Case<'_>) -> Decision<'g> {
        if self.policy.bypass_cors_preflight && is_preflight(case.view) {
            return Decision::Allow(Permit::open());
        }
        let path = case.view.pseudo(Pseudo::Path).unwrap_or_default();
        let deny = |why| Decision::Deny(Refusal::plain(why));
        let (rule, liberal) = match self.policy.rule(case.view, Target::new(&path)) {
            Ok(found) => found,
            Err(why) => return deny(why),
        };
        let Some(rule) = rule else {
            return if self.policy.open_by_default {
                Decision::Allow(Permit::open())
            } else {
                deny(Rejection::NoRule)
            };
        };
        // Nobody is held, and nobody refused, by a rule that is on trial.
        let may_wait = case.moment.may_wait && !rule.shadow;
        let moment = Moment { may_wait, ..case.moment };
        match self.judge(Case { moment, ..case }, rule, &liberal) {
            Decision::Deny(refusal) if rule.shadow => {
                Decision::Allow(Permit { shadowed: Some(refusal), ..Permit::open() })
            }
            decision @ (Decision::Allow(_) | Decision::Deny(_) | Decision::Wait(_)) => decision,
        }
    }

    /// What the rule says to a request that it is for.
    fn judge(self, case: Case<'_>, rule: &'g Rule, path: &[u8]) -> Decision<'g> {
        let mut findings = Findings::NONE;
        let refused = |why, accepted, findings| {
            Decision::Deny(Refusal { why, rule: Some(rule), accepted, findings, trial: None })
        };
        let accepted = match self.authenticate(case, rule, &mut findings) {
            Verdict::Valid(accepted) => accepted,
            Verdict::Refused(why) => return refused(why, Vec::new(), findings),
            Verdict::Unknown(lack) => return Decision::Wait(lack),
        };
        match self.authorize(case.moment.now, case.view, rule, path, &accepted) {
            Ok(()) => {
                let (rule, shadowed, trial) = (Some(rule), None, None);
                Decision::Allow(Permit { rule, accepted, findings, shadowed, trial })
            }
            Err(why) => refused(why, accepted, findings),
        }
    }
}

/// Whether the browser asks if it may ask (Fetch, section 4.8).
fn is_preflight(view: &dyn RequestView) -> bool {
    let there = |name| matches!(view.lines(&name), Lines::One(value) if !value.is_empty());
    view.pseudo(Pseudo::Method).is_some_and(|method| *method == *b"OPTIONS")
        && there(HeaderName::ORIGIN)
        && there(HeaderName::ACCESS_CONTROL_REQUEST_METHOD)
}
