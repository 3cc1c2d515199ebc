//! What must not be told is not: no part of a token, no secret of a key and no claim of a caller is
//! in a log line, an answer, a metric's name or a `Debug` output.
//!
//! The scenarios are played once more, and all that comes out is searched.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "secrets/known.rs"]
mod known;
#[path = "secrets/spy.rs"]
mod spy;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jwt_gate::metrics::Counter;
use jwt_gate::policy::Policy;
use jwt_gate_scenario::{Level, run_suite_matching};

use known::Known;
use spy::Spy;

/// What was learnt while the scenarios ran.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    outputs: usize,
    secrets: usize,
    leaks: Vec<String>,
}

/// Takes every log line, whatever its level.
struct Collector(Mutex<Vec<String>>);

impl log::Log for Collector {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

static LOG: Collector = Collector(Mutex::new(Vec::new()));

/// The log lines since the last call.
pub(crate) fn logged() -> Vec<String> {
    std::mem::take(&mut *LOG.0.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn nothing_that_comes_out_of_the_gate_has_a_secret_in_it() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let findings = Arc::new(Mutex::new(Findings::default()));
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let spy = |_: &_| Spy::new(Arc::clone(&findings));
    run_suite_matching(&scenarios, Level::Core, "", spy).unwrap();
    let findings = findings.lock().unwrap();
    println!("{} outputs searched for {} secrets", findings.outputs, findings.secrets);
    assert!(findings.outputs > 500 && findings.secrets > 500, "{findings:?}");
    assert!(findings.leaks.is_empty(), "{:#?}", findings.leaks);
}

#[test]
fn what_has_a_secret_in_it_is_found() {
    let mut known = Known::default();
    known.learn_config(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0IG9mIGEga2V5"}]}"#);
    // {"sub":"alice.liddell","exp":5}
    let token =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZS5saWRkZWxsIiwiZXhwIjo1fQ.c2lnbmF0dXJlLW9mLWl0";
    known.learn_request(format!("Bearer {token}").as_bytes());
    let leaks = [
        "key c2VjcmV0IG9mIGEga2V5 is short",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZS5saWRkZWxsIiwiZXhwIjo1fQ",
        "signature c2lnbmF0dXJlLW9mLWl0",
        "subject alice.liddell is not accepted",
    ];
    for output in leaks {
        assert!(known.leaks_in(output).is_some(), "{output}");
    }
    assert_eq!(known.leaks_in("subject is not accepted, alg HS256"), None);
}

#[test]
fn metrics_are_named_by_this_project_alone() {
    let config = r#"{ "providers": { "corp": { "local_jwks": { "inline_string": "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}" } } },
        "rules": [{ "name": "a.b\"c d é", "match": { "prefix": "/" }, "requires": { "provider_name": "corp" } }] }"#;
    let policy = Policy::from_json(config.as_bytes()).unwrap();
    let names: Vec<_> = Counter::all(&policy).map(|counter| counter.name(&policy)).collect();
    assert!(names.contains(&"jwt_gate.requests.a_b_c_d__.enforce.deny".to_owned()), "{names:?}");
    assert!(names.contains(&"jwt_gate.outcomes.corp.bad_signature".to_owned()), "{names:?}");
    for name in names {
        let plain = |b: u8| b.is_ascii_lowercase() || b"_-.".contains(&b);
        assert!(name.bytes().all(plain) && name.starts_with("jwt_gate."), "{name}");
    }
}
