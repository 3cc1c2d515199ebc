//! One request on its way: what the filter did to it and what became of it.

use std::collections::{BTreeMap, VecDeque};

use crate::Personality;
use crate::headers::{HeaderMap, Headers};

/// A request as a client sends it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Headers with pseudo headers (`:method`, `:path`, `:scheme`, `:authority`).
    pub headers: Headers,
    /// Whether neither body nor trailers follow. NGINX says no in any case.
    pub end_of_stream: bool,
}

/// A reply that did not come from the upstream, as the client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// Status of the HTTP response; 200 for a gRPC request on Envoy.
    pub status: u32,
    /// Response code details (Envoy) or reason phrase (NGINX).
    pub details: Vec<u8>,
    /// Headers of the response.
    pub headers: Headers,
    /// Body of the response.
    pub body: Vec<u8>,
    /// Status in the trailers of a gRPC response.
    pub grpc: Option<u32>,
}

/// What has become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It went to the upstream.
    Continued,
    /// The filter holds it.
    Paused,
    /// The client has got a reply from the filter, or from the proxy in its stead.
    Replied(LocalReply),
}

/// What the host holds of a stream.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// What has become of the request.
    pub phase: Phase,
    /// Request headers as the filter left them.
    pub request_headers: Headers,
    /// Request trailers as the filter left them.
    pub request_trailers: Option<Headers>,
    /// Request headers as the upstream got them; `None`: it got nothing.
    pub upstream: Option<Headers>,
    /// Response headers as the filter left them.
    pub response_headers: Option<Headers>,
    /// Whether the filter holds the response.
    pub response_paused: bool,
    /// Whether the request had been paused before it continued.
    pub resumed: bool,
    /// How often the filter asked for a local reply.
    pub replies: u32,
    /// How often the filter cleared the route cache.
    pub routes_cleared: u32,
    /// Filter state by key (Envoy), variables by path (NGINX).
    pub properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Whether the stream is still there.
    pub alive: bool,
}

/// A map of the stream, and whether the filter can get at it now.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) map: Option<HeaderMap>,
    pub(crate) open: bool,
}

impl Slot {
    pub(crate) fn fill(&mut self, map: HeaderMap) {
        *self = Self { map: Some(map), open: true };
    }
}

#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) root: u32,
    /// By map type: request headers and trailers, response headers and trailers.
    pub(crate) maps: [Slot; 4],
    pub(crate) request_body: Vec<u8>,
    pub(crate) response_body: Vec<u8>,
    /// Body and trailers that wait behind paused headers.
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) phase: Option<Phase>,
    pub(crate) paused_at_headers: bool,
    pub(crate) resumed: bool,
    pub(crate) response_paused: bool,
    pub(crate) replies: u32,
    pub(crate) routes_cleared: u32,
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) upstream: Option<Headers>,
    pub(crate) dispatched: bool,
    pub(crate) method: Vec<u8>,
    pub(crate) alive: bool,
}

/// A part of the request that has arrived and was not shown to the filter.
#[derive(Debug)]
pub(crate) enum Waiting {
    Body(Vec<u8>, bool),
    Trailers(Headers),
}

impl Stream {
    pub(crate) fn new(root: u32, personality: Personality, request: &Request) -> Self {
        let map = HeaderMap::arrived(personality, &request.headers);
        let method = map.get(b":method").unwrap_or_default().to_vec();
        let mut stream = Self { root, method, alive: true, ..Self::default() };
        stream.maps[0].fill(map);
        stream
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.phase == Some(Phase::Paused)
    }

    pub(crate) fn is_replied(&self) -> bool {
        matches!(self.phase, Some(Phase::Replied(_)))
    }

    /// Closes the request maps: Envoy hands nothing out after the headers went on.
    pub(crate) fn close_request(&mut self) {
        for slot in self.maps.iter_mut().take(2) {
            slot.open = false;
        }
    }

    pub(crate) fn close_response(&mut self) {
        for slot in self.maps.iter_mut().skip(2) {
            slot.open = false;
        }
    }

    pub(crate) fn state(&self) -> StreamState {
        let pairs = |slot: &Slot| slot.map.as_ref().map(HeaderMap::pairs);
        StreamState {
            phase: self.phase.clone().unwrap_or(Phase::Paused),
            request_headers: pairs(&self.maps[0]).unwrap_or_default(),
            request_trailers: pairs(&self.maps[1]),
            upstream: self.upstream.clone(),
            response_headers: pairs(&self.maps[2]),
            response_paused: self.response_paused,
            resumed: self.resumed,
            replies: self.replies,
            routes_cleared: self.routes_cleared,
            properties: self.properties.clone(),
            alive: self.alive,
        }
    }
}

impl LocalReply {
    /// A reply of the proxy's own.
    pub(crate) fn of_proxy(status: u32, details: &str) -> Self {
        let details = details.as_bytes().to_vec();
        Self { status, details, headers: Vec::new(), body: Vec::new(), grpc: None }
    }

    /// What the proxy makes of the reply that the filter asked for.
    pub(crate) fn shaped(mut self, personality: Personality, request: Option<&HeaderMap>) -> Self {
        if personality == Personality::Nginx {
            self.grpc = None;
            self.headers = last_of_each(std::mem::take(&mut self.headers));
            if !self.body.is_empty() {
                self.body.push(b'\n');
            }
            return self;
        }
        for byte in &mut self.details {
            *byte = if *byte == b' ' { b'_' } else { *byte };
        }
        let content_type = request.and_then(|map| map.get(b"content-type")).unwrap_or_default();
        if content_type == b"application/grpc" || content_type.starts_with(b"application/grpc+") {
            let code = self.grpc.unwrap_or_else(|| grpc_code(self.status));
            self.headers.push((b"grpc-status".to_vec(), code.to_string().into_bytes()));
            self.headers.push((b"grpc-message".to_vec(), std::mem::take(&mut self.body)));
            self.grpc = Some(code);
            self.status = 200;
        }
        self
    }
}

fn last_of_each(headers: Headers) -> Headers {
    let mut kept = Headers::new();
    for (name, value) in headers {
        kept.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        kept.push((name, value));
    }
    kept
}

/// The gRPC status for an HTTP status, as Envoy translates it.
fn grpc_code(status: u32) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

impl Request {
    /// A GET request for this target to `api.example`, without further headers.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A request for this target to `api.example`, without further headers.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        let request = Self { headers: Headers::new(), end_of_stream: method != "POST" };
        request
            .with(":method", method)
            .with(":path", target)
            .with(":scheme", "https")
            .with(":authority", "api.example")
    }

    /// The request with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_bytes().to_vec(), value.as_ref().to_vec()));
        self
    }
}
