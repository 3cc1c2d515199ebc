//! Points in time, as the host tells them.

use std::time::Duration;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The beginning of time, before anything could happen.
    pub const BEGINNING: Self = Self(0);

    /// The end of time: a deadline that is never reached.
    pub const NEVER: Self = Self(u64::MAX);

    /// A timestamp of `ms` milliseconds since the epoch.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// A timestamp of `secs` seconds since the epoch, saturating.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// This moment plus `d`, saturating at [`Self::NEVER`].
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        let ms = u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ms))
    }

    /// Time from `earlier` to this moment; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Timestamp {
    /// As RFC 3339 writes it: UTC, with milliseconds.
    pub fn to_rfc3339(self) -> String {
        let (days, second) = (self.as_secs() / 86_400, self.as_secs() % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let millis = self.0 % 1_000;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Year, month and day of a day since 1970. Years begin in March here, so that the odd day of leap
/// years is their last one; 400 of them have 146,097 days.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, day) = (days / 146_097, days % 146_097);
    let leaps = (day / 1_460).saturating_sub(day / 36_524).saturating_add(day / 146_096);
    let year = day.saturating_sub(leaps) / 365;
    let before = year.saturating_mul(365).saturating_add(year / 4).saturating_sub(year / 100);
    let day = day.saturating_sub(before);
    let month = day.saturating_mul(5).saturating_add(2) / 153;
    let first = month.saturating_mul(153).saturating_add(2) / 5;
    let day = day.saturating_sub(first).saturating_add(1);
    let year = year.saturating_add(era.saturating_mul(400));
    match month {
        0..=9 => (year, month.saturating_add(3), day),
        _ => (year.saturating_add(1), month.saturating_sub(9), day),
    }
}

/// The Unix seconds of a time as RFC 3339 writes it, rounded up; `None` for times before 1970.
pub fn rfc3339(text: &str) -> Option<u64> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    let month = after(&mut rest, b"-").and_then(|()| number(&mut rest, 2))?;
    let day = after(&mut rest, b"-").and_then(|()| number(&mut rest, 2))?;
    let hour = after(&mut rest, b"Tt").and_then(|()| number(&mut rest, 2))?;
    let minute = after(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
    let second = after(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
    let more = fraction(&mut rest)?;
    let east = offset(rest)?;
    // A leap second is no time for a list of revoked tokens: it is refused.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day)?
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3_600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?
        .checked_sub(east)?;
    u64::try_from(seconds).ok()?.checked_add(u64::from(more))
}

/// Takes this many digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (taken, left) = rest.split_at_checked(digits)?;
    *rest = left;
    // A sign would be read, too.
    taken.first().filter(|first| first.is_ascii_digit())?;
    str::from_utf8(taken).ok()?.parse().ok()
}

/// Takes one of these octets.
fn after(rest: &mut &[u8], marks: &[u8]) -> Option<()> {
    let (first, left) = rest.split_first()?;
    *rest = left;
    marks.contains(first).then_some(())
}

/// Takes a fraction of a second, if there is one; whether it is more than nothing.
fn fraction(rest: &mut &[u8]) -> Option<bool> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some(false) };
    let end = digits.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (digits, left) = digits.split_at_checked(end)?;
    *rest = left;
    (!digits.is_empty()).then(|| digits.iter().any(|digit| *digit != b'0'))
}

/// Seconds that the zone is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, mut rest) = zone.split_first()?;
    if matches!(sign, b'Z' | b'z') {
        return rest.is_empty().then_some(0);
    }
    let hours = number(&mut rest, 2)?;
    let minutes = after(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
    let seconds = hours.checked_mul(3_600)?.checked_add(minutes.checked_mul(60)?)?;
    let sensible = rest.is_empty() && hours <= 23 && minutes <= 59;
    match sign {
        b'+' if sensible => Some(seconds),
        b'-' if sensible => seconds.checked_neg(),
        _ => None,
    }
}

/// Days from 1970 to a day of the Gregorian calendar; `None` for one that it does not have.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    /// The same sum for the first of January 1970.
    const EPOCH: i64 = 719_528;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    if !(1..=*lengths.get(before)?).contains(&day) {
        return None;
    }
    // Leap days up to the end of the year before.
    let past = year.checked_sub(1)?;
    let leaps = (past / 4).checked_sub(past / 100)?.checked_add(past / 400)?;
    let of_years = year.checked_mul(365)?.checked_add(leaps)?;
    let of_months: i64 = lengths.iter().take(before).sum();
    of_years.checked_add(of_months)?.checked_add(day)?.checked_sub(EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        assert_eq!(Timestamp::from_secs(u64::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::NEVER.plus(Duration::MAX), Timestamp::NEVER);
        assert_eq!(Timestamp::from_secs(1).since(Timestamp::from_secs(2)), Duration::ZERO);
    }

    #[test]
    fn a_time_is_written_in_milliseconds() {
        let rows = [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_769_860_800_007, "2026-01-31T12:00:00.007Z"),
            (1_772_323_199_999, "2026-02-28T23:59:59.999Z"),
            (1_772_323_200_000, "2026-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_798_761_599_000, "2026-12-31T23:59:59.000Z"),
        ];
        for (millis, expected) in rows {
            assert_eq!(Timestamp::from_millis(millis).to_rfc3339(), expected);
        }
    }

    #[test]
    fn a_time_in_words_has_a_zone_and_is_rounded_up() {
        let rows = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-01-31T12:00:00Z", Some(1_769_860_800)),
            ("2026-01-31t12:00:00z", Some(1_769_860_800)),
            ("2026-01-31T12:00:00.000000001Z", Some(1_769_860_801)),
            ("2026-01-31T14:30:00+02:30", Some(1_769_860_800)),
            ("2026-01-31T12:00:00-00:00", Some(1_769_860_800)),
            ("1969-12-31T23:59:59Z", None),
            ("2026-01-31", None),
            ("2026-01-31 12:00:00Z", None),
            ("2026-01-31T12:00:00", None),
            ("2026-01-31T12:00Z:00", None),
            ("2026-02-30T12:00:00Z", None),
            ("2026-01-31T25:00:00Z", None),
            ("2026-01-31T12:00:00ZZ", None),
            ("9999999999-01-31T12:00:00Z", None),
            ("x026-01-31T12:00:00Z", None),
            ("+026-01-31T12:00:00Z", None),
            ("2026-1-31T12:00:00Z", None),
            ("2026-01-+1T12:00:00Z", None),
            ("2026-13-01T12:00:00Z", None),
            ("2026-00-01T12:00:00Z", None),
            ("2026-01-00T12:00:00Z", None),
            ("2026-01-31T12:00:00.Z", None),
            ("2026-01-31T12:00:00.000Z", Some(1_769_860_800)),
            ("2026-01-31T12:00:00+1:00", None),
            ("2026-01-31T12:00:00+24:00", None),
            ("2026-01-31T12:00:00+01:60", None),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("2100-02-29T00:00:00Z", None),
            ("2000-02-29T00:00:00Z", Some(951_782_400)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
            ("0000-01-01T00:00:00Z", None),
            ("é", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_second_is_read_as_another_library_reads_it(
            seconds in 0_i64..253_402_300_800,
            nanos in 0_i32..2,
        ) {
            let text = prost_types::Timestamp { seconds, nanos }.to_string();
            let expected = u64::try_from(seconds.saturating_add(nanos.into())).unwrap();
            proptest::prop_assert_eq!(rfc3339(&text), Some(expected), "{}", text);
        }
    }
}
