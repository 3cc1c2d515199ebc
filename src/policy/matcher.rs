//! Matchers over single values: text, headers, query parameters.

use std::borrow::Cow;

use crate::policy::query::form_decode;
use crate::request::{HeaderName, Lines, Pseudo, RequestView};

/// A test of one text. Bytes are compared; letters of other alphabets than ASCII have one case.
#[derive(Clone, Debug)]
pub struct TextMatcher {
    test: Test,
    ignore_case: bool,
}

#[derive(Clone, Debug)]
enum Test {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Box<[u8]>),
    Regex(Pattern),
}

impl TextMatcher {
    /// The text is this.
    pub fn exact(text: &str, ignore_case: bool) -> Self {
        Self::of(Test::Exact, text, ignore_case)
    }

    /// The text begins with this.
    pub fn prefix(text: &str, ignore_case: bool) -> Self {
        Self::of(Test::Prefix, text, ignore_case)
    }

    /// The text ends with this.
    pub fn suffix(text: &str, ignore_case: bool) -> Self {
        Self::of(Test::Suffix, text, ignore_case)
    }

    /// The text has this somewhere.
    pub fn contains(text: &str, ignore_case: bool) -> Self {
        Self::of(Test::Contains, text, ignore_case)
    }

    /// The whole text matches this. A pattern has its own way to ignore case.
    pub const fn regex(pattern: Pattern) -> Self {
        Self { test: Test::Regex(pattern), ignore_case: false }
    }

    /// What it asks for, in words.
    #[cfg(feature = "tools")]
    pub(crate) fn describe(&self) -> String {
        use crate::explain::text;
        let case = if self.ignore_case { ", in any case" } else { "" };
        match &self.test {
            Test::Exact(exact) => format!("`{}`{case}", text(exact)),
            Test::Prefix(prefix) => format!("begins with `{}`{case}", text(prefix)),
            Test::Suffix(suffix) => format!("ends with `{}`{case}", text(suffix)),
            Test::Contains(part) => format!("has `{}` in it{case}", text(part)),
            Test::Regex(pattern) => format!("matches `{}`", pattern.as_str()),
        }
    }

    fn of(test: fn(Box<[u8]>) -> Test, text: &str, ignore_case: bool) -> Self {
        let text = if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
        Self { test: test(text.into_bytes().into()), ignore_case }
    }

    /// Whether `text` passes.
    pub fn matches(&self, text: &[u8]) -> bool {
        let text = if self.ignore_case {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        match &self.test {
            Test::Exact(exact) => *text == **exact,
            Test::Prefix(prefix) => text.starts_with(prefix),
            Test::Suffix(suffix) => text.ends_with(suffix),
            Test::Contains(part) => text.windows(part.len().max(1)).any(|w| w == &**part),
            Test::Regex(pattern) => pattern.matches(&text),
        }
    }

    /// The same for whoever decodes what stands in queries, here and there. An expression is for the
    /// decoded text.
    pub fn decoded(&self) -> Self {
        let decode = |text: &[u8]| form_decode(text).into_owned().into_boxed_slice();
        let test = match &self.test {
            Test::Exact(exact) => Test::Exact(decode(exact)),
            Test::Prefix(prefix) => Test::Prefix(decode(prefix)),
            Test::Suffix(suffix) => Test::Suffix(decode(suffix)),
            Test::Contains(part) => Test::Contains(decode(part)),
            Test::Regex(pattern) => Test::Regex(pattern.clone()),
        };
        Self { test, ignore_case: self.ignore_case }
    }
}

/// A regular expression that matches whole values, in linear time.
#[derive(Clone, Debug)]
pub struct Pattern(regex_lite::Regex);

impl Pattern {
    /// Memory that a compiled pattern may take, in bytes.
    const SIZE_LIMIT: usize = 256 * 1024;

    /// Compiles `pattern`, which need not be anchored. The syntax is RE2's, as far as it is in
    /// use: classes such as `\d` and `\w` are about ASCII, `.` is any character but a line's end.
    /// The error is a sentence for whoever wrote the pattern.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        // The pattern is compiled by itself first: `a)(b` would be one only inside our group.
        let build = |text: &str| {
            regex_lite::RegexBuilder::new(text).size_limit(Self::SIZE_LIMIT).nest_limit(32).build()
        };
        build(pattern)
            .and_then(|_| build(&format!("^(?:{pattern})$")))
            .map(Self)
            .map_err(|error| format!("is no regular expression: {error}"))
    }

    /// The pattern as it was written.
    #[cfg(feature = "tools")]
    pub(crate) fn as_str(&self) -> &str {
        let anchored = self.0.as_str();
        anchored.strip_prefix("^(?:").and_then(|p| p.strip_suffix(")$")).unwrap_or(anchored)
    }

    /// Whether the whole of `text` matches; bytes that are not UTF-8 are some character each.
    pub fn matches(&self, text: &[u8]) -> bool {
        // `$` without the multi-line flag is the end of the text and nothing else.
        self.0.is_match(&String::from_utf8_lossy(text))
    }
}

/// A condition on a request header.
#[derive(Clone, Debug)]
pub struct HeaderMatcher {
    /// The header, or a pseudo-header.
    pub name: FieldName,
    /// What a line of it must be.
    pub test: HeaderTest,
    /// Whether the test's result is turned round.
    pub invert: bool,
    /// Whether an absent header is tested as an empty one. Otherwise it never matches, inverted
    /// or not.
    pub missing_as_empty: bool,
}

/// A header or pseudo-header.
#[derive(Clone, Debug)]
pub enum FieldName {
    /// A pseudo-header.
    Pseudo(Pseudo),
    /// A header.
    Header(HeaderName),
}

/// What is asked of a header's value.
#[derive(Clone, Debug)]
pub enum HeaderTest {
    /// A text.
    Text(TextMatcher),
    /// An integer from the first to before the second.
    Range(i64, i64),
    /// It is there, or it is not.
    Present(bool),
}

impl HeaderMatcher {
    /// Whether the request passes. Of several lines of one header one has to pass the test, and
    /// none may where it is turned round, as in the native filter.
    pub fn matches(&self, view: &dyn RequestView) -> bool {
        let lines = match &self.name {
            FieldName::Pseudo(pseudo) => view.pseudo(*pseudo).map_or(Lines::None, Lines::One),
            FieldName::Header(name) => view.lines(name),
        };
        let there = !lines.as_slice().is_empty();
        if let HeaderTest::Present(wanted) = self.test {
            return ((there || self.missing_as_empty) == wanted) != self.invert;
        }
        let holds = match lines.as_slice() {
            [] if !self.missing_as_empty => return false,
            [] => self.test.holds(b""),
            lines => lines.iter().any(|line| self.test.holds(line)),
        };
        holds != self.invert
    }
}

impl HeaderTest {
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Text(matcher) => matcher.matches(value),
            Self::Range(start, end) => str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .is_some_and(|n| (*start..*end).contains(&n)),
            Self::Present(wanted) => *wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_values_only() {
        let pattern = Pattern::compile("a|b").unwrap();
        for (text, expected) in
            [("a", true), ("b", true), ("ab", false), ("xb", false), ("a\n", false)]
        {
            assert_eq!(pattern.matches(text.as_bytes()), expected, "{text:?}");
        }
        assert!(Pattern::compile("a)(b").is_err());
        assert!(Pattern::compile("(a{1000}){1000}").is_err());
        assert!(Pattern::compile("/admin/.*").unwrap().matches(b"/admin/\xff"));
    }

    #[test]
    fn text_is_matched_in_each_way() {
        let cases = [
            (TextMatcher::exact("Ab", false), "Ab", "ab"),
            (TextMatcher::exact("Ab", true), "aB", "abc"),
            (TextMatcher::prefix("a", false), "ab", "ba"),
            (TextMatcher::suffix("B", true), "ab", "ba"),
            (TextMatcher::contains("b", false), "abc", "ac"),
        ];
        for (matcher, yes, no) in cases {
            assert!(matcher.matches(yes.as_bytes()), "{matcher:?} {yes}");
            assert!(!matcher.matches(no.as_bytes()), "{matcher:?} {no}");
        }
    }

    #[test]
    fn headers_match_as_the_native_filter_has_it() {
        let request: &[(&str, &str)] = &[("x-a", "1"), ("x-a", "2")];
        let matcher = |name: &str, test, invert, missing_as_empty| HeaderMatcher {
            name: FieldName::Header(HeaderName::parse(name).unwrap()),
            test,
            invert,
            missing_as_empty,
        };
        let text = |s| HeaderTest::Text(TextMatcher::exact(s, false));
        let cases = [
            (matcher("x-a", text("1"), false, false), true),
            (matcher("x-a", text("2"), false, false), true),
            (matcher("x-a", text("1,2"), false, false), false),
            (matcher("x-a", text("1,2"), true, false), true),
            (matcher("x-a", text("2"), true, false), false),
            (matcher("x-a", HeaderTest::Range(2, 3), false, false), true),
            (matcher("x-b", text("x"), true, true), true),
            (matcher("x-b", HeaderTest::Present(true), true, false), true),
            (matcher("x-b", HeaderTest::Present(true), false, true), true),
            (matcher("x-b", HeaderTest::Present(false), false, true), false),
            (matcher("x-b", text(""), false, false), false),
            (matcher("x-b", text("x"), true, false), false),
            (matcher("x-b", text(""), false, true), true),
            (matcher("x-b", HeaderTest::Present(false), false, false), true),
            (matcher("x-a", HeaderTest::Present(true), true, false), false),
        ];
        for (matcher, expected) in cases {
            assert_eq!(matcher.matches(&request), expected, "{matcher:?}");
        }
    }
}
