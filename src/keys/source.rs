//! Life of one remote key set: when to fetch, what to serve meanwhile.

use std::sync::Arc;
use std::time::Duration;

use crate::keys::set::KeySet;
use crate::time::Timestamp;

/// How often the keys are fetched, and how long they are served.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Age at which the keys are fetched again.
    pub refresh: Duration,
    /// Age at which they are no longer served.
    pub expire: Duration,
    /// Pause after the first failed fetch; doubled after each further one, with up to a quarter
    /// more so that workers do not fall into step.
    pub backoff: Duration,
    /// Longest pause, before that quarter.
    pub backoff_max: Duration,
    /// Whether a `kid` that is not among the keys asks for a fetch.
    pub refetch_on_unknown_kid: bool,
    /// Shortest time between two fetches asked for by unknown `kid`s.
    pub kid_interval: Duration,
    /// Time after which a fetch without an end counts as failed.
    pub patience: Duration,
}

/// Something that happened to the source.
#[derive(Debug)]
pub enum Event {
    /// The deadline has passed, or the host woke us anyway.
    Tick,
    /// A request lacks keys, or one with a `kid` that is not among those at hand.
    Wanted,
    /// The fetch ended with a key set.
    Fetched(Arc<KeySet>),
    /// Another worker has fetched a key set.
    Adopted {
        /// The keys.
        keys: Arc<KeySet>,
        /// When they were fetched.
        at: Timestamp,
        /// When an unknown `kid` asked for keys last, in any worker.
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

/// A remote key set and its fetch cycle.
///
/// What is held and what is being fetched are separate fields, so that a refresh never takes
/// good keys out of service.
#[derive(Debug)]
pub struct KeySource {
    schedule: Schedule,
    held: Option<Held>,
    fetch: Fetch,
    /// When an unknown `kid` asked for keys last; the beginning of time when none did.
    asked: Timestamp,
    /// When a fetch failed last, here or in another worker.
    failed: Timestamp,
}

#[derive(Debug)]
struct Held {
    keys: Arc<KeySet>,
    since: Timestamp,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fetch {
    Idle { due: Timestamp, failures: u32 },
    InFlight { failures: u32, since: Timestamp, give_up: Timestamp },
}

impl KeySource {
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
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Command {
        match (event, self.fetch) {
            (Event::Tick, Fetch::Idle { due, failures }) if due <= now => self.start(now, failures),
            (Event::Wanted, Fetch::Idle { failures, .. }) if self.may_ask(now) => {
                if self.keys(now).is_some() {
                    self.asked = now;
                }
                self.start(now, failures)
            }
            (Event::Fetched(keys), _) => {
                self.held = Some(Held { keys, since: now });
                self.rest(now.plus(self.schedule.refresh), 0)
            }
            (Event::Adopted { keys, at, asked }, _) => {
                let since = at.min(now);
                self.held = Some(Held { keys, since });
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

    /// The keys to verify with, if they are young enough.
    pub fn keys(&self, now: Timestamp) -> Option<&Arc<KeySet>> {
        let held = self.held.as_ref()?;
        (now < held.since.plus(self.schedule.expire)).then_some(&held.keys)
    }

    /// Whether waiting can bring what a request lacks: a fetch is under way, or may start now.
    pub fn may_bring(&self, now: Timestamp) -> bool {
        matches!(self.fetch, Fetch::InFlight { .. }) || self.may_ask(now)
    }

    /// When the keys at hand were fetched; the beginning of time when there are none.
    pub fn fetched_at(&self) -> Timestamp {
        self.held.as_ref().map_or(Timestamp::BEGINNING, |held| held.since)
    }

    /// When an unknown `kid` asked for keys last.
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
        if self.keys(now).is_none() {
            return failures == 0 || due <= now;
        }
        // There are keys, so it is a `kid` that is lacking.
        let rested = self.asked.plus(self.schedule.kid_interval) <= now;
        self.schedule.refetch_on_unknown_kid && failures == 0 && rested
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
        let doubled = self.schedule.backoff.saturating_mul(1 << failures.min(16));
        let pause = doubled.min(self.schedule.backoff_max);
        // The moment of the failure is as good as a die: no two workers share it.
        let [share, ..] = now.as_millis().to_le_bytes();
        let jitter = pause.mul_f32(f32::from(share) / 1024.0);
        self.rest(now.plus(pause.saturating_add(jitter)), failures.saturating_add(1))
    }

    const fn rest(&mut self, due: Timestamp, failures: u32) -> Command {
        self.fetch = Fetch::Idle { due, failures };
        Command::Release
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::set::KeyLimits;

    const S: Schedule = Schedule {
        refresh: Duration::from_secs(300),
        expire: Duration::from_secs(3_600),
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(60),
        refetch_on_unknown_kid: true,
        kid_interval: Duration::from_secs(10),
        patience: Duration::from_secs(5),
    };

    /// Multiples of 256 ms draw no jitter.
    fn at(units: u64) -> Timestamp {
        Timestamp::from_millis(units.saturating_mul(256_000))
    }

    fn secs(secs: u64) -> Timestamp {
        at(1).plus(Duration::from_secs(secs))
    }

    fn keys() -> Event {
        let jwk = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let (set, _) = KeySet::from_json(jwk.as_bytes(), &KeyLimits::default()).unwrap();
        Event::Fetched(Arc::new(set))
    }

    #[test]
    fn old_keys_are_served_while_the_refresh_fails() {
        let mut source = KeySource::new(S, secs(0));
        assert_eq!(source.handle(secs(0), Event::Tick), Command::Fetch);
        assert_eq!(source.handle(secs(1), keys()), Command::Release);
        assert_eq!(source.deadline(), secs(301));
        assert_eq!(source.handle(secs(301), Event::Tick), Command::Fetch);
        assert!(source.keys(secs(302)).is_some());
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
        assert!(source.keys(secs(3_600)).is_some());
        assert!(source.keys(secs(3_601)).is_none());
    }

    #[test]
    fn unknown_kids_cost_one_fetch_in_each_interval() {
        let mut source = KeySource::new(S, secs(0));
        let _ = source.handle(secs(0), Event::Tick);
        let _ = source.handle(secs(0), keys());
        let fetches = (1..=25)
            .filter(|&now| {
                let may = source.may_bring(secs(now));
                let command = source.handle(secs(now), Event::Wanted);
                assert_eq!(may, command == Command::Fetch, "{now}");
                if command == Command::Fetch {
                    let _ = source.handle(secs(now), keys());
                }
                command == Command::Fetch
            })
            .count();
        assert_eq!(fetches, 3);
    }

    #[test]
    fn one_fetch_serves_all_who_wait() {
        let mut source = KeySource::new(S, secs(0));
        assert_eq!(source.handle(secs(0), Event::Wanted), Command::Fetch);
        assert_eq!(source.handle(secs(0), Event::Wanted), Command::Rest);
        assert!(source.may_bring(secs(0)));
        assert_eq!(source.handle(secs(0), Event::Tick), Command::Rest);
        assert_eq!(source.handle(secs(2), keys()), Command::Release);
    }

    #[test]
    fn nobody_waits_while_a_failure_is_rested_from() {
        let mut source = KeySource::new(S, secs(0));
        assert_eq!(source.handle(secs(0), Event::Wanted), Command::Fetch);
        assert_eq!(source.handle(secs(0), Event::Failed), Command::Release);
        assert!(!source.may_bring(secs(0)));
        assert!(source.may_bring(secs(2)));
        assert_eq!(source.handle(secs(2), Event::Wanted), Command::Fetch);
    }

    #[test]
    fn an_answer_that_never_comes_counts_as_a_failure() {
        let mut source = KeySource::new(S, at(1));
        assert_eq!(source.handle(at(1), Event::Tick), Command::Fetch);
        assert_eq!(source.deadline(), secs(5));
        assert_eq!(source.handle(secs(4), Event::Tick), Command::Rest);
        assert_eq!(source.handle(secs(5), Event::Tick), Command::Release);
        // An answer that comes after all is welcome.
        assert_eq!(source.handle(secs(5), keys()), Command::Release);
        assert!(source.keys(secs(5)).is_some());
    }
}
