//! Keys whose place the issuer tells: two documents, shared by all workers, and followed by all.

use std::time::Duration;

use jwt_gate_test_host::{Callout, CalloutResult, Personality};

use super::Fleet;
use super::simulation::{check, troubles};
use super::support::{MS, SECOND, keys, response};

const CONFIG: &str = r#"{ "providers": { "p": { "issuer": "https://idp.example",
    "discovery": { "cluster": "idp", "timeout": "1s" } } },
  "rules": [ { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ] }"#;

fn fleet(workers: usize, apart: Duration) -> Fleet {
    Fleet::of(Personality::Envoy, CONFIG, workers, apart)
}

fn is_for(callout: &Callout, path: &str) -> bool {
    callout.headers.iter().any(|(name, value)| name == b":path" && value == path.as_bytes())
}

fn document(path: &str) -> CalloutResult {
    let uri = format!("https://idp.example{path}");
    response(200, format!(r#"{{"issuer":"https://idp.example","jwks_uri":"{uri}"}}"#))
}

/// An issuer whose keys are at `place`: `p256-1` at `/old`, `p256-2` at `/new`.
fn issuer(callout: &Callout, place: &str) -> CalloutResult {
    match place {
        _ if is_for(callout, "/.well-known/openid-configuration") => document(place),
        "/old" if is_for(callout, "/old") => keys(&["p256-1"]),
        "/new" if is_for(callout, "/new") => keys(&["p256-2"]),
        _ => response(404, ""),
    }
}

#[test]
fn one_fetch_of_each_document_a_period_serves_all_workers() {
    for (workers, apart) in [(1, 0), (2, 7), (4, 90)] {
        let row = format!("{workers} workers {apart} ms apart");
        let fleet = fleet(workers, apart * MS);
        fleet.pass(3_590 * SECOND, |callout| issuer(callout, "/old"));
        // Both at 0 s, 595 s, … 3570 s; the very first may come twice.
        let sent = fleet.sent();
        assert!((14..=16).contains(&sent), "{row}: {sent} fetches");
        assert_eq!(fleet.outcomes("key=p256-1 iss=https://idp.example"), vec![200; workers]);
    }
}

#[test]
fn every_worker_follows_keys_that_move_and_forgets_the_former_ones() {
    for (workers, latency) in [(1, 5), (2, 5), (4, 5), (4, 700)] {
        let row = format!("{workers} workers, answers after {latency} ms");
        let mut fleet = fleet(workers, 7 * MS);
        fleet.latency = latency * MS;
        fleet.pass(10 * SECOND, |callout| issuer(callout, "/old"));
        for _ in 0..60 {
            // The former place answers on: an answer from there may be under way.
            fleet.pass(10 * SECOND, |callout| {
                let place = if is_for(callout, "/old") { "/old" } else { "/new" };
                issuer(callout, place)
            });
            let served = fleet.outcomes("key=p256-1");
            let moved = fleet.outcomes("key=p256-2");
            assert!(served.iter().zip(moved).all(|(a, b)| *a == 200 || b == 200), "{row}");
        }
        assert_eq!(fleet.outcomes("key=p256-2"), vec![200; workers], "{row}");
        assert_eq!(fleet.outcomes("key=p256-1 kid=-"), vec![401; workers], "{row}");
    }
}

#[test]
fn the_second_address_costs_one_request_more_and_no_failure() {
    for (personality, workers) in [(Personality::Envoy, 4), (Personality::Nginx, 1)] {
        let fleet = Fleet::of(personality, CONFIG, workers, 7 * MS);
        fleet.pass(3_590 * SECOND, |callout| {
            if is_for(callout, "/.well-known/oauth-authorization-server") {
                document("/old")
            } else if is_for(callout, "/old") {
                keys(&["p256-1"])
            } else {
                response(404, "")
            }
        });
        let sent = fleet.sent();
        // Each worker learns of it by itself.
        assert!(sent <= 14 + 2 * u32::try_from(workers).unwrap(), "{personality:?}: {sent}");
        assert_eq!(fleet.outcomes("key=p256-1"), vec![200; workers], "{personality:?}");
    }
}

#[test]
fn no_trouble_of_discovery_takes_good_keys_out_of_service() {
    for workers in [1, 4] {
        for (name, trouble) in troubles() {
            let row = format!("{name}, {workers} workers");
            let fleet = fleet(workers, 7 * MS);
            fleet.pass(10 * SECOND, |callout| issuer(callout, "/old"));
            let answer = |callout: &Callout| {
                if is_for(callout, "/old") { keys(&["p256-1", "p256-3"]) } else { trouble() }
            };
            let before = fleet.sent();
            for _ in 0..60 {
                fleet.pass(30 * SECOND, answer);
                check(&fleet, "key=p256-1", false, &row);
            }
            // Keys are rotated all the same.
            check(&fleet, "key=p256-3", false, &row);
            let sent = fleet.sent() - before;
            assert!((10..=80).contains(&sent), "{row}: {sent} fetches in 30 min");
            fleet.pass(80 * SECOND, |callout| issuer(callout, "/new"));
            check(&fleet, "key=p256-2", false, &row);
        }
    }
}

/// A provider that is down from the beginning: nobody is let in, and nothing is asked too often.
#[test]
fn without_discovery_there_are_no_keys_until_it_is_there() {
    for (name, trouble) in troubles() {
        let fleet = fleet(2, 7 * MS);
        for _ in 0..20 {
            fleet.pass(15 * SECOND, |_| trouble());
            for outcome in fleet.outcomes("key=p256-1") {
                assert!(matches!(outcome, 0 | 503), "{name}: {outcome}");
            }
        }
        assert!(fleet.sent() <= 30, "{name}: {} fetches in 5 min", fleet.sent());
        fleet.pass(80 * SECOND, |callout| issuer(callout, "/old"));
        check(&fleet, "key=p256-1", false, name);
    }
}
