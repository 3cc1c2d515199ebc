//! Variables that say something of a claim, and what is asked of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::parse::Directive;
use crate::migrate::notes::Notes;
use crate::migrate::provider::{all_of, any_of};

/// What is known of variables.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Variables that `auth_jwt_claim_set` sets, and the claim's path.
    claims: BTreeMap<String, Value>,
    /// Variables that a `map` sets: from which one, and how.
    maps: BTreeMap<String, (String, Directive)>,
}

impl Variables {
    /// Those of a whole configuration.
    pub(super) fn of(directives: &[Directive]) -> Self {
        let mut variables = Self::default();
        variables.collect(directives);
        variables
    }

    fn collect(&mut self, directives: &[Directive]) {
        for directive in directives {
            match directive.name.as_str() {
                "map" => {
                    let (from, to) =
                        (directive.argument(0).to_owned(), directive.argument(1).to_owned());
                    self.maps.insert(to, (from, directive.clone()));
                }
                "auth_jwt_claim_set" => {
                    let path = directive.arguments.get(1..).unwrap_or_default();
                    self.claims.insert(directive.argument(0).to_owned(), json!(path));
                }
                _ => self.collect(&directive.block),
            }
        }
    }

    /// The claim that a variable holds.
    pub(super) fn claim(&self, variable: &str) -> Option<Value> {
        let named = variable.strip_prefix("$jwt_claim_").map(|name| json!(name));
        named.or_else(|| self.claims.get(variable).cloned())
    }

    /// The condition that a variable is neither empty nor `0`; `None`: that cannot be said.
    pub(super) fn is_true(&self, variable: &str, place: &str, notes: &mut Notes) -> Option<Value> {
        if let Some(path) = self.claim(variable) {
            return Some(json!({ "claim": { "path": path, "none_of": ["", "0"] } }));
        }
        let (from, map) = self.maps.get(variable)?;
        let path = self.claim(from)?;
        mapped(&path, map, place, notes)
    }
}

/// The condition that a map makes a claim true.
fn mapped(path: &Value, map: &Directive, place: &str, notes: &mut Notes) -> Option<Value> {
    let is_true = |entry: &Directive| !matches!(entry.argument(0), "" | "0");
    if map
        .block
        .iter()
        .any(|entry| matches!(entry.name.as_str(), "include" | "hostnames" | "volatile"))
    {
        return None;
    }
    let default = map.block.iter().find(|entry| entry.name == "default").is_some_and(is_true);
    let entries = || map.block.iter().filter(|entry| entry.name != "default");
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for entry in entries() {
        let into = if is_true(entry) { &mut good } else { &mut bad };
        into.push(test(path, &entry.name, place, notes)?);
    }
    let none = any_of(bad).map(|any| json!({ "not": any }));
    notes.differs(place, "a claim that is a list counts when one of its elements does");
    if default {
        notes.stricter(place, "a token without the claim passes there and is refused here");
        // What the map turns to false is refused; all else passes.
        let present = json!({ "claim": { "path": path, "present": true } });
        return Some(none.unwrap_or(present));
    }
    let good = one_claim(path, good)?;
    all_of(std::iter::once(good).chain(none).collect())
}

/// Tests for equality of one claim are one test.
fn one_claim(path: &Value, tests: Vec<Value>) -> Option<Value> {
    let equal: Vec<Value> =
        tests.iter().filter_map(|test| test.pointer("/claim/equals").cloned()).collect();
    if equal.len() > 1 && equal.len() == tests.len() {
        return Some(json!({ "claim": { "path": path, "any_of": equal } }));
    }
    any_of(tests)
}

fn test(path: &Value, key: &str, place: &str, notes: &mut Notes) -> Option<Value> {
    let Some(expression) = key.strip_prefix('~') else {
        let text = key.strip_prefix('\\').unwrap_or(key);
        return Some(json!({ "claim": { "path": path, "equals": text } }));
    };
    let (expression, ignores_case) =
        expression.strip_prefix('*').map_or((expression, false), |expression| (expression, true));
    let whole = whole(expression, ignores_case);
    if whole.is_none() {
        notes.fault(place, format!("`{key}`: an expression whose alternatives have anchors of their own; put them in a group"));
    }
    whole.map(|whole| json!({ "claim": { "path": path, "safe_regex": whole } }))
}

/// An expression that may match a part, as one that matches the whole.
pub(super) fn whole(expression: &str, ignores_case: bool) -> Option<String> {
    let (inner, is_begun) =
        expression.strip_prefix('^').map_or((expression, false), |inner| (inner, true));
    let ended = inner.strip_suffix('$').filter(|inner| !inner.ends_with('\\'));
    let (inner, is_ended) = ended.map_or((inner, false), |inner| (inner, true));
    let mut depth = 0_usize;
    let mut has_alternatives = false;
    let mut letters = inner.chars();
    while let Some(c) = letters.next() {
        match c {
            '\\' => _ = letters.next(),
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => has_alternatives = true,
            _ => {}
        }
    }
    if has_alternatives && (is_begun || is_ended) {
        return None;
    }
    let inner = if has_alternatives { format!("(?:{inner})") } else { inner.to_owned() };
    let case = if ignores_case { "(?i)" } else { "" };
    Some(
        [case, if is_begun { "" } else { ".*" }, &inner, if is_ended { "" } else { ".*" }].concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_for_a_part_becomes_one_for_the_whole() {
        let rows = [
            (r"\.php$", Some(r".*\.php")),
            ("^/a", Some("/a.*")),
            ("^/a$", Some("/a")),
            ("a|b", Some(".*(?:a|b).*")),
            ("^(a|b)$", Some("(a|b)")),
            ("^a|b$", None),
        ];
        for (expression, expected) in rows {
            assert_eq!(whole(expression, false).as_deref(), expected, "{expression}");
        }
        assert_eq!(whole("^a$", true).as_deref(), Some("(?i)a"));
    }
}
