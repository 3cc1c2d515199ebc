//! Life of one remote document: when to fetch, what to serve meanwhile.

use std::time::Duration;

use crate::time::Timestamp;

/// Longest time that an answer in vain keeps others from asking.
const ASK_INTERVAL_MAX: Duration = Duration::from_secs(60);

/// Shortest time for which an answer counts as fresh, whatever it says of itself.
const FRESH_MIN: Duration = Duration::from_secs(60);

/// How often a document is fetched, and how long it is served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Schedule {
    /// Age at which it has been fetched again, unless the answer asks for an earlier time.
    pub cache_duration: Duration,
    /// How long beyond that it is served while fetching fails.
    pub stale_if_error: Duration,
    /// Pause after the first failed fetch; doubled after each further one, with up to a quarter
    /// more so that workers do not fall into step.
    pub backoff: Duration,
    /// Longest pause, before that quarter.
    pub backoff_max: Duration,
    /// What is tried before all that.
    pub retry: Retry,
    /// Shortest time between two fetches asked for by who lacks a part of the document at hand,
    /// such as a key under an unknown `kid`; `None`: nobody may ask for that.
    pub ask_interval: Option<Duration>,
    /// Time after which a fetch without an end counts as failed.
    pub patience: Duration,
}

/// Fetches that are tried soon after one that failed, while who waits for the document waits on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retry {
    /// How many.
    pub count: u32,
    /// Pause before the first; doubled before each further one, with up to a quarter more.
    pub pause: Duration,
    /// Longest pause, before that quarter.
    pub longest: Duration,
}

impl Retry {
    /// None.
    pub const NONE: Self = Self { count: 0, pause: Duration::ZERO, longest: Duration::ZERO };
}

impl Schedule {
    /// How long an answer counts as fresh that asks for `asked` (RFC 9111, 5.2.2.1).
    fn lifetime(&self, asked: Option<Duration>) -> Duration {
        let most = self.cache_duration;
        asked.map_or(most, |asked| asked.clamp(FRESH_MIN.min(most), most))
    }

    /// Age at which the next fetch begins: early enough that an answer in time is there before the
    /// document is too old.
    fn refresh(&self, asked: Option<Duration>) -> Duration {
        let lifetime = self.lifetime(asked);
        let tenth = lifetime.checked_div(10).unwrap_or_default();
        lifetime.saturating_sub(tenth.min(Duration::from_secs(5)))
    }
}

/// A document that came, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received<T> {
    /// The document.
    pub document: T,
    /// How long the answer asks to be kept; `None`: it does not say.
    pub fresh_for: Option<Duration>,
    /// Whether there is something in it that was not in the one before.
    pub is_news: bool,
}

/// When and on whose account another worker fetched a document.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct History {
    /// When the fetch began.
    pub began: Timestamp,
    /// When the document came.
    pub came: Timestamp,
    /// When somebody asked for a part that was not there last; the beginning of time: never.
    pub asked: Timestamp,
    /// How often in a row such a question brought nothing new.
    pub in_vain: u32,
}

/// Something that happened to the source.
#[derive(Debug)]
pub enum Event<T> {
    /// The deadline has passed, or the host woke us anyway.
    Tick,
    /// A request lacks the document, or a part that is not in the one at hand.
    Wanted,
    /// The fetch ended with a document.
    Fetched(Received<T>),
    /// Another worker has fetched one.
    Adopted(Received<T>, History),
    /// The fetch failed, or could not be started.
    Failed,
    /// Another worker's fetch failed, at that time. One failure is enough to rest for all.
    FailedElsewhere(Timestamp),
    /// The document is somewhere else now: the one at hand is served until that one came.
    Moved,
}

/// What the host has to do next.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use]
pub enum Command {
    /// Nothing.
    Rest,
    /// Start a fetch; its end is the next [`Event::Fetched`] or [`Event::Failed`].
    Fetch,
    /// Check the held requests again.
    Release,
}

/// A remote document and its fetch cycle.
///
/// What is held and what is being fetched are separate fields, so that a refresh never takes
/// a good document out of service.
#[derive(Debug)]
pub struct Source<T> {
    schedule: Schedule,
    held: Option<Held<T>>,
    fetch: Fetch,
    history: History,
    /// When a fetch failed last, here or in another worker.
    failed: Timestamp,
}

#[derive(Debug)]
struct Held<T> {
    document: T,
    since: Timestamp,
    fresh_for: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fetch {
    Idle { due: Timestamp, failures: u32, asked: bool },
    InFlight { failures: u32, since: Timestamp, give_up: Timestamp, asked: bool },
}

impl<T> Source<T> {
    /// A source that has fetched nothing and is due at once.
    pub fn new(schedule: Schedule, now: Timestamp) -> Self {
        Self {
            schedule,
            held: None,
            fetch: Fetch::Idle { due: now, failures: 0, asked: false },
            history: History::default(),
            failed: Timestamp::BEGINNING,
        }
    }

    /// Takes in what happened; the answer is the one thing to do about it.
    pub fn handle(&mut self, now: Timestamp, event: Event<T>) -> Command {
        match (event, self.fetch) {
            (Event::Tick, Fetch::Idle { due, failures, asked }) if due <= now => {
                self.start(now, failures, asked)
            }
            (Event::Wanted, Fetch::Idle { failures, .. }) => self.want(now, failures),
            (Event::Fetched(received), fetch) => self.fetched(now, received, fetch),
            (Event::Adopted(received, history), _) => {
                let came = history.came.min(now);
                self.history = History { came, asked: history.asked.min(now), ..history };
                self.hold(came, received)
            }
            (Event::Failed, Fetch::InFlight { failures, .. }) => self.back_off(now, failures),
            (Event::FailedElsewhere(at), fetch) => match fetch {
                Fetch::InFlight { failures, .. } if self.is_news(at) => {
                    self.back_off(at.min(now), failures)
                }
                // Who would not have fetched for a long time yet has nothing to rest from.
                Fetch::Idle { failures, due, .. }
                    if self.is_news(at) && (failures > 0 || due <= now) =>
                {
                    self.back_off(at.min(now), failures)
                }
                Fetch::InFlight { .. } | Fetch::Idle { .. } => Command::Rest,
            },
            // The stream that asked may be gone, and the answer with it.
            (Event::Tick, Fetch::InFlight { failures, give_up, .. }) if give_up <= now => {
                self.back_off(now, failures)
            }
            // What comes from the former place, and failures there, mean nothing any more.
            (Event::Moved, _) => {
                self.fetch = Fetch::Idle { due: now, failures: 0, asked: false };
                Command::Rest
            }
            (Event::Tick | Event::Wanted | Event::Failed, _) => Command::Rest,
        }
    }

    /// A fetch has really begun, perhaps after a wait for another worker: its time counts anew.
    pub fn started(&mut self, now: Timestamp) {
        if let Fetch::InFlight { since, give_up, .. } = &mut self.fetch {
            *since = now;
            *give_up = now.plus(self.schedule.patience);
        }
    }

    /// The document, if it is young enough.
    pub fn document(&self, now: Timestamp) -> Option<&T> {
        let held = self.held.as_ref()?;
        let expire = self.schedule.cache_duration.saturating_add(self.schedule.stale_if_error);
        (now < held.since.plus(expire)).then_some(&held.document)
    }

    /// Whether the last fetch failed.
    pub const fn has_failed(&self) -> bool {
        match self.fetch {
            Fetch::Idle { failures, .. } | Fetch::InFlight { failures, .. } => failures > 0,
        }
    }

    /// Whether the document is served although it should have been fetched again by now.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let old = |held: &Held<T>| held.since.plus(self.schedule.lifetime(held.fresh_for)) <= now;
        self.document(now).is_some() && self.held.as_ref().is_some_and(old)
    }

    /// Whether waiting so long can bring what a request lacks: a fetch is under way, will soon
    /// be tried again, or may start by then.
    pub fn may_bring(&self, now: Timestamp, within: Duration) -> bool {
        match self.fetch {
            Fetch::InFlight { .. } => true,
            Fetch::Idle { failures, .. } => {
                (1..=self.schedule.retry.count).contains(&failures)
                    || self.may_ask(now).is_some_and(|at| at <= now.plus(within))
            }
        }
    }

    /// Whether a part that is not in the document may be asked for at all.
    pub const fn may_lack(&self) -> bool {
        self.schedule.ask_interval.is_some()
    }

    /// When and on whose account the document at hand was fetched.
    pub const fn history(&self) -> History {
        self.history
    }

    /// How long a question in vain keeps others from asking.
    pub fn ask_interval(&self) -> Duration {
        let shortest = self.schedule.ask_interval.unwrap_or_default();
        let grown = shortest.saturating_mul(1 << self.history.in_vain.min(16));
        grown.min(ASK_INTERVAL_MAX.max(shortest))
    }

    /// How long the answer that brought the document asked to be kept.
    pub fn fresh_for(&self) -> Option<Duration> {
        self.held.as_ref()?.fresh_for
    }

    /// When the document at hand was fetched; the beginning of time when there is none.
    pub fn fetched_at(&self) -> Timestamp {
        self.held.as_ref().map_or(Timestamp::BEGINNING, |held| held.since)
    }

    /// Since when a fetch is under way, here or in another worker.
    pub const fn fetching_since(&self) -> Option<Timestamp> {
        match self.fetch {
            Fetch::Idle { .. } => None,
            Fetch::InFlight { since, .. } => Some(since),
        }
    }

    /// When the next [`Event::Tick`] is due.
    pub const fn deadline(&self) -> Timestamp {
        match self.fetch {
            Fetch::Idle { due, .. } => due,
            Fetch::InFlight { give_up, .. } => give_up,
        }
    }

    /// From when on a request may cause a fetch; `None`: not before one was due anyway.
    ///
    /// After a failure nobody may ask before the pause is over: an identity provider that is down
    /// is not helped by our requests.
    fn may_ask(&self, now: Timestamp) -> Option<Timestamp> {
        let Fetch::Idle { due, failures, .. } = self.fetch else { return None };
        if failures > 0 {
            return (due <= now).then_some(now);
        }
        if self.document(now).is_none() {
            return Some(now);
        }
        // There is a document, so it is a part that is lacking.
        self.schedule.ask_interval?;
        Some(self.history.asked.plus(self.ask_interval()).max(now))
    }

    fn want(&mut self, now: Timestamp, failures: u32) -> Command {
        let lacks_part = self.document(now).is_some();
        match (self.may_ask(now), &mut self.fetch) {
            (Some(at), _) if at <= now => self.start(now, failures, lacks_part),
            // The question is kept until it may be asked, so that who waits for it gets an answer.
            (Some(at), Fetch::Idle { due, asked, .. }) if at < *due => {
                (*due, *asked) = (at, lacks_part);
                Command::Rest
            }
            (Some(_) | None, _) => Command::Rest,
        }
    }

    /// Whether a failure at that time is later than all that is known.
    fn is_news(&self, at: Timestamp) -> bool {
        self.failed < at && self.fetched_at() < at
    }

    fn start(&mut self, now: Timestamp, failures: u32, asked: bool) -> Command {
        let give_up = now.plus(self.schedule.patience);
        self.fetch = Fetch::InFlight { failures, since: now, give_up, asked };
        Command::Fetch
    }

    fn fetched(&mut self, now: Timestamp, received: Received<T>, fetch: Fetch) -> Command {
        let History { asked: last, in_vain, .. } = self.history;
        // Of an answer that comes after it was given up nobody knows when it was asked for.
        let (began, asked) = match fetch {
            Fetch::InFlight { since, asked, .. } => (since, asked),
            Fetch::Idle { .. } => (Timestamp::BEGINNING, false),
        };
        let in_vain = match (received.is_news, asked) {
            (true, _) => 0,
            (false, true) => in_vain.saturating_add(1),
            (false, false) => in_vain,
        };
        let asked = if asked { began } else { last };
        self.history = History { began, came: now, asked, in_vain };
        self.hold(now, received)
    }

    fn hold(&mut self, since: Timestamp, received: Received<T>) -> Command {
        let Received { document, fresh_for, .. } = received;
        self.held = Some(Held { document, since, fresh_for });
        self.rest(since.plus(self.schedule.refresh(fresh_for)), 0)
    }

    fn back_off(&mut self, now: Timestamp, failures: u32) -> Command {
        self.failed = now;
        let Schedule { retry, backoff, backoff_max, .. } = self.schedule;
        let retried = failures.checked_sub(retry.count);
        let (first, longest, before) = match retried {
            None => (retry.pause, retry.longest, failures),
            Some(further) => (backoff, backoff_max, further),
        };
        let pause = first.saturating_mul(1 << before.min(16)).min(longest);
        // The moment of the failure is as good as a die: no two workers share it.
        let [share, ..] = now.as_millis().to_le_bytes();
        let jitter = pause.saturating_mul(share.into()).checked_div(1_024).unwrap_or_default();
        let release = self.rest(now.plus(pause.saturating_add(jitter)), failures.saturating_add(1));
        if retried.is_some() { release } else { Command::Rest }
    }

    const fn rest(&mut self, due: Timestamp, failures: u32) -> Command {
        self.fetch = Fetch::Idle { due, failures, asked: false };
        Command::Release
    }
}

#[cfg(test)]
mod tests;
