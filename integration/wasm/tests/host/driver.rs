//! The driver of the scenarios, with guests whose answers are known.

use std::time::Duration;

use jwt_gate_scenario::{Body, Document, Driver, Endpoint, Fault, Level, Reply, Request};
use jwt_gate_test_host::{Personality, ScenarioDriver, Traps};

use crate::guest::{CONTINUE, Guest, PAUSE, dispatch};

fn endpoint(fault: Option<Fault>) -> Endpoint {
    Endpoint { status: 200, headers: Vec::new(), body: Body::Bytes(b"keys".to_vec()), fault }
}

fn request(headers: &[(&str, &str)]) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    let headers = headers.iter().map(owned).collect();
    Request { method: "GET".to_owned(), target: b"/a?b".to_vec(), headers }
}

fn started(personality: Personality, guest: Guest, idp: Endpoint) -> (ScenarioDriver, Traps) {
    let traps = Traps::default();
    let mut driver = ScenarioDriver::new(personality, &guest.module(), &traps);
    driver.start("{}", idp).unwrap();
    (driver, traps)
}

/// Fetches for each request; passes it on if the answer has four bytes, and else denies it.
fn fetching() -> Guest {
    Guest::new().headers(&dispatch("idp"), PAUSE).answer(
        "(if (i32.eq (local.get $size) (i32.const 4)) \
           (then (drop (call $resume (i32.const 0)))) (else (call $deny (i32.const 503))))",
    )
}

fn status(reply: &Reply) -> u16 {
    match reply {
        Reply::Allowed { .. } => 200,
        Reply::Denied { status, .. } => *status,
    }
}

#[test]
fn a_held_request_is_decided_by_the_answer_of_the_endpoint() {
    let rows = [
        (None, 200, 1),
        (Some(Fault::Refused), 503, 0),
        (Some(Fault::Reset), 503, 1),
        (Some(Fault::Timeout), 503, 1),
        (Some(Fault::Truncated), 503, 1),
    ];
    for (fault, expected, fetches) in rows {
        let (mut driver, traps) = started(Personality::Envoy, fetching(), endpoint(fault));
        let before = driver.now();
        let reply = driver.send(request(&[("host", "a")])).unwrap();
        assert_eq!((status(&reply), driver.fetches()), (expected, Some(fetches)), "{fault:?}");
        let waited = driver.now() - before;
        assert_eq!(waited, u64::from(fault == Some(Fault::Timeout)), "{fault:?}");
        assert_eq!(traps.all(), Vec::<String>::new());
    }
}

#[test]
fn the_upstream_sees_target_and_headers_without_pseudo_headers() {
    for personality in [Personality::Envoy, Personality::Nginx] {
        let guest = Guest::new().headers("(call $say (call $set #0 @\"x-a\" @\"2\"))", CONTINUE);
        let (mut driver, _) = started(personality, guest, endpoint(None));
        let reply = driver.send(request(&[("host", "a"), ("x-a", "1")])).unwrap();
        let headers = vec![("host".to_owned(), b"a".to_vec()), ("x-a".to_owned(), b"2".to_vec())];
        assert_eq!(reply, Reply::Allowed { target: b"/a?b".to_vec(), headers }, "{personality:?}");
        assert_eq!(driver.logs(), Some(vec!["00".to_owned()]));
        assert_eq!(driver.logs(), Some(Vec::new()));
    }
}

#[test]
fn a_header_that_the_filter_empties_is_gone_on_nginx() {
    let guest = Guest::new().headers("(call $say (call $set #0 @\"x-a\" #0 #0))", CONTINUE);
    let (mut driver, _) = started(Personality::Nginx, guest, endpoint(None));
    let reply = driver.send(request(&[("x-a", "1")])).unwrap();
    assert_eq!(reply, Reply::Allowed { target: b"/a?b".to_vec(), headers: Vec::new() });
    assert_eq!(driver.level(), Level::Nginx);
}

#[test]
fn a_refused_configuration_gives_its_error_lines() {
    let log = |level: u32, text: &str| format!("(drop (call $log #{level} @\"{text}\"))");
    let body = [log(4, "a: one"), log(2, "by the way"), log(4, "b: two")].concat();
    let guest = Guest::new().on("configure", &body, Some(0));
    let traps = Traps::default();
    let mut driver = ScenarioDriver::new(Personality::Envoy, &guest.module(), &traps);
    assert_eq!(driver.start("{}", endpoint(None)).unwrap_err(), ["a: one", "b: two"]);
}

#[test]
fn ticks_and_answers_happen_while_time_passes() {
    let guest = Guest::new()
        .configure("(drop (call $tick #1000))")
        .tick(&dispatch("idp"))
        .answer("(call $say (local.get $size))");
    let (mut driver, traps) = started(Personality::Envoy, guest, endpoint(None));
    driver.advance(Duration::from_millis(2500));
    assert_eq!(driver.fetches(), Some(2));
    assert_eq!(driver.logs().unwrap(), ["00", "04", "00", "04"]);
    driver.endpoint(Document::Keys, endpoint(Some(Fault::Timeout)));
    driver.advance(Duration::from_millis(600));
    driver.endpoint(Document::Keys, endpoint(None));
    driver.advance(Duration::from_millis(899));
    assert_eq!(driver.logs().unwrap(), ["00"], "the old call is answered as the new ones are");
    driver.advance(Duration::from_millis(1));
    assert_eq!(driver.logs().unwrap().len(), 3);
    assert_eq!(traps.all(), Vec::<String>::new());
}

#[test]
fn nginx_has_run_before_the_first_request() {
    let guest = || Guest::new().configure("(drop (call $tick #100))").tick(&dispatch("idp"));
    for (personality, fetches) in [(Personality::Envoy, 0), (Personality::Nginx, 1)] {
        let (driver, _) = started(personality, guest(), endpoint(None));
        assert_eq!(driver.fetches(), Some(fetches), "{personality:?}");
    }
}

#[test]
fn a_trap_and_a_request_that_nobody_decides_are_errors() {
    let (mut driver, traps) =
        started(Personality::Envoy, Guest::new().headers("(unreachable)", PAUSE), endpoint(None));
    let error = driver.send(request(&[])).unwrap_err();
    assert!(error.contains("unreachable"), "{error}");
    assert!(traps.all()[0].contains("unreachable"));

    let (mut driver, traps) =
        started(Personality::Envoy, Guest::new().headers("", PAUSE), endpoint(None));
    let error = driver.send(request(&[])).unwrap_err();
    assert!(error.contains("still held"), "{error}");
    assert_eq!(traps.all(), Vec::<String>::new());
}
