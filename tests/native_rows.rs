//! Each row of the native filter's behaviour names what shows it here, and that is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jwt_gate_scenario::Suite;
use serde::Deserialize;

/// How many rows each part has.
const PARTS: [(&str, usize); 7] =
    [("X", 31), ("C", 28), ("K", 32), ("Q", 20), ("R", 18), ("O", 11), ("J", 17)];

/// A row, and what shows it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What is sent, in short.
    request: String,
    /// A scenario's name.
    scenario: Option<String>,
    /// A file and a function in it.
    test: Option<String>,
    /// Why ours does otherwise.
    differs: Option<String>,
}

#[test]
fn every_row_of_the_native_filter_names_what_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("tests/native_rows.toml")).unwrap();
    let rows: BTreeMap<String, Row> = toml::from_str(&text).unwrap();
    let suite = Suite::load(&root.join("tests/scenarios")).unwrap();
    let names: BTreeSet<&str> = suite.iter().map(jwt_gate_scenario::Scenario::name).collect();
    let mut wrong = Vec::new();
    let ids =
        PARTS.iter().flat_map(|(part, count)| (1..=*count).map(move |i| format!("{part}{i}")));
    let ids: BTreeSet<String> = ids.collect();
    wrong.extend(
        ids.iter().filter(|id| !rows.contains_key(*id)).map(|id| format!("{id}: is lacking")),
    );
    for (id, row) in &rows {
        let is_there = match (&row.scenario, &row.test) {
            (Some(name), None) => names.contains(name.as_str()),
            (None, Some(test)) => has_function(root, test),
            (Some(_), Some(_)) | (None, None) => false,
        };
        let empty = row.request.is_empty() || row.differs.as_ref().is_some_and(String::is_empty);
        if !is_there || empty || !ids.contains(id) {
            wrong.push(format!("{id}: {row:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn has_function(root: &Path, test: &str) -> bool {
    let Some((file, function)) = test.split_once("::") else { return false };
    let text = fs::read_to_string(root.join(file)).unwrap_or_default();
    text.contains(&format!("fn {function}()"))
}
