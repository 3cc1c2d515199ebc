//! Where a document is, as far as that is known: the place of one may be what another tells.

use super::Gate;
use crate::remote::document::Document;
use crate::remote::endpoint::Endpoint;
use crate::remote::fetch::FetchError;
use crate::remote::source::Event;
use crate::remote::{Place, Remote, SourceId};
use crate::time::Timestamp;

/// A fetch to be made.
#[derive(Clone, Debug)]
pub struct Errand {
    /// What is fetched.
    pub remote: Remote,
    /// From where.
    pub endpoint: Endpoint,
    /// Where the workers' record of it is.
    pub key: String,
}

impl Gate {
    /// What a fetch for `id` has to do; `None` while nobody knows where to go.
    pub fn errand(&self, now: Timestamp, id: SourceId) -> Option<Errand> {
        let (remote, endpoint) = (self.remote(id)?, self.endpoint(now, id)?);
        let key = self.record_key(now, id)?;
        Some(Errand { remote: remote.clone(), endpoint: endpoint.clone(), key })
    }

    /// From where a document is fetched next; `None` while nobody knows.
    pub fn endpoint(&self, now: Timestamp, id: SourceId) -> Option<&Endpoint> {
        match &self.remote(id)?.place {
            Place::Fixed(endpoint) => Some(endpoint),
            Place::Either([first, second]) => {
                Some(if self.sources.get(id.0)?.is_at_second { second } else { first })
            }
            Place::Told(by) => match self.source(*by)?.document(now)? {
                Document::Discovery(endpoint) => Some(endpoint),
                Document::Keys(_) | Document::Revocations(_) => None,
            },
        }
    }

    /// Where the workers' record of a document is; `None` while nobody knows where that is itself.
    pub fn record_key(&self, now: Timestamp, id: SourceId) -> Option<String> {
        let remote = self.remote(id)?;
        match &remote.place {
            Place::Either([first, _]) => Some(remote.record_key(first)),
            Place::Fixed(_) | Place::Told(_) => Some(remote.record_key(self.endpoint(now, id)?)),
        }
    }

    /// The source to ask when the document of `id` is lacking: the one that tells where it is, as
    /// long as that is not known.
    pub(super) fn first_lacking(&self, now: Timestamp, id: SourceId) -> SourceId {
        match self.remote(id).map(|remote| &remote.place) {
            Some(Place::Told(by)) if self.endpoint(now, id).is_none() => *by,
            Some(Place::Told(_) | Place::Fixed(_) | Place::Either(_)) | None => id,
        }
    }

    /// The documents that `by` tells the place of are somewhere else now.
    pub(super) fn moved(&mut self, now: Timestamp, by: SourceId) {
        for (remote, entry) in self.policy.sources.iter().zip(&mut self.sources) {
            if remote.place == Place::Told(by) {
                let _ = entry.source.handle(now, Event::Moved);
            }
        }
    }

    /// A document is not where it was told to be: whether it has moved is asked soon.
    pub(super) fn doubt(&mut self, now: Timestamp, id: SourceId) {
        if let Some(Place::Told(by)) = self.remote(id).map(|remote| &remote.place) {
            let _ = self.handle(now, *by, Event::Wanted);
        }
    }

    /// Whether a document that was not at the first of its places may be at the second; if so, that
    /// is its place from now on.
    pub(super) fn is_elsewhere(&mut self, id: SourceId, why: &FetchError) -> bool {
        let has_second = self.remote(id).is_some_and(|r| matches!(r.place, Place::Either(_)));
        let Some(entry) = self.sources.get_mut(id.0).filter(|_| has_second) else { return false };
        // Who is in trouble itself says nothing about places.
        let is_absent = matches!(why, FetchError::Status(300..=499));
        entry.is_at_second = is_absent && !entry.is_at_second;
        entry.is_at_second
    }
}
