//! What the host does when the guest has returned: resume, reply, hand on what waited.

use crate::headers::Headers;
use crate::stream::{Stream, Waiting};
use crate::vm::Inner;
use crate::vm_state::{Deferred, Entry};
use crate::{LocalReply, Personality, Phase, StreamId, Trap};

impl Stream {
    /// Takes in what a callback of the request direction returned.
    pub(crate) fn decide(&mut self, entry: Entry, pause: bool, personality: Personality) {
        if self.is_replied() {
            return;
        }
        let held = self.is_paused();
        self.phase = Some(if pause { Phase::Paused } else { Phase::Continued });
        self.paused_at_headers =
            pause && (entry == Entry::RequestHeaders || self.paused_at_headers);
        if !pause {
            self.resumed |= held;
            self.request_body.clear();
            if personality != Personality::Nginx {
                self.close_request();
            }
        }
    }

    fn finish(&mut self, deferred: Deferred) {
        match deferred {
            Deferred::ContinueRequest(_) if self.is_paused() => {
                self.phase = Some(Phase::Continued);
                self.paused_at_headers = false;
                self.resumed = true;
                self.request_body.clear();
            }
            Deferred::ContinueRequest(_) => {}
            Deferred::ContinueResponse(_) => self.response_paused = false,
            Deferred::Reply(_, reply) => match &mut self.phase {
                // Envoy ignores a second reply but for its details.
                Some(Phase::Replied(first)) => first.details = reply.details,
                Some(Phase::Continued | Phase::Paused) | None => {
                    self.phase = Some(Phase::Replied(reply));
                }
            },
        }
    }
}

impl Inner {
    /// Does what the guest asked for while it ran, until nothing is left.
    pub(super) fn settle(&mut self) -> Result<(), Trap> {
        loop {
            let deferred = std::mem::take(&mut self.state_mut().deferred);
            for action in deferred {
                let (Deferred::ContinueRequest(id)
                | Deferred::ContinueResponse(id)
                | Deferred::Reply(id, _)) = &action;
                if let Some(stream) = self.state_mut().streams.get_mut(id) {
                    stream.finish(action);
                }
            }
            self.send_upstream();
            let released = |stream: &Stream| {
                stream.alive && stream.phase == Some(Phase::Continued) && !stream.waiting.is_empty()
            };
            let mut streams = self.state().streams.iter();
            match streams.find(|(_, stream)| released(stream)).map(|(id, _)| *id) {
                Some(id) => self.show_waiting(id)?,
                None if self.state().deferred.is_empty() => return Ok(()),
                None => {}
            }
        }
    }

    /// Notes what the upstream gets of each request that went on.
    pub(super) fn send_upstream(&mut self) {
        let state = self.state_mut();
        let directives = state.world.borrow().directives.clone();
        for stream in state.streams.values_mut() {
            if stream.phase != Some(Phase::Continued) || stream.upstream.is_some() {
                continue;
            }
            let Some(map) = &stream.maps[0].map else { continue };
            if let Some(name) = map.unsendable() {
                let details =
                    format!("invalid_header_value_for:_{}", String::from_utf8_lossy(name));
                stream.phase = Some(Phase::Replied(LocalReply::of_proxy(503, &details)));
                continue;
            }
            let variable =
                |name: &str| stream.properties.get(format!("ngx\0{name}").as_bytes()).cloned();
            stream.upstream = Some(map.upstream(&directives, variable));
        }
    }

    /// Shows the guest the parts of the request that have arrived, up to where it pauses.
    pub(super) fn show_waiting(&mut self, id: u32) -> Result<(), Trap> {
        loop {
            let Some(stream) = self.state_mut().streams.get_mut(&id) else { return Ok(()) };
            if stream.is_replied() {
                stream.waiting.clear();
            }
            let Some(part) = stream.waiting.pop_front() else { return Ok(()) };
            match part {
                Waiting::Body(data, end) => {
                    stream.request_body.extend_from_slice(&data);
                    let size = u32::try_from(stream.request_body.len()).unwrap_or(u32::MAX);
                    let args = [id, size, u32::from(end)];
                    self.request_callback(Entry::RequestBody, id, &args)?;
                }
                Waiting::Trailers(trailers) => {
                    let map = self.map(&trailers);
                    let args = [id, u32::try_from(trailers.len()).unwrap_or(u32::MAX)];
                    self.alive(StreamId(id))?.maps[1].fill(map);
                    self.request_callback(Entry::RequestTrailers, id, &args)?;
                }
            }
        }
    }

    pub(crate) fn response_headers(
        &mut self,
        id: StreamId,
        headers: &Headers,
        end: bool,
    ) -> Result<(), Trap> {
        let map = self.map(headers);
        self.alive(id)?.maps[2].fill(map);
        let count = u32::try_from(headers.len()).unwrap_or(u32::MAX);
        self.response_callback(Entry::ResponseHeaders, id, &[id.0, count, u32::from(end)])
    }

    pub(crate) fn response_body(
        &mut self,
        id: StreamId,
        data: &[u8],
        end: bool,
    ) -> Result<(), Trap> {
        let stream = self.alive(id)?;
        stream.response_body = data.to_vec();
        let size = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.response_callback(Entry::ResponseBody, id, &[id.0, size, u32::from(end)])
    }

    pub(crate) fn response_trailers(
        &mut self,
        id: StreamId,
        trailers: &Headers,
    ) -> Result<(), Trap> {
        let map = self.map(trailers);
        self.alive(id)?.maps[3].fill(map);
        let count = u32::try_from(trailers.len()).unwrap_or(u32::MAX);
        self.response_callback(Entry::ResponseTrailers, id, &[id.0, count])
    }

    fn response_callback(&mut self, entry: Entry, id: StreamId, args: &[u32]) -> Result<(), Trap> {
        let action = self.run(entry, id.0, args)?;
        let paused = action.is_some_and(|action| action != 0);
        let stream = self.alive(id)?;
        stream.response_paused = paused;
        if !paused {
            stream.close_response();
        }
        self.settle()
    }
}
