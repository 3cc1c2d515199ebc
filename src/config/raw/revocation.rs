//! Tokens that were taken back.

use std::time::Duration;

use super::provider::HttpUri;
use crate::config::error::{ConfigPath, Faults};
use crate::config::read::{Read, Text, record, word};
use crate::json::Value;
use crate::time::rfc3339;

record! {
    /// Tokens that were taken back: those for which all of it holds.
    pub(crate) struct Revocation {
        /// The token's `jti`.
        jti: Option<Text>,
        /// The token's `sub`.
        sub: Option<Text>,
        /// The token's `sid`.
        sid: Option<Text>,
        /// Name of the key that made the signature.
        kid: Option<Text>,
        /// The token's `iss`, for providers with several issuers.
        iss: Option<Text>,
        /// The token's `iat` is earlier, or absent.
        issued_before: Option<UnixTime>,
    }
}

/// A time in Unix seconds, rounded up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnixTime(pub(crate) u64);

impl Read for UnixTime {
    fn read(value: &Value, at: &ConfigPath<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_str() {
            Some(text) => match rfc3339(text).or_else(|| text.parse().ok()) {
                Some(seconds) => Some(Self(seconds)),
                None => faults.none(
                    at,
                    format!("must be Unix seconds or a time such as \"2026-01-31T12:00:00Z\", found `{text}`"),
                ),
            },
            None => u64::read(value, at, faults).map(Self),
        }
    }

    #[cfg(feature = "tools")]
    fn schema(definitions: &mut crate::config::schema::Definitions) -> serde_json::Value {
        serde_json::json!({ "anyOf": [
            { "type": "string", "examples": ["2026-01-31T12:00:00Z"] },
            u64::schema(definitions),
        ] })
    }
}

record! {
    /// A list of such entries behind a URL.
    pub(crate) struct RemoteRevocations {
        /// Where the list is: `{"revoked": [entry, …]}`.
        http_uri: HttpUri,
        /// How often it is fetched; `60s` by default.
        refresh: Option<Duration>,
        /// What happens to tokens without a list; `closed` by default.
        fail: Option<Failing>,
        /// How long beyond `refresh` a list is used while fetching fails; `86400s` by default.
        stale_if_error: Option<Duration>,
        /// Size of the document; 1 MiB by default.
        max_bytes: Option<u32>,
    }
}

word! {
    /// What happens to tokens while the list cannot be had.
    pub(crate) enum Failing {
        /// They are answered 503.
        Closed = "closed",
        /// They pass.
        Open = "open",
    }
}
