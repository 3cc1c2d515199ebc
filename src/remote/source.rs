//! Life of one remote document: when to fetch, what to serve meanwhile.

use std::time::Duration;

use crate::time::Timestamp;

/// How often a document is fetched, and how long it is served.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Age at which it is fetched again.
    pub refresh: Duration,
    /// Age at which it is no longer served.
    pub expire: Duration,
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
#[derive(Clone, Copy, Debug)]
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

/// Something that happened to the source.
#[derive(Debug)]
pub enum Event<T> {
    /// The deadline has passed, or the host woke us anyway.
    Tick,
    /// A request lacks the document, or a part that is not in the one at hand.
    Wanted,
    /// The fetch ended with a document.
    Fetched(T),
    /// Another worker has fetched one.
    Adopted {
        /// The document.
        document: T,
        /// When it was fetched.
        at: Timestamp,
        /// When somebody asked for a part that was not there last, in any worker.
        asked: Timestamp,
    },
    /// The fetch failed, or could not be started.
    Failed,
    /// Another worker's fetch failed, at that time. One failure is enough to rest for all.
    FailedElsewhere(Timestamp),
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
    /// When somebody asked for a part that was not there last; the beginning of time when nobody
    /// did.
    asked: Timestamp,
    /// When a fetch failed last, here or in another worker.
    failed: Timestamp,
}

#[derive(Debug)]
struct Held<T> {
    document: T,
    since: Timestamp,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fetch {
    Idle { due: Timestamp, failures: u32 },
    InFlight { failures: u32, since: Timestamp, give_up: Timestamp },
}

impl<T> Source<T> {
    /// A source that has fetched nothing and is due at once.
    pub const fn new(schedule: Schedule, now: Timestamp) -> Self {
        Self {
            schedule,
            held: None,
            fetch: Fetch::Idle { due: now, failures: 0 },
            asked: Timestamp::BEGINNING,
            failed: Timestamp::BEGINNING,
        }
    }

    /// Takes in what happened; the answer is the one thing to do about it.
    pub fn handle(&mut self, now: Timestamp, event: Event<T>) -> Command {
        match (event, self.fetch) {
            (Event::Tick, Fetch::Idle { due, failures }) if due <= now => self.start(now, failures),
            (Event::Wanted, Fetch::Idle { failures, .. }) if self.may_ask(now) => {
                if self.document(now).is_some() {
                    self.asked = now;
                }
                self.start(now, failures)
            }
            (Event::Fetched(document), _) => {
                self.held = Some(Held { document, since: now });
                self.rest(now.plus(self.schedule.refresh), 0)
            }
            (Event::Adopted { document, at, asked }, _) => {
                let since = at.min(now);
                self.held = Some(Held { document, since });
                self.asked = self.asked.max(asked.min(now));
                self.rest(since.plus(self.schedule.refresh), 0)
            }
            (Event::Failed, Fetch::InFlight { failures, .. }) => self.back_off(now, failures),
            (Event::FailedElsewhere(at), fetch) => match fetch {
                Fetch::InFlight { failures, .. } if self.is_news(at) => {
                    self.back_off(at.min(now), failures)
                }
                // Who would not have fetched for a long time yet has nothing to rest from.
                Fetch::Idle { failures, due }
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
            (Event::Tick | Event::Wanted | Event::Failed, _) => Command::Rest,
        }
    }

    /// A fetch has really begun, perhaps after a wait for another worker: its time counts anew.
    pub fn started(&mut self, now: Timestamp) {
        if let Fetch::InFlight { give_up, .. } = &mut self.fetch {
            *give_up = now.plus(self.schedule.patience);
        }
    }

    /// The document, if it is young enough.
    pub fn document(&self, now: Timestamp) -> Option<&T> {
        let held = self.held.as_ref()?;
        (now < held.since.plus(self.schedule.expire)).then_some(&held.document)
    }

    /// Whether waiting can bring what a request lacks: a fetch is under way, will soon be tried
    /// again, or may start now.
    pub fn may_bring(&self, now: Timestamp) -> bool {
        match self.fetch {
            Fetch::InFlight { .. } => true,
            Fetch::Idle { failures, .. } => {
                (1..=self.schedule.retry.count).contains(&failures) || self.may_ask(now)
            }
        }
    }

    /// Whether the last fetch failed.
    pub const fn has_failed(&self) -> bool {
        match self.fetch {
            Fetch::Idle { failures, .. } | Fetch::InFlight { failures, .. } => failures > 0,
        }
    }

    /// When the document at hand was fetched; the beginning of time when there is none.
    pub fn fetched_at(&self) -> Timestamp {
        self.held.as_ref().map_or(Timestamp::BEGINNING, |held| held.since)
    }

    /// When somebody asked for a part that was not there last.
    pub const fn asked_at(&self) -> Timestamp {
        self.asked
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

    /// After a failure nobody may ask before the pause is over: an identity provider that is down
    /// is not helped by our requests.
    fn may_ask(&self, now: Timestamp) -> bool {
        let Fetch::Idle { due, failures } = self.fetch else { return false };
        if self.document(now).is_none() {
            return failures == 0 || due <= now;
        }
        // There is a document, so it is a part that is lacking.
        let rested = |interval| self.asked.plus(interval) <= now;
        failures == 0 && self.schedule.ask_interval.is_some_and(rested)
    }

    /// Whether a failure at that time is later than all that is known.
    fn is_news(&self, at: Timestamp) -> bool {
        self.failed < at && self.fetched_at() < at
    }

    fn start(&mut self, now: Timestamp, failures: u32) -> Command {
        let give_up = now.plus(self.schedule.patience);
        self.fetch = Fetch::InFlight { failures, since: now, give_up };
        Command::Fetch
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
        let jitter = pause.mul_f32(f32::from(share) / 1024.0);
        let release = self.rest(now.plus(pause.saturating_add(jitter)), failures.saturating_add(1));
        if retried.is_some() { release } else { Command::Rest }
    }

    const fn rest(&mut self, due: Timestamp, failures: u32) -> Command {
        self.fetch = Fetch::Idle { due, failures };
        Command::Release
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Schedule = Schedule {
        refresh: Duration::from_secs(300),
        expire: Duration::from_secs(3_600),
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(60),
        retry: Retry::NONE,
        ask_interval: Some(Duration::from_secs(10)),
        patience: Duration::from_secs(5),
    };

    /// Multiples of 256 ms draw no jitter.
    fn at(units: u64) -> Timestamp {
        Timestamp::from_millis(units.saturating_mul(256_000))
    }

    fn secs(secs: u64) -> Timestamp {
        at(1).plus(Duration::from_secs(secs))
    }

    const fn fresh(now: Timestamp) -> Source<&'static str> {
        Source::new(S, now)
    }

    const fn document() -> Event<&'static str> {
        Event::Fetched("a document")
    }

    #[test]
    fn an_old_document_is_served_while_the_refresh_fails() {
        let mut source = fresh(secs(0));
        assert_eq!(source.handle(secs(0), Event::Tick), Command::Fetch);
        assert_eq!(source.handle(secs(1), document()), Command::Release);
        assert_eq!(source.deadline(), secs(301));
        assert_eq!(source.handle(secs(301), Event::Tick), Command::Fetch);
        assert!(source.document(secs(302)).is_some());
        let mut now = secs(302);
        for pause in [1_u64, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(source.handle(now, Event::Failed), Command::Release);
            let wait = source.deadline().since(now);
            let least = Duration::from_secs(pause);
            assert!(least <= wait && wait <= least.mul_f32(1.25), "{pause} {wait:?}");
            assert_eq!(source.handle(now, Event::Tick), Command::Rest);
            now = source.deadline();
            assert_eq!(source.handle(now, Event::Tick), Command::Fetch);
        }
        assert!(source.document(secs(3_600)).is_some());
        assert!(source.document(secs(3_601)).is_none());
    }

    #[test]
    fn retries_come_first_and_who_waits_waits_on() {
        let retry =
            Retry { count: 3, pause: Duration::from_secs(2), longest: Duration::from_secs(5) };
        let mut source = Source::<()>::new(Schedule { retry, ..S }, secs(0));
        let mut now = secs(0);
        for (pause, command) in [
            (2_u64, Command::Rest),
            (4, Command::Rest),
            (5, Command::Rest),
            (1, Command::Release),
            (2, Command::Release),
        ] {
            assert_eq!(source.handle(now, Event::Tick), Command::Fetch, "{pause}");
            assert_eq!(source.handle(now, Event::Failed), command, "{pause}");
            assert_eq!(source.may_bring(now), command == Command::Rest, "{pause}");
            assert_eq!(source.handle(now, Event::Wanted), Command::Rest, "{pause}");
            let wait = source.deadline().since(now);
            let least = Duration::from_secs(pause);
            assert!(least <= wait && wait <= least.mul_f32(1.25), "{pause} {wait:?}");
            now = source.deadline();
        }
    }

    #[test]
    fn asking_for_what_is_not_there_costs_one_fetch_in_each_interval() {
        let mut source = fresh(secs(0));
        let _ = source.handle(secs(0), Event::Tick);
        let _ = source.handle(secs(0), document());
        let fetches = (1..=25)
            .filter(|&now| {
                let may = source.may_bring(secs(now));
                let command = source.handle(secs(now), Event::Wanted);
                assert_eq!(may, command == Command::Fetch, "{now}");
                if command == Command::Fetch {
                    let _ = source.handle(secs(now), document());
                }
                command == Command::Fetch
            })
            .count();
        assert_eq!(fetches, 3);
    }

    #[test]
    fn one_fetch_serves_all_who_wait() {
        let mut source = fresh(secs(0));
        assert_eq!(source.handle(secs(0), Event::Wanted), Command::Fetch);
        assert_eq!(source.handle(secs(0), Event::Wanted), Command::Rest);
        assert!(source.may_bring(secs(0)));
        assert_eq!(source.handle(secs(0), Event::Tick), Command::Rest);
        assert_eq!(source.handle(secs(2), document()), Command::Release);
    }

    #[test]
    fn nobody_waits_while_a_failure_is_rested_from() {
        let mut source = fresh(secs(0));
        assert_eq!(source.handle(secs(0), Event::Wanted), Command::Fetch);
        assert_eq!(source.handle(secs(0), Event::Failed), Command::Release);
        assert!(!source.may_bring(secs(0)));
        assert!(source.may_bring(secs(2)));
        assert_eq!(source.handle(secs(2), Event::Wanted), Command::Fetch);
    }

    #[test]
    fn an_answer_that_never_comes_counts_as_a_failure() {
        let mut source = fresh(at(1));
        assert_eq!(source.handle(at(1), Event::Tick), Command::Fetch);
        assert_eq!(source.deadline(), secs(5));
        assert_eq!(source.handle(secs(4), Event::Tick), Command::Rest);
        assert_eq!(source.handle(secs(5), Event::Tick), Command::Release);
        // An answer that comes after all is welcome.
        assert_eq!(source.handle(secs(5), document()), Command::Release);
        assert!(source.document(secs(5)).is_some());
    }
}
