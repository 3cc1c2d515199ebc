//! What became of a request, as one flat table, so that any two of them can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jwt_gate_envoy::{Answer, Seen};

use crate::metadata;
use crate::stage::DOOR;

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// Who answered.
    pub kind: Kind,
    /// `:status` and `:body` of an answer; `:method`, `:path` and `:body` of what went through;
    /// and each header with its values in order. Bytes beyond ASCII are U+0080 to U+00FF.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// Who answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The upstream: the fields are what it saw.
    Passed,
    /// The proxy: the fields are its answer.
    Answered,
}

/// Headers that Envoy adds to every answer.
const OF_ENVOY: [&str; 3] = ["date", "server", "connection"];

impl Outcome {
    /// Reads an answer that came through Envoy.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        if let Some(seen) = Seen::from_answer(answer) {
            let mut passed = Self { kind: Kind::Passed, fields: by_name(seen.headers) };
            passed.set(":method", &seen.method);
            passed.set(":path", &seen.target);
            passed.set(":body", &seen.body);
            passed.clear(DOOR);
            metadata::read(&mut passed);
            return passed;
        }
        let mut answered = Self { kind: Kind::Answered, fields: by_name(answer.headers.clone()) };
        OF_ENVOY.iter().for_each(|name| answered.clear(name));
        answered.set(":status", &answer.status.to_string());
        answered.set(":body", &answer.text());
        metadata::read(&mut answered);
        answered
    }

    /// The answer of a filter that refuses with this status and body; `challenge` is the whole
    /// `WWW-Authenticate`.
    #[must_use]
    pub fn refusal(status: u16, body: &str, challenge: Option<&str>) -> Self {
        let mut answered = Self { kind: Kind::Answered, fields: BTreeMap::new() };
        answered.set(":status", &status.to_string());
        answered.set(":body", body);
        answered.set("content-length", &body.len().to_string());
        answered.set("content-type", "text/plain");
        if let Some(challenge) = challenge {
            answered.set("www-authenticate", challenge);
        }
        answered
    }

    /// The values of a field.
    #[must_use]
    pub fn values(&self, field: &str) -> &[String] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }

    /// The first value of a field, or nothing.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values(field).first().map_or("", String::as_str)
    }

    /// Gives a field this one value.
    pub fn set(&mut self, field: &str, value: &str) {
        self.fields.insert(field.to_owned(), vec![value.to_owned()]);
    }

    /// Takes a field away.
    pub fn clear(&mut self, field: &str) {
        self.fields.remove(field);
    }

    /// The fields in which two outcomes differ.
    #[must_use]
    pub fn differing<'o>(&'o self, other: &'o Self) -> BTreeSet<&'o str> {
        let names = self.fields.keys().chain(other.fields.keys()).map(String::as_str);
        names.filter(|name| self.values(name) != other.values(name)).collect()
    }

    /// What differs, a line for each field.
    #[must_use]
    pub fn describe_difference(&self, native: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.kind != native.kind {
            lines.push(format!("native: {native}"));
            lines.push(format!("ours:   {self}"));
        }
        if self.kind == native.kind {
            for field in self.differing(native) {
                let (a, b) = (native.values(field), self.values(field));
                lines.push(format!("{field}: native {a:?}, ours {b:?}"));
            }
        }
        lines
    }
}

/// `pass`, or status and body: the form that expectations are written in.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Passed => f.write_str("pass"),
            Kind::Answered => match self.value(":body") {
                "" => f.write_str(self.value(":status")),
                body => write!(f, "{} {body}", self.value(":status")),
            },
        }
    }
}

/// Headers of different names have no order (RFC 9110, section 5.3).
fn by_name(headers: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut fields = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in headers {
        fields.entry(name.to_ascii_lowercase()).or_default().push(value);
    }
    fields
}
