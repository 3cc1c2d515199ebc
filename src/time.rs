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
        let seconds = i64::try_from(self.as_secs()).unwrap_or_default();
        let text = prost_types::Timestamp { seconds, nanos: 0 }.to_string();
        format!("{}.{:03}Z", text.trim_end_matches('Z'), self.0 % 1_000)
    }
}

/// The Unix seconds of a time as RFC 3339 writes it, rounded up; `None` for times before 1970.
pub fn rfc3339(text: &str) -> Option<u64> {
    // What reads it takes a date alone and a time without a zone, too.
    let octets = text.as_bytes();
    let has_zone = matches!(octets, [.., b'Z' | b'z'] | [.., b'+' | b'-', _, _, b':', _, _]);
    if !has_zone || !matches!(octets.get(10), Some(b'T' | b't')) {
        return None;
    }
    let prost_types::Timestamp { seconds, nanos } = text.parse().ok()?;
    u64::try_from(seconds).ok()?.checked_add(u64::from(nanos > 0))
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
            ("é", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
    }
}
