//! The fourth driver of the scenarios: the module in real NGINX. Each scenario has a process of its
//! own, because NGINX reads its configuration when it starts.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{Client, Envoy, Idp, Request, Upstream, behaviour, reply};
use jwt_gate_scenario as scenario;
use scenario::{Document, Driver, Endpoint, Level, Reply};

use crate::authority::{Authority, HOST};
use crate::cache::Cache;
use crate::conf::{LONGEST, Site};
use crate::process::{Error, Nginx};

/// The longest time that a scenario may let pass.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a request may be undecided.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a worker runs for each document before its first request comes: a tick fetches one.
const WARM_UP: Duration = Duration::from_millis(1_000);

/// What stands around NGINX, for all scenarios.
#[derive(Debug)]
pub struct Stage {
    binary: PathBuf,
    module: PathBuf,
    cache: Cache,
    authority: Authority,
    idp: Idp,
    upstream: Upstream,
    scenes: AtomicUsize,
}

impl Stage {
    /// A stage for this binary.
    ///
    /// # Errors
    /// There is no module, or no port.
    pub fn open(binary: &Path) -> Result<Self, String> {
        let text = |error: jwt_gate_envoy::Error| error.to_string();
        let module = Envoy::module().map_err(text)?;
        let (idp, upstream) = (Idp::start().map_err(text)?, Upstream::start().map_err(text)?);
        let scenes = AtomicUsize::new(0);
        let cache = Cache::new().map_err(|error| error.to_string())?;
        let authority = Authority::new().map_err(|error| error.to_string())?;
        Ok(Self { binary: binary.to_owned(), module, cache, authority, idp, upstream, scenes })
    }

    /// A driver for one scenario. Several can be played at once: each has names of its own.
    #[must_use]
    pub fn scene(&self) -> Scene<'_> {
        let number = self.scenes.fetch_add(1, Ordering::Relaxed);
        Scene {
            stage: self,
            base: format!("/s{number}"),
            nginx: None,
            cluster: String::new(),
            logged: 0,
        }
    }
}

/// One scenario.
#[derive(Debug)]
pub struct Scene<'s> {
    stage: &'s Stage,
    base: String,
    nginx: Option<Nginx>,
    /// What is the cluster `idp` in the scenario.
    cluster: String,
    logged: usize,
}

impl Driver for Scene<'_> {
    fn level(&self) -> Level {
        Level::Nginx
    }

    #[expect(clippy::disallowed_methods, reason = "NGINX takes its time from the same clock")]
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn idp_uri(&self) -> String {
        format!("https://{HOST}{}", Document::Keys.path(&self.base))
    }

    fn start(&mut self, config: &str, idp: Endpoint) -> Result<(), Vec<String>> {
        self.endpoint(Document::Keys, idp);
        // A cluster is a host and a port there.
        let [port, front] = free_ports().map_err(|error| vec![error.to_string()])?;
        let cluster = format!("127.0.0.1:{front}");
        let policy =
            ["\"cluster\"", "\"Keys.example\""].iter().fold(config.to_owned(), |policy, name| {
                policy.replace(&format!("{name}: \"idp\""), &format!("{name}: \"{cluster}\""))
            });
        let site = Site {
            port,
            module: &self.stage.module,
            cache: &self.stage.cache.settings(),
            policy: &policy,
            upstream: self.stage.upstream.address(),
            front,
            authority: &self.stage.authority,
            endpoint: self.stage.idp.address(),
        };
        match Nginx::start(&self.stage.binary, &site) {
            Ok(nginx) => self.nginx = Some(nginx),
            Err(Error::Refused { log }) => return Err(faults(log)),
            Err(error @ (Error::TooLong | Error::Io(_))) => return Err(vec![error.to_string()]),
        }
        let documents = match policy.as_str() {
            policy if policy.contains("\"discovery\"") => 2,
            policy if policy.contains("\"http_uri\"") => 1,
            _ => 0,
        };
        thread::sleep(WARM_UP.saturating_mul(documents));
        self.cluster = cluster;
        Ok(())
    }

    fn endpoint(&mut self, document: Document, endpoint: Endpoint) {
        self.stage.idp.set(&document.path(&self.base), behaviour(endpoint));
    }

    fn advance(&mut self, time: Duration) {
        thread::sleep(time);
    }

    fn send(&mut self, request: scenario::Request) -> Result<Reply, String> {
        let nginx = self.nginx.as_ref().ok_or("the gate has not been started")?;
        let raw = Request::new(&request.method, request.target);
        let raw =
            request.headers.into_iter().fold(raw, |raw, (name, value)| raw.header(name, value));
        let answer = Client::new(nginx.address()).with_patience(PATIENCE).send(&raw);
        answer.map(reply).map(as_the_gate_said).map_err(|error| error.to_string())
    }

    /// Its ticks go on while requests are sent, so the number says little.
    fn fetches(&self) -> Option<u64> {
        None
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        let lines = self.nginx.as_ref()?.log();
        let named = |line: String| line.replace(&format!("`{}`", self.cluster), "`idp`");
        let new = lines.iter().skip(self.logged).map(|line| named(without_context(line))).collect();
        self.logged = lines.len();
        Some(new)
    }

    /// A policy is one argument of a directive.
    fn longest_configuration(&self) -> Option<usize> {
        Some(LONGEST)
    }

    fn longest_wait(&self) -> Option<Duration> {
        Some(LONGEST_WAIT)
    }
}

/// Two ports that nobody listens on.
fn free_ports() -> io::Result<[u16; 2]> {
    let sockets = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [one, other] = sockets.map(|socket| socket.local_addr());
    Ok([one?.port(), other?.port()])
}

/// A line of the log without the request that NGINX names behind what was said.
fn without_context(line: &str) -> String {
    line.rsplit_once(", client: ").map_or(line, |(said, _)| said).to_owned()
}

/// The answer without what NGINX adds to it.
fn as_the_gate_said(reply: Reply) -> Reply {
    match reply {
        Reply::Denied { status, headers, mut body } => {
            if body.last() == Some(&b'\n') {
                body.pop();
            }
            Reply::Denied { status, headers, body }
        }
        allowed @ Reply::Allowed { .. } => allowed,
    }
}

/// The faults that the module logged, or else all that NGINX did.
fn faults(log: Vec<String>) -> Vec<String> {
    let ours = log.iter().filter(|line| line.contains("[error]"));
    let faults: Vec<String> = ours.filter_map(|line| message(line)).map(str::to_owned).collect();
    if faults.is_empty() { log } else { faults }
}

/// What the module said in a line of NGINX's log.
fn message(line: &str) -> Option<&str> {
    let (_, said) = line.split_once("[proxy-wasm][\"jwt_gate\" ")?;
    let (_, said) = said.split_once("] ")?;
    Some(said)
}
