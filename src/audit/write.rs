//! Writing one line of JSON in printable ASCII, members in the order in which they are given.

use std::fmt::Write;

use crate::json::Value;

/// Longest text of a claim, in bytes; what is longer is cut there.
const MAX_CLAIM: usize = 256;

/// The members of an object that is being written.
#[derive(Debug)]
pub(super) struct Members(String);

impl Members {
    pub(super) fn new() -> Self {
        Self("{".to_owned())
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        quote(&mut self.0, text);
    }

    /// A text, or null.
    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.null(name),
        }
    }

    /// A number, or null.
    pub(super) fn number(&mut self, name: &str, number: Option<u64>) {
        match number {
            Some(number) => {
                self.name(name);
                self.0.push_str(&number.to_string());
            }
            None => self.null(name),
        }
    }

    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.name(name);
        self.0.push('{');
        write(self);
        self.0.push('}');
    }

    /// A claim as it is, or the beginning of its text where that is long.
    pub(super) fn claim(&mut self, name: &str, value: &Value) {
        let cut = |text: &str| text.get(..text.floor_char_boundary(MAX_CLAIM)).map(str::to_owned);
        match value {
            Value::String(text) if text.len() <= MAX_CLAIM => self.text(name, text),
            Value::String(text) => self.cut(name, cut(text)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                let text = value.to_string();
                if text.len() > MAX_CLAIM {
                    return self.cut(name, cut(&text));
                }
                self.name(name);
                // What is not ASCII can only stand in strings, where the escape means the same.
                text.chars().for_each(|c| push(&mut self.0, c));
            }
        }
    }

    fn cut(&mut self, name: &str, text: Option<String>) {
        self.text(name, &format!("{}\u{2026}", text.unwrap_or_default()));
    }

    fn null(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("null");
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        quote(&mut self.0, name);
        self.0.push(':');
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        push(out, c);
    }
    out.push('"');
}

/// A character, or its escape where it is not printable ASCII.
fn push(out: &mut String, c: char) {
    if c == ' ' || c.is_ascii_graphic() {
        out.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn claim(json: &str) -> String {
        let mut members = Members::new();
        members.claim("c", &parse(json.as_bytes(), 8).unwrap());
        members.end()
    }

    #[test]
    fn a_claim_cannot_break_out_of_its_line() {
        let rows = [
            (r#""a\"b\\c""#, r#"{"c":"a\"b\\c"}"#),
            (
                r#""a\r\n{\"audit\":\"jwt-gate/1\"}""#,
                r#"{"c":"a\u000d\u000a{\"audit\":\"jwt-gate/1\"}"}"#,
            ),
            (
                r#""\u001b[2J\u007f\u0085\u2028\u202e\ud83d\ude00é""#,
                r#"{"c":"\u001b[2J\u007f\u0085\u2028\u202e\ud83d\ude00\u00e9"}"#,
            ),
            (r#"["é\n",{"\u2028":"\\"}]"#, r#"{"c":["\u00e9\n",{"\u2028":"\\"}]}"#),
            ("12", r#"{"c":12}"#),
            ("null", r#"{"c":null}"#),
        ];
        for (value, expected) in rows {
            let line = claim(value);
            assert_eq!(line, expected, "{value}");
            assert!(line.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{line}");
            let read = parse(line.as_bytes(), 8).unwrap();
            assert_eq!(read.as_object().unwrap()["c"], parse(value.as_bytes(), 8).unwrap());
        }
    }

    #[test]
    fn a_long_claim_is_cut() {
        let long = "é".repeat(128);
        assert_eq!(claim(&format!("\"{long}\"")).matches("\\u00e9").count(), 128);
        let cut = claim(&format!("\"a{long}\""));
        assert_eq!(cut.matches("\\u00e9").count(), 127);
        assert!(cut.ends_with("\\u2026\"}"), "{cut}");
        let list = claim(&format!("[{}1]", "0,".repeat(200)));
        assert!(list.starts_with("{\"c\":\"[0,0,") && list.ends_with(",0\\u2026\"}"), "{list}");
        assert!(list.len() < 280, "{list}");
    }
}
