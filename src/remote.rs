//! Remote documents: what is fetched from an endpoint, served, fetched again, told to the others.

pub mod discovery;
pub mod document;
pub mod endpoint;
pub mod fetch;
pub mod freshness;
pub mod record;
pub mod source;

use std::time::Duration;

use crate::keys::absent::KidHash;
use crate::remote::document::Kind;
use crate::remote::endpoint::Endpoint;
use crate::remote::source::Schedule;

/// Index of a remote document in the policy, whatever its kind.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SourceId(pub usize);

/// What a request lacks to be decided on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lack {
    /// The source that may bring it.
    pub source: SourceId,
    /// The `kid` that the token names.
    pub kid: Option<KidHash>,
}

/// A document behind a URL: what it is, where it is, when it is fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remote {
    /// Name of the provider that it belongs to.
    pub provider: Box<str>,
    /// What is expected there.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// Time for the whole answer.
    pub timeout: Duration,
    /// Longest time for which a request is held.
    pub max_wait: Duration,
    /// When to fetch and how long to serve.
    pub schedule: Schedule,
}

/// Where a document is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// Here.
    Fixed(Endpoint),
    /// At the first of these; where the answer is that it is not there, at the second.
    Either([Endpoint; 2]),
    /// Where the document of this source says.
    Told(SourceId),
}

impl Remote {
    /// Where the workers' record of it is, while it is at `endpoint`. Documents of different kinds,
    /// providers or endpoints have different records.
    pub fn record_key(&self, endpoint: &Endpoint) -> String {
        let Endpoint { cluster, scheme, authority, path } = endpoint;
        // Quoted, so that no two of them look alike.
        let place = (&self.provider, cluster, scheme, authority, path);
        format!("jwt-gate/{}/{place:?}", self.kind.name())
    }
}
