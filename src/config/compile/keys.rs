//! Where keys come from: the document itself, or an endpoint.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::discovery;
use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::keys::set::{KeyLimits, KeySet};
use crate::policy::Limits;
use crate::policy::provider::Keys;
use crate::remote::document::Kind;
use crate::remote::endpoint::Endpoint;
use crate::remote::source::{Retry, Schedule};
use crate::remote::{Place, Remote, SourceId};

/// Compiles where the keys of provider `name` come from.
pub(super) fn keys(
    name: &str,
    raw: &raw::Provider,
    limits: &Limits,
    sources: &mut Vec<Remote>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Keys> {
    match (&raw.local_jwks, &raw.remote_jwks, &raw.discovery) {
        (Some(local), None, None) => local_keys(local, &limits.keys, &at.key("local_jwks"), faults),
        (None, Some(remote), None) => {
            let remote = remote_keys(name, remote, &at.key("remote_jwks"), faults)?;
            Some(Keys::Remote(push(sources, remote)))
        }
        (None, _, Some(discovery)) => {
            discovery::discovered(name, raw, discovery, sources, at, faults)
        }
        (local, remote, discovery) => {
            let found = [local.is_some(), remote.is_some(), discovery.is_some()];
            let found = found.into_iter().filter(|there| *there).count();
            let message = format!(
                "must have exactly one of local_jwks, remote_jwks, discovery, found {found}"
            );
            faults.none(at, message)
        }
    }
}

/// Adds a remote document to those of the policy.
pub(super) fn push(sources: &mut Vec<Remote>, remote: Remote) -> SourceId {
    sources.push(remote);
    SourceId(sources.len().saturating_sub(1))
}

fn local_keys(
    raw: &raw::LocalJwks,
    limits: &KeyLimits,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Keys> {
    let (text, place) = match (&raw.inline_string, &raw.inline_bytes) {
        (Some(text), None) => (text.clone().into_bytes(), at.key("inline_string")),
        (None, Some(bytes)) => match base64(bytes) {
            Some(text) => (text, at.key("inline_bytes")),
            None => return faults.none(&at.key("inline_bytes"), "must be base64"),
        },
        (Some(_), Some(_)) | (None, None) => {
            return faults.none(at, "must have exactly one of inline_string, inline_bytes");
        }
    };
    match KeySet::from_configuration(&text, limits) {
        Ok((keys, skipped)) => {
            for skipped in skipped {
                faults.warn(&place, format!("{skipped}; it is not used"));
            }
            Some(Keys::Local(Arc::new(keys)))
        }
        Err(error) => faults.none(&place, error.to_string()),
    }
}

/// Bytes in protobuf's JSON form: either alphabet, with or without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

fn remote_keys(
    provider: &str,
    raw: &raw::RemoteJwks,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Remote> {
    let place = at.key("http_uri");
    let Some(uri) = &raw.http_uri else { return faults.none(&place, "is required") };
    let endpoint = http_uri(uri, &place, faults);
    let schedule = schedule(raw, uri.timeout, at, faults);
    Some(Remote {
        provider: provider.into(),
        kind: Kind::Keys,
        place: Place::Fixed(endpoint?),
        timeout: uri.timeout,
        max_wait: raw.max_wait.unwrap_or(uri.timeout),
        schedule,
    })
}

/// Compiles an endpoint.
pub(super) fn http_uri(
    raw: &raw::HttpUri,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Endpoint> {
    check_timeout(raw.timeout, at, faults);
    Endpoint::parse(&raw.uri.0, &raw.cluster.0).or_else(|| {
        // It is not repeated: it may hold a password.
        let message = "must be an absolute http or https URL without a user and a fragment";
        faults.none(&at.key("uri"), message)
    })
}

/// Notes a time for an answer that is too short or too long.
pub(super) fn check_timeout(timeout: Duration, at: &ConfigPath<'_>, faults: &mut Faults) {
    if !(Duration::from_millis(1)..=Duration::from_secs(300)).contains(&timeout) {
        faults.add(&at.key("timeout"), "must be from 0.001s to 300s");
    }
}

/// The host keeps the time; ours is for answers that are lost.
pub(super) const fn patience(timeout: Duration) -> Duration {
    timeout.saturating_add(Duration::from_secs(1))
}

fn ranges(raw: &raw::RemoteJwks, at: &ConfigPath<'_>, faults: &mut Faults) {
    let mut at_least = |at: &ConfigPath<'_>, value: Option<Duration>, (least, text): (_, &str)| {
        if value.is_some_and(|value| value < Duration::from_millis(least)) {
            faults.add(at, format!("must be at least {text}"));
        }
    };
    at_least(&at.key("cache_duration"), raw.cache_duration, (1, "0.001s"));
    at_least(&at.key("min_interval"), raw.min_interval, (1_000, "1s"));
    let pause = at.key("async_fetch");
    at_least(&pause.key("failed_refetch_duration"), pause_of(raw), (100, "0.1s"));
    let place = at.key("retry_policy");
    let place = place.key("retry_back_off");
    let back_off = raw.retry_policy.as_ref().and_then(|policy| policy.retry_back_off.as_ref());
    let base = back_off.map(|pauses| pauses.base_interval);
    at_least(&place.key("base_interval"), base, (1, "0.001s"));
    if back_off.is_some_and(|p| p.max_interval.is_some_and(|most| most < p.base_interval)) {
        faults.add(&place.key("max_interval"), "must not be less than base_interval");
    }
}

/// As in the native filter: one retry unless told otherwise, after a second, ten at most.
fn retry(raw: &raw::RetryPolicy) -> Retry {
    let pauses = raw.retry_back_off.as_ref();
    let pause = pauses.map_or(Duration::from_secs(1), |pauses| pauses.base_interval);
    let longest = pauses.and_then(|pauses| pauses.max_interval);
    Retry {
        count: raw.num_retries.unwrap_or(1),
        pause,
        longest: longest.unwrap_or_else(|| pause.saturating_mul(10)),
    }
}

/// Shortest time between two fetches that somebody asks for.
pub(super) fn min_interval(raw: &raw::RemoteJwks) -> Duration {
    raw.min_interval.unwrap_or(Duration::from_secs(5))
}

fn pause_of(raw: &raw::RemoteJwks) -> Option<Duration> {
    raw.async_fetch.as_ref().and_then(|fetch| fetch.failed_refetch_duration)
}

/// When keys are fetched by these settings, of an endpoint that has so much time to answer.
pub(super) fn schedule(
    raw: &raw::RemoteJwks,
    timeout: Duration,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Schedule {
    ranges(raw, at, faults);
    let day = Duration::from_secs(24 * 60 * 60);
    Schedule {
        cache_duration: raw.cache_duration.unwrap_or(Duration::from_secs(600)),
        stale_if_error: raw.stale_if_error.unwrap_or(day),
        backoff: pause_of(raw).unwrap_or(Duration::from_secs(1)),
        backoff_max: Duration::from_secs(60),
        retry: raw.retry_policy.as_ref().map_or(Retry::NONE, retry),
        ask_interval: raw.refetch_on_unknown_kid.unwrap_or(true).then(|| min_interval(raw)),
        patience: patience(timeout),
    }
}
