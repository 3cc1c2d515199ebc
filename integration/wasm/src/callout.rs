//! HTTP callouts: sent by the guest, answered by the test.

use std::time::Duration;

use wasmtime::Linker;

use crate::abi::{Call, Span, hostcalls};
use crate::error::{Outcome, Refusal};
use crate::headers::{HeaderMap, Headers, deserialize};
use crate::host::Cluster;
use crate::vm_state::{Entry, VmState};
use crate::{Personality, RootId, Status, StreamId};

/// The most that Envoy buffers of an answer.
pub const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Name of a callout, given by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub(crate) u32);

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// A plugin configuration's.
    Root(RootId),
    /// A request's; the call ends with it.
    Stream(StreamId),
}

/// A callout that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout {
    /// What to answer it under.
    pub token: Token,
    /// Whose call it is.
    pub context: Context,
    /// Cluster (Envoy) or host name (NGINX).
    pub cluster: String,
    /// Headers with pseudo headers.
    pub headers: Headers,
    /// Body of the request.
    pub body: Vec<u8>,
    /// How long the host would wait; zero is for ever.
    pub timeout: Duration,
    /// The wall clock when it was sent.
    pub sent: Duration,
}

/// What becomes of a callout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalloutResult {
    /// An answer. Longer than [`MAX_ANSWER_BYTES`] it counts as [`CalloutResult::TooLarge`].
    Response {
        /// Headers with `:status`.
        headers: Headers,
        /// The whole body.
        body: Vec<u8>,
    },
    /// 103 before an answer (RFC 8297): NGINX takes it for the answer.
    EarlyHints {
        /// Headers with `:status` of the answer that follows.
        headers: Headers,
        /// Body of that answer.
        body: Vec<u8>,
    },
    /// The name of the server does not resolve.
    Unresolved,
    /// The server's certificate is not accepted.
    TlsFailure,
    /// Nobody listens.
    Refused,
    /// The connection ended before the headers.
    Reset,
    /// No headers within the timeout.
    Timeout,
    /// The connection ended within the body.
    MidBody {
        /// Headers that had arrived.
        headers: Headers,
        /// Length that they announced.
        announced: u32,
    },
    /// The body is longer than the host buffers.
    TooLarge {
        /// Headers that had arrived.
        headers: Headers,
        /// Length that they announced.
        announced: u32,
    },
}

/// What the guest can read of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: Option<HeaderMap>,
    /// As announced to the callback.
    pub(crate) header_count: usize,
    pub(crate) body: Body,
    /// Envoy says so through `proxy_get_status`, from then on for ever.
    pub(crate) reset: bool,
}

#[derive(Debug)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    /// NGINX tells the announced length and refuses the read.
    Announced(u32),
    Absent,
}

impl Body {
    pub(crate) fn size(&self) -> u32 {
        match self {
            Self::Whole(bytes) => u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            Self::Announced(size) => *size,
            Self::Absent => 0,
        }
    }
}

impl Answer {
    pub(crate) fn new(personality: Personality, result: CalloutResult) -> Self {
        match result {
            CalloutResult::Response { headers, body } if body.len() > MAX_ANSWER_BYTES => {
                let announced = u32::try_from(body.len()).unwrap_or(u32::MAX);
                Self::new(personality, CalloutResult::TooLarge { headers, announced })
            }
            CalloutResult::Response { headers, body } => {
                Self::received(personality, &headers, Body::Whole(body))
            }
            CalloutResult::EarlyHints { headers, body } => match personality {
                Personality::Nginx => {
                    let hints = vec![(b":status".to_vec(), b"103".to_vec())];
                    Self::received(personality, &hints, Body::Whole(Vec::new()))
                }
                Personality::Envoy | Personality::Bare => {
                    Self::new(personality, CalloutResult::Response { headers, body })
                }
            },
            CalloutResult::Unresolved => {
                Self::failed(personality, 503, UNHEALTHY, "resolver failure")
            }
            CalloutResult::TlsFailure => {
                Self::failed(personality, 503, CONNECT_FAILURE, "tls handshake failure")
            }
            CalloutResult::Refused => {
                Self::failed(personality, 503, CONNECT_FAILURE, "broken connection")
            }
            // NGINX reports a reset as if nothing had happened.
            CalloutResult::Reset => Self::failed(personality, 503, RESET, "ok"),
            CalloutResult::Timeout => Self::failed(personality, 504, TIMEOUT, "timeout"),
            CalloutResult::MidBody { headers, announced }
            | CalloutResult::TooLarge { headers, announced } => match personality {
                Personality::Nginx => {
                    Self::received(personality, &headers, Body::Announced(announced))
                }
                Personality::Envoy | Personality::Bare => {
                    Self { headers: None, header_count: 0, body: Body::Absent, reset: true }
                }
            },
        }
    }

    fn received(personality: Personality, headers: &Headers, body: Body) -> Self {
        let mut map = HeaderMap::arrived(personality, headers);
        let header_count = map.pairs().len();
        if personality == Personality::Nginx {
            map.add(b":dispatch_status", b"ok");
        }
        Self { headers: Some(map), header_count, body, reset: false }
    }

    /// A call without an answer: Envoy makes one up, NGINX has only its own pseudo header.
    fn failed(personality: Personality, status: u32, text: &str, dispatch_status: &str) -> Self {
        if personality == Personality::Nginx {
            let headers = [(b":dispatch_status".to_vec(), dispatch_status.as_bytes().to_vec())];
            let map = HeaderMap::arrived(personality, &headers);
            return Self { headers: Some(map), header_count: 0, body: Body::Absent, reset: false };
        }
        let length = text.len().to_string();
        let headers: Headers = [
            (":status", status.to_string().as_str()),
            ("content-length", length.as_str()),
            ("content-type", "text/plain"),
        ]
        .into_iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
        Self::received(personality, &headers, Body::Whole(text.as_bytes().to_vec()))
    }
}

const UNHEALTHY: &str = "no healthy upstream";
const TIMEOUT: &str = "upstream request timeout";
const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: \
                     connection termination";
const CONNECT_FAILURE: &str = "upstream connect error or disconnect/reset before headers. reset \
                               reason: remote connection failure";

/// Where the guest put a call.
struct Dispatch {
    upstream: Span,
    headers: Span,
    body: Span,
    timeout: u32,
    token: u32,
}

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    hostcalls! { linker, call,
        proxy_http_call(upstream: u32, upstream_len: u32, headers: u32, headers_len: u32, body: u32,
            body_len: u32, _trailers: u32, _trailers_len: u32, timeout: u32, token: u32)
            => dispatch(call, &Dispatch {
                upstream: Span(upstream, upstream_len),
                headers: Span(headers, headers_len),
                body: Span(body, body_len),
                timeout,
                token,
            });
        proxy_get_status(code: u32, data: u32, size: u32)
            => status(call, code, crate::abi::Out(data, size));
    }
    Ok(())
}

fn dispatch(call: &mut Call<'_>, args: &Dispatch) -> Outcome {
    may_dispatch(call)?;
    let cluster = String::from_utf8_lossy(&call.read(args.upstream)?).into_owned();
    let headers = deserialize(&call.read(args.headers)?).ok_or(Status::PARSE_FAILURE)?;
    let body = call.read(args.body)?;
    complete(call.personality(), &headers)?;
    reachable(call, &cluster)?;
    let sent = call.world().wall;
    let state = call.state();
    state.tokens_made = state.tokens_made.saturating_add(1);
    let token = state.tokens_made;
    let context = state.context;
    let owner = match state.stream() {
        Some(stream) => {
            stream.dispatched = true;
            Context::Stream(StreamId(context))
        }
        None => Context::Root(RootId(context)),
    };
    let timeout = Duration::from_millis(u64::from(args.timeout));
    let callout =
        Callout { token: Token(token), context: owner, cluster, headers, body, timeout, sent };
    state.callouts.insert(token, callout);
    call.write_u32(args.token, token)
}

fn may_dispatch(call: &Call<'_>) -> Outcome {
    match (call.personality(), call.entry()) {
        (Personality::Bare, _) => Err(Status::UNIMPLEMENTED.into()),
        (
            Personality::Nginx,
            Entry::VmStart
            | Entry::Configure
            | Entry::ResponseHeaders
            | Entry::ResponseBody
            | Entry::ResponseTrailers
            | Entry::Log
            | Entry::Done,
        ) => Err(Refusal::rule("no dispatch from here: only from ticks, requests and answers")),
        (Personality::Nginx | Personality::Envoy, _) => Ok(()),
    }
}

fn complete(personality: Personality, headers: &Headers) -> Outcome {
    let has = |name: &[u8]| headers.iter().any(|(n, v)| n == name && !v.is_empty());
    match personality {
        Personality::Nginx if !has(b":method") || !has(b":path") => {
            Err(Refusal::rule("dispatch without `:method` or `:path`"))
        }
        Personality::Envoy if !(has(b":method") && has(b":path") && has(b":authority")) => {
            Err(Status::BAD_ARGUMENT.into())
        }
        Personality::Nginx | Personality::Envoy | Personality::Bare => Ok(()),
    }
}

fn reachable(call: &Call<'_>, cluster: &str) -> Outcome {
    let known = call.world().clusters.get(cluster).copied();
    match (call.personality(), known) {
        (Personality::Nginx, None) => Err(Refusal::rule(format!("no such host: `{cluster}`"))),
        (Personality::Nginx, Some(_)) | (_, Some(Cluster::Healthy)) => Ok(()),
        (Personality::Envoy | Personality::Bare, None) => Err(Status::BAD_ARGUMENT.into()),
        (Personality::Envoy | Personality::Bare, Some(Cluster::NoEndpoints)) => {
            Err(Status::INTERNAL_FAILURE.into())
        }
    }
}

fn status(call: &mut Call<'_>, code: u32, message: crate::abi::Out) -> Outcome {
    match call.personality() {
        Personality::Nginx => Err(Refusal::rule("`proxy_get_status` is not implemented")),
        Personality::Bare => Err(Status::UNIMPLEMENTED.into()),
        Personality::Envoy => {
            let (number, text) = call.peek().call_status;
            call.give(text.as_bytes(), message)?;
            call.write_u32(code, number)
        }
    }
}
