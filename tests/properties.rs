//! What holds for every token, request and course of events, tried on many at random.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod support;

#[path = "properties/cache.rs"]
mod cache;
#[path = "properties/challenges.rs"]
mod challenges;
#[path = "properties/claims.rs"]
mod claims;
#[path = "properties/headers.rs"]
mod headers;
#[path = "properties/keys.rs"]
mod keys;
#[path = "properties/readings.rs"]
mod readings;
#[path = "properties/revocation.rs"]
mod revocation;
#[path = "properties/tokens.rs"]
mod tokens;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_gate_scenario::{Algorithm, Keyring};
use proptest::test_runner::Config;
use serde_json::Value;

/// The keys of all tests in this file.
static KEYRING: LazyLock<Keyring> = LazyLock::new(Keyring::new);

/// So many cases, and nothing written beside the sources.
fn budget(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_time: 5_000, ..Config::default() }
}

/// A token of these claims, as JSON text.
fn token_of(key: &str, algorithm: Algorithm, payload: &str) -> String {
    let header = serde_json::json!({ "alg": algorithm.name(), "kid": key }).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = KEYRING.sign(key, algorithm, signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token of these claims by a shared secret.
fn token(claims: &Value) -> String {
    token_of("hmac-1", Algorithm::Hs256, &claims.to_string())
}
