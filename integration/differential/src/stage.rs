//! One Envoy, and for each configuration two doors into it: the native filter's and the gate's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Connection, Error, Filter, Listener, Module, Options,
    Request, World,
};
use serde_json::{Value, json};

use crate::metadata;
use crate::outcome::Outcome;

/// The listener that sends requests on by HTTP/2.
const FRONT: &str = "front";
/// The header that tells it where to.
pub(crate) const DOOR: &str = "x-door";

/// Envoy with what stands around it.
#[derive(Debug)]
pub struct Stage {
    world: World,
    front: SocketAddr,
    doors: AtomicUsize,
}

/// What is behind a door.
#[derive(Clone, Debug)]
pub enum Behind {
    /// Envoy's own filter with this configuration.
    Native(Value),
    /// The module with this text.
    Gate(String),
    /// The module with this document as a `google.protobuf.Struct`.
    GateOfStruct(Value),
    /// Nothing but Envoy's router, with these matches; it answers which one it took.
    Router(Vec<Value>),
}

/// A door: a listener of Envoy.
#[derive(Debug)]
pub struct Door {
    name: String,
    address: SocketAddr,
    direct: Connection,
    front: Connection,
}

/// How a request comes to a door.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// Byte for byte.
    Http1,
    /// From another listener of Envoy, which read it first.
    Http2,
}

impl Stage {
    /// Starts Envoy, the upstream and the identity provider.
    ///
    /// # Errors
    /// There is no module, no Envoy, or it does not start.
    pub fn open() -> Result<Self, Error> {
        let routes = json!({ "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
            { "match": { "prefix": "" }, "route": { "cluster": "doors" } },
        ] }] });
        let bootstrap = Bootstrap::new()
            .cluster(Cluster::named_by("doors", DOOR))
            .listener(Listener::new(FRONT).manager("route_config", routes));
        let world = World::open(bootstrap, &Options::default())?;
        let front = world.envoy.address(FRONT)?;
        Ok(Self { world, front, doors: AtomicUsize::new(0) })
    }

    /// The time, in Unix seconds.
    #[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
    #[must_use]
    pub fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Has the identity provider answer so at this path; the answer is the URI.
    pub fn serve(&self, path: &str, behaviour: Behaviour) -> String {
        self.world.idp.set(path, behaviour);
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
        let taken = self.world.envoy.listen_all(listeners.collect())?;
        let doors = names.into_iter().zip(taken).map(|(name, taken)| {
            let address = taken?;
            let direct = Client::new(address).keep_alive();
            let front = Client::new(self.front).keep_alive();
            Ok(Door { name, address, direct, front })
        });
        Ok(doors.collect())
    }

    /// Takes doors away.
    ///
    /// # Errors
    /// Envoy cannot be told.
    pub fn take_down(&self, doors: Vec<Door>) -> Result<(), Error> {
        let names: Vec<String> = doors.into_iter().map(|door| door.name).collect();
        self.world.envoy.close_all(&names)
    }

    fn listener(&self, name: &str, behind: &Behind) -> Listener {
        let listener = Listener::new(name)
            .manager("upgrade_configs", json!([{ "upgrade_type": "CONNECT" }]))
            .manager("route_config", routes());
        match behind {
            Behind::Native(configuration) => {
                let listener = metadata::show(listener, &configuration.to_string(), false);
                listener.filter(Filter::JwtAuthn(configuration.clone()))
            }
            Behind::Gate(text) => {
                let listener = metadata::show(listener, text, true);
                listener.filter(Filter::Wasm(Module::new(name, &self.world.module, text)))
            }
            Behind::GateOfStruct(document) => {
                let listener = metadata::show(listener, &document.to_string(), true);
                let module = Module::of_struct(name, &self.world.module, document);
                listener.filter(Filter::Wasm(module))
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
    pub fn send(&mut self, request: &Request, version: Version) -> Result<Outcome, Error> {
        let answer = match version {
            Version::Http1 => self.direct.send(request)?,
            Version::Http2 => {
                self.front.send(&request.clone().header(DOOR, self.address.to_string()))?
            }
        };
        Ok(Outcome::of(&answer))
    }
}

/// All requests go to the upstream, `CONNECT` too; those that have a header say so.
fn routes() -> Value {
    json!({ "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
        { "match": { "connect_matcher": {} }, "route": { "cluster": "upstream" } },
        { "match": { "prefix": "", "headers": [{ "name": "x-route", "string_match": { "exact": "other" } }] },
          "request_headers_to_add": [{ "header": { "key": "x-routed", "value": "other" } }],
          "route": { "cluster": "upstream" } },
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
