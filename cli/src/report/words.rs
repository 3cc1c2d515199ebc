//! How times and numbers are written.

use std::fmt::Write as _;

/// A point in time as RFC 3339 writes it, in whole seconds.
pub(crate) fn moment(at: u64) -> String {
    let seconds = i64::try_from(at).unwrap_or(i64::MAX);
    prost_types::Timestamp { seconds, nanos: 0 }.to_string()
}

/// A time in the greatest unit that it is a whole number of, or in hours and minutes.
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let whole = |(size, _): &&(u64, &str)| seconds >= *size && seconds.is_multiple_of(*size);
    match UNITS.iter().find(whole) {
        Some((size, unit)) => {
            let count = seconds.checked_div(*size).unwrap_or(0);
            format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
        }
        None => format!("{seconds} seconds"),
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share in per cent with one digit behind the point; `-` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let tenths = u128::from(part).saturating_mul(1_000).checked_div(u128::from(whole));
    match tenths {
        Some(tenths) => {
            let (percent, tenth) = (tenths.checked_div(10), tenths.checked_rem(10));
            format!("{}.{} %", percent.unwrap_or(0), tenth.unwrap_or(0))
        }
        None => "-".to_owned(),
    }
}

/// Text that came from outside, with what a terminal or a reader could be fooled by escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Controls, and what turns the direction of writing round or is not seen at all.
        let is_hidden = matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || is_hidden {
            _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_are_written_for_people() {
        assert_eq!(moment(1_769_860_800), "2026-01-31T12:00:00Z");
        let spans = [60, 3_600, 7_200, 5_400, 86_400, 61].map(span);
        assert_eq!(spans, ["1 minute", "1 hour", "2 hours", "90 minutes", "1 day", "61 seconds"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([share(1, 3), share(0, 0), share(2, 2)], ["33.3 %", "-", "100.0 %"]);
    }

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}é\n"), "a\\u{1b}[31m\\u{202e}é\\u{a}");
    }
}
