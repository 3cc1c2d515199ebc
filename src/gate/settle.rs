//! The end of a fetch, and what is said about it: once for each change, never once a fetch.

use std::fmt;
use std::sync::Arc;

use super::{Gate, Source};
use crate::keys::fetch::{self, Answer, FetchError};
use crate::keys::record::Record;
use crate::keys::set::Skipped;
use crate::keys::source::{Command, Event};
use crate::requirement::SourceId;
use crate::time::Timestamp;

/// What the end of a fetch leads to.
#[derive(Debug)]
pub struct Settled {
    /// What the host has to do.
    pub command: Command,
    /// Whether the fetch brought keys.
    pub fetched: bool,
    /// What an operator should read.
    pub note: Option<Note>,
}

/// A line for the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// Keys were fetched, and that is new.
    Fetched {
        /// The provider.
        provider: Box<str>,
        /// How many keys.
        keys: usize,
        /// Entries that are not used.
        skipped: Vec<Skipped>,
    },
    /// They were not, and the reason is new.
    Failed {
        /// The provider.
        provider: Box<str>,
        /// Why.
        why: FetchError,
        /// Whether older keys are still served.
        served: bool,
    },
}

/// The end of the last fetch.
#[derive(Debug, Default)]
pub(super) enum Last {
    /// There was none.
    #[default]
    None,
    /// So many keys, so many skipped entries.
    Fetched(usize, usize),
    /// It failed; older keys were still served, or not.
    Failed(FetchError, bool),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched { provider, keys, skipped } => {
                write!(f, "provider `{provider}`: fetched its keys, {keys} usable")?;
                skipped.iter().try_for_each(|entry| write!(f, "; {entry}"))
            }
            Self::Failed { provider, why, served } => {
                let state = if *served {
                    "the keys at hand are served on"
                } else {
                    "there are no keys, its tokens are answered with 503"
                };
                write!(f, "provider `{provider}`: fetching its keys failed: {why}; {state}")
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
        let limits = self.policy.limits.keys;
        let provider: Box<str> =
            self.remote(id).map(|remote| remote.provider.clone()).unwrap_or_default();
        let Some(source) = self.sources.get_mut(id.0) else {
            return Settled { command: Command::Rest, fetched: false, note: None };
        };
        match end.and_then(|answer| fetch::read(answer, &limits)) {
            Ok((keys, skipped)) => {
                let sizes = (keys.len(), skipped.len());
                let command = source.keys.handle(now, Event::Fetched(Arc::new(keys)));
                let is_new = !matches!(source.last, Last::Fetched(k, s) if (k, s) == sizes);
                source.last = Last::Fetched(sizes.0, sizes.1);
                let note = Note::Fetched { provider, keys: sizes.0, skipped };
                Settled { command, fetched: true, note: is_new.then_some(note) }
            }
            Err(why) => source.fail(now, provider, why),
        }
    }
}

impl Gate {
    /// Takes in what other workers say: newer keys than ours, or that the fetch which we wait for
    /// has failed. What they say of keys is read like any answer; what is none changes nothing.
    pub fn adopt(&mut self, now: Timestamp, id: SourceId, record: &Record) -> Command {
        let limits = self.policy.limits.keys;
        let Some(source) = self.sources.get_mut(id.0) else { return Command::Rest };
        let newer = record.fetched_at > source.keys.fetched_at() && record.fetched_at <= now;
        if newer
            && let Ok((keys, skipped)) =
                fetch::read(Answer { status: 200, body: &record.body }, &limits)
        {
            source.last = Last::Fetched(keys.len(), skipped.len());
            let (at, asked) = (record.fetched_at, record.asked_at);
            return source.keys.handle(now, Event::Adopted { keys: Arc::new(keys), at, asked });
        }
        if record.failed_at <= now {
            return source.keys.handle(now, Event::FailedElsewhere(record.failed_at));
        }
        Command::Rest
    }
}

impl Source {
    fn fail(&mut self, now: Timestamp, provider: Box<str>, why: FetchError) -> Settled {
        let command = self.keys.handle(now, Event::Failed);
        let served = self.keys.keys(now).is_some();
        let is_new = !matches!(&self.last, Last::Failed(b, s) if (b, *s) == (&why, served));
        self.last = Last::Failed(why.clone(), served);
        let note = Note::Failed { provider, why, served };
        Settled { command, fetched: false, note: is_new.then_some(note) }
    }
}
