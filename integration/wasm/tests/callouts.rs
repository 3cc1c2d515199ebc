//! Every end that a fetch can have: what it does to the keys, what the operator reads of it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod support;
#[path = "support/worker.rs"]
mod worker;

use jwt_gate_test_host::{CalloutResult, Cluster, Headers, Level, Personality, Trap};
use support::{CONFIG, MS, SECOND, jwks, keys, response};
use worker::Worker;

const BOTH: [Personality; 2] = [Personality::Envoy, Personality::Nginx];

/// An end of a fetch without keys, and what is said of it on Envoy and on NGINX.
type Failure = (&'static str, CalloutResult, [&'static str; 2]);

const CUT_OFF: &str = "no complete answer";
const TOO_LARGE: &str = "more than the 1048576 that are accepted";
const NO_SET: &str = "answered with no key set";

/// The first bytes of anything that was compressed with gzip.
const GZIP: [u8; 12] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0x56];

fn headers(list: &[(&str, &str)]) -> Headers {
    list.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn broken_connections() -> Vec<Failure> {
    let ok = || headers(&[(":status", "200"), ("content-type", "application/json")]);
    let announced = 40 << 20;
    vec![
        ("refused", CalloutResult::Refused, ["status 503", CUT_OFF]),
        ("reset", CalloutResult::Reset, ["status 503", CUT_OFF]),
        ("timeout", CalloutResult::Timeout, ["status 504", CUT_OFF]),
        ("cut off", CalloutResult::MidBody { headers: ok(), announced: 100 }, [CUT_OFF; 2]),
        (
            "cut off at once",
            CalloutResult::MidBody { headers: ok(), announced: 0 },
            [CUT_OFF, NO_SET],
        ),
        ("endless", CalloutResult::TooLarge { headers: ok(), announced }, [CUT_OFF, TOO_LARGE]),
        ("40 MB", response(200, vec![b' '; 40 << 20]), [CUT_OFF, TOO_LARGE]),
    ]
}

fn wrong_answers() -> Vec<Failure> {
    let set = jwks(&["p256-1"]);
    let no_status = |name| CalloutResult::Response {
        headers: headers(&[("content-type", "application/json"), name]),
        body: set.clone().into_bytes(),
    };
    let large = set.clone() + &" ".repeat(2 << 20);
    vec![
        ("2 MB", response(200, large), [TOO_LARGE; 2]),
        ("no status", no_status(("x", "y")), [CUT_OFF; 2]),
        ("a word for a status", no_status((":status", "abc")), [CUT_OFF; 2]),
        ("a status too large", no_status((":status", "99999")), [CUT_OFF; 2]),
        ("nothing", response(200, ""), [NO_SET; 2]),
        ("an empty set", response(200, r#"{"keys":[]}"#), [NO_SET; 2]),
        ("no usable key", response(200, r#"{"keys":[{"kty":"x"}]}"#), [NO_SET; 2]),
        ("a shared secret", response(200, jwks(&["hmac-1"])), [NO_SET; 2]),
        ("HTML", response(200, "<html><body>Sign in</body></html>"), [NO_SET; 2]),
        ("gzip", response(200, GZIP), [NO_SET; 2]),
        ("JSON cut short", response(200, &set.as_bytes()[..set.len() - 2]), [NO_SET; 2]),
        ("deep JSON", response(200, "[".repeat(1 << 20)), [NO_SET; 2]),
        ("201", response(201, set.clone()), ["status 201"; 2]),
        ("204", response(204, ""), ["status 204"; 2]),
        ("302", response(302, set.clone()), ["status 302"; 2]),
        ("304", response(304, set.clone()), ["status 304"; 2]),
        ("500", response(500, set), ["status 500"; 2]),
    ]
}

fn failures() -> Vec<Failure> {
    broken_connections().into_iter().chain(wrong_answers()).collect()
}

impl Worker {
    /// All lines of a level from the `from`th line of all on.
    fn lines(&self, level: Level, from: usize) -> Vec<String> {
        let lines = self.vm.logs().into_iter().skip(from);
        lines.filter(|line| line.level == level).map(|line| line.text).collect()
    }

    /// Fetches that brought keys, and those that did not.
    fn counts(&self) -> (u64, u64) {
        let value = |outcome: &str| {
            let name = format!("jwt_gate.fetches.p.keys.{outcome}");
            self.vm.metric(&name).expect("it is defined").value
        };
        let failures = ["status", "no_answer", "too_large", "not_a_document", "not_sent"];
        (value("success"), failures.into_iter().map(value).sum())
    }

    /// Waits for a fetch and ends it like this.
    fn fetch(&self, result: &CalloutResult) {
        self.until_callout();
        self.answer(result);
    }
}

#[track_caller]
fn warned(worker: &Worker, from: usize, parts: &[&str], row: &str) {
    let lines = worker.lines(Level::Warn, from);
    let [line] = lines.as_slice() else { panic!("{row}: {lines:#?}") };
    for part in parts {
        assert!(line.contains(part), "{row}: {line}");
    }
}

#[test]
fn a_first_fetch_that_fails_is_told_once_and_made_good_later() {
    for (personality, at) in BOTH.into_iter().zip(0..) {
        for (name, result, why) in failures() {
            let row = format!("{name} on {personality:?}");
            let worker = Worker::new(personality, CONFIG);
            for time in 1..=3 {
                worker.fetch(&result);
                warned(&worker, 0, &["provider `p`", why[at], "answered with 503"], &row);
                assert_eq!(worker.counts(), (0, time), "{row}");
                assert_eq!(worker.outcome(worker.send("key=p256-1")), 503, "{row}");
            }
            let before = worker.vm.logs().len();
            worker.fetch(&keys(&["p256-1"]));
            assert_eq!(worker.lines(Level::Info, before).len(), 1, "{row}");
            assert_eq!(worker.counts(), (1, 3), "{row}");
            assert_eq!(worker.outcome(worker.send("key=p256-1")), 200, "{row}");
        }
    }
}

#[test]
fn a_refresh_that_fails_leaves_the_keys_at_hand() {
    let config = CONFIG.replace("600s", "20s");
    for (personality, at) in BOTH.into_iter().zip(0..) {
        for (name, result, why) in failures() {
            let row = format!("{name} on {personality:?}");
            let worker = Worker::warm(personality, &config);
            let before = worker.vm.logs().len();
            for time in 1..=3 {
                worker.fetch(&result);
                warned(&worker, before, &["provider `p`", why[at], "served on"], &row);
                assert_eq!(worker.counts(), (1, time), "{row}");
                assert_eq!(worker.outcome(worker.send("key=p256-1")), 200, "{row}");
                assert_eq!(worker.outcome(worker.send("key=p256-1 sign=broken")), 401, "{row}");
            }
            worker.fetch(&keys(&["p256-2"]));
            let told = worker.lines(Level::Info, before);
            assert_eq!(told.len(), 1, "{row}: {told:#?}");
            assert_eq!(worker.outcome(worker.send("key=p256-2")), 200, "{row}");
            worker.fetch(&keys(&["p256-2"]));
            assert_eq!(worker.lines(Level::Info, before).len(), 1, "{row}: the same again");
            assert_eq!(worker.counts(), (3, 3), "{row}");
        }
    }
}

#[test]
fn each_new_reason_is_told_and_its_repetition_is_not() {
    for personality in BOTH {
        let worker = Worker::new(personality, CONFIG);
        let (a, b) = (response(500, ""), response(404, ""));
        for (result, told) in [(&a, 1), (&a, 1), (&b, 2), (&b, 2), (&a, 3), (&a, 3)] {
            worker.fetch(result);
            assert_eq!(worker.lines(Level::Warn, 0).len(), told, "{personality:?}");
        }
    }
}

#[test]
fn each_outcome_has_its_counter_and_the_gauges_show_what_is_served() {
    let config = CONFIG.replace("600s\"", "20s\", \"stale_if_error\": \"60s\"");
    let rows = [
        ("status", response(500, "")),
        ("no_answer", CalloutResult::Reset),
        ("too_large", response(200, vec![b' '; 2 << 20])),
        ("not_a_document", response(200, "{}")),
    ];
    for (outcome, result) in rows {
        // There a reset is no status.
        let worker = Worker::warm(Personality::Nginx, &config);
        let value = |name: &str| worker.vm.metric(&format!("jwt_gate.{name}")).unwrap().value;
        let gauges = || {
            worker.host.advance(SECOND).unwrap();
            let keys = |what| value(&format!("documents.p.keys.{what}"));
            (keys("fetched_at_seconds"), keys("entries"), keys("stale"))
        };
        let fetched_at = worker.host.now().as_secs();
        assert_eq!(gauges(), (fetched_at, 1, 0), "{outcome}");
        worker.fetch(&result);
        assert_eq!(value(&format!("fetches.p.keys.{outcome}")), 1, "{outcome}");
        worker.host.advance(5 * SECOND).unwrap();
        assert_eq!(gauges(), (fetched_at, 1, 1), "{outcome}");
        worker.host.advance(60 * SECOND).unwrap();
        assert_eq!(gauges(), (0, 0, 0), "{outcome}");
    }
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    for personality in BOTH {
        for size in [(1 << 20) + 1, 20 << 20, 40 << 20] {
            let worker = Worker::new(personality, CONFIG);
            worker.until_callout();
            let pages = worker.vm.memory_pages();
            worker.vm.reset_hostcalls();
            worker.answer(&response(200, vec![b' '; size]));
            let read = worker.vm.hostcalls().get("proxy_get_buffer_bytes").copied();
            assert_eq!((read, worker.vm.memory_pages()), (None, pages), "{size} {personality:?}");
            assert_eq!(worker.counts(), (0, 1), "{size} {personality:?}");
        }
    }
}

#[test]
fn a_proxy_that_does_not_send_the_request_is_told_once() {
    for (row, cluster, why) in [
        (
            "no cluster",
            None,
            "(cluster `idp`) failed: the proxy does not send requests there (status 2)",
        ),
        (
            "no endpoint",
            Some(Cluster::NoEndpoints),
            "(cluster `idp`) failed: the proxy does not send requests there (status 10)",
        ),
    ] {
        let worker = Worker::new(Personality::Envoy, CONFIG);
        match cluster {
            Some(cluster) => worker.host.set_cluster("idp", cluster),
            None => worker.host.remove_cluster("idp"),
        }
        worker.host.advance(20 * SECOND).unwrap();
        warned(&worker, 0, &["provider `p`", why], row);
        assert_eq!(worker.outcome(worker.send("key=p256-1")), 503, "{row}");
        let (fetched, failed) = worker.counts();
        assert!(fetched == 0 && (4..=6).contains(&failed), "{row}: {failed} attempts in 20 s");
        worker.host.set_cluster("idp", Cluster::Healthy);
        worker.fetch(&keys(&["p256-1"]));
        assert_eq!(worker.outcome(worker.send("key=p256-1")), 200, "{row}");
    }
}

#[test]
fn a_held_request_is_answered_when_the_proxy_does_not_send_ours() {
    let worker = Worker::new(Personality::Envoy, CONFIG);
    worker.host.remove_cluster("idp");
    let stream = worker.send("key=p256-1");
    worker.host.advance(2 * MS).unwrap();
    assert_eq!(worker.outcome(stream), 503);
}

#[test]
fn an_answer_that_comes_after_it_was_given_up_harms_nothing() {
    for personality in BOTH {
        for late in [keys(&["p256-1"]), response(500, ""), CalloutResult::Reset] {
            let worker = Worker::new(personality, CONFIG);
            worker.until_callout();
            let token = worker.vm.callouts()[0].token;
            worker.host.advance(10 * SECOND).unwrap();
            assert!(worker.vm.callouts_sent() >= 2, "{personality:?}: it does not ask again");
            worker.vm.deliver(token, late.clone()).unwrap();
            worker.host.advance(10 * SECOND).unwrap();
            worker.answer(&late);
            worker.fetch(&keys(&["p256-1"]));
            assert_eq!(worker.outcome(worker.send("key=p256-1")), 200, "{personality:?}");
        }
    }
}

#[test]
fn an_answer_given_up_during_a_refresh_costs_no_keys() {
    let worker = Worker::warm(Personality::Envoy, &CONFIG.replace("600s", "20s"));
    worker.until_callout();
    let token = worker.vm.callouts()[0].token;
    worker.host.advance(5 * SECOND).unwrap();
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
    worker.vm.deliver(token, response(200, "late garbage")).unwrap();
    assert_eq!(worker.outcome(worker.send("key=p256-1")), 200);
}

#[test]
fn an_answer_after_an_update_goes_to_the_root_that_asked() {
    let old = Worker::new(Personality::Envoy, CONFIG);
    old.until_callout();
    let asked = old.vm.callouts()[0].token;
    let moved = CONFIG.replace("jwks.json", "new.json");
    let root = old.vm.configure(moved.as_bytes()).unwrap().expect("the configuration is good");
    old.host.advance(2 * MS).unwrap();
    old.vm.deliver(asked, keys(&["p256-1"])).unwrap();
    assert_eq!(old.outcome(old.send("key=p256-1")), 200);
    let request = support::request(&support::token(&old.host, "key=p256-1"));
    let held = old.vm.request(root, &request).unwrap();
    assert_eq!(old.outcome(held), 0, "the new root has no keys yet");
    old.answer(&keys(&["p256-1"]));
    assert_eq!(old.outcome(held), 200);
}

#[test]
fn a_root_that_is_gone_gets_no_answer() {
    let old = Worker::new(Personality::Envoy, CONFIG);
    old.until_callout();
    let asked = old.vm.callouts()[0].token;
    let root = old.vm.configure(CONFIG.as_bytes()).unwrap().expect("the configuration is good");
    old.vm.remove_root(old.root).unwrap();
    let gone = old.vm.deliver(asked, keys(&["p256-1"]));
    assert!(matches!(gone, Err(Trap::Misuse(_))), "the host cancels it: {gone:?}");
    // The lease of the one that is gone ends after its timeout and a second.
    old.host.advance(5 * SECOND).unwrap();
    old.answer(&keys(&["p256-1"]));
    let request = support::request(&support::token(&old.host, "key=p256-1"));
    assert_eq!(old.outcome(old.vm.request(root, &request).unwrap()), 200);
}
