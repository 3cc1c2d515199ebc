//! Limits are looked at before the work that they bound is done.

use jwt_gate_test_host::{CalloutResult, Cluster, Request};
use serde_json::{Value, json};

use crate::metered::keyring;
use crate::worker::Worker;

fn config(limits: &Value) -> String {
    json!({
        "host_crypto": false,
        "limits": limits,
        "providers": { "p": { "issuer": "https://idp.example",
            "local_jwks": { "inline_string": keyring().jwks(&["p256-1"]).unwrap() } } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    })
    .to_string()
}

/// What a token costs that is not there before it has been looked at.
fn cost(worker: &Worker, token: &str) -> u64 {
    let request = Request::get("/").with("authorization", format!("Bearer {token}"));
    worker.cost(&request)
}

#[test]
fn a_token_beyond_the_limit_is_not_decoded() {
    let worker = Worker::new(&config(&json!({ "max_token_bytes": 1_000 })));
    let token = worker.token(&format!("key=p256-1 x={}", "a".repeat(20_000)));
    let none = cost(&worker, "");
    let beyond = cost(&worker, &token);
    // The host's copy of 27 KiB is not the module's work; a byte that it looks at is 5 or more.
    assert!(beyond < none + 27_000, "{beyond}, and {none} without a token");
}

#[test]
fn nesting_beyond_the_limit_is_not_entered() {
    let nested =
        |depth: usize| format!("key=p256-1 payload='{}1{}'", "[".repeat(depth), "]".repeat(depth));
    let worker = Worker::new(&config(&json!({ "max_depth": 10 })));
    let costs = [11, 2_900].map(|depth| {
        let token = worker.token(&nested(depth));
        (u64::try_from(token.len()).unwrap(), cost(&worker, &token))
    });
    let [(short, shallow), (long, deep)] = costs;
    // A byte of base64 is decoded, whatever it says.
    assert!(deep < shallow + 60 * (long - short), "{costs:?}");
}

/// A worker that has asked for the keys of its provider, with these limits.
fn asking(limits: &Value) -> Worker {
    let config = json!({
        "limits": limits,
        "providers": { "p": { "issuer": "https://idp.example", "remote_jwks": { "http_uri": {
            "uri": "https://idp.example/jwks", "cluster": "idp", "timeout": "1s" } } } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    });
    let worker = Worker::new(&config.to_string());
    worker.host.set_cluster("idp", Cluster::Healthy);
    while worker.vm.callouts().is_empty() {
        worker.host.advance(worker.host.until_next_tick().expect("it ticks")).unwrap();
    }
    worker
}

/// What it costs to take in a set whose first key has a modulus of so many octets.
fn cost_of_modulus(octets: usize) -> u64 {
    let worker = asking(&json!({}));
    // Its first octet and its last one are odd.
    let modulus = format!("x{}F", "V".repeat(octets / 3 * 4 - 2));
    let good = keyring().jwk("p256-1", &[]).unwrap();
    let body = format!(r#"{{"keys":[{{"kty":"RSA","e":"AQAB","n":"{modulus}"}},{good}]}}"#);
    let headers = vec![(b":status".to_vec(), b"200".to_vec())];
    let before = worker.vm.fuel_spent().unwrap();
    for callout in worker.vm.callouts() {
        let body = body.clone().into_bytes();
        worker
            .vm
            .deliver(callout.token, CalloutResult::Response { headers: headers.clone(), body })
            .unwrap();
    }
    worker.vm.fuel_spent().unwrap() - before
}

#[test]
fn a_key_that_is_too_large_is_not_calculated_with() {
    let (largest, too_large) = (cost_of_modulus(510), cost_of_modulus(60_000));
    // It is read, decoded and hashed, which costs some instructions a byte, and no more.
    assert!(
        too_large < largest + 60_000 * 170,
        "{too_large}, and {largest} for the largest that is used"
    );
}

#[test]
fn a_document_beyond_the_limit_is_not_read() {
    let worker = asking(&json!({ "max_jwks_bytes": 10_000 }));
    let before = worker.vm.fuel_spent().unwrap();
    let pages = worker.vm.memory_pages();
    for callout in worker.vm.callouts() {
        let headers = vec![(b":status".to_vec(), b"200".to_vec())];
        let body = vec![b'['; 20 << 20];
        worker.vm.deliver(callout.token, CalloutResult::Response { headers, body }).unwrap();
    }
    let spent = worker.vm.fuel_spent().unwrap() - before;
    assert!(spent < 200_000, "{spent}");
    assert_eq!(worker.vm.memory_pages(), pages);
}
