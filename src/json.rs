//! Strict JSON (RFC 8259, RFC 7493): every document that comes from outside is read by this.
//!
//! Duplicate members are refused at every level, after escapes are decoded: two parsers that
//! choose differently among them would see two documents. Nesting is bounded before it is entered.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

pub(crate) mod decimal;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, its escapes decoded.
    String(Box<str>),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Object),
}

/// The members of an object, by name.
pub type Object = BTreeMap<Box<str>, Value>;

/// A number, as exact as 64 bits hold it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer that is not negative.
    Unsigned(u64),
    /// A negative integer.
    Negative(i64),
    /// Any other number; always finite.
    Float(f64),
}

/// Why a text is not strict JSON. Says where, never what stood there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason} at line {line}, column {column}")]
pub struct JsonError {
    reason: &'static str,
    line: usize,
    column: usize,
}

/// Reads one document of at most `max_depth` nested arrays and objects.
pub fn parse(text: &[u8], max_depth: usize) -> Result<Value, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    // Ours is the depth limit that counts; theirs (128) remains underneath.
    let read = Depth(max_depth.min(MAX_DEPTH)).deserialize(&mut deserializer);
    read.and_then(|value| deserializer.end().map(|()| value)).map_err(|e| JsonError::of(&e))
}

/// Nesting that the parser underneath allows.
const MAX_DEPTH: usize = 120;

const DUPLICATE: &str = "a member is there twice";
const TOO_DEEP: &str = "nested too deeply";

impl JsonError {
    fn of(error: &serde_json::Error) -> Self {
        // The parser's own message may quote the document; its category may not.
        let text = error.to_string();
        let reason = if text.starts_with(DUPLICATE) {
            DUPLICATE
        } else if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
            TOO_DEEP
        } else if error.is_eof() {
            "the document ends too early"
        } else {
            "not valid JSON"
        };
        Self { reason, line: error.line(), column: error.column() }
    }
}

impl Value {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<Number> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Bytes on the heap that belong to it, about.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::String(text) => text.len(),
            Self::Array(elements) => {
                elements.iter().map(|e| size_of::<Self>().saturating_add(e.size())).sum()
            }
            Self::Object(members) => size(members),
        }
    }

    /// What kind of value it is, with its article, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Bytes on the heap that the members take, about.
pub(crate) fn size(members: &Object) -> usize {
    let own = size_of::<(Box<str>, Value)>();
    let each = members
        .iter()
        .map(|(name, value)| own.saturating_add(name.len()).saturating_add(value.size()));
    each.sum()
}

/// Compact JSON text.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => n.fmt(f),
            Self::String(s) => write_string(f, s),
            Self::Array(elements) => {
                f.write_str("[")?;
                for (i, element) in elements.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    element.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (i, (name, value)) in members.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "," })?;
                    write_string(f, name)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(n) => n.fmt(f),
            Self::Negative(n) => n.fmt(f),
            // As most writers of JSON have it; up to here every integer is exact.
            Self::Float(x) => match decimal::magnitude(*x).filter(|n| *n < 9_000_000_000_000_000) {
                Some(n) => write!(f, "{}{n}", if x.is_sign_negative() { "-" } else { "" }),
                None => f.write_str(&serde_json::to_string(x).map_err(|_| fmt::Error)?),
            },
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, s: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(s).map_err(|_| fmt::Error)?)
}

/// Reads a value that may nest this much deeper.
#[derive(Clone, Copy)]
struct Depth(usize);

impl Depth {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom(TOO_DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::Unsigned(n)))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Value, E> {
        Ok(Value::Number(u64::try_from(n).map_or(Number::Negative(n), Number::Unsigned)))
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Number(Number::Float(x)))
    }

    fn visit_str<E: Error>(self, s: &str) -> Result<Value, E> {
        Ok(Value::String(s.into()))
    }

    fn visit_string<E: Error>(self, s: String) -> Result<Value, E> {
        Ok(Value::String(s.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Object::new();
        while let Some(name) = access.next_key::<String>()? {
            match members.entry(name.into()) {
                Entry::Vacant(vacant) => vacant.insert(access.next_value_seed(inner)?),
                Entry::Occupied(_) => return Err(A::Error::custom(DUPLICATE)),
            };
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_strict_json_is_refused() {
        let cases = [
            "",
            " ",
            "{",
            "{}x",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "[1,]",
            "01",
            "NaN",
            "1e400",
            "\"\u{1}\"",
            "\"\\ud800\"",
            "\u{feff}{}",
            "// x\n{}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"x\":[{\"a\":1,\"a\":2}]}",
        ];
        for text in cases {
            assert!(parse(text.as_bytes(), 8).is_err(), "{text:?}");
        }
        assert!(parse(b"\"\xff\"", 8).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(64).as_bytes(), 64).is_ok());
        for depth in [65, 128, 100_000] {
            let error = parse(nested(depth).as_bytes(), 64).unwrap_err();
            assert!(error.to_string().starts_with("nested too deeply"), "{depth}: {error}");
        }
        assert!(parse(nested(200).as_bytes(), usize::MAX).is_err());
    }

    #[test]
    fn numbers_are_exact_where_64_bits_suffice() {
        for text in ["9007199254740993", "18446744073709551615", "-9223372036854775808", "1.5"] {
            assert_eq!(parse(text.as_bytes(), 1).unwrap().to_string(), text);
        }
    }

    #[test]
    fn text_survives_the_way_there_and_back() {
        let text = r#"{"a":[1,-2,0.5,true,null],"b":{"c":"x\"\\\n\u0001é"}}"#;
        assert_eq!(parse(text.as_bytes(), 8).unwrap().to_string(), text);
    }

    #[test]
    fn an_error_does_not_quote_the_document() {
        let error = parse(br#"{"secret":tru}"#, 8).unwrap_err();
        assert_eq!(error.to_string(), "not valid JSON at line 1, column 14");
    }
}
