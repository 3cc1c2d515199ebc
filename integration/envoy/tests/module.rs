//! The module in Envoy, where the scenarios do not reach: forms of the configuration, faults as
//! `--mode validate` shows them, keys that change under load with several workers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Behaviour, Bootstrap, Client, Cluster, Envoy, Error, Filter, Idp, Listener, Module, Options,
    Request, Seen, Upstream,
};
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

const PATH: &str = "/jwks.json";

#[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn policy(remote: &Value) -> Value {
    json!({
        "providers": { "p": { "issuer": "https://idp.example", "audiences": ["api"],
                              "remote_jwks": remote } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    })
}

fn remote() -> Value {
    let uri = format!("http://idp.test{PATH}");
    json!({
        "http_uri": { "uri": uri, "cluster": "idp", "timeout": "1s" },
        "cache_duration": "2s", "min_interval": "1s",
    })
}

fn bootstrap(upstream: &Upstream, idp: &Idp, filter: Filter) -> Bootstrap {
    Bootstrap::new()
        .cluster(Cluster::new("upstream", upstream.address()))
        .cluster(Cluster::new("idp", idp.address()))
        .listener(Listener::new("gate").filter(filter))
}

fn start(bootstrap: &Bootstrap, workers: u32) -> Envoy {
    let mut options = Options::default();
    options.concurrency = workers;
    Envoy::start(bootstrap, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn get(token: &str) -> Request {
    Request::new("GET", "/orders")
        .header("host", "api.example")
        .header("authorization", format!("Bearer {token}").as_bytes())
}

#[test]
fn a_configuration_may_come_as_a_struct() {
    let (upstream, idp, keyring) =
        (Upstream::start().unwrap(), Idp::start().unwrap(), Keyring::new());
    idp.set(PATH, Behaviour::ok(keyring.jwks(&["p256-1"]).unwrap()));
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let filter = Filter::Other(json!({
        "name": "gate",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "vm_config": { "vm_id": "struct", "runtime": "envoy.wasm.runtime.v8",
                               "code": { "local": { "filename": file } } },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.Struct",
                    "value": policy(&remote()),
                },
            },
        },
    }));
    let envoy = start(&bootstrap(&upstream, &idp, filter), 1);
    let client = Client::new(envoy.address("gate").unwrap());
    let good = keyring.mint(now(), "key=p256-1").unwrap();
    let bad = keyring.mint(now(), "key=p256-1 sign=broken").unwrap();
    assert_eq!(client.send(&get(&good)).unwrap().status, 200);
    assert_eq!(client.send(&get(&bad)).unwrap().status, 401);
}

#[test]
fn validating_a_bootstrap_shows_every_fault_of_the_policy() {
    let (upstream, idp) = (Upstream::start().unwrap(), Idp::start().unwrap());
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let mut faulty = policy(&json!({}));
    *faulty.pointer_mut("/rules/0/requires").unwrap() = json!({ "provider": "p" });
    let filter = Filter::Wasm(Module::new("gate", &file, faulty.to_string()));
    let refused = Envoy::validate(&bootstrap(&upstream, &idp, filter));
    let Err(Error::Refused { log }) = refused else { panic!("{refused:?}") };
    let log = format!("{log:?}");
    for fault in [
        "providers.p.remote_jwks.http_uri: is required",
        "rules[0].requires: unknown field `provider`; did you mean",
    ] {
        assert!(log.contains(fault), "{fault}: {log}");
    }
}

/// The set always has the key in use and the next one, as identity providers publish them.
#[test]
fn keys_that_change_under_load_cost_no_wrong_verdict() {
    const WORKERS: u32 = 4;
    const ROUNDS: usize = 4;
    let (upstream, idp, keyring) =
        (Upstream::start().unwrap(), Idp::start().unwrap(), Keyring::new());
    let names: Vec<String> = (0..=ROUNDS).map(|i| format!("p256-{i}")).collect();
    let publish = |round: usize| {
        let set: Vec<&str> = names.iter().skip(round).take(2).map(String::as_str).collect();
        idp.set(PATH, Behaviour::ok(keyring.jwks(&set).unwrap()));
    };
    publish(0);
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let filter = Filter::Wasm(Module::new("gate", &file, policy(&remote()).to_string()));
    let envoy = start(&bootstrap(&upstream, &idp, filter), WORKERS);
    let client = Client::new(envoy.address("gate").unwrap());
    let (done, sent, wrong) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let current = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let key = current.load(Ordering::Relaxed);
                    let good = keyring.mint(now(), &format!("key=p256-{key}")).unwrap();
                    let bad = keyring.mint(now(), &format!("key=p256-{key} sign=broken")).unwrap();
                    for (token, expected) in [(good, 200), (bad, 401)] {
                        let came = client.send(&get(&token)).unwrap().status;
                        sent.fetch_add(1, Ordering::Relaxed);
                        wrong.fetch_add(u64::from(came != expected), Ordering::Relaxed);
                    }
                }
            });
        }
        for round in 0..ROUNDS {
            publish(round);
            thread::sleep(Duration::from_millis(2_500));
            current.store(u64::try_from(round.saturating_add(1)).unwrap(), Ordering::Relaxed);
        }
        done.store(true, Ordering::Relaxed);
    });
    let (sent, fetches) = (sent.into_inner(), idp.requests(PATH));
    println!("{sent} requests, {fetches} fetches by {WORKERS} workers in 10 s");
    assert_eq!(wrong.into_inner(), 0, "of {sent}");
    assert!(sent > 100 && fetches <= 12, "{sent} requests, {fetches} fetches");
}

/// With and without `allow_on_headers_stop_iteration`, which lets bodies come while headers wait.
#[test]
fn a_held_request_waits_whole_and_one_whose_client_has_left_harms_nobody() {
    const HELD: &str = "wasmcustom.jwt_gate.held";
    let (upstream, idp, keyring) =
        (Upstream::start().unwrap(), Idp::start().unwrap(), Keyring::new());
    let keys = Behaviour::ok(keyring.jwks(&["p256-1"]).unwrap());
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let mut remote = remote();
    remote["http_uri"]["timeout"] = json!("20s");
    for allowed in [false, true] {
        let (answers, question) = (Arc::new(AtomicBool::new(false)), keys.clone());
        let answering = Arc::clone(&answers);
        idp.serve(PATH, move |_| {
            while !answering.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            question.clone()
        });
        let module = Module::new("gate", &file, policy(&remote).to_string());
        let filter = Filter::Wasm(module.stop_iteration(allowed));
        let envoy = start(&bootstrap(&upstream, &idp, filter), 2);
        let address = envoy.address("gate").unwrap();
        let post = |words: &str| {
            let token = keyring.mint(now(), words).unwrap();
            let request = Request::new("POST", "/orders").header("host", "api.example");
            request.header("authorization", format!("Bearer {token}")).body("four")
        };
        let client = Client::new(address);
        let impatient = client.with_patience(Duration::from_millis(50));
        let (left, good, bad) = thread::scope(|scope| {
            let left = scope.spawn(|| impatient.send(&post("key=p256-1")));
            let good = scope.spawn(|| client.send(&post("key=p256-1")));
            let bad = scope.spawn(|| client.send(&post("key=p256-1 sign=broken")));
            while !left.is_finished() || envoy.counter(HELD).unwrap() < 3 {
                thread::sleep(Duration::from_millis(5));
            }
            answers.store(true, Ordering::SeqCst);
            (left.join().unwrap(), good.join().unwrap(), bad.join().unwrap())
        });
        assert!(left.is_err(), "{allowed}: nobody was held: {left:?}");
        let seen = Seen::from_answer(&good.unwrap());
        assert_eq!(seen.map(|seen| seen.body), Some("four".to_owned()), "{allowed}");
        assert_eq!(bad.unwrap().status, 401, "{allowed}");
        assert_eq!(client.send(&post("key=p256-1")).unwrap().status, 200, "{allowed}");
    }
}
