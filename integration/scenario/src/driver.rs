//! What a level of the test stack provides.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A level at which scenarios run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// The core, without a proxy.
    Core,
    /// The module in a test host that behaves like Envoy.
    Module,
    /// The module in a test host that behaves like NGINX.
    Nginx,
    /// The module in a test host without timers, callouts and shared data.
    Bare,
    /// The module in Envoy.
    Envoy,
}

impl Level {
    /// The name it has in scenario files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Module => "module",
            Self::Nginx => "nginx",
            Self::Bare => "bare",
            Self::Envoy => "envoy",
        }
    }
}

impl Endpoint {
    /// One that has nothing.
    #[must_use]
    pub const fn absent() -> Self {
        Self { status: 404, headers: Vec::new(), body: Body::Bytes(Vec::new()), fault: None }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Runs one scenario at one level.
///
/// A scenario has a driver of its own; nothing of one scenario may be seen by the next.
pub trait Driver {
    /// The level.
    fn level(&self) -> Level;

    /// The time that tokens count from, in Unix seconds.
    fn now(&self) -> u64;

    /// The URI that `${idp}` becomes: `https`, and the path ends in `/jwks.json`. Known before
    /// [`Self::start`].
    fn idp_uri(&self) -> String;

    /// Starts a gate with this configuration, the endpoint answering so from the first moment.
    ///
    /// `Err` holds the faults of the configuration, one line each, in order: `place: message`.
    fn start(&mut self, config: &str, idp: Endpoint) -> Result<(), Vec<String>>;

    /// Changes what the endpoint of a document does; for all but the keys also before
    /// [`Self::start`]. Nothing has been at those until then.
    fn endpoint(&mut self, document: Document, endpoint: Endpoint);

    /// Lets time pass, with the ticks and answers that fall into it.
    fn advance(&mut self, time: Duration);

    /// Sends a request and waits until it is decided, also when it is held meanwhile.
    ///
    /// `Err` when it was neither passed on nor answered, with what happened instead.
    fn send(&mut self, request: Request) -> Result<Reply, String>;

    /// What the last request left for later filters; `None` where that cannot be seen.
    fn left(&self) -> Option<Left> {
        None
    }

    /// Requests that the identity provider had since [`Self::start`]; `None` where that cannot be said.
    fn fetches(&self) -> Option<u64>;

    /// Log lines since the last call; `None` where there is no log.
    fn logs(&mut self) -> Option<Vec<String>>;

    /// Whether keys can be fetched here. Where not, a scenario runs if its endpoint answers with one
    /// set of keys from first to last; the gate then gets that set with its configuration.
    fn has_endpoint(&self) -> bool {
        true
    }

    /// Counters by name, of all since [`Self::start`]; a counter that is not there is 0. `None` where
    /// they cannot be told from those of others.
    fn counters(&mut self) -> Option<BTreeMap<String, u64>> {
        None
    }

    /// The longest configuration that can be had here, in bytes; `None`: any.
    fn longest_configuration(&self) -> Option<usize> {
        None
    }

    /// The longest time that a scenario may let pass here; `None`: any.
    fn longest_wait(&self) -> Option<Duration> {
        None
    }
}

/// What a request left for later filters of the proxy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Left {
    /// Values by name.
    pub exports: BTreeMap<String, Vec<u8>>,
    /// Whether the route was to be chosen again.
    pub rerouted: bool,
}

/// What an identity provider has to show.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Document {
    /// Its keys, at `${idp}`.
    Keys,
    /// Keys at another address, `${moved}`.
    Moved,
    /// Where its keys are (OpenID Connect Discovery 1.0).
    Discovery,
    /// The same (RFC 8414).
    Metadata,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Keys, Self::Moved, Self::Discovery, Self::Metadata];

    /// Its path, where that of the issuer's URL is `base`, without a slash at its end.
    #[must_use]
    pub fn path(self, base: &str) -> String {
        match self {
            Self::Keys => format!("{base}/jwks.json"),
            Self::Moved => format!("{base}/moved.json"),
            Self::Discovery => format!("{base}/.well-known/openid-configuration"),
            Self::Metadata => format!("/.well-known/oauth-authorization-server{base}"),
        }
    }
}

/// What an endpoint does with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Status of the answer.
    pub status: u16,
    /// Headers of the answer, beside those that every answer has.
    pub headers: Vec<(String, String)>,
    /// Body of the answer.
    pub body: Body,
    /// What goes wrong. With [`Fault::Truncated`] the answer begins as above.
    pub fault: Option<Fault>,
}

/// Body of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Any bytes, so many.
    Size(u64),
}

/// What can go wrong with a request to an endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// There is no connection.
    Refused,
    /// The connection is closed before the headers.
    Reset,
    /// There is no answer within the configured timeout.
    Timeout,
    /// The connection is closed in the middle of the body.
    Truncated,
}

/// A request as it is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query, byte for byte.
    pub target: Vec<u8>,
    /// Headers in their order, `host` among them.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// It went through; this is what the upstream saw.
    Allowed {
        /// Path and query.
        target: Vec<u8>,
        /// Headers in their order.
        headers: Vec<(String, Vec<u8>)>,
    },
    /// The gate answered it.
    Denied {
        /// Status.
        status: u16,
        /// Headers in their order.
        headers: Vec<(String, Vec<u8>)>,
        /// Body.
        body: Vec<u8>,
    },
}
