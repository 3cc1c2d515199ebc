//! `SECURITY.md` names nothing that is not there.

use std::fs;

use super::{none, root, scenarios};

/// The texts between two marks.
fn between(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.lines().flat_map(move |line| line.split(mark).skip(1).step_by(2))
}

/// Whether a file of that name is where such files are.
fn is_file(name: &str) -> bool {
    let name = name.split("::").next().unwrap_or_default();
    let places = ["", "tests/scenarios/"];
    places.iter().any(|place| root().join(place).join(name).exists())
}

fn security() -> String {
    fs::read_to_string(root().join("SECURITY.md")).unwrap()
}

/// The section of this title.
fn section(title: &str) -> String {
    let text = security();
    let (_, after) = text.split_once(&format!("## {title}\n")).unwrap();
    after.split("\n## ").next().unwrap_or_default().to_owned()
}

#[test]
fn every_file_and_function_that_security_names_is_there() {
    let text = security();
    let looks_like_a_file = |name: &&str| {
        let name = name.split("::").next().unwrap_or_default();
        [".toml", ".rs", ".md"].iter().any(|end| name.ends_with(end)) || name.ends_with('/')
    };
    let wrong = between(&text, '`').filter(looks_like_a_file).filter(|name| {
        let has_function = || !name.contains("::") || super::is_test(name);
        !(is_file(name) && has_function())
    });
    none(&wrong.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn every_guarantee_names_what_shows_it() {
    let (section, scenarios) = (section("Guarantees"), scenarios());
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in rows {
        count += 1;
        let shown = row.split(" | ").nth(1).unwrap_or_default();
        if between(shown, '`').next().is_none() && between(shown, '"').next().is_none() {
            wrong.push(format!("nothing shows it: {row}"));
        }
        for name in between(shown, '"') {
            let begins = name.strip_suffix('…').map(str::trim_end);
            let is_it = |n: &str| begins.map_or(n == name, |begins| n.starts_with(begins));
            if !scenarios.iter().any(|scenario| is_it(scenario.name())) {
                wrong.push(format!("there is no scenario {name:?}"));
            }
        }
    }
    assert!(count > 20, "{count}");
    none(&wrong);
}
