//! What was expected against what came.

use std::collections::BTreeMap;

use super::Reply;

/// What is expected of a request, its placeholders expanded.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// It reaches the upstream.
    Allowed {
        target: Option<Vec<u8>>,
        /// All values of each of these headers.
        headers: Vec<(String, Vec<Vec<u8>>)>,
        gone: Vec<String>,
    },
    /// The gate answers it.
    Denied {
        status: u16,
        body: Option<Vec<u8>>,
        /// All values of each of these headers; none: the header is not there.
        headers: Vec<(String, Vec<Vec<u8>>)>,
    },
}

impl Wanted {
    /// Each thing that came and was not expected.
    pub(super) fn compare(&self, reply: &Reply) -> Vec<String> {
        match (self, reply) {
            (
                Self::Allowed { target: wanted, headers: wanted_headers, gone },
                Reply::Allowed { target, headers },
            ) => {
                let mut problems = Vec::new();
                if let Some(wanted) = wanted {
                    differ(&mut problems, "path", wanted, target);
                }
                differ_in_headers(&mut problems, wanted_headers, headers, "upstream");
                let none: Vec<_> = gone.iter().map(|name| (name.clone(), Vec::new())).collect();
                differ_in_headers(&mut problems, &none, headers, "upstream");
                problems
            }
            (
                Self::Denied { status: wanted, body: wanted_body, headers: wanted_headers },
                Reply::Denied { status, headers, body },
            ) => {
                let mut problems = Vec::new();
                if wanted != status {
                    problems.push(format!("status: expected {wanted}, came {status}"));
                }
                if let Some(wanted) = wanted_body {
                    differ(&mut problems, "body", wanted, body);
                }
                differ_in_headers(&mut problems, wanted_headers, headers, "answer");
                problems
            }
            (Self::Allowed { .. }, Reply::Denied { status, headers, body }) => {
                vec![refused(*status, headers, body)]
            }
            (Self::Denied { status, .. }, Reply::Allowed { target, .. }) => {
                let target = target.escape_ascii();
                vec![format!("outcome: expected {status}, came allow: the upstream saw `{target}`")]
            }
        }
    }
}

/// Lines, indented below a message.
pub(super) fn lines(lines: &[String]) -> String {
    let indented: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
    indented.join("\n")
}

fn refused(status: u16, headers: &[(String, Vec<u8>)], body: &[u8]) -> String {
    let challenge = shown(&values(headers, "www-authenticate"));
    let body = body.escape_ascii();
    format!("outcome: expected allow, came {status} `{body}`, www-authenticate: {challenge}")
}

fn differ(problems: &mut Vec<String>, what: &str, wanted: &[u8], came: &[u8]) {
    if wanted != came {
        let (wanted, came) = (wanted.escape_ascii(), came.escape_ascii());
        problems.push(format!("{what}: expected `{wanted}`, came `{came}`"));
    }
}

fn differ_in_headers(
    problems: &mut Vec<String>,
    wanted: &[(String, Vec<Vec<u8>>)],
    came: &[(String, Vec<u8>)],
    place: &str,
) {
    for (name, wanted) in wanted {
        let wanted: Vec<&[u8]> = wanted.iter().map(Vec::as_slice).collect();
        let came = values(came, name);
        if wanted != came {
            let (wanted, came) = (shown(&wanted), shown(&came));
            problems.push(format!("{place}: {name}: expected {wanted}, came {came}"));
        }
    }
}

fn values<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Vec<&'a [u8]> {
    let named = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_slice()).collect()
}

/// Values by name, for a message.
pub(super) fn exports(exports: &BTreeMap<String, Vec<u8>>) -> String {
    let shown = exports.iter().map(|(name, value)| format!("{name}: `{}`", value.escape_ascii()));
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

fn shown(values: &[&[u8]]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = values.iter().map(|v| format!("`{}`", v.escape_ascii())).collect();
    quoted.join(", ")
}
