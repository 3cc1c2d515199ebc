//! What the length of a list of revoked tokens costs a request.
//!
//! Run with `cargo bench --bench revocation`. Compare the medians within one run.
#![expect(clippy::unwrap_used, reason = "benchmark code")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::policy::Policy;
use jwt_gate::revocation::RevocationList;
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::Keyring;

const NOW: u64 = 1_800_000_000;
const ENTRIES: [usize; 3] = [10, 1_000, 100_000];

fn main() {
    divan::main();
}

/// A list of so many entries about tokens, subjects and sessions.
fn list(entries: usize) -> RevocationList {
    let names = ["jti", "sub", "sid"].into_iter().cycle();
    let entry = |(i, name)| format!(r#"{{"{name}": "someone-{i}"}}"#);
    let entries: Vec<_> = (0..entries).zip(names).map(entry).collect();
    let text = format!(r#"{{"revoked": [{}]}}"#, entries.join(","));
    RevocationList::from_json(text.as_bytes(), usize::MAX, 64).unwrap()
}

/// A token that has all three and is not among them.
#[divan::bench(args = ENTRIES)]
fn look_up(bencher: Bencher<'_, '_>, entries: usize) {
    let keyring = Keyring::new();
    let jwks = serde_json::to_string(&keyring.jwks(&["hmac-1"]).unwrap()).unwrap();
    let text = format!(
        r#"{{"providers": {{"p": {{"local_jwks": {{"inline_string": {jwks}}}}}}},
            "rules": [{{"match": {{"prefix": "/"}}, "requires": {{"provider_name": "p"}}}}]}}"#
    );
    let policy = Policy::from_json(text.as_bytes()).unwrap();
    let gate = Gate::new(Arc::new(policy), Timestamp::from_secs(NOW));
    let token = keyring.mint(NOW, "key=hmac-1 jti=some-token sid=some-session").unwrap();
    let value = format!("Bearer {token}");
    let request = [(":method", "GET"), (":path", "/"), ("authorization", value.as_str())];
    let moment = Moment { now: Timestamp::from_secs(NOW), may_wait: false };
    let Decision::Allow(permit) = gate.check(moment, &request.as_slice(), Lent::NOTHING) else {
        return;
    };
    let list = list(entries);
    bencher.bench(|| black_box(permit.accepted().iter().any(|a| list.revokes(&a.token))));
}
