//! A fetch, from callout to answer.

use proxy_wasm::traits::Context;
use proxy_wasm::types::Status;

use super::abi::{self, Buffer, Map};
use super::root::Root;
use super::shared::Shared;
use crate::gate::Note;
use crate::keys::fetch::{Answer, FetchError};
use crate::keys::source::Command;
use crate::metrics::Counter;
use crate::policy::RemoteKeys;
use crate::requirement::SourceId;
use crate::time::Timestamp;

/// What came from an endpoint.
#[derive(Debug)]
pub(super) struct Received {
    status: u16,
    body: Vec<u8>,
}

impl Received {
    /// The same, borrowed.
    pub(super) fn as_answer(&self) -> Answer<'_> {
        Answer { status: self.status, body: &self.body }
    }
}

/// Starts a fetch; the token names its callout.
///
/// This is the one hostcall that goes through the SDK: its dispatcher must know the token, or it
/// traps when the answer comes.
pub(super) fn start(root: &Root, remote: &RemoteKeys) -> Result<u32, FetchError> {
    let headers = vec![
        (":method", "GET"),
        (":scheme", remote.scheme),
        (":authority", &*remote.authority),
        (":path", &*remote.path),
        ("accept", "application/jwk-set+json, application/json"),
        ("user-agent", concat!("jwt-gate/", env!("CARGO_PKG_VERSION"))),
    ];
    root.dispatch_http_call(&remote.cluster, headers, None, Vec::new(), remote.timeout).map_err(
        |status| FetchError::NotSent { cluster: remote.cluster.clone(), status: code(status) },
    )
}

/// The number of one of the two statuses that the SDK lets through.
fn code(status: Status) -> u32 {
    if status == Status::BadArgument { 2 } else { 10 }
}

/// Reads the answer of a callout. The sizes are announcements: a body that was cut off has fewer
/// bytes, or none that can be read.
pub(super) fn answer(headers: usize, body: usize, limit: usize) -> Result<Received, FetchError> {
    if headers == 0 {
        return Err(FetchError::NoAnswer);
    }
    let status = abi::header(Map::CalloutAnswer, ":status").ok().flatten();
    let status = status.and_then(|text| str::from_utf8(&text).ok()?.parse().ok());
    let status: u16 = status.ok_or(FetchError::NoAnswer)?;
    if status != 200 {
        return Ok(Received { status, body: Vec::new() });
    }
    if body > limit {
        return Err(FetchError::TooLarge { size: body, limit });
    }
    if body == 0 {
        return Ok(Received { status, body: Vec::new() });
    }
    match abi::buffer(Buffer::CalloutAnswer, body) {
        Ok(bytes) if bytes.len() == body => Ok(Received { status, body: bytes }),
        Ok(_) | Err(_) => Err(FetchError::NoAnswer),
    }
}

/// Takes in the end of a fetch; what has to be said about it goes to the log and the counters.
pub(super) fn settle(
    shared: &Shared,
    now: Timestamp,
    source: SourceId,
    end: Result<Answer<'_>, FetchError>,
) -> Command {
    let settled = match &mut *shared.gate.borrow_mut() {
        Some(gate) => gate.settle(now, source, end),
        None => return Command::Rest,
    };
    match &settled.note {
        Some(note @ Note::Fetched { .. }) => log::info!("{note}"),
        Some(note @ Note::Failed { .. }) => log::warn!("{note}"),
        None => {}
    }
    let counter = if settled.fetched { Counter::Fetched } else { Counter::FetchFailed };
    shared.counters.borrow().count(counter);
    settled.command
}
