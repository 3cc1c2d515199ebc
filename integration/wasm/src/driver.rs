//! Scenarios on this host: the second level of the test stack, and its NGINX variant.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use jwt_gate_scenario::{
    Body, Document, Driver, Endpoint, Fault, Left, Level, Reply, Request as Sent, document,
};

use crate::{
    Callout, CalloutResult, Cluster, Headers, Host, LocalReply, Module, Personality, Phase,
    Request, RootId, StreamId, Token, Trap, Vm,
};

/// How long a request may be held before the scenario counts it as undecided.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long an NGINX worker runs before its first request comes, unless it has asked for keys by
/// then.
const WARM_UP: Duration = Duration::from_secs(2);

/// Memory that a bare host lends, in pages of 64 KiB: 16 MiB.
const BARE_PAGES: u64 = 256;

/// Cluster that scenarios name in their configuration.
const CLUSTER: &str = "idp";

/// Where the endpoint is for NGINX, which calls hosts and not clusters.
const HOST_NAME: &str = "idp.example";

/// Path of the issuer's URL.
const BASE: &str = "/tenant";

/// What the variables of identity headers begin with.
const IDENTITY: &str = "jwt_gate_";

/// Traps of all scenarios that share it.
///
/// No scenario may trap, whatever else it expects; who runs them looks here at the end.
#[derive(Clone, Debug, Default)]
pub struct Traps(Rc<RefCell<Vec<String>>>);

impl Traps {
    /// All that came, in order.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn note(&self, result: Result<(), Trap>) {
        if let Err(trap) = result {
            self.0.borrow_mut().push(trap.to_string());
        }
    }
}

/// Plays a scenario with a module on a [`Host`] of its own.
///
/// On Envoy the first request may come before the keys are there and is then held. On NGINX the
/// worker has run for a moment before: there a request without keys is answered, not held.
#[derive(Debug)]
pub struct ScenarioDriver {
    host: Host,
    module: Module,
    traps: Traps,
    running: Option<(Vm, RootId)>,
    endpoints: BTreeMap<Document, Endpoint>,
    /// What the endpoint did when a callout reached it: later changes do not concern that one.
    reached: BTreeMap<Token, Endpoint>,
    /// Whether keys have been asked for.
    is_warm: bool,
    fetches: u64,
    lines_read: usize,
    left: Left,
}

impl ScenarioDriver {
    /// A driver for one scenario.
    #[must_use]
    pub fn new(personality: Personality, module: &Module, traps: &Traps) -> Self {
        let host = Host::new(personality);
        for name in [CLUSTER, HOST_NAME] {
            host.set_cluster(name, Cluster::Healthy);
        }
        Self {
            host,
            module: module.clone(),
            traps: traps.clone(),
            running: None,
            endpoints: BTreeMap::new(),
            reached: BTreeMap::new(),
            is_warm: false,
            fetches: 0,
            lines_read: 0,
            left: Left::default(),
        }
    }

    fn configure(&mut self, config: &str) -> Result<(), Vec<String>> {
        let vm = self.host.vm(&self.module).map_err(|error| vec![error.to_string()])?;
        if self.host.personality() == Personality::Nginx {
            self.set_variables(config);
        }
        match vm.configure(config.as_bytes()) {
            Ok(Some(root)) => {
                self.running = Some((vm, root));
                Ok(())
            }
            Ok(None) => Err(errors(&vm)),
            Err(trap) => {
                self.traps.note(Err(trap.clone()));
                Err(vec![trap.to_string()])
            }
        }
    }

    /// What the NGINX configuration has for each header that only the gate may write, and for each
    /// value that it leaves for later.
    fn set_variables(&self, config: &str) {
        let document = serde_json::from_str(config).unwrap_or_default();
        for name in document::identity_headers(&document) {
            let variable = format!("{IDENTITY}{}", name.to_lowercase().replace('-', "_"));
            self.host.set_variable(&variable);
            self.host.proxy_set_header(&name, &variable);
        }
        for name in document::exports(&document) {
            self.host.set_variable(&name);
        }
    }

    /// Lets the endpoint answer all callouts that are due.
    fn answer(&mut self) {
        let Some((vm, _)) = self.running.clone() else { return };
        while let Some((token, result)) = vm.callouts().iter().find_map(|c| self.fate(c)) {
            self.traps.note(vm.deliver(token, result));
        }
    }

    fn fate(&mut self, callout: &Callout) -> Option<(Token, CalloutResult)> {
        let path = callout.headers.iter().find(|(name, _)| *name == *b":path");
        let path = path.map(|(_, path)| path.as_slice()).unwrap_or_default();
        let document = Document::ALL.into_iter().find(|d| d.path(BASE).as_bytes() == path);
        let current = document.and_then(|document| self.endpoints.get(&document).cloned());
        let current = current.unwrap_or_else(Endpoint::absent);
        self.is_warm |= matches!(document, Some(Document::Keys | Document::Moved));
        let token = callout.token;
        if !self.reached.contains_key(&token) && current.fault != Some(Fault::Refused) {
            self.fetches = self.fetches.saturating_add(1);
        }
        let endpoint = self.reached.entry(token).or_insert(current);
        let result = result(endpoint);
        let waits = result == CalloutResult::Timeout && self.host.now() < deadline(callout)?;
        (!waits).then_some((token, result))
    }

    /// Time until something happens by itself: a tick, or the end of a callout's patience.
    fn until_next_event(&self) -> Option<Duration> {
        let (vm, _) = self.running.as_ref()?;
        let now = self.host.now();
        let callouts = vm.callouts();
        let deadlines = callouts.iter().filter_map(deadline).map(|d| d.saturating_sub(now));
        deadlines.chain(self.host.until_next_tick()).min()
    }

    fn pass(&mut self, time: Duration) {
        self.traps.note(self.host.advance(time));
        self.answer();
    }

    /// Passes time event by event until `done`, or until so much has passed or nothing is left.
    fn pass_until(&mut self, time: Duration, done: impl Fn(&Self) -> bool) {
        let end = self.host.now().saturating_add(time);
        while !done(self) {
            let left = end.saturating_sub(self.host.now());
            match self.until_next_event().filter(|next| *next <= left) {
                Some(next) => self.pass(next),
                None => return,
            }
        }
    }

    fn phase(&self, stream: StreamId) -> Option<Phase> {
        let (vm, _) = self.running.as_ref()?;
        vm.stream(stream).ok().map(|state| state.phase)
    }

    fn decided(&self, stream: StreamId) -> Result<Reply, String> {
        let (vm, _) = self.running.as_ref().ok_or("no configuration runs")?;
        let state = vm.stream(stream).map_err(|trap| trap.to_string())?;
        match (state.phase, state.upstream) {
            (Phase::Replied(reply), _) => Ok(self.denied(reply)),
            (Phase::Continued, Some(headers)) => Ok(self.allowed(headers)),
            (Phase::Continued | Phase::Paused, _) => Err(format!(
                "the request is still held, {} callouts are pending",
                vm.callouts().len()
            )),
        }
    }

    /// What later filters would find: filter state on Envoy, variables on NGINX.
    fn left_by(&self, vm: &Vm, stream: StreamId) -> Left {
        let prefix: &[u8] = match self.host.personality() {
            Personality::Nginx => b"ngx\0",
            Personality::Envoy | Personality::Bare => b"wasm.",
        };
        let Ok(state) = vm.stream(stream) else { return Left::default() };
        let named = state.properties.into_iter().filter_map(|(key, value)| {
            Some((String::from_utf8_lossy(key.strip_prefix(prefix)?).into_owned(), value))
        });
        // Those go to the upstream, and are seen there.
        let named = named.filter(|(name, _)| !name.starts_with(IDENTITY));
        Left { exports: named.collect(), rerouted: state.routes_cleared > 0 }
    }

    fn allowed(&self, upstream: Headers) -> Reply {
        let mut target = Vec::new();
        let mut headers = Vec::new();
        for (name, value) in upstream {
            let name = String::from_utf8_lossy(&name).into_owned();
            // An NGINX configuration passes the headers of tokens on as
            // `proxy_set_header X $http_x`, which leaves one out whose value the filter emptied.
            let emptied = self.host.personality() == Personality::Nginx && value.is_empty();
            match name.as_str() {
                ":path" => target = value,
                ":authority" => headers.push(("host".to_owned(), value)),
                _ if name.starts_with(':') || emptied => {}
                _ => headers.push((name, value)),
            }
        }
        Reply::Allowed { target, headers }
    }

    fn denied(&self, reply: LocalReply) -> Reply {
        let mut body = reply.body;
        if self.host.personality() == Personality::Nginx && body.last() == Some(&b'\n') {
            // NGINX ends each body of its own with a line feed, which is no part of the answer.
            body.pop();
        }
        let text = |(name, value): (Vec<u8>, _)| (String::from_utf8_lossy(&name).into(), value);
        let headers = reply.headers.into_iter().map(text).collect();
        Reply::Denied { status: u16::try_from(reply.status).unwrap_or_default(), headers, body }
    }
}

impl Driver for ScenarioDriver {
    fn level(&self) -> Level {
        match self.host.personality() {
            Personality::Envoy => Level::Module,
            Personality::Nginx => Level::Nginx,
            Personality::Bare => Level::Bare,
        }
    }

    fn now(&self) -> u64 {
        self.host.now().as_secs()
    }

    fn idp_uri(&self) -> String {
        format!("https://{HOST_NAME}{}", Document::Keys.path(BASE))
    }

    fn start(&mut self, config: &str, idp: Endpoint) -> Result<(), Vec<String>> {
        let config =
            if self.has_endpoint() { config.into() } else { document::with_keys(config, &idp) };
        self.endpoints.insert(Document::Keys, idp);
        self.configure(&config)?;
        self.answer();
        if self.host.personality() == Personality::Nginx {
            self.pass_until(WARM_UP, |driver| driver.is_warm);
        }
        Ok(())
    }

    fn has_endpoint(&self) -> bool {
        self.host.personality() != Personality::Bare
    }

    fn endpoint(&mut self, document: Document, endpoint: Endpoint) {
        self.endpoints.insert(document, endpoint);
    }

    fn advance(&mut self, time: Duration) {
        let end = self.host.now().saturating_add(time);
        self.pass_until(time, |_| false);
        self.pass(end.saturating_sub(self.host.now()));
    }

    fn send(&mut self, request: Sent) -> Result<Reply, String> {
        let (vm, root) = self.running.clone().ok_or("no configuration runs")?;
        let request = as_it_arrives(request);
        let opened = vm.request(root, &request);
        self.traps.note(opened.clone().map(drop));
        let stream = opened.map_err(|trap| trap.to_string())?;
        self.answer();
        let held = |driver: &Self| driver.phase(stream) == Some(Phase::Paused);
        self.pass_until(PATIENCE, |driver| !held(driver) || vm.trap().is_some());
        let reply = self.decided(stream);
        if self.host.personality() == Personality::Bare && vm.memory_pages() > BARE_PAGES {
            return Err(format!("it takes {} pages of memory", vm.memory_pages()));
        }
        self.left = self.left_by(&vm, stream);
        let ended = vm.disconnect(stream);
        self.traps.note(ended.clone());
        match vm.trap() {
            Some(trap) => Err(trap.to_string()),
            None => reply,
        }
    }

    fn left(&self) -> Option<Left> {
        Some(self.left.clone())
    }

    fn fetches(&self) -> Option<u64> {
        Some(self.fetches)
    }

    fn counters(&mut self) -> Option<BTreeMap<String, u64>> {
        if self.host.personality() == Personality::Bare {
            return None;
        }
        // They are told at ticks.
        self.advance(WARM_UP);
        let (vm, _) = self.running.as_ref()?;
        Some(vm.metrics().into_iter().map(|metric| (metric.name, metric.value)).collect())
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        let (vm, _) = self.running.as_ref()?;
        let lines: Vec<String> =
            vm.logs().into_iter().skip(self.lines_read).map(|line| line.text).collect();
        self.lines_read = self.lines_read.saturating_add(lines.len());
        Some(lines)
    }
}

/// The faults of a refused configuration: one line of level error each.
fn errors(vm: &Vm) -> Vec<String> {
    let lines = vm.logs().into_iter();
    lines.filter(|line| line.level == crate::Level::Error).map(|line| line.text).collect()
}

fn as_it_arrives(sent: Sent) -> Request {
    let pseudo = [
        (":method", sent.method.into_bytes()),
        (":path", sent.target),
        (":scheme", b"http".to_vec()),
    ];
    let mut headers: Headers =
        pseudo.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect();
    headers.extend(sent.headers.into_iter().map(|(name, value)| (name.into_bytes(), value)));
    Request { headers, end_of_stream: true }
}

fn deadline(callout: &Callout) -> Option<Duration> {
    // A timeout of zero is none.
    (!callout.timeout.is_zero()).then(|| callout.sent.saturating_add(callout.timeout))
}

fn result(endpoint: &Endpoint) -> CalloutResult {
    let body = match &endpoint.body {
        Body::Bytes(bytes) => bytes.clone(),
        Body::Size(size) => vec![b' '; usize::try_from(*size).unwrap_or(usize::MAX)],
    };
    let own = [
        (":status".to_owned(), endpoint.status.to_string()),
        ("content-length".to_owned(), body.len().to_string()),
    ];
    let headers = own.iter().chain(&endpoint.headers);
    let headers =
        headers.map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()));
    let headers = headers.collect();
    match endpoint.fault {
        None => CalloutResult::Response { headers, body },
        Some(Fault::Refused) => CalloutResult::Refused,
        Some(Fault::Reset) => CalloutResult::Reset,
        Some(Fault::Timeout) => CalloutResult::Timeout,
        Some(Fault::Truncated) => {
            let announced = u32::try_from(body.len()).unwrap_or(u32::MAX);
            CalloutResult::MidBody { headers, announced }
        }
    }
}
