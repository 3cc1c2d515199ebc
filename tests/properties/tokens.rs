//! Tokens: changed, reordered, grown old.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_gate_scenario::Algorithm;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use jwt_gate::gate::Gate;

use super::support::{Lines, NOW, check, gate, request};
use super::{KEYRING, budget, token, token_of};

/// Every algorithm, and a key for it.
const ALGORITHMS: [(Algorithm, &str); 14] = [
    (Algorithm::Rs256, "rsa-1"),
    (Algorithm::Rs384, "rsa-1"),
    (Algorithm::Rs512, "rsa-1"),
    (Algorithm::Ps256, "rsa-1"),
    (Algorithm::Ps384, "rsa-1"),
    (Algorithm::Ps512, "rsa-1"),
    (Algorithm::Es256, "p256-1"),
    (Algorithm::Es384, "p384-1"),
    (Algorithm::Es512, "p521-1"),
    (Algorithm::EdDsa, "ed25519-1"),
    (Algorithm::Ed25519, "ed25519-1"),
    (Algorithm::Hs256, "hmac-1"),
    (Algorithm::Hs384, "hmac-1"),
    (Algorithm::Hs512, "hmac-1"),
];

fn gate_for(keys: &Value) -> Gate {
    gate(&json!({
        "providers": { "p": {
            "local_jwks": { "inline_string": json!({ "keys": keys }).to_string() },
            "audiences": ["api"],
        } },
        "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "p" },
            "authorize": { "scopes": ["read"] } }],
    }))
    .unwrap()
}

fn all_keys() -> Vec<Value> {
    let names = ["rsa-1", "p256-1", "p384-1", "p521-1", "ed25519-1", "hmac-1"];
    names.iter().map(|name| KEYRING.jwk(name, &[]).unwrap()).collect()
}

fn claims() -> Value {
    json!({ "exp": NOW + 60, "aud": "api", "scope": "read", "sub": "alice" })
}

/// A request with these bytes behind the scheme.
fn bearer(token: &[u8]) -> Lines {
    let mut lines = request("/", &[]);
    lines.push((b"authorization".to_vec(), [b"Bearer ".as_slice(), token].concat()));
    lines
}

fn passes(gate: &Gate, token: &[u8]) -> bool {
    check(gate, NOW, &bearer(token)).is_ok()
}

fn flipped(token: &str, at: usize, bit: u8) -> Vec<u8> {
    let mut bytes = token.as_bytes().to_vec();
    bytes[at] ^= 1 << bit;
    bytes
}

fn without(token: &str, at: usize) -> Vec<u8> {
    let mut bytes = token.as_bytes().to_vec();
    bytes.remove(at);
    bytes
}

#[test]
fn no_bit_and_no_character_of_a_token_is_without_meaning() {
    let gate = gate_for(&json!([KEYRING.jwk("hmac-1", &[]).unwrap()]));
    let token = token(&claims());
    assert!(passes(&gate, token.as_bytes()));
    for at in 0..token.len() {
        assert!(!passes(&gate, &without(&token, at)), "{at} left out");
        for bit in 0..8 {
            assert!(!passes(&gate, &flipped(&token, at, bit)), "bit {bit} of {at} flipped");
        }
    }
}

proptest! {
    #![proptest_config(budget(256))]

    #[test]
    fn a_changed_token_is_refused_whatever_its_algorithm(at in any::<Index>(), bit in 0..8u8) {
        let gate = gate_for(&all_keys().into());
        for (algorithm, key) in ALGORITHMS.iter().skip(at.index(7)).step_by(7) {
            let token = token_of(key, *algorithm, &claims().to_string());
            let at = at.index(token.len());
            prop_assert!(passes(&gate, token.as_bytes()), "{algorithm:?}");
            prop_assert!(!passes(&gate, &flipped(&token, at, bit)), "{algorithm:?} {at} {bit}");
            prop_assert!(!passes(&gate, &without(&token, at)), "{algorithm:?} {at}");
        }
    }

    #[test]
    fn a_signature_is_good_for_its_own_algorithm_only(one in 0..14usize, other in 0..14usize) {
        let (algorithm, key) = ALGORITHMS[one];
        let (named, _) = ALGORITHMS[other];
        let header = json!({ "alg": named.name() }).to_string();
        let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
        let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
        let signature = KEYRING.sign(key, algorithm, signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let same = |a: Algorithm| if a == Algorithm::Ed25519 { "EdDSA" } else { a.name() };
        let gate = gate_for(&json!([KEYRING.jwk(key, &[]).unwrap()]));
        prop_assert_eq!(passes(&gate, token.as_bytes()), same(algorithm) == same(named));
    }

    #[test]
    fn the_order_of_keys_does_not_matter(
        order in Just([0, 1, 2, 3]).prop_shuffle(), signer in 0..5usize, kid in any::<bool>(),
    ) {
        let names = ["hmac-1", "hmac-2", "p256-1", "ed25519-1", "hmac-3"];
        let keys: Vec<Value> =
            order.iter().map(|at| KEYRING.jwk(names[*at], &[]).unwrap()).collect();
        let algorithm = match names[signer] {
            "p256-1" => Algorithm::Es256,
            "ed25519-1" => Algorithm::EdDsa,
            _ => Algorithm::Hs256,
        };
        let mut header = json!({ "alg": algorithm.name() });
        if kid {
            header["kid"] = names[signer].into();
        }
        let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
        let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let signature = KEYRING.sign(names[signer], algorithm, signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        prop_assert_eq!(passes(&gate_for(&keys.into()), token.as_bytes()), signer < 4);
    }

    #[test]
    fn the_order_of_claims_does_not_matter(order in Just([0, 1, 2, 3, 4]).prop_shuffle()) {
        let exp = format!(r#""exp":{}"#, NOW + 60);
        let members =
            [exp.as_str(), r#""aud":["x","api"]"#, r#""scope":"read"#, r#""n":{"b":1,"a":2}"#, r#""iat":1"#];
        let mut members = members.map(str::to_owned);
        members[2].push('"');
        let payload = format!("{{{}}}", order.map(|at| members[at].clone()).join(","));
        let gate = gate_for(&json!([KEYRING.jwk("hmac-1", &[]).unwrap()]));
        prop_assert!(passes(&gate, token_of("hmac-1", Algorithm::Hs256, &payload).as_bytes()));
    }

    #[test]
    fn the_order_of_headers_does_not_matter(
        order in Just([0, 1, 2, 3, 4, 5, 6]).prop_shuffle(), good in any::<bool>(),
    ) {
        let gate = gate_for(&json!([KEYRING.jwk("hmac-1", &[]).unwrap()]));
        let mut token = token(&claims());
        if !good {
            token.pop();
        }
        let mut lines = bearer(token.as_bytes());
        lines.push((b"cookie".to_vec(), b"access_token=x".to_vec()));
        lines.push((b"x-jwt".to_vec(), token.into_bytes()));
        let expected = check(&gate, NOW, &lines);
        let shuffled: Lines = order.iter().map(|at| lines[*at].clone()).collect();
        prop_assert_eq!(check(&gate, NOW, &shuffled), expected);
    }

    #[test]
    fn what_has_expired_stays_refused(
        exp in 0..2 * NOW, fraction in any::<bool>(), steps in prop::collection::vec(0..1_000_000u64, 1..20),
    ) {
        let gate = gate_for(&json!([KEYRING.jwk("hmac-1", &[]).unwrap()]));
        let mut claims = claims();
        let half = if fraction { ".5" } else { "" };
        claims["exp"] = serde_json::from_str(&format!("{exp}{half}")).unwrap();
        let lines = bearer(token(&claims).as_bytes());
        let mut now = exp.saturating_sub(500_000);
        let mut expired = false;
        for step in steps {
            now += step;
            let passes = check(&gate, now, &lines).is_ok();
            prop_assert!(!(passes && expired), "{now}");
            prop_assert_eq!(passes, now <= exp + 60, "{}", now);
            expired |= !passes;
        }
    }
}
