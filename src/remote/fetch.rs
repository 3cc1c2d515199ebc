//! The end of a fetch: what came, and whether it counts.

use std::time::Duration;

use crate::keys::set::{KeyLimits, Skipped};
use crate::remote::document::{Document, DocumentError, Kind};

/// What an endpoint answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: &'a [u8],
    /// How long it asks to be kept ([`super::freshness`]); `None`: it does not say.
    pub fresh_for: Option<Duration>,
}

/// Why a fetch brought no document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FetchError {
    /// The proxy would not send the request.
    #[error(
        "the proxy does not send requests there (status {status}); is the cluster defined, and has it a healthy endpoint?"
    )]
    NotSent {
        /// The hostcall's status.
        status: u32,
    },
    /// The connection failed, or the answer broke off.
    #[error("no complete answer: connection refused, reset or cut off, or no answer in time")]
    NoAnswer,
    /// The answer has a status that is not 200.
    #[error("answered with status {0}, expected 200")]
    Status(u16),
    /// The body is larger than a document of its kind may be.
    #[error("answered with {size} bytes, more than the {limit} that are accepted")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is no document of the expected kind.
    #[error("answered with {0}")]
    NotADocument(#[from] DocumentError),
}

/// Takes an answer for a document: status 200, and a body of the expected kind.
pub fn read(
    kind: &Kind,
    answer: Answer<'_>,
    limits: &KeyLimits,
) -> Result<(Document, Vec<Skipped>), FetchError> {
    if answer.status != 200 {
        return Err(FetchError::Status(answer.status));
    }
    Ok(kind.read(answer.body, limits)?)
}
