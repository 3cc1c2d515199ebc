//! Finding the audit line in a line of a log, and reading it.

use std::borrow::Cow;
use std::fmt::{self, Formatter};

use jwt_gate::time::rfc3339;
use memchr::{memmem, memrchr};
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What logs of JSON call the text of a message.
const MESSAGES: [&[u8]; 6] = [
    br#""log""#,
    br#""message""#,
    br#""msg""#,
    br#""textPayload""#,
    br#""MESSAGE""#,
    // An access log of JSON has the gate's filter state as a text.
    br#""jwt_gate""#,
];

/// What a decision left in the log. Texts are borrowed from the line where it has no escapes.
#[derive(Debug, Deserialize)]
pub(crate) struct AuditLine<'l> {
    /// When it was decided, in Unix seconds.
    #[serde(rename = "time", deserialize_with = "moment")]
    pub(crate) at: u64,
    /// What the policy said.
    pub(crate) decision: Decision,
    /// Whether that was enforced.
    #[serde(default)]
    pub(crate) enforcement: Enforcement,
    /// The rule, where one named the request.
    #[serde(borrow, default)]
    pub(crate) rule: Option<Cow<'l, str>>,
    /// The rule's match, as configured.
    #[serde(borrow, default)]
    pub(crate) route: Option<Cow<'l, str>>,
    /// A known method, or `OTHER`.
    #[serde(borrow, default)]
    pub(crate) method: Cow<'l, str>,
    /// Whose token it was.
    #[serde(borrow, default)]
    pub(crate) provider: Option<Cow<'l, str>>,
    /// Label of the reason.
    #[serde(borrow, default)]
    pub(crate) outcome: Cow<'l, str>,
    /// `exp` − `iat` in seconds.
    #[serde(default)]
    pub(crate) lifetime: Option<u64>,
    /// The claims that the policy names.
    #[serde(borrow, default)]
    pub(crate) claims: Option<&'l RawValue>,
    /// What another policy would have said, where that differs.
    #[serde(borrow, default)]
    pub(crate) candidate: Option<Candidate<'l>>,
}

/// What a policy said.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// The request passes.
    Allow,
    /// The request is refused.
    Deny,
}

/// Whether a refusal was carried out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Enforcement {
    /// It was.
    #[default]
    Enforce,
    /// It was not: the rule is on trial.
    Shadow,
}

/// What the policy on trial would have said.
#[derive(Debug, Deserialize)]
pub(crate) struct Candidate<'l> {
    /// Its verdict.
    pub(crate) decision: Decision,
    /// Its rule.
    #[serde(borrow, default)]
    pub(crate) rule: Option<Cow<'l, str>>,
    /// Its reason, as a label.
    #[serde(borrow, default)]
    pub(crate) outcome: Cow<'l, str>,
}

/// Reads a time, less its fraction of a second.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Moment;

    impl Visitor<'_> for Moment {
        type Value = u64;

        fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
            f.write_str("a time as RFC 3339 has it")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
            let wrong = || E::invalid_value(Unexpected::Str(text), &self);
            let rounded_up = rfc3339(text).ok_or_else(wrong)?;
            let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
            let mut digits = fraction.bytes().take_while(u8::is_ascii_digit);
            let is_rounded = digits.any(|digit| digit != b'0');
            Ok(rounded_up.saturating_sub(u64::from(is_rounded)))
        }
    }

    deserializer.deserialize_str(Moment)
}

/// Finds audit lines.
#[derive(Debug)]
pub(crate) struct Finder(memmem::Finder<'static>);

/// What is in a line of the log.
#[derive(Debug)]
pub(crate) enum Found<'l> {
    /// Something else.
    Nothing,
    /// An audit line, as JSON, with perhaps something after it.
    Plain(&'l [u8]),
    /// An audit line as a JSON string in another document, from the quote on.
    Quoted(Vec<u8>),
}

impl Finder {
    /// For version 1 of the line.
    pub(crate) fn new() -> Self {
        Self(memmem::Finder::new("jwt-gate/1"))
    }

    /// Looks for an audit line in a line of a log.
    ///
    /// Logs quote what clients send, and a client may send what looks like an audit line: what
    /// stands in quotes is none, but for the text of a message in a log of JSON.
    pub(crate) fn find<'l>(&self, line: &'l [u8]) -> Found<'l> {
        let is_json = line.trim_ascii_start().starts_with(b"{");
        for at in self.0.find_iter(line) {
            let (before, _) = line.split_at_checked(at).unwrap_or_default();
            if let Some(prefix) = before.strip_suffix(br#"{"audit":""#) {
                // Within JSON, quotes in a text are escaped: this is a member.
                if is_json || !prefix.windows(2).any(|pair| pair == br#" ""#) {
                    return Found::Plain(line.get(prefix.len()..).unwrap_or_default());
                }
            } else if let Some(prefix) = before.strip_suffix(br#"{\"audit\":\""#)
                && is_json
                && is_message(prefix)
            {
                let text = line.get(prefix.len()..).unwrap_or_default();
                return Found::Quoted([b"\"", text].concat());
            }
        }
        Found::Nothing
    }
}

/// Whether the string that is open at the end of `prefix` is what a log says, with no quotes in it
/// so far.
fn is_message(prefix: &[u8]) -> bool {
    let Some(quote) = memrchr(b'"', prefix) else { return false };
    let (before, _) = prefix.split_at_checked(quote).unwrap_or_default();
    let name = before.trim_ascii_end().strip_suffix(b":").map(<[u8]>::trim_ascii_end);
    name.is_some_and(|name| MESSAGES.iter().any(|message| name.ends_with(message)))
}

/// The JSON text in a quoted audit line.
pub(crate) fn unquoted(quoted: &[u8]) -> serde_json::Result<String> {
    first(quoted)
}

/// Reads the first JSON value of a text; a log may say more after it.
pub(crate) fn first<'l, T: Deserialize<'l>>(text: &'l [u8]) -> serde_json::Result<T> {
    T::deserialize(&mut serde_json::Deserializer::from_slice(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"audit":"jwt-gate/1","time":"2026-11-25T07:00:58.123Z","decision":"deny","enforcement":"shadow","rule":"orders","route":"/orders/{id}","method":"GET","status":null,"provider":"a\"b","outcome":"scope","reason":"x","lifetime":300,"claims":{"sub":"alice"},"new":[1]}"#;

    fn read(line: &[u8]) -> Option<(u64, String)> {
        let read =
            |line: &AuditLine<'_>| (line.at, line.provider.clone().unwrap_or_default().into());
        match Finder::new().find(line) {
            Found::Nothing => None,
            Found::Plain(json) => first(json).ok().as_ref().map(read),
            Found::Quoted(quoted) => {
                first(unquoted(&quoted).ok()?.as_bytes()).ok().as_ref().map(read)
            }
        }
    }

    #[test]
    fn an_audit_line_is_found_wherever_a_log_has_it() {
        let quoted = serde_json::to_string(&format!("wasm log: {LINE}\n")).unwrap();
        let rows = [
            LINE.to_owned(),
            format!(
                "[2026-11-25 07:00:58.123][12][info][wasm] [x.cc:38] wasm log jwt-gate: {LINE}"
            ),
            format!("{LINE}, client: 127.0.0.1, server: api"),
            format!(r#"{{"log":{quoted},"stream":"stderr"}}"#),
            format!(r#"named jwt-gate/1 before {LINE}"#),
            format!(
                r#"2026/11/25 07:00:58 [info] 7#7: *1 [proxy-wasm]["jwt_gate" #1] {LINE} while"#
            ),
            format!(r#"{{"code":200,"gate":{LINE}}}"#),
        ];
        for row in rows {
            let expected = Some((1_795_590_058, "a\"b".to_owned()));
            assert_eq!(read(row.as_bytes()), expected, "{row}");
        }
    }

    #[test]
    fn what_a_client_sends_is_no_audit_line() {
        let escaped = serde_json::to_string(LINE).unwrap();
        let rows = [
            format!(r#"[2026-11-25T07:00:58.123Z] "GET /{LINE} HTTP/1.1" 404 -"#),
            format!(r#"2026/11/25 [error] open() failed, request: "GET /"{LINE} HTTP/1.1""#),
            format!(r#"{{"path":{escaped},"code":404}}"#),
            format!(r#"{{"log":"\"GET /\" x {}"#, escaped.trim_start_matches('"')),
        ];
        for row in rows {
            assert!(read(row.as_bytes()).is_none(), "{row}");
        }
    }

    #[test]
    fn what_is_no_audit_line_is_none() {
        let rows: [&[u8]; 4] = [
            b"",
            b"jwt-gate/1",
            b"GET /?{\"audit\": \"jwt-gate/1\"",
            b"\xff{\"audit\":\"jwt-gate/2\"",
        ];
        for row in rows {
            assert!(matches!(Finder::new().find(row), Found::Nothing), "{row:?}");
        }
        for broken in
            [r#"{"audit":"jwt-gate/1","time":"#, r#"{"audit":"jwt-gate/1","decision":"maybe"}"#]
        {
            assert!(read(broken.as_bytes()).is_none(), "{broken}");
        }
    }
}
