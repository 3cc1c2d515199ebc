//! The life of a remote document, in simulated time.

use std::time::Duration;

use proptest::prelude::*;

use jwt_gate::remote::source::{Command, Event, Received, Retry, Schedule, Source};
use jwt_gate::time::Timestamp;

use super::budget;
use super::support::NOW;

/// What happens next; an end of a fetch may be late, or one that nobody waits for.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Tick,
    Wanted,
    Fetched(Option<u64>, bool),
    Failed,
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let ranges = (1..600u64, 0..100_000u64, 1..5u64, 5..120u64, any::<bool>(), 0..30u64, 1..10u64);
    ranges.prop_map(|(refresh, stale, backoff, most, refetch, interval, patience)| Schedule {
        cache_duration: Duration::from_secs(refresh),
        stale_if_error: Duration::from_secs(stale),
        backoff: Duration::from_secs(backoff),
        backoff_max: Duration::from_secs(most),
        retry: Retry::NONE,
        ask_interval: refetch.then(|| Duration::from_secs(interval)),
        patience: Duration::from_secs(patience),
    })
}

fn happens() -> impl Strategy<Value = (u64, Happens)> {
    let event = prop_oneof![
        4 => Just(Happens::Tick),
        3 => Just(Happens::Wanted),
        2 => (prop::option::of(0..1_000u64), any::<bool>()).prop_map(|(f, n)| Happens::Fetched(f, n)),
        2 => Just(Happens::Failed),
    ];
    let pause = prop_oneof![3 => Just(0), 3 => 1..2_000u64, 1 => 1_000..1_000_000u64];
    (pause, event)
}

proptest! {
    #![proptest_config(budget(256))]

    #[test]
    fn a_source_fetches_once_at_a_time_and_never_gives_up(
        schedule in schedule(), course in prop::collection::vec(happens(), 1..80),
    ) {
        let mut now = Timestamp::from_secs(NOW);
        let mut source = Source::new(schedule, now);
        let (mut since, mut started) = (None::<Timestamp>, None::<Timestamp>);
        let expire = schedule.cache_duration + schedule.stale_if_error;
        let longest = schedule.cache_duration.max(schedule.patience).max(schedule.backoff_max.mul_f32(1.25));
        for (pause, happens) in course {
            now = now.plus(Duration::from_millis(pause));
            let wakes = source.deadline() <= now;
            let may_bring = source.may_bring(now, Duration::ZERO);
            let command = match happens {
                Happens::Tick => source.handle(now, Event::Tick),
                Happens::Wanted => source.handle(now, Event::Wanted),
                Happens::Fetched(fresh_for, is_news) => {
                    since = Some(now);
                    let fresh_for = fresh_for.map(Duration::from_secs);
                    let received = Received { document: (), fresh_for, is_news };
                    source.handle(now, Event::Fetched(received))
                }
                Happens::Failed => source.handle(now, Event::Failed),
            };
            match (happens, command) {
                (Happens::Tick | Happens::Wanted, Command::Fetch) => {
                    prop_assert_eq!(started, None, "two fetches at once");
                    started = Some(now);
                }
                (Happens::Tick, Command::Release) => {
                    let began = started.take();
                    prop_assert!(began.is_some_and(|began| began.plus(schedule.patience) <= now));
                }
                (Happens::Fetched(..), command) => {
                    prop_assert_eq!(command, Command::Release);
                    started = None;
                }
                (Happens::Failed, command) => {
                    let expected = if started.take().is_some() { Command::Release } else { Command::Rest };
                    prop_assert_eq!(command, expected);
                }
                (Happens::Tick, Command::Rest) => prop_assert!(!wakes, "a deadline passes by"),
                (Happens::Wanted, Command::Rest) => prop_assert!(!may_bring || started.is_some()),
                (Happens::Wanted, Command::Release) => prop_assert!(false, "nothing has ended"),
            }
            let young = since.is_some_and(|since| now < since.plus(expire));
            prop_assert_eq!(source.document(now).is_some(), young);
            prop_assert!(source.deadline() <= now.plus(longest), "no deadline");
            if started.is_some() {
                prop_assert!(source.may_bring(now, Duration::ZERO));
            }
        }
    }
}
