//! Which tokens were taken back: entries, and where more of them are.

use std::time::Duration;

use super::keys::{http_uri, patience};
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::policy::provider::RemoteRevocations;
use crate::remote::document::{Kind, RevocationTerms};
use crate::remote::source::{Retry, Schedule};
use crate::remote::{Place, Remote, SourceId};
use crate::revocation::{Entry, RevocationList};

/// Size of a list unless the configuration says otherwise, and its greatest, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
const MOST_BYTES: usize = 16 * MAX_BYTES;

/// Compiles the entries of a configuration.
pub(super) fn revoked(
    raw: &[raw::Revocation],
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> RevocationList {
    let entries = raw.iter().enumerate().filter_map(|(i, raw)| {
        let raw::Revocation { jti, sub, sid, kid, iss, issued_before } = raw;
        let names =
            [jti, sub, sid, kid, iss].map(|name| name.as_ref().map(|text| text.0.as_str().into()));
        match Entry::new(names, issued_before.map(|time| time.0)) {
            Ok(entry) => Some(entry),
            Err(why) => faults.none(&at.index(i), why.to_string()),
        }
    });
    entries.collect()
}

/// Compiles where the list of provider `name` is.
pub(super) fn remote_revocations(
    name: &str,
    raw: &raw::RemoteRevocations,
    sources: &mut Vec<Remote>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<RemoteRevocations> {
    let refresh = raw.refresh.unwrap_or(Duration::from_secs(60));
    if refresh < Duration::from_secs(1) {
        faults.add(&at.key("refresh"), "must be at least 1s");
    }
    let max_bytes = raw.max_bytes.map_or(Some(MAX_BYTES), |bytes| usize::try_from(bytes).ok());
    let max_bytes = max_bytes.filter(|bytes| (1..=MOST_BYTES).contains(bytes));
    if max_bytes.is_none() {
        faults.add(&at.key("max_bytes"), format!("must be from 1 to {MOST_BYTES}"));
    }
    let open = raw.fail == Some(raw::Failing::Open);
    let endpoint = http_uri(&raw.http_uri, &at.key("http_uri"), faults)?;
    let day = Duration::from_secs(24 * 60 * 60);
    sources.push(Remote {
        provider: name.into(),
        kind: Kind::Revocations(RevocationTerms { max_bytes: max_bytes?, open }),
        place: Place::Fixed(endpoint),
        timeout: raw.http_uri.timeout,
        max_wait: raw.http_uri.timeout,
        schedule: Schedule {
            cache_duration: refresh,
            stale_if_error: raw.stale_if_error.unwrap_or(day),
            backoff: Duration::from_secs(1).min(refresh),
            backoff_max: Duration::from_secs(60),
            ask_interval: None,
            retry: Retry::NONE,
            patience: patience(raw.http_uri.timeout),
        },
    });
    Some(RemoteRevocations { source: SourceId(sources.len().saturating_sub(1)), open })
}
