//! A fetch, from callout to answer.

use proxy_wasm::traits::Context;

use super::abi::{self, Buffer, Map, Status};
use super::root::Root;
use super::shared::Shared;
use crate::gate::Note;
use crate::metrics::Counter;
use crate::remote::fetch::{Answer, FetchError};
use crate::remote::record::Record;
use crate::remote::source::Command;
use crate::remote::{Endpoint, Remote, SourceId};
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

/// What the workers know of a document, and the number that a change has to name.
pub(super) fn record(remote: &Remote) -> (Record, u32) {
    match abi::shared_data(&remote.record_key()) {
        Ok((bytes, cas)) => (Record::from_bytes(&bytes), cas),
        Err(_) => (Record::default(), 0),
    }
}

/// Takes the right to fetch; false when another worker has it.
pub(super) fn lease(remote: &Remote, now: Timestamp) -> bool {
    let (record, cas) = record(remote);
    let term = remote.schedule.patience;
    if record.is_leased(now, term) {
        return false;
    }
    let leased = Record { leased_until: now.plus(term), ..record };
    match abi::set_shared_data(&remote.record_key(), &leased.to_bytes(), cas) {
        Err(Status::CAS_MISMATCH) => false,
        // Without shared data each worker fetches for itself.
        Ok(()) | Err(_) => true,
    }
}

/// Tells the other workers how the fetch ended, and gives the right to fetch back.
fn publish(remote: &Remote, now: Timestamp, asked_at: Timestamp, body: Option<&[u8]>) {
    let (record, cas) = record(remote);
    let leased_until = Timestamp::BEGINNING;
    let record = match body {
        Some(body) => {
            let (failed_at, body) = (record.failed_at, body.to_vec());
            Record { leased_until, failed_at, fetched_at: now, asked_at, body }
        }
        None => Record { leased_until, failed_at: now, asked_at, ..record },
    };
    // Who came in between has newer news.
    let _ = abi::set_shared_data(&remote.record_key(), &record.to_bytes(), cas);
}

/// Starts a fetch; the token names its callout.
///
/// This is the one hostcall that goes through the SDK: its dispatcher must know the token, or it
/// traps when the answer comes.
pub(super) fn start(root: &Root, remote: &Remote) -> Result<u32, FetchError> {
    let Endpoint { cluster, scheme, authority, path } = &remote.endpoint;
    let headers = vec![
        (":method", "GET"),
        (":scheme", scheme),
        (":authority", authority),
        (":path", path),
        ("accept", remote.kind.media_types()),
        ("user-agent", concat!("jwt-gate/", env!("CARGO_PKG_VERSION"))),
    ];
    root.dispatch_http_call(cluster, headers, None, Vec::new(), remote.timeout)
        .map_err(|status| FetchError::NotSent { cluster: cluster.clone(), status: code(status) })
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
        Some(gate) => {
            let body = end.as_ref().ok().map(|answer| answer.body);
            let settled = gate.settle(now, source, end);
            if let Some(remote) = gate.remote(source).filter(|_| shared.shares_keys()) {
                publish(remote, now, gate.asked_at(source), body.filter(|_| settled.fetched));
            }
            settled
        }
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
