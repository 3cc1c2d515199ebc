//! A generated case as one that is written by hand.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::ask::Sent;
use super::config::{Config, Side};
use crate::outcome::Outcome;

/// TOML to be pasted into a file of cases.
pub(super) fn paste(config: &Config, sent: &Sent, native: &Outcome, ours: &Outcome) -> String {
    let mut text = String::from("[[configuration]]\nname = \"\"\nconfig = '''\n");
    let (theirs, gate) = (config.json(Side::Native), config.json(Side::Gate));
    _ = writeln!(text, "{theirs}\n'''");
    let more = more(&theirs, gate);
    if !more.is_empty() {
        let members = quoted(&Value::Object(more).to_string());
        _ = writeln!(text, "ours_has = {{ divergence = \"\", members = {members} }}");
    }
    if config.http2 {
        text.push_str("# by HTTP/2\n");
    }
    let lines: Vec<String> = sent.lines.iter().map(|line| quoted(line)).collect();
    let verdict = if native.to_string() == ours.to_string() {
        format!("both = {}", quoted(&ours.to_string()))
    } else {
        let (native, ours) = (quoted(&native.to_string()), quoted(&ours.to_string()));
        format!("native = {native}, ours = {ours}, divergence = \"\"")
    };
    let send = quoted(&format!("{} {}", sent.method, sent.target));
    let lines = lines.join(", ");
    _ = write!(
        text,
        "cases = [\n  {{ id = \"\", send = {send}, headers = [{lines}], {verdict} }},\n]"
    );
    text
}

/// The members in which ours differs.
fn more(native: &Value, ours: Value) -> Map<String, Value> {
    let mut members = match ours {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    members.retain(|name, value| native.get(name) != Some(value));
    members
}

fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("'''{text}'''") } else { format!("'{text}'") }
}
