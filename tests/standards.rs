//! What standards demand and what attackers tried: each names what shows it, and that is there.
//!
//! `docs/conformance.md` and the summary in `SECURITY.md` are made from the two lists, by
//! `STANDARDS=write cargo test --test standards`.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "test code")]

#[path = "standards/guarantees.rs"]
mod guarantees;
#[path = "standards/page.rs"]
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use jwt_gate_scenario::{Level, Scenario, Suite};
use serde::Deserialize;

/// How many demands each part has.
const DEMANDS: [(&str, usize); 6] =
    [("J", 19), ("E", 3), ("K", 20), ("C", 16), ("P", 14), ("H", 19)];

/// The attacks of each part, first and last.
const ATTACKS: [(usize, usize); 8] =
    [(1, 12), (20, 32), (40, 52), (60, 68), (70, 82), (90, 97), (100, 109), (110, 118)];

/// A demand or an attack, and what shows how it fares here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What is demanded.
    says: Option<String>,
    /// Where.
    of: Option<String>,
    /// How strongly.
    level: Option<Strength>,
    /// What is attacked, and how.
    attack: Option<String>,
    /// Advisories about others.
    #[serde(default)]
    known: Vec<String>,
    /// Scenarios, and tests as `file::function`.
    #[serde(default)]
    shown: Vec<String>,
    /// Why it does not show in the core, in the module and in Envoy.
    levels: Option<String>,
    /// Why there is nothing to show.
    not_here: Option<String>,
}

/// The words of RFC 2119, and ours where a standard leaves the choice.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
enum Strength {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "OURS")]
    Ours,
}

/// A letter and a number.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Id(String, usize);

impl Id {
    fn parse(text: &str) -> Self {
        let at = text.find(|c: char| c.is_ascii_digit()).unwrap();
        let (letter, number) = text.split_at(at);
        Self(letter.to_owned(), number.parse().unwrap())
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:02}", self.0, self.1)
    }
}

type Rows = BTreeMap<Id, Row>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rows(file: &str) -> Rows {
    let text = fs::read_to_string(root().join("tests/standards").join(file)).unwrap();
    let rows: BTreeMap<String, Row> = toml::from_str(&text).unwrap();
    rows.into_iter().map(|(id, row)| (Id::parse(&id), row)).collect()
}

fn scenarios() -> Vec<Scenario> {
    Suite::load(&root().join("tests/scenarios")).unwrap()
}

/// Whether a test of this name is there, as `file::function`.
fn is_test(test: &str) -> bool {
    let Some((file, function)) = test.split_once("::") else { return false };
    let text = fs::read_to_string(root().join(file)).unwrap_or_default();
    text.contains(&format!("fn {function}("))
}

/// Whether the scenario runs in the core, in the module and in Envoy, which has no time to wait.
fn runs_everywhere(scenario: &Scenario) -> bool {
    let skipped = [Level::Core, Level::Module, Level::Envoy].map(|l| scenario.skipped_at(l));
    skipped.iter().all(Option::is_none) && scenario.wait() <= Duration::from_secs(5)
}

/// What is wrong with a row of either list.
fn fault(row: &Row, scenarios: &[Scenario]) -> Option<String> {
    let named = |name: &str| scenarios.iter().any(|scenario| scenario.name() == name);
    let lost = row.shown.iter().find(|shown| !named(shown) && !is_test(shown));
    match (&row.not_here, lost) {
        (_, Some(lost)) => Some(format!("there is no `{lost}`")),
        (None, None) if row.shown.is_empty() => Some("nothing shows it".to_owned()),
        (Some(why), None) if why.is_empty() || !row.shown.is_empty() => {
            Some("either it is shown, or `not_here` says why not".to_owned())
        }
        (Some(_) | None, None) => None,
    }
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_demand_of_a_standard_names_what_shows_it() {
    let (rows, scenarios) = (rows("requirements.toml"), scenarios());
    let expected = DEMANDS
        .iter()
        .flat_map(|(part, count)| (1..=*count).map(|number| Id((*part).to_owned(), number)));
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    assert_eq!(rows.keys().cloned().collect::<Vec<_>>(), expected);
    let wrong = rows.iter().filter_map(|(id, row)| {
        let whole = row.says.is_some() && row.of.is_some() && row.level.is_some();
        let fault = if whole && row.attack.is_none() && row.known.is_empty() {
            fault(row, &scenarios)
        } else {
            Some("`says`, `of` and `level` are needed, and nothing of an attack".to_owned())
        };
        fault.map(|fault| format!("{id}: {fault}"))
    });
    none(&wrong.collect::<Vec<_>>());
}

#[test]
fn every_attack_names_what_shows_that_it_fails_at_each_level() {
    let (rows, scenarios) = (rows("attacks.toml"), scenarios());
    let expected = ATTACKS.iter().flat_map(|(first, last)| *first..=*last);
    let expected: Vec<_> = expected.map(|number| Id("A".to_owned(), number)).collect();
    assert_eq!(rows.keys().cloned().collect::<Vec<_>>(), expected);
    let everywhere = |shown: &String| {
        shown.starts_with("integration/envoy/")
            || scenarios.iter().any(|s| s.name() == shown && runs_everywhere(s))
    };
    let wrong = rows.iter().filter_map(|(id, row)| {
        let shown_everywhere = row.shown.iter().any(everywhere);
        let fault = if row.attack.is_none() {
            Some("`attack` is needed".to_owned())
        } else if row.not_here.is_none() && shown_everywhere == row.levels.is_some() {
            Some("it shows at all levels, or `levels` says why it does not".to_owned())
        } else {
            fault(row, &scenarios)
        };
        fault.map(|fault| format!("{id}: {fault}"))
    });
    none(&wrong.collect::<Vec<_>>());
}
