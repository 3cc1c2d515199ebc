//! The identity provider: key sets under paths, and what can go wrong when they are fetched.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    error::Error,
    port::Port,
    server::{Reply, Response, Server},
};

/// What a path answers; a setting can be added to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    status: u16,
    headers: Vec<(String, String)>,
    body: Arc<[u8]>,
    fault: Option<Fault>,
}

/// A way not to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before the headers.
    Reset,
    /// It is closed in the middle of the headers.
    CutHeaders,
    /// The answer comes byte by byte, ten a second.
    Drip,
    /// The whole body is announced, half of it sent, and the connection closed.
    Truncated,
    /// Nothing is sent until the client gives up.
    Timeout,
}

impl Behaviour {
    /// A 200 with this body and no headers.
    #[must_use]
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into().into(), fault: None }
    }

    /// A 200 with a body of so many bytes, all spaces.
    #[must_use]
    pub fn of_size(bytes: usize) -> Self {
        Self::ok(vec![b' '; bytes])
    }

    /// With this status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this fault.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    fn reply(self) -> Reply {
        let Self { status, headers, body, fault } = self;
        let response = Response { status, headers, body };
        match fault {
            None => Reply::Full(response),
            Some(Fault::Truncated) => Reply::Cut(response),
            Some(Fault::CutHeaders) => Reply::CutHeaders(response),
            Some(Fault::Drip) => Reply::Drip(response, Duration::from_millis(100)),
            Some(Fault::Reset) => Reply::Close,
            Some(Fault::Timeout) => Reply::Silence,
        }
    }
}

type Handler = Arc<dyn Fn(&str) -> Behaviour + Send + Sync>;

/// An identity provider on a port of 127.0.0.1, until it is dropped.
///
/// A path that was never set is answered 404.
#[derive(Debug)]
pub struct Idp {
    paths: Arc<Paths>,
    port: Port,
    server: Mutex<Option<Server>>,
}

impl Idp {
    /// Starts one without any path.
    ///
    /// # Errors
    /// No port could be had.
    pub fn start() -> Result<Self, Error> {
        let (paths, port) = (Arc::new(Paths::default()), Port::claim()?);
        let idp = Self { paths, port, server: Mutex::default() };
        idp.resume()?;
        Ok(idp)
    }

    /// Stops listening, and closes every connection: who comes now is refused.
    pub fn stop(&self) {
        drop(self.server().take());
    }

    /// Listens again, where it did before.
    ///
    /// # Errors
    /// The port could not be had.
    pub fn resume(&self) -> Result<(), Error> {
        let shared = Arc::clone(&self.paths);
        let server = Server::start_at(&self.port, move |request| shared.reply(&request.target))?;
        *self.server() = Some(server);
        Ok(())
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// What this path answers from now on.
    pub fn set(&self, path: &str, behaviour: Behaviour) {
        self.serve(path, move |_| behaviour.clone());
    }

    /// Has this path answered from now on by what `handler` makes of the query (without its `?`).
    pub fn serve<H>(&self, path: &str, handler: H)
    where
        H: Fn(&str) -> Behaviour + Send + Sync + 'static,
    {
        self.paths.lock().handlers.insert(path.to_owned(), Arc::new(handler));
    }

    /// Whether it is down: every request then finds a connection that is closed.
    pub fn set_down(&self, down: bool) {
        self.paths.lock().down = down;
    }

    /// How many requests came for this path, answered or not.
    #[must_use]
    pub fn requests(&self, path: &str) -> u64 {
        self.paths.lock().requests.get(path).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    down: bool,
    handlers: HashMap<String, Handler>,
    requests: HashMap<String, u64>,
}

#[derive(Debug, Default)]
struct Paths {
    state: Mutex<State>,
}

impl Paths {
    fn reply(&self, target: &str) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let handler = {
            let mut state = self.lock();
            let count = state.requests.entry(path.to_owned()).or_default();
            *count = count.saturating_add(1);
            if state.down {
                return Reply::Close;
            }
            state.handlers.get(path).map(Arc::clone)
        };
        let behaviour =
            handler.map_or_else(|| Behaviour::ok("").with_status(404), |handler| handler(query));
        behaviour.reply()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("down", &self.down)
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}
