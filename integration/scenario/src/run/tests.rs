//! That a driver which answers wrong fails the run, for every thing that can be expected.

use std::time::Duration;

use super::*;
use crate::driver::{Document, Endpoint, Level};
use crate::suite::Suite;

/// Answers every request the same, whatever it is.
#[derive(Debug)]
struct Parrot {
    faults: Vec<String>,
    reply: Result<Reply, String>,
    fetches: Option<u64>,
    log: Option<Vec<String>>,
    longest: Option<Duration>,
    clock: Duration,
    seen: Vec<Request>,
    endpoints: Vec<Endpoint>,
    documents: Vec<Document>,
}

impl Parrot {
    fn saying(reply: Reply) -> Self {
        Self {
            faults: Vec::new(),
            reply: Ok(reply),
            fetches: None,
            log: None,
            longest: None,
            clock: Duration::from_secs(1_900_000_000),
            seen: Vec::new(),
            endpoints: Vec::new(),
            documents: Vec::new(),
        }
    }

    fn run(&mut self, scenario: &str) -> Outcome {
        let text = format!("[[scenario]]\nname = \"it works\"\nconfig = \"{{}}\"\n{scenario}");
        let scenarios = Suite::parse("file.toml", &text).unwrap();
        run(&scenarios[0], self, &Keyring::new())
    }
}

impl Driver for Parrot {
    fn level(&self) -> Level {
        Level::Core
    }

    fn now(&self) -> u64 {
        self.clock.as_secs()
    }

    fn idp_uri(&self) -> String {
        "http://idp.test/jwks".to_owned()
    }

    fn start(&mut self, _: &str, idp: Endpoint) -> Result<(), Vec<String>> {
        self.endpoints.push(idp);
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults.clone()) }
    }

    fn endpoint(&mut self, document: Document, endpoint: Endpoint) {
        self.documents.push(document);
        self.endpoints.push(endpoint);
    }

    fn advance(&mut self, time: Duration) {
        self.clock = self.clock.saturating_add(time);
    }

    fn send(&mut self, request: Request) -> Result<Reply, String> {
        self.seen.push(request);
        self.reply.clone()
    }

    fn fetches(&self) -> Option<u64> {
        self.fetches
    }

    fn logs(&mut self) -> Option<Vec<String>> {
        self.log.clone()
    }

    fn longest_wait(&self) -> Option<Duration> {
        self.longest
    }
}

fn header(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

fn allowed() -> Reply {
    let headers = vec![header("X-Sub", "a"), header("x-sub", "b"), header("host", "api.example")];
    Reply::Allowed { target: b"/a".to_vec(), headers }
}

fn denied() -> Reply {
    let headers = vec![header("WWW-Authenticate", "Bearer"), header("retry-after", "1")];
    Reply::Denied { status: 401, headers, body: b"Jwt is missing".to_vec() }
}

/// Runs one step that has these lines.
fn step(reply: Reply, lines: &str) -> Outcome {
    Parrot::saying(reply).run(&format!("[[scenario.step]]\nrequest = \"GET /a\"\n{lines}"))
}

fn failure(problem: &str) -> Outcome {
    Outcome::Failed(vec![format!("it works: {problem}")])
}

#[test]
fn what_is_as_expected_passes() {
    let rows = [
        (allowed(), "outcome = 'allow'"),
        (allowed(), "outcome = 'allow'\nupstream = { x-sub = ['a', 'b'], Host = 'api.example' }"),
        (allowed(), "outcome = 'allow'\ngone = ['authorization']\npath = '/a'"),
        (denied(), "outcome = 'deny'\nstatus = 401"),
        (denied(), "outcome = 'deny'\nstatus = 401\nbody = 'Jwt is missing'"),
        (denied(), "outcome = 'deny'\nstatus = 401\nchallenge = 'Bearer'"),
        (denied(), "outcome = 'deny'\nstatus = 401\nanswer = { Retry-After = '1' }"),
    ];
    for (reply, lines) in rows {
        assert_eq!(step(reply, lines), Outcome::Passed, "{lines}");
    }
}

#[test]
fn each_difference_of_an_answer_fails_the_run() {
    let refused = "401 `Jwt is missing`, www-authenticate: `Bearer`";
    let rows = [
        ("outcome = 'allow'", format!("outcome: expected allow, came {refused}")),
        ("outcome = 'deny'\nstatus = 403", "status: expected 403, came 401".to_owned()),
        (
            "outcome = 'deny'\nstatus = 401\nbody = 'Jwt'",
            "body: expected `Jwt`, came `Jwt is missing`".to_owned(),
        ),
        (
            "outcome = 'deny'\nstatus = 401\nbody = ''",
            "body: expected ``, came `Jwt is missing`".to_owned(),
        ),
        (
            "outcome = 'deny'\nstatus = 401\nchallenge = 'B'",
            "answer: www-authenticate: expected `B`, came `Bearer`".to_owned(),
        ),
        (
            "outcome = 'deny'\nstatus = 401\nchallenge = ''",
            "answer: www-authenticate: expected none, came `Bearer`".to_owned(),
        ),
        (
            "outcome = 'deny'\nstatus = 401\nanswer = { a = 'b' }",
            "answer: a: expected `b`, came none".to_owned(),
        ),
    ];
    for (lines, problem) in rows {
        let expected = failure(&format!("step 1 (GET /a): {problem}"));
        assert_eq!(step(denied(), lines), expected, "{lines}");
    }
}

#[test]
fn each_difference_at_the_upstream_fails_the_run() {
    let passed = "outcome: expected 401, came allow: the upstream saw `/a`";
    let repeated = "upstream: x-sub: expected";
    let rows = [
        ("outcome = 'deny'\nstatus = 401", passed.to_owned()),
        ("outcome = 'allow'\npath = '/a?'", "path: expected `/a?`, came `/a`".to_owned()),
        (
            "outcome = 'allow'\ngone = ['X-SUB']",
            "upstream: X-SUB: expected none, came `a`, `b`".to_owned(),
        ),
        ("outcome = 'allow'\nupstream = { x-sub = 'a' }", format!("{repeated} `a`, came `a`, `b`")),
        (
            "outcome = 'allow'\nupstream = { x-sub = ['b', 'a'] }",
            format!("{repeated} `b`, `a`, came `a`, `b`"),
        ),
        (
            "outcome = 'allow'\nupstream = { x = '${hex ff}' }",
            "upstream: x: expected `\\xff`, came none".to_owned(),
        ),
    ];
    for (lines, problem) in rows {
        let expected = failure(&format!("step 1 (GET /a): {problem}"));
        assert_eq!(step(allowed(), lines), expected, "{lines}");
    }
}

#[test]
fn all_differences_of_a_step_are_named_and_later_steps_do_not_run() {
    let mut parrot = Parrot::saying(denied());
    let deny = "[[scenario.step]]\nrequest = 'GET /a'\noutcome = 'deny'\nstatus = 403\nbody = ''\n";
    let Outcome::Failed(problems) = parrot.run(&deny.repeat(2)) else { panic!("it passed") };
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(parrot.seen.len(), 1);
}

#[test]
fn a_request_that_is_not_decided_fails_the_run() {
    let mut parrot = Parrot::saying(allowed());
    parrot.reply = Err("it hangs".to_owned());
    let came = parrot.run("[[scenario.step]]\nrequest = 'GET /a'\noutcome = 'allow'");
    assert_eq!(came, failure("step 1 (GET /a): the request was not decided: it hangs"));
}

#[test]
fn fetches_and_logs_are_compared_where_the_level_has_them() {
    let scenario = "[[scenario.step]]\nafter = '1s'\nfetches = 2\nlog = ['stale']";
    let mut parrot = Parrot::saying(allowed());
    assert_eq!(parrot.run(scenario), Outcome::Passed);
    parrot.fetches = Some(1);
    assert_eq!(parrot.run(scenario), failure("step 1: fetches: expected 2, came 1"));
    parrot.fetches = Some(2);
    parrot.log = Some(vec!["fresh".to_owned()]);
    let expected = "step 1: log: expected a line with `stale`, came\n    fresh";
    assert_eq!(parrot.run(scenario), failure(expected));
    parrot.log = Some(vec!["fresh".to_owned(), "keys are stale now".to_owned()]);
    assert_eq!(parrot.run(scenario), Outcome::Passed);
}

#[test]
fn faults_are_compared_line_by_line() {
    let mut parrot = Parrot::saying(allowed());
    let accepted = "start: the configuration is accepted; expected faults:\n    a: b";
    assert_eq!(parrot.run("faults = ['a: b']"), failure(accepted));
    parrot.faults = vec!["a: b".to_owned(), "c: d".to_owned()];
    assert_eq!(parrot.run("faults = ['a: b', 'c: d']"), Outcome::Passed);
    let came = "\n  came\n    a: b\n    c: d";
    for (faults, expected) in
        [("['a: b']", "\n    a: b"), ("['c: d', 'a: b']", "\n    c: d\n    a: b")]
    {
        let problem = format!("start: faults: expected{expected}{came}");
        assert_eq!(parrot.run(&format!("faults = {faults}")), failure(&problem));
    }
    let refused = "start: the configuration is refused:\n    a: b\n    c: d";
    assert_eq!(parrot.run("step = [{ after = '1s' }]"), failure(refused));
}

#[test]
fn the_driver_gets_what_the_scenario_says_in_its_order() {
    let mut parrot = Parrot::saying(allowed());
    let scenario = r#"
        idp = { fault = "reset" }
        [[scenario.step]]
        after = "10s"
        idp = { status = 404, body = "${now}" }
        request = "GET /a?b=%41&t=${now}"
        headers = [["X", "${now +1}${hex ff}"], ["HOST", "other"]]
        outcome = "allow"
        [[scenario.step]]
        request = "HEAD *"
        outcome = "allow"
    "#;
    assert_eq!(parrot.run(scenario), Outcome::Passed);
    let value = [b"1900000011".as_slice(), &[0xff]].concat();
    let expected = [
        Request {
            method: "GET".to_owned(),
            target: b"/a?b=%41&t=1900000010".to_vec(),
            headers: vec![("X".to_owned(), value), header("HOST", "other")],
        },
        Request {
            method: "HEAD".to_owned(),
            target: b"*".to_vec(),
            headers: vec![header("host", "api.example")],
        },
    ];
    assert_eq!(parrot.seen, expected);
    let answers: Vec<_> = parrot.endpoints.iter().map(|e| (e.status, e.fault)).collect();
    assert_eq!(answers, [(200, Some(crate::Fault::Reset)), (404, None)]);
    let body = crate::Body::Bytes(b"1900000010".to_vec());
    assert_eq!(parrot.endpoints.last().map(|e| &e.body), Some(&body));
}

#[test]
fn a_scenario_is_skipped_where_it_says_so_or_takes_too_long() {
    let step = "[[scenario.step]]\nafter = '6s'";
    let mut parrot = Parrot::saying(allowed());
    let skip = format!("skip = {{ core = 'no clock' }}\n{step}");
    assert_eq!(parrot.run(&skip), Outcome::Skipped("no clock".to_owned()));
    let elsewhere = format!("skip = {{ envoy = 'no clock' }}\n{step}");
    assert_eq!(parrot.run(&elsewhere), Outcome::Passed);
    parrot.longest = Some(Duration::from_secs(5));
    assert_eq!(parrot.run(step), Outcome::Skipped("more time passes in it than 5 s".to_owned()));
    parrot.longest = Some(Duration::from_secs(6));
    assert_eq!(parrot.run(step), Outcome::Passed);
}

#[test]
fn a_placeholder_that_cannot_be_expanded_fails_run_and_rehearsal() {
    let text = "[[scenario]]\nname = \"x\"\nconfig = \"{}\"\n[[scenario.step]]\n\
                request = \"GET /${nothing}\"\noutcome = \"allow\"";
    let scenarios = Suite::parse("file.toml", text).unwrap();
    let keyring = Keyring::new();
    let problem = "x: step 1 (GET /${nothing}): there is no placeholder `${nothing}`";
    let came = run(&scenarios[0], &mut Parrot::saying(allowed()), &keyring);
    assert_eq!(came, Outcome::Failed(vec![problem.to_owned()]));
    assert_eq!(rehearse(&scenarios[0], &keyring), Err(format!("file.toml: {problem}")));
    let text = text.replace("\"{}\"", "\"{\"");
    let scenarios = Suite::parse("file.toml", &text).unwrap();
    let message = rehearse(&scenarios[0], &keyring).unwrap_err();
    assert!(message.starts_with("file.toml: x: config: "), "{message}");
}
