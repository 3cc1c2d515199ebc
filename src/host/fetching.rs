//! A fetch, from callout to answer.

use std::time::Duration;

use proxy_wasm::traits::Context;

use super::abi::{self, Buffer, Map, Status};
use super::root::Root;
use super::shared::Shared;
use crate::gate::{Errand, Gate, Note};
use crate::metrics::Outcome;
use crate::remote::SourceId;
use crate::remote::endpoint::Endpoint;
use crate::remote::fetch::{Answer, FetchError};
use crate::remote::freshness;
use crate::remote::record::Record;
use crate::remote::source::Command;
use crate::time::Timestamp;

/// What came from an endpoint.
#[derive(Debug)]
pub(super) struct Received {
    status: u16,
    body: Vec<u8>,
    fresh_for: Option<Duration>,
}

impl Received {
    /// The same, borrowed.
    pub(super) fn as_answer(&self) -> Answer<'_> {
        Answer { status: self.status, body: &self.body, fresh_for: self.fresh_for }
    }
}

/// What the workers know of a document whose record has this key, and the number that a change
/// has to name.
pub(super) fn record(key: &str) -> (Record, u32) {
    match abi::shared_data(key) {
        Ok((bytes, cas)) => (Record::from_bytes(&bytes), cas),
        Err(_) => (Record::default(), 0),
    }
}

/// Takes the right to fetch; false when another worker has it.
pub(super) fn lease(errand: &Errand, now: Timestamp) -> bool {
    let (record, cas) = record(&errand.key);
    let term = errand.remote.schedule.patience;
    if record.is_leased(now, term) {
        return false;
    }
    let leased = Record { leased_until: now.plus(term), ..record };
    match abi::set_shared_data(&errand.key, &leased.to_bytes(), cas) {
        Err(Status::CAS_MISMATCH) => false,
        // Without shared data each worker fetches for itself.
        Ok(()) | Err(_) => true,
    }
}

/// Tells the other workers how the fetch ended, and gives the right to fetch back. The answer is
/// whether one of them has told the log of the same failure.
fn publish(gate: &Gate, now: Timestamp, source: SourceId, brought: Option<&[u8]>) -> bool {
    let Some(key) = gate.record_key(now, source) else { return false };
    let (before, cas) = record(&key);
    let told = before.told;
    let record = gate.record(now, source, before, brought);
    // Who came in between has newer news.
    let _ = abi::set_shared_data(&key, &record.to_bytes(), cas);
    told != 0 && told == record.told
}

/// Starts a fetch; the token names its callout.
///
/// This is the one hostcall that goes through the SDK: its dispatcher must know the token, or it
/// traps when the answer comes.
pub(super) fn start(root: &Root, errand: &Errand) -> Result<u32, FetchError> {
    let Endpoint { cluster, scheme, authority, path } = &errand.endpoint;
    let headers = vec![
        (":method", "GET"),
        (":scheme", scheme),
        (":authority", authority),
        (":path", path),
        ("accept", errand.remote.kind.media_types()),
        ("user-agent", concat!("jwt-gate/", env!("CARGO_PKG_VERSION"))),
    ];
    root.dispatch_http_call(cluster, headers, None, Vec::new(), errand.remote.timeout)
        .map_err(|status| FetchError::NotSent { status: code(status) })
}

/// The number of one of the two statuses that the SDK lets through.
fn code(status: proxy_wasm::types::Status) -> u32 {
    if status == proxy_wasm::types::Status::BadArgument { 2 } else { 10 }
}

/// Reads the answer of a callout. The sizes are announcements: a body that was cut off has fewer
/// bytes, or none that can be read.
pub(super) fn answer(headers: usize, body: usize, limit: usize) -> Result<Received, FetchError> {
    if headers == 0 {
        return Err(FetchError::NoAnswer);
    }
    let status = header(":status").and_then(|text| text.parse().ok());
    let status: u16 = status.ok_or(FetchError::NoAnswer)?;
    let fresh_for = header("cache-control")
        .and_then(|control| freshness::fresh_for(&control, header("age").as_deref()));
    if status != 200 {
        return Ok(Received { status, body: Vec::new(), fresh_for });
    }
    if body > limit {
        return Err(FetchError::TooLarge { size: body, limit });
    }
    if body == 0 {
        return Ok(Received { status, body: Vec::new(), fresh_for });
    }
    match abi::buffer(Buffer::CalloutAnswer, body) {
        Ok(bytes) if bytes.len() == body => Ok(Received { status, body: bytes, fresh_for }),
        Ok(_) | Err(_) => Err(FetchError::NoAnswer),
    }
}

/// A header of the answer, where it is text.
fn header(name: &str) -> Option<String> {
    String::from_utf8(abi::header(Map::CalloutAnswer, name).ok()??).ok()
}

/// Takes in the end of a fetch; what has to be said about it goes to the log and the counters.
pub(super) fn settle(
    shared: &Shared,
    now: Timestamp,
    source: SourceId,
    end: Result<Answer<'_>, FetchError>,
) -> Command {
    let (settled, told) = match &mut *shared.gate.borrow_mut() {
        Some(gate) => {
            let body = end.as_ref().ok().map(|answer| answer.body);
            let settled = gate.settle(now, source, end);
            let brought = body.filter(|_| settled.outcome == Outcome::Success);
            // Who goes on to ask elsewhere keeps the right to fetch.
            let ended = settled.command != Command::Fetch;
            let told = ended && shared.shares_keys() && publish(gate, now, source, brought);
            (settled, told)
        }
        None => return Command::Rest,
    };
    match &settled.note {
        Some(note @ Note::Fetched { .. }) => log::info!("{note}"),
        Some(note @ Note::Failed { .. }) if !told => log::warn!("{note}"),
        Some(Note::Failed { .. }) | None => {}
    }
    shared.counters.borrow().fetched(source, settled.outcome);
    settled.command
}
