use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jwt_gate::gate::{Decision, Gate, Lent, Moment};
use jwt_gate::time::Timestamp;
use jwt_gate_scenario::{Expansion, Keyring};
use serde::Deserialize;

use super::*;

const NOW: u64 = 1_800_000_000;

/// A configuration of another gateway, and what becomes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What it is expected to be taken for.
    format: String,
    /// The configuration; `${jwks p256-1}` and the like are keys.
    source: String,
    /// Notes as `kind: place: what`, of each the beginning; all of them.
    #[serde(default)]
    notes: Vec<String>,
    /// Members of the policy, by JSON pointer, as JSON.
    #[serde(default)]
    policy: std::collections::BTreeMap<String, String>,
    /// Requests: method, URL without scheme, token (`-`: none) and whether it passes, as the source would decide.
    #[serde(default)]
    requests: Vec<(String, String, String, bool)>,
}

#[derive(Debug, Deserialize)]
struct Cases {
    case: Vec<Case>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate")
}

fn cases() -> Vec<(String, Case)> {
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let read = |file: PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        cases.case.into_iter().map(move |case| (name.clone(), case))
    };
    files.into_iter().flat_map(read).collect()
}

/// Whether the core lets a request pass.
fn passes(policy: &str, keyring: &Keyring, request: &(String, String, String, bool)) -> bool {
    let (method, url, token, _) = request;
    let (host, path) = url.split_once('/').unwrap();
    let mut view = vec![
        (b":method".to_vec(), method.as_bytes().to_vec()),
        (b":path".to_vec(), format!("/{path}").into_bytes()),
        (b":authority".to_vec(), host.as_bytes().to_vec()),
    ];
    if token != "-" {
        let words = format!("key=p256-1 {token}");
        let token = keyring.mint(NOW, &words).unwrap();
        view.push((b"authorization".to_vec(), format!("Bearer {token}").into_bytes()));
    }
    let policy = Policy::from_json(policy.as_bytes()).unwrap();
    let now = Timestamp::from_secs(NOW);
    let gate = Gate::new(Arc::new(policy), now);
    let moment = Moment { now, may_wait: false };
    matches!(gate.check(moment, &&*view, Lent::NOTHING), Decision::Allow(_))
}

/// What is not as the case says.
fn problems(case: &Case, keyring: &Keyring, key_file: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let source = Expansion::new(keyring, "").text(&case.source).unwrap();
    let source = source.replace("KEYFILE", key_file);
    let migrated = migrate(&[Source::of(&source)], None);
    let format = serde_json::to_value(migrated.from).unwrap();
    if format != case.format.as_str() {
        problems.push(format!("taken for {format}"));
    }
    let notes = migrated.notes.iter();
    let notes: Vec<_> =
        notes.map(|n| format!("{}: {}: {}", n.kind.name(), n.place, n.what)).collect();
    let is_told = notes.len() == case.notes.len()
        && notes.iter().zip(&case.notes).all(|(came, wanted)| came.starts_with(wanted.as_str()));
    if !is_told {
        problems.push(format!("notes: {notes:#?}"));
    }
    let is_refused = notes.iter().any(|note| note.starts_with("fault"));
    let Some(policy) = &migrated.policy else {
        if !is_refused {
            problems.push("no policy".to_owned());
        }
        return problems;
    };
    for (pointer, wanted) in &case.policy {
        let wanted: Value = serde_json::from_str(wanted).unwrap();
        let came = policy.pointer(pointer).cloned().unwrap_or_default();
        if came != wanted {
            problems.push(format!("{pointer}: {came}"));
        }
    }
    let text = write::written(policy);
    for request in &case.requests {
        if passes(&text, keyring, request) != request.3 {
            problems.push(format!("{request:?} is decided otherwise\n{text}"));
        }
    }
    problems
}

#[test]
fn every_case_becomes_what_it_says() {
    let keyring = Keyring::new();
    let key_file = std::env::temp_dir().join(format!("jwt-gate-{}.json", std::process::id()));
    fs::write(&key_file, keyring.jwks(&["p256-1"]).unwrap()).unwrap();
    let mut failed = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 30, "{}", cases.len());
    for (file, case) in cases {
        let problems = problems(&case, &keyring, &key_file.to_string_lossy());
        if !problems.is_empty() {
            failed.push(format!("{file}: {}:\n  {}", case.name, problems.join("\n  ")));
        }
    }
    _ = fs::remove_file(key_file);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
