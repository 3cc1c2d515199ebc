//! What a decision allocates, counted. The module allocates the same and, beside it, a buffer for
//! each value that the host hands over and the stream's context.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::sync::Arc;

use allocation_counter::measure;
use jwt_gate::cache::TokenCache;
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

/// Allocations of the second request with one token: of the check and of what follows from it.
fn second_time(provider: &Value, authorize: Option<Value>) -> u64 {
    let keyring = Keyring::new();
    let jwks = keyring.jwks(&["hmac-1"]).unwrap();
    let mut config = json!({
        "providers": { "p": { "issuer": "https://idp.example", "local_jwks": { "inline_string": jwks } } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" } }],
    });
    let members = provider.as_object().unwrap().clone();
    config["providers"]["p"].as_object_mut().unwrap().extend(members);
    if let Some(condition) = authorize {
        config["rules"][0]["authorize"] = condition;
    }
    let policy = Arc::new(Policy::from_json(config.to_string().as_bytes()).unwrap());
    let cache = TokenCache::new(&policy, 1);
    let gate = Gate::new(policy, Timestamp::from_secs(NOW));
    let token = keyring.mint(NOW, "key=hmac-1 scope=\"read write\" sub=alice").unwrap();
    let value = format!("Bearer {token}");
    let request: &[_] =
        &[(":method", "GET"), (":path", "/orders/7?page=2"), ("authorization", value.as_str())];
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
    let lent = Lent { cache: Some(&cache), ..Lent::NOTHING };
    let mut passed = 0;
    let mut ask = || {
        if let Decision::Allow(permit) = gate.check(moment, &request, lent) {
            let _ = gate.permit(moment.now, &request, &permit);
            passed += 1;
        }
    };
    ask();
    let counted = measure(&mut ask);
    assert_eq!(passed, 2, "the token is good");
    counted.count_total
}

#[test]
fn a_token_that_comes_again_costs_few_allocations() {
    assert_eq!(second_time(&json!({}), None), 2, "the list of tokens, and that of changes");
    let header = json!({ "claim_to_headers": [{ "header_name": "x-sub", "claim_name": "sub" }] });
    assert!(second_time(&header, None) <= 8);
    let scopes = json!({ "scopes": ["read", "write"] });
    assert!(second_time(&json!({}), Some(scopes)) <= 8);
}
