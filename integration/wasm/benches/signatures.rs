//! What a request with a token costs the module itself, by algorithm, without the host's help.
//!
//! Run with `cargo bench -p jwt-gate-test-host`. The engine is wasmtime, and hostcalls are the test
//! host's: take the row of HS256 from the others, and what is left is the signature.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "benchmark code")]

#[path = "../tests/support/release.rs"]
mod release;

use divan::Bencher;
use jwt_gate_scenario::Keyring;
use jwt_gate_test_host::{Host, Personality, Request};
use release::module;
use serde_json::json;

const CASES: [&str; 8] = [
    "hmac-1 HS256",
    "rsa-1 RS256",
    "rsa-1 PS256",
    "rsa3072-1 RS256",
    "p256-1 ES256",
    "p384-1 ES384",
    "p521-1 ES512",
    "ed25519-1 EdDSA",
];

fn main() {
    divan::main();
}

#[divan::bench(args = CASES)]
fn request_with_a_token(bencher: Bencher<'_, '_>, case: &str) {
    let (key, algorithm) = case.split_once(' ').unwrap();
    let (host, keyring) = (Host::new(Personality::Nginx), Keyring::new());
    let config = json!({
        "providers": { "p": { "issuer": "https://idp.example",
            "local_jwks": { "inline_string": keyring.jwks(&[key]).unwrap() } } },
        "rules": [ { "match": { "prefix": "/" }, "requires": { "provider_name": "p" } } ],
    });
    let vm = host.vm(module()).unwrap();
    let root = vm.configure(config.to_string().as_bytes()).unwrap().expect("it is good");
    let mut numbers = 0_u64..;
    // Each token is a new one: nothing that was verified before helps.
    let fresh = || {
        let words =
            format!("key={key} alg={algorithm} jti={:?} x={}", numbers.next(), "x".repeat(500));
        let token = keyring.mint(host.now().as_secs(), &words).unwrap();
        Request::get("/").with("authorization", format!("Bearer {token}"))
    };
    bencher.with_inputs(fresh).bench_local_values(|request| vm.request(root, &request).unwrap());
}
