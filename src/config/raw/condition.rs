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
    enum Quantified {
        AllOf(Vec<Text>) = "all_of",
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
}

record! {
    /// A test of a claim: `path` and exactly one operator.
    pub(crate) struct ClaimTest {
        path: ClaimName,
        equals: Option<Scalar>,
        any_of: Option<Vec<Scalar>>,
        all_of: Option<Vec<Scalar>>,
        none_of: Option<Vec<Scalar>>,
        prefix: Option<Text>,
        suffix: Option<Text>,
        contains: Option<Text>,
        safe_regex: Option<Regex>,
        present: Option<bool>,
        at_least: Option<i64>,
        at_most: Option<i64>,
        equals_variable: Option<Text>,
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
}

record! {
    /// Demands on the sign-in.
    pub(crate) struct Acr {
        any_of: Vec<Text>,
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
