//! An identity provider with every fault, under load: what good tokens are told meanwhile, and
//! what it costs the provider. Half an hour of simulated time for each row.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jwt_gate_test_host::{Callout, CalloutResult, Cluster, Headers, Personality};

use super::Fleet;
use super::support::{CONFIG, MS, SECOND, keys, response};

/// What the provider answers while it is in trouble.
pub(super) type Trouble = (&'static str, fn() -> CalloutResult);

fn headers() -> Headers {
    vec![(b":status".to_vec(), b"200".to_vec())]
}

fn redirect() -> CalloutResult {
    let mut headers = headers();
    headers[0].1 = b"302".to_vec();
    headers.push((b"location".to_vec(), b"https://elsewhere.example/".to_vec()));
    CalloutResult::Response { headers, body: Vec::new() }
}

/// Troubles that have come to an end when the time for an answer is over.
const SLOW: [&str; 2] = ["no answer in time", "a slow drip"];

/// How long the host waits before it tells of this trouble.
fn latency(name: &str) -> Duration {
    if SLOW.contains(&name) { SECOND } else { 5 * MS }
}

pub(super) fn troubles() -> Vec<Trouble> {
    vec![
        ("connection refused", || CalloutResult::Refused),
        ("reset before the headers", || CalloutResult::Reset),
        ("reset in the body", || CalloutResult::MidBody { headers: headers(), announced: 500 }),
        ("no answer in time", || CalloutResult::Timeout),
        ("a slow drip", || CalloutResult::MidBody { headers: headers(), announced: 500 }),
        ("500", || response(500, "oops")),
        ("a redirect", redirect),
        ("HTML", || response(200, "<!doctype html><title>Sign in</title>")),
        ("an empty set", || response(200, r#"{"keys":[]}"#)),
        ("JSON of another kind", || response(200, r#"[{"kty":"EC"}]"#)),
        ("40 MB", || CalloutResult::TooLarge { headers: headers(), announced: 40 << 20 }),
    ]
}

/// Sends a good token to every worker; each has to pass or, if `may_lack`, to be put off.
pub(super) fn check(fleet: &Fleet, words: &str, may_lack: bool, row: &str) {
    for outcome in fleet.outcomes(words) {
        let good = outcome == 200 || (may_lack && matches!(outcome, 0 | 503));
        assert!(good, "{row}: a good token gets {outcome}");
    }
}

/// Nobody may be held for ever or be told that a good token is bad.
fn check_held(fleet: &Fleet, row: &str) {
    for (vm, _) in &fleet.vms {
        for stream in vm.streams() {
            let outcome = super::outcome(vm, stream);
            assert!(matches!(outcome, 200 | 503), "{row}: a held request ends with {outcome}");
        }
    }
}

#[test]
fn no_trouble_of_the_provider_takes_good_keys_out_of_service() {
    for workers in [1, 2, 4] {
        for (name, trouble) in troubles() {
            let row = format!("{name}, {workers} workers");
            let mut fleet = Fleet::new(workers, 7 * MS);
            fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
            let before = fleet.sent();
            fleet.latency = latency(name);
            for _ in 0..60 {
                fleet.pass(30 * SECOND, |_| trouble());
                check(&fleet, "key=p256-1", false, &row);
                check(&fleet, "key=p256-2", true, &row);
            }
            let sent = fleet.sent() - before;
            // A refresh after 10 min, then pauses of up to 60 s; unknown kids add none to those.
            assert!((10..=75).contains(&sent), "{row}: {sent} fetches in 30 min");
            fleet.pass(80 * SECOND, |_| keys(&["p256-1", "p256-2"]));
            check_held(&fleet, &row);
            check(&fleet, "key=p256-1", false, &row);
            check(&fleet, "key=p256-2", false, &row);
        }
    }
}

/// NGINX, where each worker fetches for itself, nobody is held, and a fetch fails at once while the
/// name of the provider does not resolve.
#[test]
fn nginx_that_cannot_resolve_the_provider_keeps_the_keys() {
    let unresolved: Trouble = ("no resolver", || CalloutResult::Unresolved);
    for (name, trouble) in troubles().into_iter().chain([unresolved]) {
        let row = format!("{name}, NGINX");
        let mut fleet = Fleet::of(Personality::Nginx, CONFIG, 2, 7 * MS);
        fleet.latency = if name == "no resolver" { Duration::ZERO } else { latency(name) };
        fleet.pass(10 * SECOND, |_| trouble());
        check(&fleet, "key=p256-1", true, &row);
        fleet.pass(20 * SECOND, |_| keys(&["p256-1"]));
        let before = fleet.sent();
        for _ in 0..60 {
            fleet.pass(30 * SECOND, |_| trouble());
            check(&fleet, "key=p256-1", false, &row);
            check(&fleet, "key=p256-2", true, &row);
        }
        let sent = fleet.sent() - before;
        assert!((20..=150).contains(&sent), "{row}: {sent} fetches of two workers in 30 min");
        fleet.pass(80 * SECOND, |_| keys(&["p256-1", "p256-2"]));
        check(&fleet, "key=p256-2", false, &row);
        check_held(&fleet, &row);
    }
}

#[test]
fn a_proxy_that_loses_the_cluster_keeps_the_keys() {
    for (row, cluster) in [("no cluster", None), ("no endpoint", Some(Cluster::NoEndpoints))] {
        let fleet = Fleet::new(2, 7 * MS);
        fleet.pass(10 * SECOND, |_| keys(&["p256-1"]));
        match cluster {
            Some(cluster) => fleet.host.set_cluster("idp", cluster),
            None => fleet.host.remove_cluster("idp"),
        }
        for _ in 0..40 {
            fleet.pass(30 * SECOND, |_| keys(&["p256-1"]));
            check(&fleet, "key=p256-1", false, row);
        }
        assert_eq!(fleet.sent(), 1, "{row}");
        fleet.host.set_cluster("idp", Cluster::Healthy);
        fleet.pass(80 * SECOND, |_| keys(&["p256-2"]));
        check(&fleet, "key=p256-2", false, row);
    }
}

/// Keys that are rotated every few seconds, each published before the first token that it signs.
#[test]
fn rotation_under_load_refuses_no_good_token() {
    for (workers, every) in [(1, 7), (2, 7), (4, 7), (2, 20), (4, 60)] {
        let row = format!("{workers} workers, rotated every {every} s");
        let fleet = Fleet::new(workers, 7 * MS);
        let published = RefCell::new((0, 1));
        let name = |n: u32| format!("p256-r{n}");
        let answer = |_: &Callout| {
            let (old, new) = *published.borrow();
            keys(&[&name(old), &name(new)])
        };
        fleet.pass(2 * SECOND, answer);
        let (passed, put_off) = (Cell::new(0_u32), Cell::new(0_u32));
        for _ in 0..20 {
            let (_, new) = *published.borrow();
            *published.borrow_mut() = (new, new + 1);
            for _ in 0..every {
                let (old, new) = *published.borrow();
                for outcome in
                    [old, new].iter().flat_map(|n| fleet.outcomes(&format!("key={}", name(*n))))
                {
                    match outcome {
                        200 => passed.set(passed.get() + 1),
                        0 | 503 => put_off.set(put_off.get() + 1),
                        other => panic!("{row}: a good token gets {other}"),
                    }
                }
                fleet.pass(Duration::from_secs(1), answer);
            }
        }
        fleet.pass(3 * SECOND, answer);
        check_held(&fleet, &row);
        let (passed, put_off) = (passed.get(), put_off.get());
        assert!(put_off < passed, "{row}: {put_off} put off, {passed} passed at once");
        // One for each rotation, and the first.
        assert!(fleet.sent() <= 23, "{row}: {} fetches for 20 rotations", fleet.sent());
    }
}

/// An identity provider that is restarted: nobody answers for a while, again and again.
#[test]
fn restarts_cost_nothing_but_a_few_fetches() {
    for workers in [1, 2, 4] {
        let fleet = Fleet::new(workers, 7 * MS);
        for round in 0..20_u32 {
            let down = round % 2 == 1;
            fleet.pass(
                90 * SECOND,
                |_| {
                    if down { CalloutResult::Refused } else { keys(&["p256-1"]) }
                },
            );
            check(&fleet, "key=p256-1", false, &format!("round {round}, {workers} workers"));
        }
        assert!(fleet.sent() <= 30, "{workers} workers: {} fetches in 30 min", fleet.sent());
    }
}
