//! What the number of rules costs a request: the look-up alone, a request with a token, and one with
//! a token that has come before.
//!
//! Run with `make bench-core`. Compare the medians within one run; they are of this
//! machine's native code, and the ratios carry over to the module.
#![expect(clippy::unwrap_used, reason = "benchmark code")]

use std::fmt::Write as _;
use std::sync::Arc;

use divan::{Bencher, black_box};
use jwt_gate::cache::TokenCache;
use jwt_gate::gate::{Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::Keyring;

const NOW: u64 = 1_800_000_000;
const RULES: [usize; 3] = [1, 100, 10_000];

fn main() {
    divan::main();
}

/// A gate with so many rules over a tree of services; the last one asks for a token.
fn gate(keyring: &Keyring, rules: usize) -> Gate {
    let jwks = serde_json::to_string(&keyring.jwks(&["hmac-1"]).unwrap()).unwrap();
    let mut text = format!(
        r#"{{"providers": {{"p": {{"issuer": "https://idp.example", "local_jwks": {{"inline_string": {jwks}}}}}}}, "rules": ["#
    );
    for i in 0..rules {
        let (team, service) = (i % 97, i);
        write!(text, r#"{{"match": {{"path_separated_prefix": "/team-{team}/service-{service}"}}, "requires": {{"provider_name": "p"}}}},"#).unwrap();
    }
    text.pop();
    text.push_str("]}");
    let policy = Policy::from_json(text.as_bytes()).unwrap();
    Gate::new(Arc::new(policy), Timestamp::from_secs(NOW))
}

fn path(rules: usize) -> String {
    let last = rules.saturating_sub(1);
    format!("/team-{}/service-{last}/orders/7?page=2", last % 97)
}

/// No token: the rule is found, and the request refused.
#[divan::bench(args = RULES)]
fn look_up(bencher: Bencher<'_, '_>, rules: usize) {
    let (keyring, path) = (Keyring::new(), path(rules));
    let gate = gate(&keyring, rules);
    let request = [(":method", "GET"), (":path", path.as_str())];
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
    bencher.bench(|| {
        let decision = gate.check(moment, &black_box(request.as_slice()), Lent::NOTHING);
        black_box(&decision);
    });
}

/// A token signed with HS256, the cheapest of all signatures.
#[divan::bench(args = RULES)]
fn whole_request(bencher: Bencher<'_, '_>, rules: usize) {
    let (keyring, path) = (Keyring::new(), path(rules));
    let gate = gate(&keyring, rules);
    let token = keyring.mint(NOW, "key=hmac-1").unwrap();
    let value = format!("Bearer {token}");
    let request = [(":method", "GET"), (":path", path.as_str()), ("authorization", value.as_str())];
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
    bencher.bench(|| {
        let decision = gate.check(moment, &black_box(request.as_slice()), Lent::NOTHING);
        black_box(&decision);
    });
}

/// A token that the cache knows: no signature, all the rest.
#[divan::bench(args = RULES)]
fn token_again(bencher: Bencher<'_, '_>, rules: usize) {
    let (keyring, path) = (Keyring::new(), path(rules));
    let gate = gate(&keyring, rules);
    let cache = TokenCache::new(gate.policy(), 1);
    let token = keyring.mint(NOW, "key=hmac-1").unwrap();
    let value = format!("Bearer {token}");
    let request = [(":method", "GET"), (":path", path.as_str()), ("authorization", value.as_str())];
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
    let lent = Lent { cache: Some(&cache), ..Lent::NOTHING };
    bencher.bench_local(|| {
        let decision = gate.check(moment, &black_box(request.as_slice()), lent);
        black_box(&decision);
    });
}
