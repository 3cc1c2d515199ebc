//! A VM: one instance of a module, its contexts, and what it has left behind.

mod inner;
mod settle;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::host::World;
use crate::stream::Stream;
use crate::{
    Callout, CalloutResult, Headers, LoadError, LogLine, Metric, Module, Request, RootId, StreamId,
    StreamState, Token, Trap,
};

pub(crate) use inner::Inner;

/// One instance of a module on a [`Host`](crate::Host). Clones are the same VM.
#[derive(Clone, Debug)]
pub struct Vm {
    pub(crate) inner: Rc<RefCell<Inner>>,
}

impl Vm {
    pub(crate) fn start(module: &Module, world: &Rc<RefCell<World>>) -> Result<Self, LoadError> {
        Ok(Self { inner: Rc::new(RefCell::new(Inner::start(module, world)?)) })
    }

    /// Makes a root context with this plugin configuration. `None`: the guest refuses it.
    ///
    /// Earlier root contexts live on, as they do in Envoy while their listeners drain.
    ///
    /// # Errors
    /// The guest traps.
    pub fn configure(&self, configuration: &[u8]) -> Result<Option<RootId>, Trap> {
        self.inner.borrow_mut().configure(configuration)
    }

    /// Ends a root context whose last stream is gone: its callouts are cancelled, its ticks stop.
    ///
    /// # Errors
    /// The guest traps.
    pub fn remove_root(&self, root: RootId) -> Result<(), Trap> {
        self.inner.borrow_mut().remove_root(root)
    }

    /// Opens a stream and shows the guest its request headers.
    ///
    /// # Errors
    /// The guest traps; the stream is then the last of [`Vm::streams`].
    pub fn request(&self, root: RootId, request: &Request) -> Result<StreamId, Trap> {
        self.inner.borrow_mut().request(root, request)
    }

    /// Hands over a part of the request body; it waits while the host holds it back.
    ///
    /// # Errors
    /// The guest traps.
    pub fn body(&self, stream: StreamId, data: &[u8], end_of_stream: bool) -> Result<(), Trap> {
        self.inner.borrow_mut().body(stream, data, end_of_stream)
    }

    /// Hands over the request trailers.
    ///
    /// # Errors
    /// The guest traps.
    pub fn trailers(&self, stream: StreamId, trailers: &Headers) -> Result<(), Trap> {
        self.inner.borrow_mut().trailers(stream, trailers)
    }

    /// Shows the guest the headers of the upstream's response.
    ///
    /// # Errors
    /// The guest traps.
    pub fn response_headers(
        &self,
        stream: StreamId,
        headers: &Headers,
        end_of_stream: bool,
    ) -> Result<(), Trap> {
        self.inner.borrow_mut().response_headers(stream, headers, end_of_stream)
    }

    /// Shows the guest a part of the response body.
    ///
    /// # Errors
    /// The guest traps.
    pub fn response_body(&self, stream: StreamId, data: &[u8], end: bool) -> Result<(), Trap> {
        self.inner.borrow_mut().response_body(stream, data, end)
    }

    /// Shows the guest the response trailers.
    ///
    /// # Errors
    /// The guest traps.
    pub fn response_trailers(&self, stream: StreamId, trailers: &Headers) -> Result<(), Trap> {
        self.inner.borrow_mut().response_trailers(stream, trailers)
    }

    /// Ends a stream, whoever closed it: its callouts are cancelled without an answer.
    ///
    /// # Errors
    /// The guest traps.
    pub fn disconnect(&self, stream: StreamId) -> Result<(), Trap> {
        self.inner.borrow_mut().disconnect(stream)
    }

    /// What the host holds of a stream, also after its end.
    ///
    /// # Errors
    /// The stream is another VM's.
    pub fn stream(&self, stream: StreamId) -> Result<StreamState, Trap> {
        let inner = self.inner.borrow();
        let found = inner.state().streams.get(&stream.0).map(Stream::state);
        found.ok_or_else(|| Trap::Misuse(format!("no {stream:?} in this VM")))
    }

    /// Every stream that was opened, in order.
    #[must_use]
    pub fn streams(&self) -> Vec<StreamId> {
        self.inner.borrow().state().streams.keys().copied().map(StreamId).collect()
    }

    /// The callouts that wait for an answer, in the order in which they were sent.
    #[must_use]
    pub fn callouts(&self) -> Vec<Callout> {
        self.inner.borrow().state().callouts.values().cloned().collect()
    }

    /// Number of callouts that were sent, answered or not.
    #[must_use]
    pub fn callouts_sent(&self) -> u32 {
        self.inner.borrow().state().tokens_made
    }

    /// Answers a callout.
    ///
    /// # Errors
    /// The guest traps, or there is no such callout (any more).
    pub fn deliver(&self, token: Token, result: CalloutResult) -> Result<(), Trap> {
        self.inner.borrow_mut().deliver(token, result)
    }

    /// All that was logged, in order.
    #[must_use]
    pub fn logs(&self) -> Vec<LogLine> {
        self.inner.borrow().state().logs.clone()
    }

    /// All metrics, in the order of their definition.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        self.inner.borrow().state().metrics.all().to_vec()
    }

    /// The metric with this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Metric> {
        self.metrics().into_iter().find(|metric| metric.name == name)
    }

    /// Period of a root context's ticks in milliseconds, if it has any.
    #[must_use]
    pub fn tick_period(&self, root: RootId) -> Option<u128> {
        let inner = self.inner.borrow();
        let tick = inner.state().roots.get(&root.0)?.tick?;
        Some(tick.0.as_millis())
    }

    /// Hostcalls by name since the last [`Vm::reset_hostcalls`].
    #[must_use]
    pub fn hostcalls(&self) -> BTreeMap<&'static str, u64> {
        self.inner.borrow().state().hostcalls.clone()
    }

    /// Starts counting hostcalls anew.
    pub fn reset_hostcalls(&self) {
        self.inner.borrow_mut().state_mut().hostcalls.clear();
    }

    /// Size of the linear memory, in pages of 64 KiB.
    #[must_use]
    pub fn memory_pages(&self) -> u64 {
        self.inner.borrow_mut().memory_pages()
    }

    /// What the last call into the guest executed, if the module is metered.
    #[must_use]
    pub fn fuel(&self) -> Option<u64> {
        self.inner.borrow().fuel()
    }

    /// What all calls into the guest have executed, if the module is metered.
    #[must_use]
    pub fn fuel_spent(&self) -> Option<u64> {
        self.inner.borrow().fuel_spent()
    }

    /// The trap that ended this VM, if one did.
    #[must_use]
    pub fn trap(&self) -> Option<Trap> {
        self.inner.borrow().trap()
    }
}
