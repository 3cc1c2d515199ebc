//! Audit lines, as any level shows them.

use std::sync::LazyLock;

use serde_json::Value;

use crate::schema;

/// The published schema of the line.
const SCHEMA: &str = include_str!("../../../filter-config/audit.schema.json");

/// How a line begins, whatever a proxy writes before it.
const BEGINNING: &str = "{\"audit\":\"jwt-gate/1\",\"time\":\"";

/// What stands in the place of the time, which no scenario knows.
const NO_TIME: &str = "{\"audit\":\"jwt-gate/1\",\"time\":\"…\"";

/// The audit lines among lines of a log, from behind their times on.
pub(crate) fn lines(log: &[String]) -> Vec<String> {
    let behind = |line: &str| match without_time(line).strip_prefix(NO_TIME) {
        Some(rest) => format!("{{{}", rest.trim_start_matches(',')),
        None => line.to_owned(),
    };
    among(log).map(behind).collect()
}

fn among(log: &[String]) -> impl Iterator<Item = &str> {
    log.iter().filter_map(|line| line.get(line.find("{\"audit\":")?..))
}

/// The line without its time; one that does not begin as it should, as it is.
pub(crate) fn without_time(line: &str) -> String {
    let rest = line.strip_prefix(BEGINNING).and_then(|rest| rest.split_once('"'));
    rest.map_or_else(|| line.to_owned(), |(_, rest)| format!("{NO_TIME}{rest}"))
}

/// What is wrong with the form of the audit lines among lines of a log.
pub(crate) fn faults(log: &[String]) -> Vec<String> {
    static READ: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(SCHEMA).unwrap_or(Value::Null));
    let faults = among(log).flat_map(|line| {
        let printable = line.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        let of_form = match serde_json::from_str(line) {
            Ok(value) => schema::violations(&READ, &value),
            Err(error) => vec![format!("no JSON: {error}")],
        };
        let unprintable = (!printable).then(|| "not printable ASCII".to_owned());
        of_form.into_iter().chain(unprintable).map(move |fault| format!("{fault} in {line}"))
    });
    faults.collect()
}
