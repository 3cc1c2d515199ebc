//! Reading a document into typed records, with every fault noted and none fatal to the rest.
//!
//! A record is declared once ([`record!`], [`choice!`]); the declaration is the list of accepted
//! names, so that an unknown one can be answered with the name that was probably meant.

use std::collections::BTreeMap;
use std::slice;

use crate::config::error::{ConfigPath, Faults};
#[cfg(feature = "tools")]
use crate::config::schema::Definitions;
use crate::json::{Number, Object, Value, decimal};
#[cfg(feature = "tools")]
use serde_json::{Value as Schema, json};

mod declare;
mod members;

pub(super) use declare::{choice, record, word};
#[cfg(feature = "tools")]
pub(super) use members::camel_case;
pub(super) use members::{Members, plain, slips};

/// A type that a configuration value can be read as.
pub(crate) trait Read: Sized {
    /// Reads `value`; on a fault notes it and yields nothing.
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self>;

    /// What an absent member means; `None` when it must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// The JSON Schema of what is read; by default anything.
    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        Schema::Bool(true)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        T::read(value, at, faults).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut Definitions) -> Schema {
        T::schema(definitions)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        T::read(value, at, faults).map(Self::new)
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut Definitions) -> Schema {
        T::schema(definitions)
    }
}

/// A value that is no list is a list of one, as Envoy reads it: its documentation has
/// `audiences: api`. The schema, which editors go by, wants lists.
impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let elements = value.as_array().unwrap_or(slice::from_ref(value));
        let read: Self = elements
            .iter()
            .enumerate()
            .filter_map(|(i, element)| T::read(element, &at.index(i), faults))
            .collect();
        // What was read with a fault in it is compiled all the same, for the faults that are left.
        (read.len() == elements.len()).then_some(read)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut Definitions) -> Schema {
        json!({ "type": "array", "items": T::schema(definitions) })
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let members = object(value, at, faults)?;
        let mut read = Self::new();
        for (name, member) in members {
            if let Some(member) = T::read(member, &at.key(name), faults) {
                read.insert(name.to_string(), member);
            }
        }
        (read.len() == members.len()).then_some(read)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut Definitions) -> Schema {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }
}

impl Read for String {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_str() {
            Some(s) => Some(s.to_owned()),
            None => expected("a string", value, at, faults),
        }
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": "string" })
    }
}

/// A string of at least one character.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Text(pub(crate) String);

impl Read for Text {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let text = String::read(value, at, faults)?;
        if text.is_empty() { faults.none(at, "must not be empty") } else { Some(Self(text)) }
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// As protobuf's JSON form may spell it: `true`, `"true"`.
impl Read for bool {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match (value, value.as_str()) {
            (Value::Bool(b), _) => Some(*b),
            (_, Some("true")) => Some(true),
            (_, Some("false")) => Some(false),
            _ => expected("true or false", value, at, faults),
        }
    }

    fn absent() -> Option<Self> {
        Some(false)
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": "boolean" })
    }
}

impl Read for u64 {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match whole(value).and_then(|n| Self::try_from(n).ok()) {
            Some(n) => Some(n),
            None => expected("a whole number that is not negative", value, at, faults),
        }
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$" })
    }
}

impl Read for u32 {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let n = u64::read(value, at, faults)?;
        match Self::try_from(n) {
            Ok(n) => Some(n),
            Err(_) => faults.none(at, format!("must be at most {}, found {n}", Self::MAX)),
        }
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({
            "type": ["integer", "string"], "minimum": 0, "maximum": Self::MAX, "pattern": "^[0-9]+$",
        })
    }
}

impl Read for i64 {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match whole(value).and_then(|n| Self::try_from(n).ok()) {
            Some(n) => Some(n),
            None => expected("a whole number", value, at, faults),
        }
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": ["integer", "string"], "pattern": "^-?[0-9]+$" })
    }
}

/// Any value, for a member whose meaning is looked at later.
impl Read for Value {
    fn read(value: &Value, _: &ConfigPath<'_>, _: &mut Faults) -> Option<Self> {
        Some(value.clone())
    }
}

/// An integer as protobuf's JSON form may spell it: `5`, `5.0`, `"5"`.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(Number::Unsigned(n)) => Some(i128::from(*n)),
        Value::Number(Number::Negative(n)) => Some(i128::from(*n)),
        Value::Number(Number::Float(x)) => {
            let magnitude = i128::from(decimal::magnitude(*x)?);
            Some(if *x < 0.0 { magnitude.saturating_neg() } else { magnitude })
        }
        Value::String(s) => s.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// An object without members.
#[derive(Clone, Debug)]
pub(crate) struct Empty;

impl Read for Empty {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        Members::of(value, &[], at, faults).map(|_| Self)
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": "object", "additionalProperties": false })
    }
}

/// The message without its `@type`, which has to be `message` where it is there.
pub(super) fn typed(
    mut value: Value,
    message: &str,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Value {
    const TYPE: &str = "@type";
    if let Value::Object(members) = &mut value
        && let Some(found) = members.remove(TYPE)
    {
        let expected = format!("type.googleapis.com/{message}");
        if found.as_str() != Some(&expected) {
            faults.add(&at.key(TYPE), format!("must be {expected}"));
        }
    }
    value
}

/// Notes that `value` is not what was expected.
pub(super) fn expected<T>(
    what: &str,
    value: &Value,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<T> {
    faults.none(at, format!("must be {what}, found {}", value.kind()))
}

/// The members of `value`, which must be an object.
pub(super) fn object<'v>(
    value: &'v Value,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<&'v Object> {
    match value.as_object() {
        Some(members) => Some(members),
        None => expected("an object", value, at, faults),
    }
}
