//! The time, which the core takes as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use jwt_gate::time::{Timestamp, rfc3339};

/// The present.
#[expect(clippy::disallowed_methods, reason = "the command is the core's host: here time comes in")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_secs(since.as_secs())
}

/// A time as an argument.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().ok().or_else(|| rfc3339(text));
    let wrong = || "Unix seconds are expected, or a time such as 2026-01-31T12:00:00Z".to_owned();
    seconds.map(Timestamp::from_secs).ok_or_else(wrong)
}
