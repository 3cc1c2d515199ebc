//! What is explained, and what is not told.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use jwt_gate_scenario::Keyring;
use serde_json::{Value, json};

use crate::Ending;
use crate::tests::played;

const NOW: u64 = 1_800_000_000;

fn policy() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/command/orders.yaml");
    path.display().to_string()
}

/// A file with the keys, and a token for the policy by one of them.
fn keys_and_token(test: &str) -> (PathBuf, String) {
    let keyring = Keyring::new();
    let path = env::temp_dir().join(format!("jwt-gate-{test}-{}.json", process::id()));
    fs::write(&path, keyring.jwks(&["p256-1"]).unwrap()).unwrap();
    let words = "key=p256-1 iss=https://idp.example aud=orders scope=orders:read";
    (path, keyring.mint(NOW, words).unwrap())
}

fn explained(form: &[&str], arguments: &[&str]) -> (Ending, String) {
    let (policy, now) = (policy(), NOW.to_string());
    let fixed = ["jwt-gate", "explain", &policy, "--request", "GET /orders/7", "--now", &now];
    played(&[&fixed, form, arguments].concat()).unwrap()
}

#[test]
fn a_tokens_signature_is_never_printed() {
    let (path, token) = keys_and_token("signature");
    let signature = token.rsplit('.').next().unwrap();
    let keys = path.display().to_string();
    let forms: [&[&str]; 2] = [&[], &["--json"]];
    let given: [&[&str]; 2] = [&["--jwks", &keys], &[]];
    for form in forms {
        for keys in given {
            let (_, text) = explained(form, &[keys, &["--token", &token]].concat());
            assert!(text.contains("orders:read"), "{text}");
            assert!(!text.contains(signature), "{text}");
        }
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn the_decision_is_told_in_json_with_rule_status_and_reason() {
    let (path, token) = keys_and_token("json");
    let keys = format!("idp={}", path.display());
    let told = |arguments: &[&str]| {
        let (ending, text) = explained(&["--json"], arguments);
        let mut told: Value = serde_json::from_str(&text).unwrap();
        let state = told["tree"]["state"].take();
        (ending, told["decision"].take(), told["status"].take(), told["reason"].take(), state)
    };
    let good = ["--jwks", &keys, "--token", &token];
    let allowed = (Ending::Good, json!("allow"), Value::Null, Value::Null, json!(true));
    assert_eq!(told(&good), allowed);
    let unexpected = (Ending::Faults, json!("allow"), Value::Null, Value::Null, json!(true));
    assert_eq!(told(&[&good[..], &["--expect", "deny"]].concat()), unexpected);
    let missing = (json!("deny"), json!(401), json!("no token"), json!(false));
    let (decision, status, reason, state) = missing;
    assert_eq!(told(&[]), (Ending::Faults, decision, status, reason, state));
    let why = json!("keys of the provider are unavailable");
    let lacking = (Ending::Good, json!("deny"), json!(503), why, json!(false));
    assert_eq!(told(&["--token", &token, "--expect", "deny"]), lacking);
    fs::remove_file(path).unwrap();
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let policy = policy();
    let rows: [(&[&str], &str); 5] = [
        (&["--request", "/orders"], "--request must be a method and a target"),
        (&["--request", "GET orders"], "--request must be a method and a target"),
        (&["--request", "GET /", "--header", "x"], "--header must be a name and a value"),
        (&["--request", "GET /", "--jwks", "/none"], "/none: No such file"),
        (&["--request", "GET /", "--jwks", "ipd=/none"], "--jwks: `ipd` is no provider"),
    ];
    for (arguments, expected) in rows {
        let arguments = [&["jwt-gate", "explain", &policy], arguments].concat();
        let error = played(&arguments).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
