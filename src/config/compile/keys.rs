//! Where keys come from: the document itself, or an endpoint.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::config::error::{ConfigPath, Faults};
use crate::config::raw;
use crate::keys::set::{KeyLimits, KeySet};
use crate::policy::Limits;
use crate::policy::provider::Keys;
use crate::remote::document::Kind;
use crate::remote::source::{Retry, Schedule};
use crate::remote::{Endpoint, Remote, SourceId};

/// Compiles where the keys of provider `name` come from.
pub(super) fn keys(
    name: &str,
    raw: &raw::Provider,
    limits: &Limits,
    sources: &mut Vec<Remote>,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Keys> {
    match (&raw.local_jwks, &raw.remote_jwks) {
        (Some(local), None) => local_keys(local, &limits.keys, &at.key("local_jwks"), faults),
        (None, Some(remote)) => {
            sources.push(remote_keys(name, remote, &at.key("remote_jwks"), faults)?);
            Some(Keys::Remote(SourceId(sources.len().saturating_sub(1))))
        }
        (local, _) => {
            let found = if local.is_some() { 2 } else { 0 };
            let message =
                format!("must have exactly one of local_jwks, remote_jwks, found {found}");
            faults.none(at, message)
        }
    }
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
    let endpoint = http_uri(&raw.http_uri, &at.key("http_uri"), faults);
    ranges(raw, at, faults);
    let timeout = raw.http_uri.timeout;
    Some(Remote {
        provider: provider.into(),
        kind: Kind::Keys,
        endpoint: endpoint?,
        timeout,
        max_wait: raw.max_wait.unwrap_or(timeout),
        schedule: schedule(raw),
    })
}

/// Compiles an endpoint.
pub(super) fn http_uri(
    raw: &raw::HttpUri,
    at: &ConfigPath<'_>,
    faults: &mut Faults,
) -> Option<Endpoint> {
    if !(Duration::from_millis(1)..=Duration::from_secs(300)).contains(&raw.timeout) {
        faults.add(&at.key("timeout"), "must be from 0.001s to 300s");
    }
    let Some((scheme, authority, path)) = url(&raw.uri.0) else {
        // It is not repeated: it may hold a password.
        let message = "must be an absolute http or https URL without a user and a fragment";
        return faults.none(&at.key("uri"), message);
    };
    let cluster = raw.cluster.0.as_str().into();
    Some(Endpoint { cluster, scheme, authority: authority.into(), path: path.into() })
}

/// The host keeps the time; ours is for answers that are lost.
pub(super) const fn patience(raw: &raw::HttpUri) -> Duration {
    raw.timeout.saturating_add(Duration::from_secs(1))
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

fn pause_of(raw: &raw::RemoteJwks) -> Option<Duration> {
    raw.async_fetch.as_ref().and_then(|fetch| fetch.failed_refetch_duration)
}

fn schedule(raw: &raw::RemoteJwks) -> Schedule {
    let day = Duration::from_secs(24 * 60 * 60);
    Schedule {
        cache_duration: raw.cache_duration.unwrap_or(Duration::from_secs(600)),
        stale_if_error: raw.stale_if_error.unwrap_or(day),
        backoff: pause_of(raw).unwrap_or(Duration::from_secs(1)),
        backoff_max: Duration::from_secs(60),
        retry: raw.retry_policy.as_ref().map_or(Retry::NONE, retry),
        ask_interval: raw
            .refetch_on_unknown_kid
            .unwrap_or(true)
            .then(|| raw.min_interval.unwrap_or(Duration::from_secs(5))),
        patience: patience(&raw.http_uri),
    }
}

/// Scheme, authority, and path with query of an absolute URL.
fn url(url: &str) -> Option<(&'static str, &str, &str)> {
    let (scheme, rest) = match url.split_once("://")? {
        ("https", rest) => ("https", rest),
        ("http", rest) => ("http", rest),
        _ => return None,
    };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(at)?;
    let path = if path.is_empty() { "/" } else { path };
    let legal = |s: &str| s.bytes().all(|b| b.is_ascii_graphic());
    let is_host = !authority.is_empty() && !authority.contains('@') && legal(authority);
    (is_host && path.starts_with('/') && legal(path) && !path.contains('#'))
        .then_some((scheme, authority, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_absolute_url() {
        let cases = [
            ("https://a.example/x?y", Some(("https", "a.example", "/x?y"))),
            ("http://a:80", Some(("http", "a:80", "/"))),
            ("a.example/x", None),
            ("ftp://a/x", None),
            ("https:///x", None),
            ("https://u@a/x", None),
            ("https://a/x y", None),
            ("https://a/x#f", None),
            ("https://a?x", None),
        ];
        for (text, expected) in cases {
            assert_eq!(url(text), expected, "{text}");
        }
    }
}
