//! Reading a document into typed records, with every fault noted and none fatal to the rest.
//!
//! A record is declared once ([`record!`], [`choice!`]); the declaration is the list of accepted
//! names, so that an unknown one can be answered with the name that was probably meant.

use std::collections::BTreeMap;

use crate::config::error::{ConfigPath, Faults};
use crate::json::{Number, Object, Value};

/// A type that a configuration value can be read as.
pub(crate) trait Read: Sized {
    /// Reads `value`; on a fault notes it and yields nothing.
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self>;

    /// What an absent member means; `None` when it must be there.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        T::read(value, at, faults).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        T::read(value, at, faults).map(Self::new)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let Some(elements) = value.as_array() else { return expected("a list", value, at, faults) };
        let before = faults.len();
        let read: Self = elements
            .iter()
            .enumerate()
            .filter_map(|(i, element)| T::read(element, &at.index(i), faults))
            .collect();
        (faults.len() == before).then_some(read)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let members = object(value, at, faults)?;
        let before = faults.len();
        let mut read = Self::new();
        for (name, member) in members {
            if let Some(member) = T::read(member, &at.key(name), faults) {
                read.insert(name.to_string(), member);
            }
        }
        (faults.len() == before).then_some(read)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl Read for String {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_str() {
            Some(s) => Some(s.to_owned()),
            None => expected("a string", value, at, faults),
        }
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
}

impl Read for bool {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        if let Value::Bool(b) = value { Some(*b) } else { expected("true or false", value, at, faults) }
    }

    fn absent() -> Option<Self> {
        Some(false)
    }
}

impl Read for u64 {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match whole(value).and_then(|n| Self::try_from(n).ok()) {
            Some(n) => Some(n),
            None => expected("a whole number that is not negative", value, at, faults),
        }
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
}

impl Read for i64 {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match whole(value).and_then(|n| Self::try_from(n).ok()) {
            Some(n) => Some(n),
            None => expected("a whole number", value, at, faults),
        }
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
        Value::Number(Number::Float(x)) => format!("{x:.0}").parse().ok().filter(|_| x.fract() == 0.0),
        Value::String(s) => s.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
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

/// The members of an object while it is read as a record.
pub(super) struct Members<'v> {
    members: &'v Object,
    names: &'static [&'static str],
}

impl<'v> Members<'v> {
    /// Takes `value` for an object that may have the members `names` (in `snake_case` here, and
    /// in either spelling there); notes each one that is not among them.
    pub(super) fn of(
        value: &'v Value,
        names: &'static [&'static str],
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let members = object(value, at, faults)?;
        for name in members.keys() {
            if !names.iter().any(|known| **name == **known || **name == *camel_case(known)) {
                faults.add(at, unknown(name, names));
            }
        }
        Some(Self { members, names })
    }

    /// Reads the member `name`. JSON `null` is an absent member, as in protobuf's JSON form.
    pub(super) fn member<T: Read>(
        &self,
        name: &'static str,
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<T> {
        debug_assert!(self.names.contains(&name));
        match self.get(name, at, faults) {
            Some(value) => T::read(value, &at.key(name), faults),
            None => T::absent().or_else(|| faults.none(&at.key(name), "is required")),
        }
    }

    /// The value of the member `name`, in either spelling.
    pub(super) fn get(
        &self,
        name: &str,
        at: &ConfigPath<'_>,
        faults: &mut Faults,
    ) -> Option<&'v Value> {
        let camel = camel_case(name);
        let snake = self.members.get(name);
        let other = if camel == name { None } else { self.members.get(&*camel) };
        if snake.is_some() && other.is_some() {
            faults.add(&at.key(name), format!("is there twice, also as `{camel}`"));
        }
        snake.or(other).filter(|value| **value != Value::Null)
    }
}

/// The name in protobuf's JSON form.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut chars = word.chars();
        camel.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        camel.push_str(chars.as_str());
    }
    camel
}

/// How many slips a mistyped name may have to be taken for another.
pub(super) fn slips(name: &str) -> usize {
    name.len().div_ceil(4).min(3).min(name.len().saturating_sub(1))
}

/// What to say about a name that is not among `names`.
pub(super) fn unknown(name: &str, names: &[&'static str]) -> String {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let camel = |known: &&&str| distance(known).min(distance(&camel_case(known)));
    let nearest = names.iter().min_by_key(camel).filter(|known| camel(known) <= slips(name));
    match nearest {
        Some(nearest) => format!("unknown field `{name}`; did you mean `{nearest}`?"),
        None => format!("unknown field `{name}`; expected one of: {}", names.join(", ")),
    }
}

/// Declares a record: an object with these members, each read as its type says.
///
/// `always { name: type, }` after the members lists settings that ask for what is so in any case;
/// `refused { name: "why", }` those that are understood and not taken.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$member_doc:meta])* $member:ident: $type:ty, )*
        }
        $( always { $( $always:ident: $always_type:ty, )* } )?
        $( refused { $( $refused:ident: $why:expr, )* } )?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        $vis struct $name { $( $(#[$member_doc])* $vis $member: $type, )* }

        impl $crate::config::read::Read for $name {
            fn read(
                value: &$crate::json::Value,
                at: &$crate::config::error::ConfigPath<'_>,
                faults: &mut $crate::config::error::Faults,
            ) -> Option<Self> {
                const NAMES: &[&str] = &[
                    $( $crate::config::read::plain(stringify!($member)), )*
                    $( $( stringify!($always), )* )?
                    $( $( stringify!($refused), )* )?
                ];
                let members = $crate::config::read::Members::of(value, NAMES, at, faults)?;
                $( $(
                    let _: Option<$always_type> = members.member(stringify!($always), at, faults);
                )* )?
                $( $(
                    if members.get(stringify!($refused), at, faults).is_some() {
                        faults.add(&at.key(stringify!($refused)), $why);
                    }
                )* )?
                $(
                    let name = $crate::config::read::plain(stringify!($member));
                    let $member = members.member(name, at, faults);
                )*
                drop(members);
                Some(Self { $( $member: $member?, )* })
            }
        }
    };
}

/// Declares words: a string that is one of these.
macro_rules! word {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal, )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        $vis enum $name { $( $(#[$variant_doc])* $variant, )* }

        impl $crate::config::read::Read for $name {
            fn read(
                value: &$crate::json::Value,
                at: &$crate::config::error::ConfigPath<'_>,
                faults: &mut $crate::config::error::Faults,
            ) -> Option<Self> {
                match value.as_str() {
                    $( Some($text) => Some(Self::$variant), )*
                    Some(other) => {
                        let words = [$( concat!("`", $text, "`") ),*].join(" or ");
                        faults.none(at, format!("must be {words}, found `{other}`"))
                    }
                    None => $crate::config::read::expected("a string", value, at, faults),
                }
            }
        }
    };
}

/// Declares a choice: an object with exactly one of these members.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$variant_doc:meta])* $variant:ident($type:ty) = $key:literal, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        $vis enum $name { $( $(#[$variant_doc])* $variant($type), )* }

        impl $crate::config::read::Read for $name {
            fn read(
                value: &$crate::json::Value,
                at: &$crate::config::error::ConfigPath<'_>,
                faults: &mut $crate::config::error::Faults,
            ) -> Option<Self> {
                const NAMES: &[&str] = &[ $( $key, )* ];
                let members = $crate::config::read::Members::of(value, NAMES, at, faults)?;
                let mut chosen = Vec::new();
                $(
                    if let Some(value) = members.get($key, at, faults) {
                        let read = <$type as $crate::config::read::Read>::read(
                            value, &at.key($key), faults,
                        );
                        chosen.push(read.map(Self::$variant));
                    }
                )*
                match <[_; 1]>::try_from(chosen) {
                    Ok([one]) => one,
                    Err(several) => faults.none(at, format!(
                        "must have exactly one of {}, found {}", NAMES.join(", "), several.len(),
                    )),
                }
            }
        }
    };
}

pub(super) use {choice, record, word};

record! {
    /// An object without members.
    pub(crate) struct Empty {}
}

/// The member's name, of a Rust name that may be a raw identifier.
pub(super) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    record! {
        /// A record of the tests.
        struct Sample {
            max_size: u32,
            names: Vec<Text>,
            loud: bool,
            inner: Option<Pick>,
        }
        refused { old_name: "is gone", }
    }

    choice! {
        /// A choice of the tests.
        enum Pick {
            /// One.
            One(String) = "one",
            /// Two.
            Two(u32) = "two_fold",
        }
    }

    fn faults(text: &str) -> Vec<String> {
        let mut faults = Faults::default();
        let value = parse(text.as_bytes(), 8).unwrap();
        let read = Sample::read(&value, &ConfigPath::ROOT, &mut faults);
        let all = faults.into_result(read).err().unwrap_or_default();
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn both_spellings_and_the_forms_of_an_integer_are_read() {
        for text in [
            r#"{"max_size": 5}"#,
            r#"{"maxSize": 5.0, "names": ["a"], "loud": true, "inner": {"twoFold": "2"}}"#,
            r#"{"maxSize": "5", "names": null, "inner": {"one": ""}}"#,
        ] {
            assert_eq!(faults(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn every_fault_is_noted_with_its_place() {
        let text = r#"{"max_sise": 5, "names": ["", 7], "inner": {"one": "", "two_fold": 1.5},
                       "old_name": 1, "wholly_other": 0}"#;
        assert_eq!(
            faults(text),
            [
                "unknown field `max_sise`; did you mean `max_size`?",
                "unknown field `wholly_other`; expected one of: max_size, names, loud, inner, old_name",
                "old_name: is gone",
                "max_size: is required",
                "names[0]: must not be empty",
                "names[1]: must be a string, found a number",
                "inner.two_fold: must be a whole number that is not negative, found a number",
                "inner: must have exactly one of one, two_fold, found 2",
            ]
        );
    }

    #[test]
    fn a_member_in_two_spellings_is_a_fault() {
        assert_eq!(faults(r#"{"max_size": 5, "maxSize": 6}"#), ["max_size: is there twice, also as `maxSize`"]);
    }
}
