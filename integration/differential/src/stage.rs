//! One Envoy, and for each configuration two doors into it: the native filter's and the gate's.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Connection, Envoy, Error, Filter, Idp, Listener, Module,
    Options, Request, Upstream,
};
use serde_json::{Value, json};

use crate::outcome::Outcome;

/// Envoy with what stands around it.
#[derive(Debug)]
pub struct Stage {
    envoy: Envoy,
    idp: Idp,
    _upstream: Upstream,
    module: PathBuf,
    doors: AtomicUsize,
}

/// What is behind a door.
#[derive(Clone, Debug)]
pub enum Behind {
    /// Envoy's own filter with this configuration.
    Native(Value),
    /// The module with this text.
    Gate(String),
    /// Nothing but Envoy's router, with these matches; it answers which one it took.
    Router(Vec<Value>),
}

/// A door: a listener of Envoy.
#[derive(Debug)]
pub struct Door {
    name: String,
    connection: Connection,
}

impl Stage {
    /// Starts Envoy, the upstream and the identity provider.
    ///
    /// # Errors
    /// There is no module, no Envoy, or it does not start.
    pub fn open() -> Result<Self, Error> {
        let module = Envoy::module()?;
        let (upstream, idp) = (Upstream::start()?, Idp::start()?);
        let bootstrap = Bootstrap::new()
            .cluster(Cluster::new("upstream", upstream.address()))
            .cluster(Cluster::new("idp", idp.address()))
            .cluster(Cluster::empty("nobody"));
        let envoy = Envoy::start(&bootstrap, &Options::default())?;
        Ok(Self { envoy, idp, _upstream: upstream, module, doors: AtomicUsize::new(0) })
    }

    /// The time, in Unix seconds.
    #[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
    #[must_use]
    pub fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Has the identity provider answer so at this path; the answer is the URI.
    pub fn serve(&self, path: &str, behaviour: Behaviour) -> String {
        self.idp.set(path, behaviour);
        format!("http://idp.test{path}")
    }

    /// Puts up doors, all at once; for each, Envoy's words where it refuses what is behind it.
    ///
    /// # Errors
    /// Envoy cannot be told, or takes too long.
    pub fn put_up(&self, behind: &[Behind]) -> Result<Vec<Result<Door, Vec<String>>>, Error> {
        let first = self.doors.fetch_add(behind.len(), Ordering::Relaxed);
        let names: Vec<String> =
            (first..).take(behind.len()).map(|n| format!("door-{n:06}")).collect();
        let listeners = names.iter().zip(behind).map(|(name, behind)| self.listener(name, behind));
        let taken = self.envoy.listen_all(listeners.collect())?;
        let doors = names.into_iter().zip(taken).map(|(name, taken)| {
            let address = taken?;
            Ok(Door { name, connection: Client::new(address).keep_alive() })
        });
        Ok(doors.collect())
    }

    /// Takes doors away.
    ///
    /// # Errors
    /// Envoy cannot be told.
    pub fn take_down(&self, doors: Vec<Door>) -> Result<(), Error> {
        let names: Vec<String> = doors.into_iter().map(|door| door.name).collect();
        self.envoy.close_all(&names)
    }

    fn listener(&self, name: &str, behind: &Behind) -> Listener {
        let listener = Listener::new(name)
            .manager("upgrade_configs", json!([{ "upgrade_type": "CONNECT" }]))
            .manager("route_config", routes());
        match behind {
            Behind::Native(configuration) => {
                listener.filter(Filter::JwtAuthn(configuration.clone()))
            }
            Behind::Gate(text) => {
                listener.filter(Filter::Wasm(Module::new(name, &self.module, text)))
            }
            Behind::Router(matches) => listener.manager("route_config", probe(matches)),
        }
    }
}

impl Door {
    /// Sends a request through it.
    ///
    /// # Errors
    /// There was no connection, or no whole answer in time.
    pub fn send(&mut self, request: &Request) -> Result<Outcome, Error> {
        self.connection.send(request).map(|answer| Outcome::of(&answer))
    }
}

/// All requests go to the upstream, `CONNECT` too.
fn routes() -> Value {
    json!({ "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
        { "match": { "connect_matcher": {} }, "route": { "cluster": "upstream" } },
        { "match": { "prefix": "" }, "route": { "cluster": "upstream" } },
    ] }] })
}

/// A route for each match, in order, that answers its number, and `none` after them.
fn probe(matches: &[Value]) -> Value {
    let answer = |matches: &Value, text: String| {
        json!({ "match": matches,
                "direct_response": { "status": 200, "body": { "inline_string": text } } })
    };
    let mut routes: Vec<Value> =
        matches.iter().enumerate().map(|(i, m)| answer(m, i.to_string())).collect();
    routes.push(answer(&json!({ "prefix": "" }), "none".to_owned()));
    json!({ "virtual_hosts": [{ "name": "probe", "domains": ["*"], "routes": routes }] })
}
