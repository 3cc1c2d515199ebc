//! Matchers of Envoy's API: strings, headers, query parameters.

use crate::config::error::{ConfigPath, Faults};
use crate::config::read::{Read, Text, record};
use crate::json::Value;

record! {
    /// A string to compare with, one way out of five.
    pub(crate) struct StringMatcher {
        /// It is this.
        exact: Option<String>,
        /// It begins so.
        prefix: Option<Text>,
        /// It ends so.
        suffix: Option<Text>,
        /// It has that in it.
        contains: Option<Text>,
        /// It matches as a whole.
        safe_regex: Option<Regex>,
        /// Letters of either case are the same; not for `safe_regex`.
        ignore_case: bool,
    }
    refused { custom: "extensions of the proxy are out of a module's reach", }
}

/// A regular expression, as `{"regex": "…"}` or plain.
#[derive(Clone, Debug)]
pub(crate) struct Regex(pub(crate) String);

record! {
    struct RegexMatcher {
        /// The expression, in the syntax of RE2.
        regex: Text,
    }
    always { google_re2: Option<Value>, }
}

impl Read for Regex {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        if value.as_str().is_some() {
            return Text::read(value, at, faults).map(|text| Self(text.0));
        }
        RegexMatcher::read(value, at, faults).map(|matcher| Self(matcher.regex.0))
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({
            "anyOf": [Text::schema(definitions), RegexMatcher::schema(definitions)],
        })
    }
}

record! {
    /// A condition on a request header.
    pub(crate) struct HeaderMatcher {
        /// Name of the header.
        name: Text,
        /// A test of its value.
        string_match: Option<StringMatcher>,
        /// Whether it must be there.
        present_match: Option<bool>,
        /// It is an integer in this range.
        range_match: Option<Range>,
        /// It is this.
        exact_match: Option<String>,
        /// It begins so.
        prefix_match: Option<Text>,
        /// It ends so.
        suffix_match: Option<Text>,
        /// It has that in it.
        contains_match: Option<Text>,
        /// It matches as a whole.
        safe_regex_match: Option<Regex>,
        /// Turns the result round.
        invert_match: bool,
        /// An absent header is compared as an empty one.
        treat_missing_header_as_empty: bool,
    }
}

record! {
    /// Integers from `start` to before `end`.
    pub(crate) struct Range {
        /// The first.
        start: Option<i64>,
        /// The one behind the last.
        end: Option<i64>,
    }
}

record! {
    /// A condition on a query parameter.
    pub(crate) struct QueryMatcher {
        /// Name of the parameter.
        name: Text,
        /// A test of its value.
        string_match: Option<StringMatcher>,
        /// Whether it must be there.
        present_match: Option<bool>,
    }
}
