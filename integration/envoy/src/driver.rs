//! The third driver of the scenarios: the module in real Envoy, with real sockets and real time.
//!
//! One Envoy runs them all. A scenario gets a listener, a plugin configuration and a path of the
//! identity provider of its own; its listener comes when it starts, so that what happens after a
//! second in a scenario is not already over, and goes when it ends.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jwt_gate_scenario as scenario;
use scenario::{Body, Document, Driver, Endpoint, Level, Reply};

use crate::{
    bootstrap::{Bootstrap, Filter, Listener, Module},
    client::{Answer, Client, Request},
    envoy::Options,
    error::Error,
    idp::{Behaviour, Fault},
    port::Port,
    upstream::Seen,
    world::World,
};

/// The longest time that a scenario may let pass.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a request may be undecided.
const PATIENCE: Duration = Duration::from_secs(10);

/// Envoy with what stands around it, for all scenarios.
#[derive(Debug)]
pub struct Theatre {
    world: World,
    scenes: AtomicUsize,
}

impl Theatre {
    /// Starts Envoy with two workers, so that what one has learned must reach the other.
    ///
    /// # Errors
    /// There is no module, no Envoy, or it does not start.
    pub fn open(binary: PathBuf) -> Result<Self, Error> {
        // The module says at level debug why it refuses a request.
        let component_log_level = "wasm:debug".to_owned();
        let binary = Some(binary);
        let options = Options { concurrency: 2, component_log_level, binary, ..Options::default() };
        let world = World::open(Bootstrap::new(), &options)?;
        Ok(Self { world, scenes: AtomicUsize::new(0) })
    }

    /// A driver for one scenario. Several can be played at once: each has names of its own.
    #[must_use]
    pub fn scene(&self) -> Scene<'_> {
        let number = self.scenes.fetch_add(1, Ordering::Relaxed);
        Scene { theatre: self, name: format!("s{number}"), port: None, address: None, logged: 0 }
    }
}

/// One scenario in the theatre.
#[derive(Debug)]
pub struct Scene<'t> {
    theatre: &'t Theatre,
    name: String,
    port: Option<Port>,
    address: Option<SocketAddr>,
    logged: u64,
}

impl Scene<'_> {
    /// Where a document of the identity provider is.
    fn path(&self, document: Document) -> String {
        document.path(&format!("/{}", self.name))
    }

    /// Whether a line of the log is not about another scenario.
    fn concerns(&self, line: &str) -> bool {
        plugin_line(line).is_none_or(|(plugin, _)| plugin == self.name)
    }

    /// The faults that the module logged, or else all that Envoy did.
    fn faults(&self, log: Vec<String>) -> Vec<String> {
        let errors = log.iter().filter(|line| line.split(' ').nth(1) == Some("error"));
        let ours = errors.filter_map(|line| plugin_line(line));
        let faults: Vec<_> = ours
            .filter(|(plugin, _)| *plugin == self.name)
            .map(|(_, message)| message.to_owned())
            .collect();
        if faults.is_empty() { log } else { faults }
    }
}

impl Driver for Scene<'_> {
    fn level(&self) -> Level {
        Level::Envoy
    }

    #[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn idp_uri(&self) -> String {
        format!("https://idp.test{}", self.path(Document::Keys))
    }

    fn start(&mut self, config: &str, idp: Endpoint) -> Result<(), Vec<String>> {
        self.endpoint(Document::Keys, idp);
        let module = Module::new(&self.name, &self.theatre.world.module, config);
        // With any free port, listeners that come at once would be given that of one that goes.
        let port = Port::claim().map_err(|error| vec![error.to_string()])?;
        let listener = Listener::new(&self.name).port(port.address().port());
        let listener = listener.filter(Filter::Wasm(module));
        self.port = Some(port);
        match self.theatre.world.envoy.listen(listener) {
            Ok(address) => self.address = Some(address),
            Err(Error::Refused { log }) => return Err(self.faults(log)),
            Err(error) => return Err(vec![error.to_string()]),
        }
        Ok(())
    }

    fn endpoint(&mut self, document: Document, endpoint: Endpoint) {
        self.theatre.world.idp.set(&self.path(document), behaviour(endpoint));
    }

    fn advance(&mut self, time: Duration) {
        thread::sleep(time);
    }

    fn send(&mut self, request: scenario::Request) -> Result<Reply, String> {
        let address = self.address.ok_or("the gate has not been started")?;
        let raw = Request::new(&request.method, request.target);
        let raw =
            request.headers.into_iter().fold(raw, |raw, (name, value)| raw.header(name, value));
        let answer = Client::new(address).with_patience(PATIENCE).send(&raw);
        answer.map(reply).map_err(|error| error.to_string())
    }

    /// Each worker of Envoy has a VM of its own, so the number says little.
    fn fetches(&self) -> Option<u64> {
        None
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        let lines = self.theatre.world.envoy.log_after(&mut self.logged);
        Some(lines.into_iter().filter(|line| self.concerns(line)).collect())
    }

    fn longest_wait(&self) -> Option<Duration> {
        Some(LONGEST_WAIT)
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        // Should Envoy be gone, the next scenario says so.
        _ = self.theatre.world.envoy.close(&self.name);
    }
}

/// Plugin and message of a line that a module logged.
fn plugin_line(line: &str) -> Option<(&str, &str)> {
    let (_, logged) = line.split_once(" wasm wasm log ")?;
    let (prefix, message) = logged.split_once(": ")?;
    Some((prefix.split(' ').next()?, message))
}

/// What the identity provider does, as a scenario says it.
#[must_use]
pub fn behaviour(endpoint: Endpoint) -> Behaviour {
    let behaviour = match endpoint.body {
        Body::Bytes(bytes) => Behaviour::ok(bytes),
        Body::Size(bytes) => Behaviour::of_size(usize::try_from(bytes).unwrap_or(usize::MAX)),
    };
    let headers = endpoint.headers.iter();
    let behaviour = headers.fold(behaviour.with_status(endpoint.status), |behaviour, header| {
        behaviour.with_header(&header.0, &header.1)
    });
    match endpoint.fault {
        None => behaviour,
        Some(scenario::Fault::Truncated) => behaviour.with_fault(Fault::Truncated),
        Some(scenario::Fault::Timeout) => behaviour.with_fault(Fault::Timeout),
        // One port serves all scenarios, so none can be refused a connection. To a module both
        // are the same: Envoy makes a 503 of either.
        Some(scenario::Fault::Reset | scenario::Fault::Refused) => {
            behaviour.with_fault(Fault::Reset)
        }
    }
}

/// What became of a request, as a scenario says it.
#[must_use]
pub fn reply(answer: Answer) -> Reply {
    let listed = |headers: Vec<(String, String)>| {
        headers.into_iter().map(|(name, value)| (name, bytes(&value))).collect()
    };
    match Seen::from_answer(&answer) {
        Some(seen) => Reply::Allowed { target: bytes(&seen.target), headers: listed(seen.headers) },
        None => {
            let Answer { status, headers, body } = answer;
            Reply::Denied { status, headers: listed(headers), body }
        }
    }
}

/// The bytes that the characters stand for; see [`Seen`].
fn bytes(text: &str) -> Vec<u8> {
    text.chars().filter_map(|char| u8::try_from(char).ok()).collect()
}
