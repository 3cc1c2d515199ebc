//! Paths, and what servers make of them: no reading of a path leads past a rule.

use serde_json::json;

use jwt_gate::gate::Gate;
use jwt_gate::policy::path::{Readings, Target};

use super::cases;
use super::support::{NOW, check, gate, request};

/// A gate that asks for a token below `protected`, and lets everything else through.
fn open_but(protected: &str) -> Gate {
    let key = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let config = json!({
        "providers": { "p": { "local_jwks": { "inline_string": key } } },
        "rules": [
            { "match": { "prefix": protected }, "requires": { "provider_name": "p" } },
            { "match": { "prefix": "" } },
        ],
    });
    gate(&config).unwrap()
}

/// Whether a request for `path` passes without a token.
fn passes(gate: &Gate, path: &str) -> bool {
    check(gate, NOW, &request(path, &[])).is_ok()
}

/// Prefixes under which a server may keep what it serves as `path`: itself and each directory.
fn prefixes(path: &str) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let ends = path.match_indices('/').skip(1).map(|(at, _)| at);
    let mut prefixes: Vec<String> =
        ends.filter_map(|at| path.get(..at)).map(str::to_owned).collect();
    prefixes.push(path.to_owned());
    // A rule for a path that has no plain spelling names what no two servers read alike.
    let plain = |prefix: &String| Target::new(prefix.as_bytes()).readings() == Readings::Plain;
    prefixes.retain(|prefix| prefix.len() > 1 && plain(prefix));
    prefixes
}

#[test]
fn no_reading_of_a_published_path_leads_past_a_rule() {
    let Some(cases) = cases("path_cases.jsonl") else { return };
    let (mut rules, mut wrong) = (0, Vec::new());
    for case in &cases {
        let (Some(path), Some(read)) = (case["in"].as_str(), case["out"].as_str()) else {
            continue;
        };
        for prefix in prefixes(read) {
            rules += 1;
            if passes(&open_but(&prefix), path) {
                wrong.push(format!(
                    "{} {} {path:?} as {read:?} past {prefix:?}",
                    case["id"], case["op"]
                ));
            }
        }
    }
    println!("path_cases.jsonl: {} cases, {rules} rules", cases.len());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_published_path_that_nobody_reads_passes_nowhere() {
    let Some(cases) = cases("path_cases.jsonl") else { return };
    let gate = open_but("/protected");
    let mut refused = 0;
    for case in cases.iter().filter(|case| case["out"].is_null()) {
        let path = case["in"].as_str().unwrap();
        assert!(!passes(&gate, path), "{path:?}");
        refused += 1;
    }
    println!("path_cases.jsonl: {refused} paths that nobody reads");
}

#[test]
fn a_published_target_is_split_where_others_split_it() {
    let Some(cases) = cases("path_cases.jsonl") else { return };
    let mut split = 0;
    for case in cases.iter().filter(|case| case["op"] == "strip_query_fragment") {
        let target = case["in"].as_str().unwrap();
        assert_eq!(Target::new(target.as_bytes()).path(), case["out"].as_str().unwrap().as_bytes());
        split += 1;
    }
    println!("path_cases.jsonl: {split} targets");
}
