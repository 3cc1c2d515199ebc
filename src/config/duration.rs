//! Durations as protobuf's JSON form and Envoy's YAML write them.

use std::time::Duration;

use crate::config::error::{ConfigPath, Faults};
use crate::config::read::{Read, expected, record};
use crate::json::Value;

record! {
    /// A duration as a message.
    struct Parts {
        /// Whole seconds.
        seconds: Option<u64>,
        /// Billionths of a second.
        nanos: Option<u32>,
    }
}

/// `"5s"`, `"0.5s"` or `{"seconds": 5, "nanos": 0}`.
impl Read for Duration {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::String(text) => match parse(text) {
                Some(duration) => Some(duration),
                None => {
                    faults.none(at, format!("must be a duration such as \"5s\", found `{text}`"))
                }
            },
            Value::Object(_) => {
                let Parts { seconds, nanos } = Parts::read(value, at, faults)?;
                match nanos.unwrap_or(0) {
                    nanos @ 0..1_000_000_000 => Some(Self::new(seconds.unwrap_or(0), nanos)),
                    nanos => {
                        faults.none(&at.key("nanos"), format!("must be below 10^9, found {nanos}"))
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                expected("a duration such as \"5s\"", value, at, faults)
            }
        }
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({ "anyOf": [
            { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,9})?s$", "examples": ["5s"] },
            Parts::schema(definitions),
        ] })
    }
}

/// Seconds with up to nine decimals and an `s`.
fn parse(text: &str) -> Option<Duration> {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let number = text.strip_suffix('s')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || !digits(whole) || !(1..=9).contains(&fraction.len()) || !digits(fraction)
    {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read() {
        let cases = [
            (r#""5s""#, Some(Duration::from_secs(5))),
            (r#""0.5s""#, Some(Duration::from_millis(500))),
            (r#""1.000000001s""#, Some(Duration::new(1, 1))),
            (r#"{"seconds": 5, "nanos": 7}"#, Some(Duration::new(5, 7))),
            (r#"{"seconds": "5"}"#, Some(Duration::from_secs(5))),
            (r#"{"nanos": 1000000000}"#, None),
            (r#""5""#, None),
            (r#""-5s""#, None),
            (r#""5ms""#, None),
            (r#"".5s""#, None),
            (r#""5.s""#, None),
            (r#""99999999999999999999s""#, None),
            ("5", None),
        ];
        for (text, expected) in cases {
            let value = crate::json::parse(text.as_bytes(), 4).unwrap();
            let mut faults = Faults::default();
            assert_eq!(Duration::read(&value, &ConfigPath::ROOT, &mut faults), expected, "{text}");
            assert_eq!(faults.is_empty(), expected.is_some(), "{text}");
        }
    }
}
