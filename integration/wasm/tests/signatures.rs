//! Forged signatures, by the host's cryptography and by the module's own: one verdict.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

#[path = "support/release.rs"]
mod release;

use std::time::Duration;

use jwt_gate_scenario::{Keyring, forgeries};
use jwt_gate_test_host::{Host, Personality, Phase, Request, RootId, Vm};
use release::module;
use serde_json::json;

/// Verification by the host in all schemes that Envoy's function knows.
const BY_HOST: &str = "which verifies RS256 RS384 RS512 ES256 ES384 ES512";
const BY_MODULE: &str = "which verifies no signatures";

/// A worker with these keys.
fn worker(host: &Host, jwks: &str, host_crypto: Option<bool>) -> (Vm, RootId) {
    let config = json!({
        "host_crypto": host_crypto,
        "providers": { "p": { "issuer": "https://idp.example", "local_jwks": {
            "inline_string": jwks } } },
        "rules": [ { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ],
    });
    let vm = host.vm(module()).unwrap();
    let root = vm.configure(config.to_string().as_bytes()).unwrap().expect("it is good");
    (vm, root)
}

fn is_forwarded((vm, root): &(Vm, RootId), token: &str) -> bool {
    let stream = vm
        .request(*root, &Request::get("/").with("authorization", format!("Bearer {token}")))
        .unwrap();
    match vm.stream(stream).unwrap().phase {
        Phase::Continued => true,
        Phase::Replied(reply) if reply.status == 401 => false,
        other @ (Phase::Paused | Phase::Replied(_)) => panic!("{other:?}"),
    }
}

fn says((vm, _): &(Vm, RootId), text: &str) -> bool {
    vm.logs().iter().any(|line| line.text.contains(text))
}

#[test]
fn a_forgery_has_one_verdict_whoever_verifies() {
    let keyring = Keyring::new();
    for (personality, host_crypto, who) in [
        (Personality::Envoy, None, BY_HOST),
        (Personality::Envoy, Some(false), BY_MODULE),
        (Personality::Nginx, None, BY_MODULE),
        (Personality::Nginx, Some(true), BY_MODULE),
        (Personality::Bare, Some(true), BY_MODULE),
    ] {
        let host = Host::new(personality);
        let forgeries = forgeries(&keyring, host.now().as_secs()).unwrap();
        let worker = worker(&host, &forgeries.jwks, host_crypto);
        let row = format!("{personality:?}, {host_crypto:?}");
        assert!(says(&worker, who), "{row}: {:?}", worker.0.logs());
        assert!(forgeries.cases.len() > 200, "{}", forgeries.cases.len());
        for case in &forgeries.cases {
            // The second time it comes, the cache may know it.
            for _ in 0..2 {
                assert_eq!(is_forwarded(&worker, &case.token), case.good, "{row}: {}", case.label);
            }
        }
        // Counters are told with the next tick, where there is one.
        host.advance(Duration::from_secs(2)).unwrap();
        let hits = worker.0.metric("jwt_gate.token_cache.hit").map(|metric| metric.value);
        let good = forgeries.cases.iter().filter(|case| case.good).count();
        let told = (personality != Personality::Bare).then_some(u64::try_from(good).unwrap());
        assert_eq!(hits, told, "{row}");
    }
}
