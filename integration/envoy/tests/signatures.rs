//! Forged signatures in real Envoy, verified by its own cryptography and by the module's: one
//! verdict.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::{SystemTime, UNIX_EPOCH};

use jwt_gate_envoy::{
    Bootstrap, Client, Cluster, Envoy, Filter, Listener, Module, Options, Request, Upstream,
};
use jwt_gate_scenario::{Keyring, forgeries};
use serde_json::json;

#[expect(clippy::disallowed_methods, reason = "Envoy takes its time from the same clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_forgery_has_one_verdict_whoever_verifies() {
    let (upstream, keyring) = (Upstream::start().unwrap(), Keyring::new());
    let file = Envoy::module().unwrap_or_else(|error| panic!("{error}"));
    let forgeries = forgeries(&keyring, now()).unwrap();
    let gate = |name: &str, host_crypto: bool| {
        let policy = json!({
            "host_crypto": host_crypto,
            "providers": { "p": { "issuer": "https://idp.example", "local_jwks": {
                "inline_string": forgeries.jwks } } },
            "rules": [ { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ],
        });
        let module = Module::new(name, &file, policy.to_string());
        Listener::new(name).filter(Filter::Wasm(module))
    };
    let bootstrap = Bootstrap::new()
        .cluster(Cluster::new("upstream", upstream.address()))
        .listener(gate("envoys", true))
        .listener(gate("modules", false));
    let envoy = Envoy::start(&bootstrap, &Options::default());
    let envoy = envoy.unwrap_or_else(|error| panic!("{error}"));
    let log = envoy.log_since(0);
    for who in ["verifies RS256 RS384 RS512 ES256 ES384 ES512", "verifies no signatures"] {
        assert!(log.iter().any(|line| line.contains(who)), "{who}: {log:#?}");
    }
    let cases = &forgeries.cases;
    assert!(cases.len() > 200, "{}", cases.len());
    for listener in ["envoys", "modules"] {
        let client = Client::new(envoy.address(listener).unwrap());
        for case in cases {
            let bearer = format!("Bearer {}", case.token);
            let request = Request::new("GET", "/")
                .header("host", "api.example")
                .header("authorization", bearer.as_bytes());
            let status = client.send(&request).unwrap().status;
            let expected = if case.good { 200 } else { 401 };
            assert_eq!(status, expected, "{listener}: {}", case.label);
        }
    }
}
