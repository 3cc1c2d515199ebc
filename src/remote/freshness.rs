//! How long an answer asks to be kept: `cache-control` and `age` (RFC 9111, 5.1 and 5.2.2).

use std::time::Duration;

/// How long an answer with these headers asks to be kept from now on; `None` when it does not say,
/// or not in a form that is understood.
///
/// `no-store` and `no-cache` ask for no time at all. Of several `max-age` the least counts (4.2.1).
pub fn fresh_for(cache_control: &str, age: Option<&str>) -> Option<Duration> {
    let mut least = None::<u64>;
    for (name, value) in directives(cache_control) {
        let seconds = match (name.to_ascii_lowercase().as_str(), value) {
            // With a value it is about some header fields only.
            ("no-store" | "no-cache", None) => Some(0),
            ("max-age", Some(value)) => seconds(unquoted(value)),
            _ => None,
        };
        least = least.into_iter().chain(seconds).min();
    }
    let age = age.and_then(seconds).unwrap_or_default();
    least.map(|least| Duration::from_secs(least.saturating_sub(age)))
}

/// The directives with their values. A comma in quotes parts nothing.
fn directives(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = text.split(move |c: char| {
        let parts = c == ',' && !quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        parts
    });
    parts.map(|part| match part.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (part.trim(), None),
    })
}

/// A value, of which the quotes do not matter (5.2).
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// Delta-seconds (1.2.2): digits alone, and too many of them are as good as for ever.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(1 << 31).min(1 << 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_less_the_age_is_the_time_that_is_left() {
        let rows: [(&str, Option<&str>, Option<u64>); 27] = [
            ("max-age=300", None, Some(300)),
            ("Max-Age=300", None, Some(300)),
            ("public, max-age=300, must-revalidate", None, Some(300)),
            ("max-age=\"300\"", None, Some(300)),
            ("max-age=300", Some("100"), Some(200)),
            ("max-age=300", Some(" 100 "), Some(200)),
            ("max-age=300", Some("400"), Some(0)),
            ("max-age=300", Some("-1"), Some(300)),
            ("max-age=300", Some("x"), Some(300)),
            ("max-age=0", None, Some(0)),
            ("max-age=300, max-age=60", None, Some(60)),
            ("max-age=99999999999999999999999", None, Some(1 << 31)),
            ("no-store", None, Some(0)),
            ("no-cache, max-age=300", None, Some(0)),
            ("no-cache=\"set-cookie\", max-age=300", None, Some(300)),
            ("private=\"a, max-age=1\", max-age=300", None, Some(300)),
            ("private=\"a\\\", max-age=1\", max-age=300", None, Some(300)),
            (",,max-age=300,", None, Some(300)),
            ("s-maxage=10", None, None),
            ("max-age", None, None),
            ("max-age=", None, None),
            ("max-age=-1", None, None),
            ("max-age=+1", None, None),
            ("max-age=1.5", None, None),
            ("max-age=1e3", None, None),
            ("max-age 300", None, None),
            ("", Some("10"), None),
        ];
        for (cache_control, age, expected) in rows {
            let found = fresh_for(cache_control, age).map(|time| time.as_secs());
            assert_eq!(found, expected, "{cache_control:?} {age:?}");
        }
    }
}
