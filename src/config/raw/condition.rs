//! Conditions over verified claims.

use std::time::Duration;

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw::provider::ClaimName;
use crate::config::raw::{Regex, StringMatcher};
use crate::config::read::{Read, Text, choice, expected, record};
use crate::json::{Number, Value};

choice! {
    /// A condition: exactly one member.
    pub(crate) enum Condition {
        /// Scopes that the token has.
        Scopes(Names) = "scopes",
        /// Roles that the token has.
        Roles(Names) = "roles",
        /// Permissions that the token's roles and scopes grant.
        Permissions(Names) = "permissions",
        /// The value of a claim.
        Claim(Box<ClaimTest>) = "claim",
        /// How and when the user signed in (RFC 9470).
        Acr(Acr) = "acr",
        /// The token's `typ`.
        TokenType(Vec<Text>) = "token_type",
        /// Every one of these.
        AllOf(Vec<Self>) = "all_of",
        /// At least one of these.
        AnyOf(Vec<Self>) = "any_of",
        /// Not this.
        Not(Box<Self>) = "not",
    }
}

/// Names of which all or any are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Whether every one is needed.
    pub(crate) all: bool,
    /// The names.
    pub(crate) names: Vec<Text>,
}

choice! {
    /// Names of which all, or any, are asked for.
    enum Quantified {
        /// Each of these.
        AllOf(Vec<Text>) = "all_of",
        /// One of these.
        AnyOf(Vec<Text>) = "any_of",
    }
}

impl Read for Names {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        let (all, names) = match value {
            Value::Array(_) => (true, Vec::<Text>::read(value, at, faults)?),
            Value::Object(_) => match Quantified::read(value, at, faults)? {
                Quantified::AllOf(names) => (true, names),
                Quantified::AnyOf(names) => (false, names),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return expected(
                    "a list, or an object with `all_of` or `any_of`",
                    value,
                    at,
                    faults,
                );
            }
        };
        // Nothing asked for would be granted to everyone, or to no one.
        if names.is_empty() {
            faults.none(at, "must name at least one")
        } else {
            Some(Self { all, names })
        }
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({ "anyOf": [
            { "type": "array", "items": Text::schema(definitions), "minItems": 1 },
            Quantified::schema(definitions),
        ] })
    }
}

record! {
    /// A test of a claim: `path` and exactly one operator.
    pub(crate) struct ClaimTest {
        /// The claim.
        path: ClaimName,
        /// It is that.
        equals: Option<Scalar>,
        /// It is one of them.
        any_of: Option<Vec<Scalar>>,
        /// It has every one of them.
        all_of: Option<Vec<Scalar>>,
        /// It is none of them.
        none_of: Option<Vec<Scalar>>,
        /// It is a string that begins so.
        prefix: Option<Text>,
        /// It is a string that ends so.
        suffix: Option<Text>,
        /// It is a string that has that in it.
        contains: Option<Text>,
        /// It is a string that matches as a whole.
        safe_regex: Option<Regex>,
        /// It is there, or not.
        present: Option<bool>,
        /// It is a number that is not below.
        at_least: Option<i64>,
        /// It is a number that is not above.
        at_most: Option<i64>,
        /// It is the value of that variable of the rule's path template.
        equals_variable: Option<Text>,
        /// It is the value of that header, which came once.
        equals_header: Option<Text>,
    }
}

/// A string, number or boolean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    /// Text.
    Text(String),
    /// A number.
    Number(Number),
    /// True or false.
    Bool(bool),
}

impl Read for Scalar {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::String(s) => Some(Self::Text(s.to_string())),
            Value::Number(n) => Some(Self::Number(*n)),
            Value::Bool(b) => Some(Self::Bool(*b)),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                expected("a string, number or boolean", value, at, faults)
            }
        }
    }

    #[cfg(feature = "tools")]
    fn schema(_: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({ "type": ["string", "number", "boolean"] })
    }
}

record! {
    /// Demands on the sign-in.
    pub(crate) struct Acr {
        /// Accepted `acr` values.
        any_of: Vec<Text>,
        /// Greatest age of the sign-in, by `auth_time`.
        max_age: Option<Duration>,
    }
}

/// The form in which text operators become one matcher.
impl ClaimTest {
    /// The text operator, if it is one.
    pub(crate) fn text_matcher(&self) -> Option<StringMatcher> {
        let matcher = StringMatcher {
            exact: None,
            prefix: self.prefix.clone(),
            suffix: self.suffix.clone(),
            contains: self.contains.clone(),
            safe_regex: self.safe_regex.clone(),
            ignore_case: false,
        };
        let any = self.prefix.is_some()
            || self.suffix.is_some()
            || self.contains.is_some()
            || self.safe_regex.is_some();
        any.then_some(matcher)
    }
}
