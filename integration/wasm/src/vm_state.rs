//! What a host knows of one VM while it runs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::callout::{Answer, Callout};
use crate::host::World;
use crate::metrics::Metrics;
use crate::stream::{LocalReply, Stream};
use crate::{LogLine, Personality};

/// A call into the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Initialize,
    ContextCreate,
    VmStart,
    Configure,
    Tick,
    RequestHeaders,
    RequestBody,
    RequestTrailers,
    ResponseHeaders,
    ResponseBody,
    ResponseTrailers,
    CallResponse,
    Done,
    Log,
    Delete,
}

impl Entry {
    /// Name of the export that takes the call.
    pub(crate) fn export(self) -> &'static str {
        match self {
            Self::Initialize => "_initialize",
            Self::ContextCreate => "proxy_on_context_create",
            Self::VmStart => "proxy_on_vm_start",
            Self::Configure => "proxy_on_configure",
            Self::Tick => "proxy_on_tick",
            Self::RequestHeaders => "proxy_on_request_headers",
            Self::RequestBody => "proxy_on_request_body",
            Self::RequestTrailers => "proxy_on_request_trailers",
            Self::ResponseHeaders => "proxy_on_response_headers",
            Self::ResponseBody => "proxy_on_response_body",
            Self::ResponseTrailers => "proxy_on_response_trailers",
            Self::CallResponse => "proxy_on_http_call_response",
            Self::Done => "proxy_on_done",
            Self::Log => "proxy_on_log",
            Self::Delete => "proxy_on_delete",
        }
    }
}

/// A root context: one plugin configuration.
#[derive(Debug, Default)]
pub(crate) struct Root {
    pub(crate) configuration: Vec<u8>,
    /// Period and time of the next tick.
    pub(crate) tick: Option<(Duration, Duration)>,
    /// Properties declared with `declare_property`.
    pub(crate) declared: BTreeSet<Vec<u8>>,
}

/// What a hostcall started and the host finishes when the guest has returned.
#[derive(Debug)]
pub(crate) enum Deferred {
    ContinueRequest(u32),
    ContinueResponse(u32),
    Reply(u32, LocalReply),
}

/// The host's side of one VM.
#[derive(Debug)]
pub(crate) struct VmState {
    pub(crate) personality: Personality,
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) entry: Entry,
    /// The context that hostcalls act on.
    pub(crate) context: u32,
    pub(crate) roots: BTreeMap<u32, Root>,
    pub(crate) streams: BTreeMap<u32, Stream>,
    pub(crate) contexts_made: u32,
    pub(crate) tokens_made: u32,
    pub(crate) callouts: BTreeMap<u32, Callout>,
    /// The answer to a callout, while the guest looks at it.
    pub(crate) answer: Option<Answer>,
    /// What `proxy_get_status` says: sticky, as in Envoy.
    pub(crate) call_status: (u32, &'static str),
    pub(crate) logs: Vec<LogLine>,
    pub(crate) metrics: Metrics,
    pub(crate) hostcalls: BTreeMap<&'static str, u64>,
    pub(crate) deferred: Vec<Deferred>,
}

impl VmState {
    pub(crate) fn new(world: &Rc<RefCell<World>>) -> Self {
        Self {
            personality: world.borrow().personality,
            world: Rc::clone(world),
            entry: Entry::Initialize,
            context: 0,
            roots: BTreeMap::new(),
            streams: BTreeMap::new(),
            contexts_made: 0,
            tokens_made: 0,
            callouts: BTreeMap::new(),
            answer: None,
            call_status: (0, ""),
            logs: Vec::new(),
            metrics: Metrics::default(),
            hostcalls: BTreeMap::new(),
            deferred: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, hostcall: &'static str) {
        let count = self.hostcalls.entry(hostcall).or_default();
        *count = count.saturating_add(1);
    }

    /// An id that no context had: small numbers in Envoy, any 32 bits for the roots of NGINX.
    pub(crate) fn new_context(&mut self, root: bool) -> u32 {
        self.contexts_made = self.contexts_made.saturating_add(1);
        match self.personality {
            Personality::Nginx if root => self.contexts_made.wrapping_mul(0x9E37_79B1),
            Personality::Nginx | Personality::Envoy | Personality::Bare => self.contexts_made,
        }
    }

    /// The root context that the effective context belongs to.
    pub(crate) fn root_id(&self) -> u32 {
        self.streams.get(&self.context).map_or(self.context, |stream| stream.root)
    }

    /// The stream that hostcalls act on, unless a root context is active.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.context).filter(|stream| stream.alive)
    }

    /// Whether a context exists, so that it may become the effective one.
    pub(crate) fn knows_context(&self, id: u32) -> bool {
        self.roots.contains_key(&id) || self.streams.get(&id).is_some_and(|stream| stream.alive)
    }
}
