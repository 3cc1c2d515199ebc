//! Plays a scenario with a [`Gate`] and nothing else. Every decision is held against its explanation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jwt_gate::cache::TokenCache;
use jwt_gate::effects::{Effects, HeaderOp};
use jwt_gate::gate::{Account, Decision, Explanation, Gate, Lent, Moment};
use jwt_gate::metrics::Counter;
use jwt_gate::policy::Policy;
use jwt_gate::policy::condition::Truth;
use jwt_gate::remote::SourceId;
use jwt_gate::remote::fetch::{Answer, FetchError};
use jwt_gate::remote::freshness;
use jwt_gate::remote::source::Command;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::{Body, Document, Driver, Endpoint, Fault, Left, Level, Reply, Request};

/// A gate, a clock that is set by hand, and what the endpoint answers.
#[derive(Debug)]
pub struct Core {
    now: Timestamp,
    gate: Option<Gate>,
    cache: Option<TokenCache>,
    endpoints: BTreeMap<Document, Endpoint>,
    fetches: u64,
    log: Vec<String>,
    left: Left,
    counters: BTreeMap<String, u64>,
    rules: BTreeSet<String>,
    contradiction: Option<String>,
}

type Lines = Vec<(Vec<u8>, Vec<u8>)>;

impl Core {
    /// A driver for one scenario.
    #[must_use]
    pub fn new() -> Self {
        Self {
            now: Timestamp::from_secs(1_800_000_000),
            gate: None,
            cache: None,
            endpoints: BTreeMap::new(),
            fetches: 0,
            log: Vec::new(),
            left: Left::default(),
            counters: BTreeMap::new(),
            rules: BTreeSet::new(),
            contradiction: None,
        }
    }

    /// The rules that have decided on a request, by their places.
    #[must_use]
    pub const fn rules(&self) -> &BTreeSet<String> {
        &self.rules
    }

    /// Plays the host's part: tells each source the time, and does what it asks for.
    fn tick(&mut self) {
        let sources: Vec<_> = self.gate.iter().flat_map(Gate::sources).collect();
        for source in sources {
            let now = self.now;
            let begins = self.gate.as_mut().is_some_and(|gate| {
                gate.tick(now, source) == Command::Fetch || gate.is_fetching(source)
            });
            if begins {
                self.fetch(source);
            }
        }
    }

    fn fetch(&mut self, source: SourceId) {
        let Some(gate) = &mut self.gate else { return };
        let Some(place) = gate.endpoint(self.now, source) else { return };
        let absent = Endpoint::absent();
        let at = |document: &&Document| document.path("") == *place.path;
        let document = Document::ALL.iter().find(at);
        let endpoint = document.and_then(|d| self.endpoints.get(d)).unwrap_or(&absent);
        let body = match &endpoint.body {
            Body::Bytes(bytes) => bytes.clone(),
            Body::Size(size) => vec![b' '; usize::try_from(*size).unwrap_or(0)],
        };
        // A connection that is refused never reaches the endpoint, which counts requests.
        self.fetches =
            self.fetches.saturating_add(u64::from(endpoint.fault != Some(Fault::Refused)));
        let end = match endpoint.fault {
            Some(Fault::Timeout) => {
                self.now = self.now.plus(Duration::from_secs(1));
                Err(FetchError::NoAnswer)
            }
            Some(Fault::Refused | Fault::Reset | Fault::Truncated) => Err(FetchError::NoAnswer),
            None => Ok(answer(endpoint, &body)),
        };
        let settled = gate.settle(self.now, source, end);
        self.log.extend(settled.note.map(|note| note.to_string()));
        if settled.command == Command::Fetch {
            self.fetch(source);
        }
    }

    /// Decides on a request, and holds it as long as it may wait.
    fn effects(&mut self, view: &[(Vec<u8>, Vec<u8>)]) -> Effects {
        let mut deadline = None;
        loop {
            let now = self.now;
            let Some(gate) = &mut self.gate else { return Effects::misconfigured() };
            let lent = Lent { cache: self.cache.as_ref(), ..Lent::NOTHING };
            let may_wait = deadline.is_none_or(|deadline| now < deadline);
            let moment = Moment { now, may_wait };
            let decision = gate.check(moment, &view, lent);
            let explanation = gate.explain(moment, &view, Lent::NOTHING);
            self.rules.extend(explanation.rule.as_ref().map(|(place, _)| place.clone()));
            if let Some(contradiction) = contradiction(&explanation, &decision) {
                self.contradiction = Some(contradiction);
            }
            let lack = match gate.beside(now, &view, Lent::NOTHING, decision) {
                Decision::Allow(permit) => {
                    let shadowed = permit.shadowed();
                    let trial = count(&mut self.counters, gate.policy(), &permit.account());
                    self.log.extend(trial);
                    self.log.extend(shadowed.map(|why| format!("shadow rule would refuse: {why}")));
                    return gate.permit(now, &view, &permit);
                }
                Decision::Deny(refusal) => {
                    let trial = count(&mut self.counters, gate.policy(), &refusal.account());
                    self.log.extend(trial);
                    return gate.refuse(now, &view, &refusal);
                }
                Decision::Wait(lack) => lack,
            };
            let longest = gate.remote(lack.source).map(|remote| remote.max_wait);
            deadline = deadline.or(longest.map(|longest| now.plus(longest)));
            if gate.want(now, lack) == Command::Fetch {
                self.fetch(lack.source);
            } else {
                self.now = now.plus(Duration::from_millis(20));
                self.tick();
            }
        }
    }
}

impl Default for Core {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver for Core {
    fn level(&self) -> Level {
        Level::Core
    }

    fn now(&self) -> u64 {
        self.now.as_secs()
    }

    fn idp_uri(&self) -> String {
        "https://idp.example/jwks.json".to_owned()
    }

    fn start(&mut self, config: &str, idp: Endpoint) -> Result<(), Vec<String>> {
        self.endpoints.insert(Document::Keys, idp);
        let policy = Policy::from_json(config.as_bytes())
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        self.cache = Some(TokenCache::new(&policy, 0));
        self.gate = Some(Gate::new(Arc::new(policy), self.now));
        self.tick();
        Ok(())
    }

    fn endpoint(&mut self, document: Document, endpoint: Endpoint) {
        self.endpoints.insert(document, endpoint);
    }

    fn advance(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while self.now < end {
            self.now = self.now.plus(Duration::from_millis(250)).min(end);
            self.tick();
        }
    }

    fn send(&mut self, request: Request) -> Result<Reply, String> {
        let view = as_host_shows(&request);
        let effects = self.effects(&view);
        self.left = left(&effects);
        self.log.extend(effects.line().map(str::to_owned));
        if let Some(contradiction) = self.contradiction.take() {
            return Err(contradiction);
        }
        match effects {
            Effects::Forward(forward) => Ok(seen_upstream(view, forward.headers)),
            Effects::Reply(reply) => Ok(Reply::Denied {
                status: reply.status,
                headers: reply
                    .headers
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into_bytes()))
                    .collect(),
                body: reply.body.into_bytes(),
            }),
        }
    }

    fn left(&self) -> Option<Left> {
        Some(self.left.clone())
    }

    fn fetches(&self) -> Option<u64> {
        Some(self.fetches)
    }

    fn counters(&mut self) -> Option<BTreeMap<String, u64>> {
        Some(self.counters.clone())
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        Some(std::mem::take(&mut self.log))
    }
}

/// How an explanation comes to another decision than the gate, if it does.
fn contradiction(explanation: &Explanation<'_>, decision: &Decision<'_>) -> Option<String> {
    let (state, rule) = match decision {
        Decision::Allow(_) => (Truth::True, None),
        Decision::Deny(refusal) => (Truth::False, refusal.rule.map(|rule| &rule.name)),
        Decision::Wait(_) => (Truth::Undecided, None),
    };
    let (tree, found) = (&explanation.tree, explanation.rule.as_ref().map(|(_, rule)| &rule.name));
    let agrees = tree.state == Some(state) && (rule.is_none() || rule == found);
    (!agrees).then(|| format!("{decision:?}, but it is explained as by {found:?}: {tree:#?}"))
}

/// Counts a decision; what is told of the candidate policy.
fn count(
    counters: &mut BTreeMap<String, u64>,
    policy: &Policy,
    account: &Account<'_>,
) -> Option<String> {
    for counter in Counter::of(policy, account) {
        let value = counters.entry(counter.name(policy)).or_default();
        *value = value.saturating_add(1);
    }
    let trial = account.trial.filter(|trial| trial.differs());
    trial.map(|trial| format!("candidate policy {trial}"))
}

/// What later filters would find.
fn left(effects: &Effects) -> Left {
    let (exports, rerouted) = match effects {
        Effects::Forward(forward) => (&forward.exports, forward.reroute),
        Effects::Reply(reply) => (&reply.exports, false),
    };
    let exports = exports.iter().map(|export| (export.name.to_string(), export.value.clone()));
    Left { exports: exports.collect(), rerouted }
}

/// What the endpoint answers, as a host reads it.
fn answer<'b>(endpoint: &Endpoint, body: &'b [u8]) -> Answer<'b> {
    let header = |wanted: &str| {
        let named = endpoint.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.map(|(_, value)| value.as_str())
    };
    let fresh_for =
        header("cache-control").and_then(|control| freshness::fresh_for(control, header("age")));
    Answer { status: endpoint.status, body, fresh_for }
}

/// The request as a proxy shows it: pseudo-headers first, `host` as `:authority`, and the lines of
/// `authorization` joined, as Envoy has them.
fn as_host_shows(request: &Request) -> Lines {
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let host = request.headers.iter().find(|(name, _)| is(name, "host"));
    let mut lines: Lines = vec![
        (b":method".to_vec(), request.method.clone().into_bytes()),
        (b":scheme".to_vec(), b"http".to_vec()),
        (b":authority".to_vec(), host.map(|(_, value)| value.clone()).unwrap_or_default()),
        (b":path".to_vec(), request.target.clone()),
    ];
    for (name, value) in request.headers.iter().filter(|(name, _)| !is(name, "host")) {
        let before = lines
            .iter_mut()
            .find(|(known, _)| is(name, "authorization") && *known == *b"authorization");
        match before {
            Some((_, joined)) => {
                joined.push(b',');
                joined.extend_from_slice(value);
            }
            None => lines.push((name.to_ascii_lowercase().into_bytes(), value.clone())),
        }
    }
    lines
}

fn seen_upstream(mut lines: Lines, ops: Vec<HeaderOp>) -> Reply {
    for op in ops {
        match op {
            HeaderOp::Remove(name) => {
                lines.retain(|(known, _)| *known != *name.as_str().as_bytes())
            }
            HeaderOp::Add(name, value) => lines.push((name.as_str().as_bytes().to_vec(), value)),
            HeaderOp::SetPath(path) => {
                lines
                    .iter_mut()
                    .filter(|(name, _)| *name == *b":path")
                    .for_each(|(_, v)| v.clone_from(&path));
            }
        }
    }
    let target = lines.iter().find(|(name, _)| *name == *b":path").map(|(_, v)| v.clone());
    let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
    let host = |(name, value): (Vec<u8>, Vec<u8>)| {
        if name == b":authority" { (b"host".to_vec(), value) } else { (name, value) }
    };
    let headers = lines.into_iter().map(host).filter(|(name, _)| !name.starts_with(b":"));
    Reply::Allowed {
        target: target.unwrap_or_default(),
        headers: headers.map(|(name, value)| (text(name), value)).collect(),
    }
}
