//! A generated case as one that is written by hand.

use std::fmt::Write as _;

use super::run::Sent;
use crate::outcome::Outcome;

/// TOML to be pasted into a file of cases.
pub(super) fn paste(config: &str, sent: &Sent, native: &Outcome, ours: &Outcome) -> String {
    let mut text = String::from("[[configuration]]\nname = \"\"\nconfig = '''\n");
    _ = writeln!(text, "{config}\n'''\ncases = [");
    let lines: Vec<String> = sent.lines.iter().map(|line| quoted(line)).collect();
    let verdict = if native.to_string() == ours.to_string() {
        format!("both = {}", quoted(&ours.to_string()))
    } else {
        let (native, ours) = (quoted(&native.to_string()), quoted(&ours.to_string()));
        format!("native = {native}, ours = {ours}, divergence = \"\"")
    };
    let send = quoted(&format!("{} {}", sent.method, sent.target));
    _ = write!(
        text,
        "  {{ id = \"\", send = {send}, headers = [{}], {verdict} }},\n]",
        lines.join(", ")
    );
    text
}

fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("'''{text}'''") } else { format!("'{text}'") }
}
