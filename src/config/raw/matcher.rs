//! Matchers of Envoy's API: strings, headers, query parameters.

use crate::config::error::{ConfigPath, Faults};
use crate::config::read::{Read, Text, record};
use crate::json::Value;

record! {
    /// A string to compare with, one way out of five.
    pub(crate) struct StringMatcher {
        exact: Option<String>,
        prefix: Option<Text>,
        suffix: Option<Text>,
        contains: Option<Text>,
        safe_regex: Option<Regex>,
        ignore_case: bool,
    }
    refused { custom: "extensions of the proxy are out of a module's reach", }
}

/// A regular expression, as `{"regex": "…"}` or plain.
#[derive(Clone, Debug)]
pub(crate) struct Regex(pub(crate) String);

record! {
    struct RegexMatcher {
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
}

record! {
    /// A condition on a request header.
    pub(crate) struct HeaderMatcher {
        name: Text,
        string_match: Option<StringMatcher>,
        present_match: Option<bool>,
        range_match: Option<Range>,
        exact_match: Option<String>,
        prefix_match: Option<Text>,
        suffix_match: Option<Text>,
        contains_match: Option<Text>,
        safe_regex_match: Option<Regex>,
        invert_match: bool,
        treat_missing_header_as_empty: bool,
    }
}

record! {
    /// Integers from `start` to before `end`.
    pub(crate) struct Range {
        start: Option<i64>,
        end: Option<i64>,
    }
}

record! {
    /// A condition on a query parameter.
    pub(crate) struct QueryMatcher {
        name: Text,
        string_match: Option<StringMatcher>,
        present_match: Option<bool>,
    }
}
