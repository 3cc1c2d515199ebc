//! Matchers: one test out of several that a message has room for.

use super::provider::header;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::policy::matcher::{FieldName, HeaderMatcher, HeaderTest, Pattern, TextMatcher};
use crate::policy::query::QueryMatcher;
use crate::request::Pseudo;

/// A string matcher.
pub(super) fn text(
    raw: &raw::StringMatcher,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<TextMatcher> {
    let case = raw.ignore_case;
    let mut tests = Vec::new();
    tests.extend(raw.exact.as_ref().map(|text| TextMatcher::exact(text, case)));
    tests.extend(raw.prefix.as_ref().map(|text| TextMatcher::prefix(&text.0, case)));
    tests.extend(raw.suffix.as_ref().map(|text| TextMatcher::suffix(&text.0, case)));
    tests.extend(raw.contains.as_ref().map(|text| TextMatcher::contains(&text.0, case)));
    if let Some(regex) = &raw.safe_regex {
        tests.push(TextMatcher::regex(pattern(regex, &at.key("safe_regex"), faults)?));
    }
    one(tests, "exact, prefix, suffix, contains, safe_regex", at, faults)
}

/// A regular expression.
pub(super) fn pattern(
    raw: &raw::Regex,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Pattern> {
    Pattern::compile(&raw.0).map_err(|message| faults.add(at, message)).ok()
}

/// The only one of `found`; a fault when there are more or none.
pub(super) fn one<T>(
    found: Vec<T>,
    names: &str,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<T> {
    match <[T; 1]>::try_from(found) {
        Ok([one]) => Some(one),
        Err(found) => {
            faults.none(at, format!("must have exactly one of {names}, found {}", found.len()))
        }
    }
}

/// A header matcher; without a test the header need only be there.
pub(super) fn header_matcher(
    raw: &raw::HeaderMatcher,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<HeaderMatcher> {
    let name = match raw.name.0.to_ascii_lowercase().as_str() {
        ":method" => Some(FieldName::Pseudo(Pseudo::Method)),
        ":path" => Some(FieldName::Pseudo(Pseudo::Path)),
        ":authority" | "host" => Some(FieldName::Pseudo(Pseudo::Authority)),
        ":scheme" => Some(FieldName::Pseudo(Pseudo::Scheme)),
        name => header(name, &at.key("name"), faults).map(FieldName::Header),
    };
    let mut tests = Vec::new();
    if let Some(matcher) = &raw.string_match {
        tests.push(HeaderTest::Text(text(matcher, &at.key("string_match"), faults)?));
    }
    if let Some(regex) = &raw.safe_regex_match {
        let pattern = pattern(regex, &at.key("safe_regex_match"), faults)?;
        tests.push(HeaderTest::Text(TextMatcher::regex(pattern)));
    }
    let plain = [
        // An empty one is any value in the native filter, unlike `string_match`'s.
        raw.exact_match.as_ref().map(|text| match text.as_str() {
            "" => TextMatcher::prefix("", false),
            text => TextMatcher::exact(text, false),
        }),
        raw.prefix_match.as_ref().map(|text| TextMatcher::prefix(&text.0, false)),
        raw.suffix_match.as_ref().map(|text| TextMatcher::suffix(&text.0, false)),
        raw.contains_match.as_ref().map(|text| TextMatcher::contains(&text.0, false)),
    ];
    tests.extend(plain.into_iter().flatten().map(HeaderTest::Text));
    tests.extend(raw.present_match.map(HeaderTest::Present));
    let range = raw.range_match.as_ref();
    tests.extend(range.map(|r| HeaderTest::Range(r.start.unwrap_or(0), r.end.unwrap_or(0))));
    if tests.is_empty() {
        tests.push(HeaderTest::Present(true));
    }
    let test = one(tests, "the matchers", at, faults)?;
    Some(HeaderMatcher {
        name: name?,
        test,
        invert: raw.invert_match,
        missing_as_empty: raw.treat_missing_header_as_empty,
    })
}

/// A query parameter matcher; without a test the parameter need only be there.
pub(super) fn query_matcher(
    raw: &raw::QueryMatcher,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<QueryMatcher> {
    if raw.string_match.is_some() && raw.present_match.is_some() {
        return faults.none(at, "must have only one of string_match, present_match");
    }
    let test = match &raw.string_match {
        Some(matcher) => Some(text(matcher, &at.key("string_match"), faults)?),
        None => None,
    };
    let is_present = raw.present_match.unwrap_or(true);
    Some(QueryMatcher::new(raw.name.0.as_bytes(), test, is_present))
}
