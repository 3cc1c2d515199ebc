//! The end of a fetch, and what is said about it: once for each change, never once a fetch.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Entry, Gate};
use crate::keys::set::Skipped;
use crate::metrics::{Health, Outcome};
use crate::remote::SourceId;
use crate::remote::document::{Document, Kind};
use crate::remote::endpoint::Endpoint;
use crate::remote::fetch::{self, Answer, FetchError};
use crate::remote::record::Record;
use crate::remote::source::{Command, Event, Received};
use crate::time::Timestamp;

/// What the end of a fetch leads to.
#[derive(Debug)]
pub struct Settled {
    /// What the host has to do.
    pub command: Command,
    /// How the fetch ended.
    pub outcome: Outcome,
    /// What an operator should read.
    pub note: Option<Note>,
}

/// A line for the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// A document was fetched, and that is new.
    Fetched {
        /// The provider.
        provider: Box<str>,
        /// The kind of document.
        kind: Kind,
        /// What is in it.
        content: String,
        /// Entries that are not used.
        skipped: Vec<Skipped>,
    },
    /// It was not, and the reason is new.
    Failed {
        /// The provider.
        provider: Box<str>,
        /// The kind of document.
        kind: Kind,
        /// From where.
        endpoint: Option<Endpoint>,
        /// Why.
        why: FetchError,
        /// Whether an older one is still served.
        served: bool,
    },
}

/// The end of the last fetch.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Last {
    /// There was none.
    #[default]
    None,
    /// It brought this, and so many entries that are not used.
    Fetched(String, usize),
    /// It failed; an older document was still served, or not.
    Failed(FetchError, bool),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched { provider, kind, content, skipped } => {
                write!(f, "provider `{provider}`: fetched its {}, {content}", kind.name())?;
                skipped.iter().try_for_each(|entry| write!(f, "; {entry}"))
            }
            Self::Failed { provider, kind, endpoint, why, served } => {
                let (what, state) = (kind.name(), kind.consequence(*served));
                write!(f, "provider `{provider}`: fetching its {what}")?;
                if let Some(endpoint) = endpoint {
                    write!(f, " from {endpoint} (cluster `{}`)", endpoint.cluster)?;
                }
                write!(f, " failed: {why}; {state}")
            }
        }
    }
}

impl Gate {
    /// Takes in the end of a fetch.
    pub fn settle(
        &mut self,
        now: Timestamp,
        id: SourceId,
        end: Result<Answer<'_>, FetchError>,
    ) -> Settled {
        let endpoint = self.endpoint(now, id).cloned();
        let (Some(remote), Some(entry)) =
            (self.policy.sources.get(id.0), self.sources.get_mut(id.0))
        else {
            return Settled { command: Command::Rest, outcome: Outcome::NoAnswer, note: None };
        };
        let (provider, kind) = (remote.provider.clone(), remote.kind.clone());
        let fresh_for = end.as_ref().ok().and_then(|answer| answer.fresh_for);
        match end.and_then(|answer| fetch::read(&kind, answer, &self.policy.limits.keys)) {
            Ok((document, skipped)) => {
                let is_new = entry.fetched(&document, &skipped);
                let note = Note::Fetched { provider, kind, content: document.to_string(), skipped };
                let is_news = document.is_news(entry.source.document(now));
                let received = Received { document, fresh_for, is_news };
                let command = entry.receive(now, received, None);
                if is_news {
                    self.moved(now, id);
                }
                Settled { command, outcome: Outcome::Success, note: is_new.then_some(note) }
            }
            Err(why) if self.is_elsewhere(id, &why) => {
                Settled { command: Command::Fetch, outcome: Outcome::of(&why), note: None }
            }
            Err(why) => self.failed(now, id, endpoint, why),
        }
    }

    fn failed(
        &mut self,
        now: Timestamp,
        id: SourceId,
        endpoint: Option<Endpoint>,
        why: FetchError,
    ) -> Settled {
        let outcome = Outcome::of(&why);
        let (Some(remote), Some(entry)) =
            (self.policy.sources.get(id.0), self.sources.get_mut(id.0))
        else {
            return Settled { command: Command::Rest, outcome, note: None };
        };
        let (provider, kind) = (remote.provider.clone(), remote.kind.clone());
        let command = entry.source.handle(now, Event::Failed);
        entry.names.give_up();
        let served = entry.source.document(now).is_some();
        let is_new = entry.ended(Last::Failed(why.clone(), served));
        let note = Note::Failed { provider, kind, endpoint, why, served };
        self.doubt(now, id);
        Settled { command, outcome, note: is_new.then_some(note) }
    }

    /// Takes in what other workers say: a newer document than ours, or that the fetch which we
    /// wait for has failed. What they say is read like any answer; what is none changes nothing.
    pub fn adopt(&mut self, now: Timestamp, id: SourceId, record: &Record) -> Command {
        let (Some(remote), Some(entry)) =
            (self.policy.sources.get(id.0), self.sources.get_mut(id.0))
        else {
            return Command::Rest;
        };
        let history = record.history;
        let newer = history.came > entry.source.fetched_at() && history.came <= now;
        if newer
            && let Ok((document, skipped)) =
                remote.kind.read(&record.body, &self.policy.limits.keys)
        {
            entry.fetched(&document, &skipped);
            let is_news = document.is_news(entry.source.document(now));
            let received = Received { document, fresh_for: record.fresh_for, is_news };
            let command = entry.receive(now, received, Some(record));
            if is_news {
                self.moved(now, id);
            }
            return command;
        }
        if record.failed_at <= now {
            return entry.source.handle(now, Event::FailedElsewhere(record.failed_at));
        }
        Command::Rest
    }

    /// How a document stands.
    pub fn health(&self, now: Timestamp, id: SourceId) -> Health {
        let Some(source) = self.source(id) else { return Health::default() };
        let Some(document) = source.document(now) else { return Health::default() };
        Health {
            fetched_at: source.fetched_at().as_secs(),
            entries: document.entries(),
            stale: u64::from(source.is_stale(now)),
        }
    }

    /// What the workers' record becomes when a fetch has ended, with a document or without.
    pub fn record(
        &self,
        now: Timestamp,
        id: SourceId,
        before: Record,
        brought: Option<&[u8]>,
    ) -> Record {
        let leased_until = Timestamp::BEGINNING;
        match (self.source(id), brought) {
            (Some(source), Some(body)) => Record {
                leased_until,
                failed_at: before.failed_at,
                history: source.history(),
                fresh_for: source.fresh_for(),
                told: 0,
                absent: self
                    .sources
                    .get(id.0)
                    .map_or_else(Vec::new, |e| e.names.absent(now).collect()),
                body: body.to_vec(),
            },
            (_, None) | (None, _) => {
                let told = self.sources.get(id.0).map_or(0, |entry| entry.last.digest());
                Record { leased_until, failed_at: now, told, ..before }
            }
        }
    }
}

impl Last {
    /// A failure as a number, which workers tell each other; 0: none.
    fn digest(&self) -> u64 {
        let Self::Failed(why, served) = self else { return 0 };
        let mut hasher = DefaultHasher::new();
        (why.to_string(), served).hash(&mut hasher);
        hasher.finish()
    }
}

impl Entry {
    /// Takes in a document that was fetched here, or by another worker at that time.
    fn receive(
        &mut self,
        now: Timestamp,
        received: Received<Document>,
        elsewhere: Option<&Record>,
    ) -> Command {
        let document = received.document.or_same(self.source.document(now));
        let received = Received { document, ..received };
        let is_news = received.is_news;
        let keys = match &received.document {
            Document::Keys(keys) => Some(keys.clone()),
            Document::Discovery(_) | Document::Revocations(_) => None,
        };
        let command = self.source.handle(
            now,
            match elsewhere {
                None => Event::Fetched(received),
                Some(record) => Event::Adopted(received, record.history),
            },
        );
        let until = now.plus(self.source.ask_interval());
        if let Some(keys) = keys {
            self.names.settle(&keys, is_news, elsewhere.map(|record| record.history.began), until);
            if let Some(record) = elsewhere {
                self.names.adopt(&keys, &record.absent, until);
            }
        }
        command
    }

    /// Notes what came, and says whether that is new.
    fn fetched(&mut self, document: &Document, skipped: &[Skipped]) -> bool {
        self.ended(Last::Fetched(document.to_string(), skipped.len()))
    }

    fn ended(&mut self, end: Last) -> bool {
        let is_new = self.last != end;
        self.last = end;
        is_new
    }
}
