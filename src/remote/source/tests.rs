use super::*;

const S: Schedule = Schedule {
    cache_duration: Duration::from_secs(305),
    stale_if_error: Duration::from_secs(3_295),
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

fn fresh(now: Timestamp) -> Source<&'static str> {
    Source::new(S, now)
}

const fn received(fresh_for: Option<u64>, is_news: bool) -> Event<&'static str> {
    let fresh_for = match fresh_for {
        Some(secs) => Some(Duration::from_secs(secs)),
        None => None,
    };
    Event::Fetched(Received { document: "a document", fresh_for, is_news })
}

const fn document() -> Event<&'static str> {
    received(None, false)
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

/// The seconds of 200 at which somebody asks for a part every second and a fetch begins.
fn asked_at(is_news: bool) -> Vec<u64> {
    let mut source = fresh(secs(0));
    let _ = source.handle(secs(0), Event::Tick);
    let _ = source.handle(secs(0), document());
    let mut fetches = Vec::new();
    for now in 1..200 {
        let may = source.may_bring(secs(now), Duration::ZERO);
        let tick = source.handle(secs(now), Event::Tick);
        let command = tick.max(source.handle(secs(now), Event::Wanted));
        assert_eq!(may, command == Command::Fetch, "{now}");
        if command == Command::Fetch {
            let _ = source.handle(secs(now), received(None, is_news));
            fetches.push(now);
        }
    }
    fetches
}

#[test]
fn questions_in_vain_are_asked_ever_more_rarely() {
    assert_eq!(asked_at(false), [1, 21, 61, 121, 181]);
    let each_interval: Vec<_> = (0..20).map(|n| 1 + n * 10).collect();
    assert_eq!(asked_at(true), each_interval);
}

#[test]
fn a_question_that_comes_too_early_is_kept() {
    let mut source = fresh(secs(0));
    let _ = source.handle(secs(0), Event::Tick);
    let _ = source.handle(secs(0), document());
    assert_eq!(source.handle(secs(1), Event::Wanted), Command::Fetch);
    let _ = source.handle(secs(1), received(None, true));
    assert_eq!(source.handle(secs(2), Event::Wanted), Command::Rest);
    assert!(!source.may_bring(secs(2), Duration::from_secs(8)));
    assert!(source.may_bring(secs(2), Duration::from_secs(9)));
    assert_eq!(source.handle(secs(10), Event::Tick), Command::Rest);
    assert_eq!(source.handle(secs(11), Event::Tick), Command::Fetch);
}

#[test]
fn an_answer_may_ask_to_be_fetched_again_sooner_but_not_at_once() {
    for (fresh_for, due) in
        [(None, 300), (Some(0), 55), (Some(59), 55), (Some(200), 195), (Some(9_999), 300)]
    {
        let mut source = fresh(secs(0));
        let _ = source.handle(secs(0), Event::Tick);
        let _ = source.handle(secs(0), received(fresh_for, true));
        assert_eq!(source.deadline(), secs(due), "{fresh_for:?}");
        let stale_from = fresh_for.unwrap_or(305).clamp(60, 305);
        let stale = |at| source.is_stale(secs(at));
        assert_eq!((stale(stale_from - 1), stale(stale_from)), (false, true), "{fresh_for:?}");
        assert!(source.document(secs(3_599)).is_some(), "{fresh_for:?}");
    }
}

#[test]
fn a_short_cache_duration_is_shorter_than_any_answer_asks() {
    let schedule = Schedule { cache_duration: Duration::from_secs(10), ..S };
    for fresh_for in [None, Some(0), Some(60)] {
        let mut source = Source::new(schedule, secs(0));
        let _ = source.handle(secs(0), received(fresh_for, true));
        assert_eq!(source.deadline(), secs(9), "{fresh_for:?}");
    }
}

#[test]
fn workers_that_adopt_count_from_the_same_time() {
    let mut source = fresh(secs(0));
    let history = History { began: secs(99), came: secs(100), asked: secs(99), in_vain: 1 };
    let document = Received { document: "theirs", fresh_for: Some(FRESH_MIN), is_news: true };
    assert_eq!(source.handle(secs(110), Event::Adopted(document, history)), Command::Release);
    assert_eq!((source.deadline(), source.history()), (secs(155), history));
    assert_eq!(source.handle(secs(118), Event::Wanted), Command::Rest);
    assert_eq!(source.deadline(), secs(119), "a question that may be asked 20 s after theirs");
}

#[test]
fn what_has_moved_is_fetched_at_once_and_served_until_then() {
    let mut source = fresh(secs(0));
    let _ = source.handle(secs(0), received(None, true));
    assert_eq!(source.handle(secs(1), Event::Moved), Command::Rest);
    assert!(source.document(secs(1)).is_some());
    assert_eq!(source.handle(secs(1), Event::Tick), Command::Fetch);
}

#[test]
fn one_fetch_serves_all_who_wait() {
    let mut source = fresh(secs(0));
    assert_eq!(source.handle(secs(0), Event::Wanted), Command::Fetch);
    assert_eq!(source.handle(secs(0), Event::Wanted), Command::Rest);
    assert!(source.may_bring(secs(0), Duration::ZERO));
    assert_eq!(source.handle(secs(0), Event::Tick), Command::Rest);
    assert_eq!(source.handle(secs(2), document()), Command::Release);
}

#[test]
fn nobody_waits_while_a_failure_is_rested_from() {
    let mut source = fresh(secs(0));
    assert_eq!(source.handle(secs(0), Event::Wanted), Command::Fetch);
    assert_eq!(source.handle(secs(0), Event::Failed), Command::Release);
    assert!(!source.may_bring(secs(0), Duration::ZERO));
    assert!(source.may_bring(secs(2), Duration::ZERO));
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
#[test]
fn retries_come_first_and_who_waits_waits_on() {
    let retry = Retry { count: 3, pause: Duration::from_secs(2), longest: Duration::from_secs(5) };
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
        assert_eq!(source.may_bring(now, Duration::ZERO), command == Command::Rest, "{pause}");
        assert_eq!(source.handle(now, Event::Wanted), Command::Rest, "{pause}");
        let wait = source.deadline().since(now);
        let least = Duration::from_secs(pause);
        assert!(least <= wait && wait <= least.mul_f32(1.25), "{pause} {wait:?}");
        now = source.deadline();
    }
}
